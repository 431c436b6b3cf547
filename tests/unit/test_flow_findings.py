"""Findings about instances: what rows say becomes sightings, words and documents as GuardDuty writes them."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flow_notation import Log, blob, lines_of
from guardduty_model import parse, unknown
from inventories import answers, group, interface, permission, save
from scanning import lists_of, scan

from vedette.detections import all_detections
from vedette.epoch import moment
from vedette.families.scans.usual_ports import USUAL_PORTS
from vedette.findings import Finding, assemble, finding_id, merge
from vedette.findings.rows import whole
from vedette.formats import all_formats
from vedette.guardduty.blocks import instance_resource, partition, port_details
from vedette.text.explanation import show
from vedette.text.spreadsheet import spreadsheet

SCAN, PROBE = "Recon:EC2/Portscan", "Recon:EC2/PortProbeUnprotectedPort"
SCANS, PROBES = all_detections()[SCAN], all_detections()[PROBE]
NAMES = {"portscan": SCAN, "port_probe_unprotected_port": PROBE}
FORMS = ("guardduty", "guardduty-api")
NOON = 1_773_489_600_000_000  # 2026-03-14T12:00:00Z
FLOWS = [
    "12:00 10.0.1.9 > 192.0.2.7 22,80,443 half_open from=51813",
    "12:00:03 10.0.1.9 > 192.0.2.7 501-520 refused from=51813",
    "12:00:30 10.0.1.9 > 192.0.2.7 521-524 filtered from=51813",
    "13:00 198.51.100.7 > 10.0.1.9 9200 established",
    "13:05 198.51.100.8 > 10.0.1.9 22,9200 half_open",
]


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Finding]:
    """A finding of each type by its detection's module, of an instance that the inventory knows."""
    saved = answers()
    saved["describe-network-interfaces"] = {"NetworkInterfaces": [interface(address="10.0.1.9")]}
    saved["describe-security-groups"] = {"SecurityGroups": [group("sg-1", permission(cidr="0.0.0.0/0"))]}
    inventory = save(tmp_path_factory.mktemp("inventory"), saved, "2026-03-14T00:00:00Z")
    log = Log(version=5, own="10.0.1.9")
    flows = blob(lines_of(FLOWS, log), log, "123456789012_vpcflowlogs_us-east-1_fl-0a_20260314T1310Z_0a.log")
    outcome = scan([flows], lists_of({"scanner": ["198.51.100.0/28"]}), inventory=str(inventory))
    found = {finding.seen.finding_type: finding for finding in outcome.findings}
    assert len(outcome.findings) == len(found) == 2
    return {name: found[kind] for name, kind in NAMES.items()}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_document_golden(name: str, form: str, findings: Mapping[str, Finding], golden: Callable[[str, str], None]) -> None:
    golden(f"{name}.{form}.json", json.dumps(all_formats()[form].render(findings[name]), indent=2) + "\n")


@pytest.mark.parametrize("name", NAMES)
def test_show_golden(name: str, findings: Mapping[str, Finding], golden: Callable[[str, str], None]) -> None:
    golden(f"{name}.show.txt", "".join(show(findings[name], 80)))


@pytest.mark.parametrize("name", NAMES)
def test_botocore_reads_the_api_form(name: str, findings: Mapping[str, Finding]) -> None:
    document = all_formats()["guardduty-api"].render(findings[name])
    parsed, shape = parse({"findings": [document]})
    (finding,) = parsed["Findings"]
    assert sorted(unknown(document, shape.members["Findings"].member)) == []
    details = finding["Resource"]["InstanceDetails"]
    assert (finding["Resource"]["ResourceType"], details["InstanceId"]) == ("Instance", "i-0a")
    assert details["NetworkInterfaces"][0]["PrivateIpAddress"] == "10.0.1.9"
    assert finding["Service"]["ResourceRole"] == {"portscan": "ACTOR"}.get(name, "TARGET")
    if name == "portscan":
        action = finding["Service"]["Action"]["NetworkConnectionAction"]
        assert (action["ConnectionDirection"], action["Blocked"], action["Protocol"]) == ("OUTBOUND", False, "TCP")
        assert action["RemoteIpDetails"]["IpAddressV4"] == "192.0.2.7"
    else:
        probed = finding["Service"]["Action"]["PortProbeAction"]["PortProbeDetails"]
        assert [item["LocalPortDetails"]["Port"] for item in probed] == [22, 9200]
        assert [item["RemoteIpDetails"]["IpAddressV4"] for item in probed] == ["198.51.100.8", "198.51.100.8"]


