"""What to do next about findings of instances: the steps, their commands, and what of them reaches a shell."""

from dataclasses import replace
from pathlib import Path

import pytest
from scanning import scan

from vedette.detections import all_detections
from vedette.findings import Finding, Step
from vedette.intel import Kind
from vedette.intel.lists import load_list
from vedette.simulate.world import simulate
from vedette.sources import Span, list_blobs
from vedette.text.explanation import show

SCAN, PROBE = "Recon:EC2/Portscan", "Recon:EC2/PortProbeUnprotectedPort"


def found(folder: Path, *, inventory: bool) -> dict[str, Finding]:
    known = {"inventory": str(folder / "inventory")} if inventory else {}
    scanners = load_list(folder / "lists" / "scanner.txt", name="scanner", kind=Kind.SCANNER)
    outcome = scan(list_blobs(str(folder / "AWSLogs"), Span()), (scanners,), **known)
    return {finding.seen.finding_type: finding for finding in outcome.findings}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("made")
    simulate(["connect-scan", "probed-ssh"], made, days=1)
    return made


@pytest.fixture(scope="module")
def findings(folder: Path) -> dict[str, Finding]:
    return found(folder, inventory=True)


def next_steps(finding: Finding) -> tuple[Step, ...]:
    return all_detections()[finding.seen.finding_type].next_steps(finding)


def commands(finding: Finding) -> list[str]:
    return [step.command for step in next_steps(finding) if step.command]


def test_a_probed_port_is_closed_by_the_rule_that_opens_it(findings: dict[str, Finding]) -> None:
    close, tag = commands(findings[PROBE])
    assert close.startswith("aws ec2 revoke-security-group-ingress --region eu-central-1 --group-id sg-")
    assert close.endswith("--protocol tcp --port 22 --cidr 0.0.0.0/0")
    assert tag.endswith("--resources i-02ce7ba6e38715388 --tags Key=recon:public-ports,Value=22")


def test_without_an_inventory_the_rule_is_looked_for(folder: Path) -> None:
    finding = found(folder, inventory=False)[PROBE]
    assert commands(finding)[0].startswith(
        "aws ec2 describe-network-interfaces --region eu-central-1 --network-interface-ids eni-"
    )


def test_evidence_is_kept_before_an_instance_is_cut_off(findings: dict[str, Finding]) -> None:
    snapshot, isolate = commands(findings[SCAN])
    assert "create-snapshots --region eu-central-1 --instance-specification InstanceId=i-0b7214f59017b357a" in snapshot
    assert "modify-network-interface-attribute --region eu-central-1 --network-interface-id eni-" in isolate
    assert any("port 22, 139, 445, 5000" in step.text for step in next_steps(findings[SCAN]))


@pytest.mark.parametrize("kind", [SCAN, PROBE])
def test_what_is_no_id_gets_into_no_command(findings: dict[str, Finding], kind: str) -> None:
    finding = findings[kind]
    for name in ("$(id)", "--output=x", "i-0a; id", ""):
        resource = {"instanceDetails": {"networkInterfaces": [{"networkInterfaceId": name}]}}
        seen = replace(finding.seen, resource_key=name, resource=resource)
        tallies = {name: tally for name, tally in seen.tallies.items() if name != "configuration"}
        assert commands(replace(finding, seen=replace(seen, tallies=tallies))) == []
    assert commands(replace(finding, seen=replace(finding.seen, region="$(id)", tallies={}))) == []


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        (SCAN, ["Instance", "  name        build-agent", "  address  10.20.3.40"]),
        (
            PROBE,
            [
                "Instance",
                "  public IP   203.0.113.20",
                "  2. Restrict port 22 to the networks of your administrators, or use Session",
            ],
        ),
    ],
)
def test_an_instance_is_shown_at_eighty_columns(findings: dict[str, Finding], kind: str, lines: list[str]) -> None:
    shown = "".join(show(findings[kind], 80)).splitlines()
    assert set(lines) <= set(shown)
    assert not any("None" in line for line in shown)
    # Names of files and commands are there to be copied, and are not wrapped.
    assert [line for line in shown if len(line) > 80 and not line.lstrip().startswith(("aws ", "/"))] == []
    for command in commands(findings[kind]):
        assert sum(command in line for line in shown) == 1


def test_a_kept_flow_record_says_whom_it_asked_and_what_came_of_it(findings: dict[str, Finding]) -> None:
    assert any(line.endswith("  198.51.100.33 22 open") for line in "".join(show(findings[PROBE], 80)).splitlines())
