"""Every case of ``tests/cases`` on every engine: what is expected is all that is found, in the same bytes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from engines import ENGINES
from notation import blob, calls, key_of
from scanning import Outcome, lists_of, scan

from vedette.findings import Finding
from vedette.registry import discover

pytest_plugins = ["sparks"]

CASES = Path(__file__).parent / "cases"


def cases() -> list[Any]:
    return [
        pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")
        for path in sorted(CASES.glob("*.yaml"))
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


def type_of(stem: str) -> str:
    """The finding type of the detection module that a file of cases is named after."""
    return dict(discover("vedette.detections", "DETECTION"))[stem].finding_type  # type: ignore[attr-defined]


def run(case: Mapping[str, Any], engine: str) -> Outcome:
    records = calls(case["calls"])
    half = len(records) // 2
    return scan(
        [blob(records[half:], "b.json.gz"), blob(records[:half], "a.json.gz")] if half else [blob(records)],
        lists_of(case["lists"]),
        own_networks=tuple(case.get("own", ())),
        engine=engine,
        **case.get("settings", {}),
    )


def seen(finding: Finding, wanted: Mapping[str, Any]) -> dict[str, object]:
    """Say of a finding what a case says."""
    told: dict[str, object] = {
        "type": finding.seen.finding_type,
        "address": finding.seen.target,
        "count": finding.seen.count,
        "severity": finding.summary.severity,
        "apis": {api: tally.count for api, tally in finding.seen.tallies["apis"].items()},
    }
    if "key" in wanted:
        told["key"] = finding.seen.resource_key
    if "lists" in wanted:
        told["lists"] = sorted({item.list_name for item in finding.seen.evidence})
    if "region" in wanted:
        told["region"] = finding.seen.region
    return told


@pytest.mark.parametrize(("stem", "case"), cases())
@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_case(stem: str, case: Mapping[str, Any], engine: str) -> None:
    outcome = run(case, engine)
    expected = [{"type": type_of(stem), **item} for item in case["expect"]]
    for item in expected:
        if "key" in item:
            item["key"] = key_of(item["key"]) if item["key"] != "root" else "root:123456789012"
    order = lambda item: (item["type"], item.get("key", ""), item["address"])  # noqa: E731
    expected.sort(key=order)
    findings = sorted(outcome.findings, key=lambda item: (item.seen.finding_type, item.seen.resource_key, item.seen.target))
    assert len(findings) == len(expected), [seen(finding, {"key": ""}) for finding in findings]
    assert [seen(finding, wanted) for finding, wanted in zip(findings, expected, strict=True)] == expected
    assert dict(outcome.report.silenced) == case.get("silenced", {})
    if engine != "duckdb":
        assert outcome.text == run(case, "duckdb").text