def attempt(number: int, **changes: object) -> dict[str, object]:
    """A try of a port scan's row, so many seconds after noon."""
    return {
        "us": NOON + number * 1_000_000,
        "address": "192.0.2.7",
        "port": 501 + number,
        "protocol": 6,
        "outcome": "refused",
        "rule": 1,
        "kinds": "vertical_fast ",
        "local_port": 40_000 + number,
        "sensitive": 0,
        "object": "a.log",
        "position": number,
        **changes,
    }


def scan_row(*tries: dict[str, object], **changes: object) -> dict[str, object]:
    """A row of the port-scan query: the tries counted by port and so on, as the query does."""
    return {
        "interface_id": "eni-0a", "target": "192.0.2.7", "account_id": "123456789012", "region": "us-east-1",
        "instance_id": "i-0a", "vpc_id": "vpc-1", "subnet_id": None, "local_address": "10.0.0.9", "attempts": len(tries),
        "assumed": 0, "control": 0,
        "severe": 0, "low_port": 40_000, "high_port": 40_020, "fast_tried": 20, "fast_weight": 195, "medium_tried": 0,
        "medium_weight": 0, "slow_tried": 0, "slow_weight": 0, "slow_hours": 1,
        "triggered_us": max(whole(item["us"]) for item in tries),
        "first": tries[0], "last": tries[-1], "samples": [*reversed(tries), None], "tallies": [*counted(tries)], **changes,
    }  # fmt: skip


def counted(tries: Iterable[dict[str, object]]) -> Iterator[dict[str, object]]:
    """A row a try and thing that is counted."""
    for item in tries:
        port = "failed_port" if item["outcome"] in {"refused", "rejected", "no_reply"} else "open_port"
        times = {"attempts": 1, "first_us": item["us"], "last_us": item["us"]}
        yield {"part": port, "port": item["port"], "name": None, "rule": None, **times}
        yield {"part": "address", "port": None, "name": item["address"], "rule": None, **times}
        yield {"part": "outcome", "port": None, "name": item["outcome"], "rule": None, **times}
        yield {"part": "kinds", "port": None, "name": item["kinds"], "rule": None, **times}
        yield {"part": "rule", "port": None, "name": None, "rule": item["rule"], **times}


def summary_of_scan(row: dict[str, object]) -> Any:  # noqa: ANN401 - a summary
    return finished(SCAN, SCANS.sighting(row)).summary


def finished(kind: str, seen: Any) -> Finding:  # noqa: ANN401 - a sighting
    rule = all_detections()[kind]
    return assemble(seen, rule, rule.values({}), existing=None, stamp=None)


def test_a_scan_row_is_a_sighting_in_order_of_time() -> None:
    seen = SCANS.sighting(scan_row(attempt(0), attempt(1, outcome="half_open", kinds=""), attempt(2, outcome="rejected")))
    assert (seen.first.time, seen.last.time) == (moment(NOON), moment(NOON + 2_000_000))
    assert (seen.resource_key, seen.target, seen.count) == ("i-0a", "192.0.2.7", 3)
    assert {name: list(tally) for name, tally in seen.tallies.items()} == {
        "ports": ["00501", "00502", "00503"],
        "failed": ["00501", "00503"],
        "open": ["00502"],
        "hosts": ["192.0.2.7"],
        "outcomes": ["refused", "half_open", "rejected"],
        "rules": ["flags"],
        "regions": ["us-east-1"],
        "kinds": ["vertical_fast"],
    }
    action = seen.action["networkConnectionAction"]
    assert isinstance(action, dict)
    assert (action["blocked"], action["remotePortDetails"]) == (True, {"port": 503, "portName": "Unknown"})
    assert seen.facts["fast_failed"] == 19.5
    assert [json.loads(sample.text)["port"] for sample in seen.samples["records"]] == [501, 502, 503]


