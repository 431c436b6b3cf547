"""What a finding says when it is explained comes from its detection, and is never that of another type."""

import ast
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from discovery_cases import LISTED, played
from flow_notation import Log, blob, lines_of
from scanning import lists_of, scan

import vedette
from vedette.detections import Detection, all_detections
from vedette.findings import Finding
from vedette.findings.model import KEPT_SAMPLES
from vedette.text import NARROWEST
from vedette.text.explanation import show
from vedette.text.findings import render

PACKAGE = Path(vedette.__file__).parent
MakeFinding = Callable[[str], Finding]
# The addresses from which a principal asks in one episode, each once more often than the next.
ADDRESSES = ("198.51.100.7", "198.51.100.8", "198.51.100.9", "198.51.100.10", "198.51.100.11", "198.51.100.12", "198.51.100.13")
CALLS = ("DescribeSecurityGroups", "DescribeNetworkAcls", "DescribeRouteTables")
MORE_CALLS = ("DescribeVpcs", "DescribeSubnets", "DescribeNetworkInterfaces", "DescribeVpcEndpoints")


def shown(finding: Finding) -> list[str]:
    return "".join(show(finding, NARROWEST)).splitlines()


def section(finding: Finding, heading: str) -> dict[str, str]:
    """Return what stands under a heading, by name; a line that goes on is joined."""
    lines = shown(finding)
    found: dict[str, str] = {}
    for line in lines[lines.index(heading) + 1 :]:
        if not line:
            break
        name, text = line[2:13].strip(), line[13:].strip()
        if name:
            found[name] = text
        else:
            *_, last = found
            found[last] += f" {text}"
    return found


@pytest.fixture(scope="module")
def discovery(tmp_path_factory: pytest.TempPathFactory) -> Finding:
    """A finding of a principal that asks about its networks from seven addresses."""
    asks = [
        f"12:{number:02}:{again:02} mallory {address} ec2:{CALLS[(number + again) % len(CALLS)]}"
        for number, address in enumerate(ADDRESSES)
        for again in range(len(ADDRESSES) - number)
    ]
    outcome = played([{"asks": asks}], tmp_path_factory.mktemp("archive"))
    (finding,) = (item for item in outcome.findings if item.seen.finding_type == "Recon:IAMUser/NetworkPermissions")
    return finding


def test_a_discovery_finding_says_from_which_addresses_and_networks_the_calls_came(discovery: Finding) -> None:
    where = section(discovery, "From where")
    assert where == {
        "addresses": "198.51.100.7 (7), 198.51.100.8 (6), 198.51.100.9 (5), 198.51.100.10 (4), 198.51.100.11 (3) and 2 more",
        "networks": "AS64510 Hotel Guest Net (FR) (28)",
        "regions": "us-east-1",
    }


def test_without_geolocation_the_place_of_a_discovery_finding_is_unknown(discovery: Finding) -> None:
    seen = discovery.seen
    tallies = {name: tally for name, tally in seen.tallies.items() if name != "places"}
    bare = replace(discovery, seen=replace(seen, tallies=tallies))
    assert section(bare, "From where")["location"] == "unknown (no geolocation database)"


def test_the_table_shows_a_principal_once(discovery: Finding, made_up_finding: MakeFinding) -> None:
    caller = made_up_finding("tor_ip_caller")
    table = "".join(render([discovery, caller], "table", 200))
    assert discovery.seen.target not in table
    assert caller.seen.target in table


@pytest.mark.parametrize("name", ["tor_ip_caller", "malicious_ip_caller", "own_egress"])
@pytest.mark.parametrize("role", ["access key", "instance"])
def test_a_finding_of_an_unknown_type_is_shown_without_advice(name: str, role: str, made_up_finding: MakeFinding) -> None:
    """The store of a newer version may hold such findings, and that of an older one those of a type that was given up."""
    known = made_up_finding(name)
    resource = {"access key": known.seen.resource, "instance": {"instanceDetails": {"instanceId": "i-0a"}}}[role]
    kind, action = {"access key": ("AccessKey", "AWS_API_CALL"), "instance": ("Instance", "NETWORK_CONNECTION")}[role]
    seen = replace(known.seen, finding_type="Recon:S3/NobodyKnows", resource=resource)
    lines = shown(replace(known, seen=seen, resource_type=kind, action_type=action))
    assert lines[0] == shown(known)[0]
    assert "What to do next" not in lines
    assert not any("aws " in line for line in lines)
    assert {"Why", "Resource", "Other side", "When (UTC)", "Calls", "Numbers (rule version 1)"} <= set(lines)
    assert ["address", known.seen.target] in [line.split() for line in lines]
    assert not {"Who (latest call)", "From where", "Instance"} & set(lines)


