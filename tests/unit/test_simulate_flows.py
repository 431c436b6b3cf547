"""Simulated flow logs: a scenario for each row of the matrix, and a ground truth and inventory that the files bear out."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vedette.cli.simulate import APPLICATION
from vedette.errors import ConfigurationError
from vedette.simulate import all_scenarios
from vedette.simulate.world import simulate

SCAN, PROBE = "Recon:EC2/Portscan", "Recon:EC2/PortProbeUnprotectedPort"
MUST_FIRE = {
    "connect-scan": (SCAN, "10.20.3.40", 1_000),
    "syn-scan": (SCAN, "203.0.113.141", 1_000),
    "horizontal-scan": (SCAN, "tcp/445", 1),
    "slow-scan": (SCAN, "203.0.113.140", 30),
    "rejected-scan": (SCAN, "10.20.3.20", 200),
    "open-host-scan": (SCAN, "10.20.3.21", 300),
    "block-scan": (SCAN, "block", 12),
    "sensitive-scan": (SCAN, "10.20.3.41", 8),
    "probed-ssh": (PROBE, "", 1),
    "probed-search": (PROBE, "", 1),
    "probed-ipv6": (PROBE, "", 1),
    "probed-behind-balancer": (PROBE, "", 1),
}
MUST_NOT_FIRE = {
    "busy-web-server", "nat-gateway", "prometheus-node", "ftp-mirror", "traceroute", "dead-database", "directory-client",
    "balancer-checks", "skipped-records", "bittorrent-peer", "peer-outage", "dead-monitoring", "authorised-scan",
    "probe-refused", "probe-rejected", "probe-unlisted", "probe-research", "probe-no-instance", "probe-own-reply",
}  # fmt: skip
ALLOWED = [
    ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "10.0.0.0/8")
]  # fmt: skip
V5 = ["vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr", "flow-direction"]
FLOWS = sorted(MUST_FIRE.keys() | MUST_NOT_FIRE)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, Path]:
    """All scenarios of flows with the fields of each version, one day of them."""
    folders = {version: tmp_path_factory.mktemp(f"v{version}") for version in (2, 5)}
    for version, folder in folders.items():
        simulate([*FLOWS, "company-day"], folder, flow_version=version)
    return folders


@pytest.fixture(scope="module")
def records(written: Mapping[int, Path]) -> list[dict[str, str]]:
    """The records of version 5."""
    return list(records_of(written[5]))


def records_of(folder: Path) -> Iterator[dict[str, str]]:
    for path in sorted(folder.rglob("*.log.gz")):
        header, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        names = header.split(" ")
        for line in lines:
            yield dict(zip(names, line.split(" "), strict=True))


def truths_of(folder: Path) -> dict[str, dict]:
    document = json.loads((folder / "ground_truth.json").read_bytes())
    return {item["scenario"]: item for item in document["scenarios"]}


def saved(folder: Path, name: str, member: str) -> list[dict]:
    return json.loads((folder / "inventory" / f"describe-{name}.json").read_bytes())[member]


def test_every_row_of_the_matrix_has_its_scenario() -> None:
    about_flows = {name for name, scenario in all_scenarios().items() if scenario.quiet or set(scenario.findings) & {SCAN, PROBE}}
    assert about_flows == set(FLOWS)
    for name, (finding_type, _, _) in MUST_FIRE.items():
        assert all_scenarios()[name].findings == (finding_type,)
    assert not any(all_scenarios()[name].findings for name in MUST_NOT_FIRE)


def test_the_ground_truth_says_what_must_be_found_and_why_the_rest_is_quiet(written: Mapping[int, Path]) -> None:
    truths = truths_of(written[5])
    for name, (finding_type, target, ports) in MUST_FIRE.items():
        (finding,) = truths[name]["findings"]
        assert (finding["type"], finding["target"], len(finding["ports"])) == (finding_type, target, ports)
        assert "quiet" not in truths[name]
    for name in MUST_NOT_FIRE:
        assert truths[name]["findings"] == []
        assert truths[name]["flows"] > 0
        assert truths[name]["quiet"]
    assert len(truths["authorised-scan"]["archived_findings"]) == 1
    assert truths["probed-search"]["findings"][0]["severity"] == 8


def test_the_files_bear_the_findings_out(written: Mapping[int, Path], records: list[dict[str, str]]) -> None:
    for name in MUST_FIRE:
        (finding,) = truths_of(written[5])[name]["findings"]
        ports, remotes = set(map(str, finding["ports"])), set(finding["remotes"])
        here, there = ("dst", "src") if finding["type"] == PROBE else ("src", "dst")
        own = [
            record
            for record in records
            if record["interface-id"] == finding["interface_id"]
            and {record[f"{there}addr"], record[f"{here}addr"]} & remotes
            and {record["srcport"], record["dstport"]} & ports
            and record["protocol"] == "6"
        ]
        attempts = [record for record in own if record[f"{there}addr"] in remotes and record["dstport"] in ports]
        assert {record["dstport"] for record in attempts} == ports
        assert {record[f"{there}addr"] for record in attempts} == remotes
        assert {record["instance-id"] for record in own} == {finding["instance_id"]}
        assert (
            len({(record["srcport"], record["dstport"], record[f"{there}addr"]) for record in attempts}) == finding["exchanges"]
        )
        times = [datetime.fromisoformat(finding[member]).timestamp() for member in ("first", "last")]
        assert times == [min(int(record["start"]) for record in own), max(int(record["end"]) for record in own)]


def test_version_2_is_version_5_without_what_came_later(written: Mapping[int, Path], records: list[dict[str, str]]) -> None:
    older = list(records_of(written[2]))
    assert list(records[0])[-8:] == V5
    assert len(older) == len(records)
    for old, new in zip(older, records, strict=True):
        assert old | {"version": "5"} == {name: value for name, value in new.items() if name not in V5}


def test_flags_direction_and_family_are_what_aws_writes(records: list[dict[str, str]]) -> None:
    flags = Counter()
    for record in records:
        if record["log-status"] != "OK":
            continue
        assert record["type"] == ("IPv6" if ":" in record["srcaddr"] else "IPv4")
        assert record["flow-direction"] in {"egress", "ingress"}
        assert (record["protocol"] == "6") or record["tcp-flags"] == "0"
        flags[int(record["tcp-flags"])] += record["protocol"] == "6"
    assert {2, 3, 4, 6, 18, 19} <= set(flags) <= {0, 1, 2, 3, 4, 6, 18, 19}


def test_skipped_and_empty_windows_say_nothing_else(written: Mapping[int, Path], records: list[dict[str, str]]) -> None:
    silent = [record for record in records if record["log-status"] != "OK"]
    assert Counter(record["log-status"] for record in silent) == {"SKIPDATA": 10, "NODATA": 1}
    for record in silent:
        assert record["interface-id"].startswith("eni-")
        assert record["instance-id"].startswith("i-")
        assert {record[name] for name in ("srcaddr", "dstport", "packets", "bytes", "action", "tcp-flags", "type")} == {"-"}
    assert sum(record["log-status"] == "SKIPDATA" for record in records_of(written[2])) == 10


def test_no_address_of_anybody_is_used(records: list[dict[str, str]]) -> None:
    seen = {record[name] for record in records for name in ("srcaddr", "dstaddr", "pkt-srcaddr", "pkt-dstaddr")} - {"-"}
    assert len(seen) > 5_000
    for address in map(ip_address, seen):
        assert any(address.version == known.version and address in known for known in ALLOWED)


def test_the_inventory_knows_every_interface_and_address_but_dark_ones(
    written: Mapping[int, Path], records: list[dict[str, str]]
) -> None:
    interfaces = {item["NetworkInterfaceId"]: item for item in saved(written[5], "network-interfaces", "NetworkInterfaces")}
    attached = {item["PrivateIpAddress"] for interface in interfaces.values() for item in interface["PrivateIpAddresses"]}
    unknown = set()
    for record in records:
        interface = interfaces[record["interface-id"]]
        assert record["subnet-id"] == interface["SubnetId"]
        assert record["instance-id"] == interface["Attachment"].get("InstanceId", "-")
        if record["log-status"] == "OK":
            own = record["srcaddr" if record["flow-direction"] == "egress" else "dstaddr"]
            assert own == interface["PrivateIpAddress"] or own in {six["Ipv6Address"] for six in interface["Ipv6Addresses"]}
            unknown |= {address for address in (record["srcaddr"], record["dstaddr"]) if address.startswith("10.")} - attached
    assert len(unknown) == 251
    assert all(address.startswith("10.20.200.") for address in unknown)


def test_inventory_files_fit_together(written: Mapping[int, Path]) -> None:
    folder = written[5]
    subnets = {item["SubnetId"]: ip_network(item["CidrBlock"]) for item in saved(folder, "subnets", "Subnets")}
    groups = {item["GroupId"] for item in saved(folder, "security-groups", "SecurityGroups")}
    interfaces = saved(folder, "network-interfaces", "NetworkInterfaces")
    instances = [item for part in saved(folder, "instances", "Reservations") for item in part["Instances"]]
    (acl,) = saved(folder, "network-acls", "NetworkAcls")
    tables = saved(folder, "route-tables", "RouteTables")
    (vpc,) = saved(folder, "vpcs", "Vpcs")
    for interface in interfaces:
        assert all(
            ip_address(item["PrivateIpAddress"]) in subnets[interface["SubnetId"]] for item in interface["PrivateIpAddresses"]
        )
        assert {group["GroupId"] for group in interface["Groups"]} <= groups
        assert ("InstanceId" in interface["Attachment"]) is not interface["RequesterManaged"]
    assert {acl["SubnetId"] for acl in acl["Associations"]} == set(subnets)
    assert sum(association["Main"] for table in tables for association in table["Associations"]) == 1
    assert all(network.subnet_of(ip_network(vpc["CidrBlock"])) for network in subnets.values())
    own = {item["NetworkInterfaceId"] for instance in instances for item in instance["NetworkInterfaces"]}
    assert own == {item["NetworkInterfaceId"] for item in interfaces if not item["RequesterManaged"]}
    assert len({instance["InstanceId"] for instance in instances}) == len(instances)


def test_an_instance_that_matters_has_records_enough_to_tell_its_address(
    written: Mapping[int, Path], records: list[dict[str, str]]
) -> None:
    ordinary = Counter(record["interface-id"] for record in records if record["packets"] not in {"-", "1", "2", "3"})
    for truth in truths_of(written[5]).values():
        for finding in truth["findings"]:
            assert ordinary[finding["interface_id"]] >= 20


def test_what_needs_a_past_is_given_one(tmp_path: Path) -> None:
    simulate(["peer-outage", "dead-monitoring", "connect-scan"], tmp_path / "out")
    days: dict[str, set[str]] = {}
    for record in records_of(tmp_path / "out"):
        day = datetime.fromtimestamp(int(record["start"]), UTC).strftime("%Y-%m-%d")
        days.setdefault(record["dstaddr"], set()).add(day)
    assert len(days["203.0.113.81"]) == 5
    assert len(days["10.20.3.42"]) == 4
    assert "2026-03-12" not in days["10.20.3.40"]
    assert (
        {path.name for path in (tmp_path / "out" / "lists").iterdir()} == set() if (tmp_path / "out" / "lists").exists() else True
    )


@pytest.mark.parametrize("name", FLOWS)
def test_a_scenario_is_the_same_again_and_in_company(name: str, written: Mapping[int, Path], tmp_path: Path) -> None:
    simulate([name], tmp_path / "alone", flow_version=5)
    assert truths_of(tmp_path / "alone")[name] == truths_of(written[5])[name]
    simulate([name], tmp_path / "again", flow_version=5)
    files = [
        sorted((p.relative_to(tmp_path / f), p.read_bytes()) for p in (tmp_path / f).rglob("*.*")) for f in ("alone", "again")
    ]
    assert files[0] == files[1]


def test_the_index_counts_the_lines(written: Mapping[int, Path], records: list[dict[str, str]]) -> None:
    document = json.loads((written[5] / "ground_truth.json").read_bytes())
    assert document["flow_version"] == 5
    assert sum(item["flows"] for item in document["scenarios"]) + document["ordinary_flows"] == len(records)


def test_a_version_that_nobody_reads_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="flow version 4: choose one of 2, 5"):
        simulate(["connect-scan"], tmp_path / "out", flow_version=4)
    assert not (tmp_path / "out").exists()


def test_the_command_writes_the_version_that_is_asked_for(tmp_path: Path) -> None:
    result = CliRunner().invoke(APPLICATION, ["probed-ssh", "--out", str(tmp_path / "out"), "--flow-version", "5"])
    assert result.exit_code == 0, result.output
    assert {record["version"] for record in records_of(tmp_path / "out")} == {"5"}
