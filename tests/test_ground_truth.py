"""Every scenario of the simulation, scanned: exactly the findings of its ground truth, and nothing else."""

import json
from pathlib import Path

import pytest
from ground_truth import PROBE, SCAN, expected, found, misplaced, scanned

from vedette.simulate import all_scenarios
from vedette.simulate.world import simulate

VERSIONS = (2, 5)
# Those that are quiet for what happened on the days before are played over more of them than they need.
DAYS = {"peer-outage": 5, "dead-monitoring": 5}

# Scans that find an open sensitive port of a host in another subnet.
SEVERE = {"10.20.3.40", "10.20.3.41", "10.20.3.21"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", sorted(all_scenarios()))
def test_a_scenario_alone(name: str, version: int, tmp_path: Path) -> None:
    simulate([name], tmp_path / "out", seed=7, days=DAYS.get(name, 1), flow_version=version)
    outcome = scanned(tmp_path / "out")
    assert found(outcome) == expected(tmp_path / "out")
    assert misplaced(outcome, tmp_path / "out") == []


@pytest.mark.parametrize(("version", "seed", "days"), [(2, 1, 2), (2, 2, 1), (5, 3, 1), (5, 4, 1)])
def test_all_scenarios_in_one_account_over_days(version: int, seed: int, days: int, tmp_path: Path) -> None:
    simulate(sorted(all_scenarios()), tmp_path / "out", seed=seed, days=days, flow_version=version)
    outcome = scanned(tmp_path / "out", slice_events=20_000)
    assert found(outcome) == expected(tmp_path / "out")
    assert misplaced(outcome, tmp_path / "out") == []
    assert outcome.report.slices > 3
    assert outcome.report.late == 0
    assert outcome.report.bad == 0
    high = [item.seen for item in outcome.findings if item.summary.severity == 8 and item.seen.finding_type in {SCAN, PROBE}]
    assert {seen.resource_key for seen in high if not seen.target} == severe(tmp_path / "out")
    assert {seen.target for seen in high if seen.target} == SEVERE


def severe(folder: Path) -> set[str]:
    """Return the instances of which the ground truth states a finding of severity 8."""
    scenarios = json.loads((folder / "ground_truth.json").read_text(encoding="utf-8"))["scenarios"]
    findings = [item for scenario in scenarios for item in scenario["findings"]]
    return {item["instance_id"] for item in findings if item["type"] == PROBE and item.get("severity") == 8}


def test_what_the_truth_says_is_compared(tmp_path: Path) -> None:
    simulate(["syn-scan", "probed-ssh", "authorised-scan"], tmp_path / "out", seed=7, flow_version=5)
    probe, authorised, scan = expected(tmp_path / "out")
    assert (scan.target, scan.count, len(scan.details), scan.archived) == ("203.0.113.141", 1_000, 1_000, False)
    assert (len(probe.remotes), probe.details, probe.archived) == (3, (("00022", 0),), False)
    assert (authorised.count, authorised.archived) == (400, True)
    without_permit = scanned(tmp_path / "out", authorised_scanners=())
    assert found(without_permit) != expected(tmp_path / "out")
