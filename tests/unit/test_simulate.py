"""Simulated logs: the same bytes from the same seed, AWS's file names, and a ground truth that the files bear out."""

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from vedette.catalog import lookup
from vedette.errors import ConfigurationError, NotFoundError
from vedette.logs.cloudtrail.record import caller_in
from vedette.simulate import all_scenarios
from vedette.simulate.world import simulate

ATTACKS = {"tor-caller", "malicious-caller", "custom-caller"}
NEAR_MISSES = {"trusted-caller", "listed-writer", "service-reads"}
OF_CALLS = sorted(ATTACKS | NEAR_MISSES | {"company-day"})
CALLS_FILE = re.compile(
    r"AWSLogs/123456789012/CloudTrail/(?P<region>[a-z]{2}-[a-z]+-\d)/(?P<day>\d{4}/\d{2}/\d{2})/"
    r"123456789012_CloudTrail_(?P=region)_(?P<time>\d{8}T\d{4}Z)_[A-Za-z0-9]{16}\.json\.gz"
)
FLOWS_FILE = re.compile(
    r"AWSLogs/123456789012/vpcflowlogs/(?P<region>[a-z]{2}-[a-z]+-\d)/(?P<day>\d{4}/\d{2}/\d{2})/"
    r"123456789012_vpcflowlogs_(?P=region)_fl-[0-9a-f]{17}_(?P<time>\d{8}T\d{4}Z)_[0-9a-f]{8}\.log\.gz"
)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All scenarios of calls in one folder, two days of them."""
    folder = tmp_path_factory.mktemp("simulation")
    simulate(OF_CALLS, folder, days=2)
    return folder


def files_of(folder: Path) -> dict[str, tuple[str, float]]:
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def records_of(folder: Path) -> Iterator[dict[str, object]]:
    for path in sorted(folder.rglob("*.json.gz")):
        yield from json.loads(gzip.decompress(path.read_bytes()))["Records"]


def truth_of(folder: Path) -> dict[str, dict]:
    document = json.loads((folder / "ground_truth.json").read_bytes())
    return {item["scenario"]: item for item in document["scenarios"]}


def listed(folder: Path) -> dict[str, list]:
    return {path.stem: [ip_network(line) for line in path.read_text().splitlines()] for path in (folder / "lists").iterdir()}


def kinds_of(address: str, lists: dict[str, list]) -> set[str]:
    try:
        number = ip_address(address)
    except ValueError:
        return set()
    return {kind for kind, networks in lists.items() if any(number in network for network in networks)}


def test_the_same_seed_writes_the_same_bytes_and_dates(tmp_path: Path) -> None:
    for name in ("first", "second"):
        simulate(["tor-caller", "company-day"], tmp_path / name, seed=7)
    simulate(["tor-caller", "company-day"], tmp_path / "other", seed=8)
    assert files_of(tmp_path / "first") == files_of(tmp_path / "second")
    assert set(files_of(tmp_path / "first")) != set(files_of(tmp_path / "other"))


def test_a_scenario_plays_the_same_alone_and_in_company(everything: Path, tmp_path: Path) -> None:
    simulate(["tor_caller"], tmp_path)  # the module's name is understood too
    assert truth_of(tmp_path)["tor-caller"] == truth_of(everything)["tor-caller"]


def test_files_lie_where_aws_puts_them_and_hold_what_happened_shortly_before(everything: Path) -> None:
    calls = flows = 0
    for path in everything.rglob("*.gz"):
        key = str(path.relative_to(everything))
        if match := FLOWS_FILE.fullmatch(key):
            flows += 1
        else:
            match = CALLS_FILE.fullmatch(key)
            assert match, key
            calls += 1
            delivered = datetime.strptime(match["time"], "%Y%m%dT%H%M%z")
            for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]:
                assert record["awsRegion"] == match["region"]
                assert 0 <= (delivered - datetime.fromisoformat(record["eventTime"])).total_seconds() < 20 * 60
        assert match["day"] == f"{match['time'][:4]}/{match['time'][4:6]}/{match['time'][6:8]}"
    assert calls > 100
    assert flows >= 48  # a connection may last over midnight


def test_the_index_of_a_written_simulation_counts_what_is_there(tmp_path: Path) -> None:
    written = simulate(["company-day", "listed-writer"], tmp_path, seed=3)
    ids = {record["eventID"] for record in records_of(tmp_path)}
    lines = sum(len(gzip.decompress(path.read_bytes()).splitlines()) - 1 for path in tmp_path.rglob("*.log.gz"))
    assert written.records == len(ids) + lines
    assert written.files == len(list(tmp_path.rglob("*.gz")))
    assert set(written.lists) == {"tor", "malicious", "custom", "scanner"}
    assert all(path.is_file() for path in [*written.lists.values(), written.ground_truth])


def test_some_records_are_delivered_twice_and_no_other_shares_an_id(everything: Path) -> None:
    copies: dict[str, list[str]] = {}
    for record in records_of(everything):
        copies.setdefault(str(record["eventID"]), []).append(json.dumps(record))
    twice = [texts for texts in copies.values() if len(texts) > 1]
    assert len(twice) == json.loads((everything / "ground_truth.json").read_bytes())["records_delivered_twice"] > 0
    assert all(len(set(texts)) == 1 and len(texts) == 2 for texts in twice)


def test_records_have_the_members_of_real_ones(everything: Path) -> None:
    required = {
        "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent",
        "requestParameters", "responseElements", "requestID", "eventID", "readOnly", "eventType", "managementEvent",
        "recipientAccountId", "eventCategory",
    }  # fmt: skip
    seen = Counter()
    for record in records_of(everything):
        assert required <= set(record)
        assert record["managementEvent"] == (record["eventCategory"] == "Management")
        seen.update(set(record) - required)
        seen[record["userIdentity"]["type"]] += 1
    assert {"tlsDetails", "errorCode", "errorMessage", "vpcEndpointId", "sessionCredentialFromConsole", "resources"} <= set(seen)
    assert {"IAMUser", "AssumedRole", "AWSService"} <= set(seen)


def test_every_noted_call_is_in_the_files_as_noted(everything: Path) -> None:
    records = {record["eventID"]: record for record in records_of(everything)}
    for scenario in truth_of(everything).values():
        for call in scenario["calls"]:
            record = records[call["event_id"]]
            found = lookup(record["eventSource"], record["eventName"], record["readOnly"])
            assert f"{found.service}:{found.operation}" == call["api"]
            assert (record["eventTime"], record["sourceIPAddress"], record["awsRegion"]) == (
                call["time"],
                call["address"],
                call["region"],
            )
            caller, wrong = caller_in(json.dumps(record["userIdentity"]).encode())
            assert (caller.principal, wrong) == (call["principal"], [])


def test_no_call_from_a_listed_address_is_left_unexplained(everything: Path) -> None:
    lists = listed(everything)
    noted = {call["event_id"] for scenario in truth_of(everything).values() for call in scenario["calls"]}
    from_listed = {record["eventID"] for record in records_of(everything) if kinds_of(str(record["sourceIPAddress"]), lists)}
    assert from_listed
    assert from_listed <= noted


def test_expected_findings_follow_from_lists_and_calls(everything: Path) -> None:
    lists = listed(everything)
    wanted = {
        "Recon:IAMUser/TorIPCaller": "tor",
        "Recon:IAMUser/MaliciousIPCaller": "malicious",
        "Recon:IAMUser/MaliciousIPCaller.Custom": "custom",
    }
    for scenario in truth_of(everything).values():
        counted = Counter()
        for record in {record["eventID"]: record for record in records_of(everything)}.values():
            for finding in scenario["findings"]:
                keys = {
                    record["userIdentity"].get("accessKeyId"),
                    caller_in(json.dumps(record["userIdentity"]).encode())[0].principal,
                }
                found = lookup(str(record["eventSource"]), str(record["eventName"]), bool(record["readOnly"]))
                same = finding["resource_key"] in keys and record["sourceIPAddress"] == finding["address"]
                if same and found.discovery and record["managementEvent"]:
                    counted[finding["type"], finding["address"], f"{found.service}:{found.operation}"] += 1
        expected = Counter()
        for finding in scenario["findings"]:
            assert kinds_of(finding["address"], lists) == {wanted[finding["type"]]}
            assert sum(finding["apis"].values()) == finding["count"]
            expected.update({(finding["type"], finding["address"], api): count for api, count in finding["apis"].items()})
        assert counted == expected


def test_attacks_have_the_findings_they_declare_and_near_misses_say_why_they_have_none(everything: Path) -> None:
    truths = truth_of(everything)
    assert sorted(truths) == OF_CALLS
    for name, scenario in all_scenarios().items():
        if name not in truths:
            continue
        assert {finding["type"] for finding in truths[name]["findings"]} == set(scenario.findings)
        quiet = [call["quiet"] for call in truths[name]["calls"] if "quiet" in call]
        assert bool(scenario.findings) == (name in ATTACKS)
        assert bool(quiet) == (name != "company-day")
        assert not any(call.get("quiet") and call.get("finding") for call in truths[name]["calls"])


def test_quiet_calls_are_quiet_for_the_reason_given(everything: Path) -> None:
    lists = listed(everything)
    for scenario in truth_of(everything).values():
        for call in scenario["calls"]:
            service, _, operation = call["api"].partition(":")
            discovery = lookup(f"{service}.amazonaws.com", operation, read_only=None).discovery
            match call.get("quiet"):
                case None:
                    assert discovery
                case "the address is also on the trusted list":
                    assert "trusted" in kinds_of(call["address"], lists)
                case "an AWS service reads on its own behalf":
                    assert "/aws-service-role/" in call["principal"]
                case _:
                    assert not discovery


def test_attacks_happen_on_the_last_day_only(everything: Path) -> None:
    truths = truth_of(everything)
    assert {call["time"][:10] for name in ATTACKS for call in truths[name]["calls"]} == {"2026-03-13"}
    assert {str(record["eventTime"])[:10] for record in records_of(everything)} == {"2026-03-12", "2026-03-13"}


def test_the_last_day_can_be_chosen_and_a_day_is_a_day_wherever_its_hour(tmp_path: Path) -> None:
    simulate(["custom-caller"], tmp_path / "a", end=datetime(2025, 1, 1, 15, 30, tzinfo=UTC))
    simulate(["custom-caller"], tmp_path / "b", end=datetime(2025, 1, 1))  # noqa: DTZ001  # a day without a zone is one of UTC
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")
    assert {str(record["eventTime"])[:10] for record in records_of(tmp_path / "a")} == {"2025-01-01"}


def test_flow_logs_have_the_default_format(everything: Path) -> None:
    header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
    for path in everything.rglob("*.log.gz"):
        first, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        assert first == header
        assert all(len(line.split(" ")) == 14 and line.startswith("2 123456789012 eni-") for line in lines)


def test_lists_hold_documentation_addresses_only(everything: Path) -> None:
    documentation = [ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
    for networks in listed(everything).values():
        for network in networks:
            assert any(network.version == known.version and network.subnet_of(known) for known in documentation)


def test_an_unknown_name_is_answered_with_the_nearest_known(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no scenario 'torcaller'; did you mean 'tor-caller'"):
        simulate(["torcaller"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ConfigurationError, match="is not empty"):
        simulate(["tor-caller"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_place_that_is_no_folder_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        simulate(["tor-caller"], tmp_path / "file" / "out")


@pytest.mark.parametrize(("names", "days", "message"), [([], 1, "name a scenario: .*tor-caller"), (["tor-caller"], 0, "days 0")])
def test_nothing_to_play_is_a_wrong_setting(tmp_path: Path, names: list[str], days: int, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        simulate(names, tmp_path, days=days)
