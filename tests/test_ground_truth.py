"""Every scenario of the simulation, scanned: exactly the findings of its ground truth, and nothing else."""

from pathlib import Path

import pytest
from ground_truth import expected, found, scanned

from vedette.simulate import all_scenarios
from vedette.simulation import simulate


@pytest.mark.parametrize("name", sorted(all_scenarios()))
def test_a_scenario_alone(name: str, tmp_path: Path) -> None:
    simulate([name], tmp_path / "out", seed=7)
    assert found(scanned(tmp_path / "out")) == expected(tmp_path / "out")


@pytest.mark.parametrize("seed", [1, 2])
def test_all_scenarios_in_one_account_over_days(seed: int, tmp_path: Path) -> None:
    simulate(sorted(all_scenarios()), tmp_path / "out", seed=seed, days=3)
    outcome = scanned(tmp_path / "out", slice_events=1_000)
    assert found(outcome) == expected(tmp_path / "out")
    assert outcome.report.slices > 3
    assert outcome.report.late == 0
    assert outcome.report.bad == 0