def test_rows_of_a_scan_merge_whatever_came_first() -> None:
    one, other = SCANS.sighting(scan_row(attempt(0))), SCANS.sighting(scan_row(attempt(1), low_port=39_000, fast_tried=25))
    both = merge(one, other)
    assert both == merge(other, one)
    assert (both.count, both.facts["fast_tried"], both.facts["negative_low_port"]) == (2, 25, -39_000)


def test_earlier_evidence_that_comes_later_changes_no_id() -> None:
    one = SCANS.sighting(scan_row(attempt(5), triggered_us=NOON + 5_000_000))
    earlier = SCANS.sighting(scan_row(attempt(0), triggered_us=NOON + 9_000_000))
    assert merge(one, earlier).first.time < one.first.time
    assert finding_id(merge(one, earlier)) == finding_id(one) != finding_id(earlier)


def test_a_rule_that_nobody_knows_is_called_so() -> None:
    assert list(SCANS.sighting(scan_row(attempt(0, rule=99))).tallies["rules"]) == ["unknown"]


@pytest.mark.parametrize(
    ("ports", "tries", "hint"),
    [((51_813, 51_813), 2, "all from source port 51813"), ((40_000, 40_008), 2, "a connect scanner"), ((40_000, 40_009), 2, "")],
)
def test_the_source_ports_hint_at_the_tool(ports: tuple[int, int], tries: int, hint: str) -> None:
    row = scan_row(*map(attempt, range(tries)), low_port=ports[0], high_port=ports[1])
    told = str(finished(SCAN, SCANS.sighting(row)).additional["toolHint"])
    assert hint in told
    assert bool(told) is bool(hint)


def test_ports_that_nmap_usually_tries_hint_at_it() -> None:
    assert len(USUAL_PORTS) == 1_000
    usual = sorted(USUAL_PORTS)[:30]
    for ports, told in ((usual, True), (usual[:19], False), (range(1, 31), False), ([*usual, *range(40_000, 40_009)], False)):
        row = scan_row(*(attempt(number, port=port) for number, port in enumerate(ports)), low_port=1, high_port=60_000)
        hint = str(finished(SCAN, SCANS.sighting(row)).additional["toolHint"])
        assert ("nmap tries by default" in hint) is told, ports


def test_a_scan_says_what_was_observed_against_which_threshold() -> None:
    summary = summary_of_scan(scan_row(*map(attempt, range(3))))
    assert summary.severity == 5
    assert "(threshold 15 failed, observed 19.5 of 20)" in summary.reasons[0]
    assert "After compromising an instance" in summary.description
    assert summary.thresholds["fast_ports"] == 20


@pytest.mark.parametrize(
    ("changes", "severity", "words"),
    [
        ({"severe": 1}, 8, "An open database, shell or similar port"),
        ({"control": 1}, 5, "A control connection with the host is established: 40 failed"),
        ({"assumed": 1}, 5, "its own address is assumed"),
        ({"instance_id": None}, 5, "Identity assumed"),
        ({}, 5, "The opener of each conversation was determined by: flags (1)."),
    ],
)
def test_each_circumstance_of_a_scan_is_told(changes: dict[str, object], severity: float, words: str) -> None:
    summary, plain = summary_of_scan(scan_row(attempt(0), **changes)), summary_of_scan(scan_row(attempt(0)))
    assert summary.severity == severity
    assert any(words in reason for reason in summary.reasons)
    assert any(words in reason for reason in plain.reasons) is (not changes)