def test_a_finding_of_an_unknown_type_is_rendered_in_every_format(made_up_finding: MakeFinding) -> None:
    known = made_up_finding("tor_ip_caller")
    strange = replace(known, seen=replace(known.seen, finding_type="Recon:S3/NobodyKnows"))
    for name in ("table", "json", "ndjson", "csv", "guardduty-api"):
        text = "".join(render([strange], name, 200))
        assert "NobodyKnows" in text
        assert known.seen.target in text


@pytest.mark.parametrize("detection", all_detections().values(), ids=all_detections())
def test_every_type_explains_and_advises_even_where_little_is_known(detection: Detection, made_up_finding: MakeFinding) -> None:
    known = made_up_finding("tor_ip_caller")
    seen = replace(known.seen, finding_type=detection.finding_type, resource={}, action={}, tallies={}, samples={}, facts={})
    finding = replace(known, seen=seen, resource_type=detection.resource_type, action_type=detection.action_type)
    first, second = detection.sections(finding, {})
    assert first.heading != second.heading
    assert detection.next_steps(finding)
    assert "What to do next" in shown(finding)


def test_each_finding_type_is_named_by_its_detection_alone() -> None:
    """Documentation may name it, and the ground truth of the simulation must not depend on what it is compared with."""
    named = [
        f"{path.relative_to(PACKAGE).as_posix()}: {text.value}"
        for path in PACKAGE.rglob("*.py")
        if "simulate" not in path.parts
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(text, ast.Constant) and text.value in all_detections()
    ]
    assert len(named) == len(all_detections()), sorted(named)
    assert all(place.startswith("detections/") for place in named)


FLOWS = (
    "12:00 10.0.1.9 > 192.0.2.7 501-540 refused",
    *(f"13:00:{number:02} 198.51.100.{number} > 10.0.1.9 9200 established" for number in range(1, 31)),
)


def test_findings_of_every_kind_keep_the_same_number_of_records(tmp_path: Path) -> None:
    """A call from a listed address is a caller's finding, and one of discovery."""
    regions = ("us-east-1", "us-east-2", "eu-west-1")
    asks = [
        f"12:{number:02} mallory {LISTED} ec2:{name} region={region}"
        for number, (name, region) in enumerate(product((*CALLS, *MORE_CALLS), regions))
    ]
    log = Log(version=5, own="10.0.1.9")
    flows = scan([blob(lines_of(FLOWS, log), log)], lists_of({"scanner": ["198.51.100.0/24"]}))
    found = {item.seen.finding_type: item for item in (*played([{"asks": asks}], tmp_path).findings, *flows.findings)}
    assert {name.partition("/")[2] for name in found} == {
        "MaliciousIPCaller.Custom",
        "NetworkPermissions",
        "Portscan",
        "PortProbeUnprotectedPort",
    }
    for finding in found.values():
        assert finding.seen.count > KEPT_SAMPLES
        assert len(finding.seen.samples["records"]) == KEPT_SAMPLES
        assert any(line.startswith(f"Records (first {KEPT_SAMPLES} of ") for line in shown(finding))


def test_places_of_other_sides_are_in_the_spreadsheet_whatever_was_done(made_up_finding: MakeFinding) -> None:
    known = made_up_finding("tor_ip_caller")
    remote = {"ipAddressV4": "192.0.2.7", "country": {"countryName": "Norway"}}
    seen = replace(known.seen, action={"networkConnectionAction": {"remoteIpDetails": remote}})
    assert ",Norway," in "".join(render([replace(known, seen=seen)], "csv"))
