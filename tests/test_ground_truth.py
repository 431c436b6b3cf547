"""Every scenario of the simulation, scanned: exactly the findings of its ground truth, and nothing else."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from scanning import Outcome, scan

from vedette.intel import Kind
from vedette.intel.lists import load_list
from vedette.simulate import all_scenarios
from vedette.simulation import simulate
from vedette.sources import Span, list_blobs


def scanned(folder: Path, **settings: object) -> Outcome:
    lists = tuple(load_list(path, name=path.stem, kind=Kind(path.stem)) for path in sorted((folder / "lists").glob("*.txt")))
    return scan(list_blobs(str(folder / "AWSLogs"), Span()), lists, **settings)


def expected(folder: Path) -> list[tuple[object, ...]]:
    truth = json.loads((folder / "ground_truth.json").read_text(encoding="utf-8"))
    return sorted(_told(finding) for scenario in truth["scenarios"] for finding in scenario["findings"])


def _told(finding: Mapping[str, Any]) -> tuple[object, ...]:
    calls = tuple(sorted(finding["apis"].items()))
    times = tuple(datetime.fromisoformat(finding[name]) for name in ("first", "last"))
    return finding["type"], finding["resource_key"], finding["address"], finding["count"], calls, *times


def found(outcome: Outcome) -> list[tuple[object, ...]]:
    return sorted(
        (
            finding.seen.finding_type,
            finding.seen.resource_key,
            finding.seen.target,
            finding.seen.count,
            tuple(sorted((name, tally.count) for name, tally in finding.seen.tallies["apis"].items())),
            finding.seen.first.time,
            finding.seen.last.time,
        )
        for finding in outcome.findings
    )


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