@pytest.mark.parametrize(
    ("target", "words"),
    [("192.0.2.7", "remote host 192.0.2.7:"), ("tcp/445", "2 hosts (port tcp/445):"), ("block", "ports on 2 hosts:")],
)
def test_what_was_scanned_is_named(target: str, words: str) -> None:
    row = scan_row(attempt(0), attempt(1, address="192.0.2.8"), target=target)
    assert words in summary_of_scan(row).description


def test_long_lists_of_ports_and_hosts_are_cut_and_counted() -> None:
    row = scan_row(*(attempt(number, address=f"192.0.2.{number}") for number in range(60)))
    told = finished(SCAN, SCANS.sighting(row)).additional
    assert told["portsScannedSample"] == list(range(501, 521))
    assert told["failedPorts"] == {"total": 60, "first": list(range(501, 551))}
    assert len(told["remoteHosts"]) == 50  # type: ignore[arg-type]


def hit(number: int, **changes: object) -> dict[str, object]:
    """A port and scanner of a probe's row, so many seconds after noon."""
    return {
        "us": NOON + number * 1_000_000, "last_us": NOON + number * 1_000_000 + 5_000_000, "address": "10.0.0.9", "port": 22,
        "protocol": 6, "remote": "198.51.100.7", "level": 3, "probes": 1, "verdict": "unknown", "object": "a.log",
        "position": number, **changes,
    }  # fmt: skip


def probe_row(*hits: dict[str, object], **changes: object) -> dict[str, object]:
    """A row of the port-probe query."""
    entry = {"list_name": "scanner", "kind": "scanner", "network": "198.51.100.0/28", "line": 1, "category": None, "stale": False}
    entry |= {"as_of": None, "valid_from": None, "valid_to": None}
    return {
        "interface_id": "eni-0a", "account_id": "123456789012", "region": "us-east-1", "resource_key": "i-0a",
        "instance_id": "i-0a", "vpc_id": None, "subnet_id": None, "evidence": [entry | changes.pop("entry", {})],  # type: ignore[operator]
        "probes": sum(int(str(item["probes"])) for item in hits), "hits": list(reversed(hits)), **changes,
    }  # fmt: skip


def probed(*hits: dict[str, object], **changes: object) -> Finding:
    return finished(PROBE, PROBES.sighting(probe_row(*hits, **changes)))


def test_a_probe_row_is_a_sighting_of_the_instance() -> None:
    seen = PROBES.sighting(probe_row(hit(0, level=4), hit(1, port=80), hit(2, remote="198.51.100.8", probes=3)))
    assert (seen.target, seen.resource_key, seen.count) == ("", "i-0a", 5)
    assert (seen.first.time, seen.last.time) == (moment(NOON), moment(NOON + 7_000_000))
    assert {port: tally.count for port, tally in seen.tallies["ports"].items()} == {"00022": 4, "00080": 1}
    assert seen.facts == {"level:00022": 4, "level:00080": 3}


def test_each_port_shows_its_latest_scanner_whatever_came_first() -> None:
    early, late = hit(0), hit(9, remote="198.51.100.8")
    for order in ((early, late), (late, early)):
        action = probed(*order).summary.action["portProbeAction"]
        assert isinstance(action, dict)
        (details,) = action["portProbeDetails"]
        assert details["remoteIpDetails"]["ipAddressV4"] == "198.51.100.8"
        assert details["localPortDetails"] == {"port": 22, "portName": "SSH"}


