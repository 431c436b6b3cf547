"""The cases of ``tests/cases`` about flow records: each alone on DuckDB, and those that need no more at once on Spark."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engines import needs_spark
from flow_notation import OWN, Log, blob, lines_of
from inventories import answers, group, interface, permission, save
from scanning import Outcome, lists_of, scan
from written_cases import cases, type_of

from vedette.families.probes.sighting import LEVELS
from vedette.findings import Finding
from vedette.formats import all_formats

pytest_plugins = ["sparks"]

# The same for all cases, so that they can be scanned together: who is on which list is said by the address.
LISTS = {
    "scanner": ["198.51.100.0/27", "2001:db8:5ca::/48", "198.51.100.32/28", "198.51.100.48/28"],
    "research": ["198.51.100.32/28"],
    "trusted/office": ["198.51.100.48/28"],
    "scanner/dated@2026-03-14": ["198.51.100.64/28"],
    "scanner/known": ["198.51.100.80/28"],
    "malicious/feed": ["198.51.100.80/28"],
    "malicious/other": ["198.51.100.96/28"],
}
TYPES = ("Recon:EC2/Portscan", "Recon:EC2/PortProbeUnprotectedPort")
NEEDS_MORE = {"settings", "inventory", "silenced"}


def log_of(case: Mapping[str, Any]) -> Log:
    return Log(version=case.get("version", 2), instance=case.get("instance", "i-0a"), own=case.get("own", OWN))


def inventory_of(case: Mapping[str, Any], folder: Path) -> str:
    """Save what a case says of the environment: interface, other instances by address and subnet, open ports."""
    said = case["inventory"]
    saved = answers()
    own = interface(address=case.get("own", OWN), **said.get("interface", {}))
    others = [
        interface(f"eni-1{number}", address, public=None, SubnetId=subnet, Attachment={"InstanceId": f"i-1{number}"})
        for number, (address, subnet) in enumerate(said.get("others", {}).items())
    ]
    twins = [
        interface(f"eni-2{number}", address, public=None, VpcId="vpc-2") for number, address in enumerate(said.get("twins", ()))
    ]
    saved["describe-network-interfaces"] = {"NetworkInterfaces": [own, *others, *twins]}
    subnets = [f"10.0.{number}.0/24" for number in range(3)]
    saved["describe-subnets"] = {
        "Subnets": [
            {"SubnetId": f"subnet-{number}", "VpcId": "vpc-1", "CidrBlock": block} for number, block in enumerate(subnets)
        ]
    }
    opened = [permission(ports=(port, port), cidr="0.0.0.0/0") for port in said.get("opens", ())]
    saved["describe-security-groups"] = {"SecurityGroups": [group("sg-1", *opened)]}
    saved["describe-instances"]["Reservations"][0]["Instances"][0]["Tags"] += said.get("tags", [])
    return str(save(folder, saved, "2026-03-14T00:00:00Z"))


def run(case: Mapping[str, Any], folder: Path) -> Outcome:
    log = log_of(case)
    lines = lines_of(case["flows"], log)
    half = len(lines) // 2
    settings = {**case.get("settings", {}), **({"inventory": inventory_of(case, folder)} if "inventory" in case else {})}
    return scan([blob(lines[half:], log, "b.log"), blob(lines[:half], log, "a.log")], lists_of(LISTS), **settings)


def seen(finding: Finding, wanted: Mapping[str, Any]) -> dict[str, object]:
    """Say of a finding what a case says."""
    seen, summary = finding.seen, finding.summary
    tallies = seen.tallies
    told: dict[str, object] = {
        "type": seen.finding_type,
        "target": seen.target,
        "count": seen.count,
        "severity": summary.severity,
        "archived": finding.archived,
        "key": seen.resource_key,
        "kinds": finding.additional.get("scanKinds"),
        "ports": {int(port): LEVELS[int(seen.facts[f"level:{port}"])] for port in tallies["ports"]}
        if not seen.target
        else len(tallies["ports"]),
        "scanners": sorted(tallies.get("scanners", {})),
        "lists": sorted({item.list_name for item in seen.evidence}),
    }
    reasons = " ".join(summary.reasons)
    told["says"] = wanted.get("says") if str(wanted.get("says")) in reasons else reasons
    return {name: value for name, value in told.items() if name in wanted}


@pytest.mark.parametrize(("stem", "case"), cases("flows"))
def test_case(stem: str, case: Mapping[str, Any], tmp_path: Path) -> None:
    outcome = run(case, tmp_path)
    usual = {"type": type_of(stem), "severity": 5 if stem == "portscan" else 2, "archived": False}
    expected = [usual | item for item in case["expect"]]
    findings = sorted(outcome.findings, key=lambda finding: (finding.seen.finding_type, finding.seen.target))
    assert len(findings) == len(expected), [seen(item, {"type": 0, "target": 0, "count": 0, "kinds": 0}) for item in findings]
    assert [seen(finding, wanted) for finding, wanted in zip(findings, expected, strict=True)] == expected
    assert dict(outcome.report.silenced) == case.get("silenced", {})
    assert (outcome.report.bad, dict(outcome.report.nulled)) == (0, {})


def documents(findings: Iterable[Finding], log: Log) -> list[str]:
    """Return findings of a log in GuardDuty's export form."""
    render = all_formats()["guardduty"].render
    wanted = [json.dumps(render(finding), sort_keys=True) for finding in findings]
    return sorted(text for text in wanted if f'"{log.interface}"' in text)


@needs_spark
@pytest.mark.xdist_group("spark")
@pytest.mark.usefixtures("spark")
def test_all_cases_at_once_are_the_same_on_spark() -> None:
    logs = []
    for number, parameter in enumerate(cases("flows")):
        _, case = parameter.values
        # Those with a past would make one slice of each two days: the same queries again.
        if not NEEDS_MORE & case.keys() and not any(line.startswith("-") for line in case["flows"]):
            log = replace(log_of(case), interface=f"eni-{number:04}")
            instance = f"i-{number:04}" if log.instance else ""
            logs.append((case, replace(log, instance=instance)))
    blobs = [blob(lines_of(case["flows"], log), log, f"{log.interface}.log") for case, log in logs]
    together = scan(blobs, lists_of(LISTS), engine="spark", finding_types=TYPES)
    told = 0
    for (case, log), single in zip(logs, blobs, strict=True):
        alone = documents(scan([single], lists_of(LISTS)).findings, log)
        assert documents(together.findings, log) == alone, case["name"]
        told += len(alone)
    assert told == len(together.findings) > 20
