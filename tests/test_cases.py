"""Every case of ``tests/cases`` about calls on every engine: what is expected is all that is found, in the same bytes."""

from collections.abc import Mapping
from typing import Any

import pytest
from engines import ENGINES
from notation import blob, calls, key_of
from scanning import Outcome, lists_of, scan
from written_cases import cases, type_of

from vedette.findings import Finding

pytest_plugins = ["sparks"]

CALLERS = (
    "Recon:IAMUser/TorIPCaller",
    "Recon:IAMUser/MaliciousIPCaller",
    "Recon:IAMUser/MaliciousIPCaller.Custom",
)


def run(case: Mapping[str, Any], engine: str, finding_types: tuple[str, ...]) -> Outcome:
    records = calls(case["calls"])
    half = len(records) // 2
    return scan(
        [blob(records[half:], "b.json.gz"), blob(records[:half], "a.json.gz")] if half else [blob(records)],
        lists_of(case["lists"]),
        own_networks=tuple(case.get("own", ())),
        engine=engine,
        finding_types=finding_types,
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


@pytest.mark.parametrize(("stem", "case"), cases("calls"))
@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_case(stem: str, case: Mapping[str, Any], engine: str) -> None:
    # What else calls of that kind raise, first calls of an archive for example, is for the cases of those types to say.
    expected = [{"type": type_of(stem), **item} for item in case["expect"]]
    outcome = run(case, engine, CALLERS)
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
        assert outcome.text == run(case, "duckdb", CALLERS).text