@pytest.mark.parametrize(
    ("found", "severity", "words"),
    [
        (hit(0), 2, "Port 22 completed the handshake (1 probe)."),
        (hit(0, level=4, probes=2), 2, "Port 22 sent data back (2 probes)."),
        (hit(0, level=2), 2, "Port 22 reachable (1 probe)."),
        (hit(0, port=9200), 8, "Port 9200 belongs to a datastore"),
        (hit(0, port=9300), 8, "Port 9300 belongs to a datastore"),
        (hit(0, verdict="malicious"), 2, "At least one of the scanners is known to be malicious."),
    ],
)
def test_each_circumstance_of_a_probe_is_told(found: dict[str, object], severity: float, words: str) -> None:
    summary = probed(found).summary
    assert summary.severity == severity
    assert words in " ".join(summary.reasons)


def test_a_stale_entry_and_an_assumed_identity_are_told() -> None:
    told = " ".join(probed(hit(0), entry={"stale": True}, resource_key="eni-0a", instance_id=None).summary.reasons)
    assert "which was past its maximum age" in told
    assert "Identity assumed" in told
    assert "past its maximum age" not in " ".join(probed(hit(0)).summary.reasons)


def test_a_spreadsheet_places_each_scanner_that_a_probe_shows() -> None:
    germany = {"country_name": "Germany", "city_name": "Berlin", "asn": "64496", "asn_org": "Example Transit"}
    hits = [hit(0, **germany), hit(1, port=80, remote="198.51.100.8", country_name="Peru"), hit(2, port=443, **germany)]
    places = {"country": "Germany;Peru", "city": "Berlin", "asn": "64496", "organization": "Example Transit"}
    for found, expected in ((probed(*hits), places), (probed(hit(0)), dict.fromkeys(places, ""))):
        (row,) = csv.DictReader("".join(spreadsheet([found])).splitlines())
        assert {name: row[name] for name in places} == expected


def test_many_ports_and_scanners_are_cut_and_counted() -> None:
    finding = probed(*(hit(number, port=1_000 + number, remote=f"198.51.100.{number}") for number in range(25)))
    assert finding.summary.description.startswith("EC2 instance i-0a has 25 ports that answered 25 known scanners: 1000, 1001, ")
    assert "5 more ports answered." in finding.summary.reasons
    assert any(" and 20 more." in reason for reason in finding.summary.reasons)
    action = finding.summary.action["portProbeAction"]
    assert isinstance(action, dict)
    assert len(action["portProbeDetails"]) == 20


def test_a_probe_through_a_load_balancer_is_one_step_lower() -> None:
    finding = probed(hit(0, port=9200))
    through = replace(finding, seen=replace(finding.seen, facts={**finding.seen.facts, "via_load_balancer": 1.0}))
    thresholds = PROBES.values({})
    assert [PROBES.summarise(item, thresholds).severity for item in (finding, through)] == [8, 5]
    severe = {**thresholds, "severe_control_ports": 1}
    database = probed(hit(0, port=5432))
    assert [PROBES.summarise(database, numbers).severity for numbers in (thresholds, severe)] == [2, 8]


def test_a_scan_without_kinds_is_still_told() -> None:
    finding = finished(SCAN, SCANS.sighting(scan_row(attempt(0, kinds=""))))
    assert SCANS.summarise(finding, SCANS.values({})).additional["scanKind"] == "unknown"


def test_small_words() -> None:
    assert [partition(region) for region in ("eu-west-1", "cn-north-1", "us-gov-west-1", "")] == [
        "aws",
        "aws-cn",
        "aws-us-gov",
        "aws",
    ]
    assert [port_details(port)["portName"] for port in (22, 3389, 9200)] == ["SSH", "RDP", "Unknown"]
    six = instance_resource({"interface_id": "eni-0a"}, "2001:db8::9")
    assert six["instanceDetails"] == {"networkInterfaces": [{"networkInterfaceId": "eni-0a", "ipv6Addresses": ["2001:db8::9"]}]}


def test_goldens_are_of_this_account(findings: Mapping[str, Finding]) -> None:
    assert {finding.seen.account_id for finding in findings.values()} == {"123456789012"}
    assert not any(str(Path.home()) in json.dumps(all_formats()["guardduty"].render(finding)) for finding in findings.values())
