"""What is added to findings of instances: details, whether a balancer stands before them, and what the configuration says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inventories import answers, group, interface, permission, save

from vedette.epoch import moment
from vedette.findings import Moment, Sighting, Tally
from vedette.findings.ordering import canonical
from vedette.guardduty.blocks import instance_resource
from vedette.inventory import Inventory
from vedette.pipeline.enrichment import Enrichment

NOON = 1_773_489_600_000_000  # 2026-03-14T12:00:00Z
AT = moment(NOON)
MakeInventory = Callable[..., Inventory]


@pytest.fixture
def inventory(tmp_path: Path) -> MakeInventory:
    """Load an inventory of one instance, whose interface has what is given beside."""

    def make(taken_at: str = "2026-03-14T00:00:00Z", ports: tuple[int, ...] = (22,), **members: object) -> Inventory:
        saved = answers()
        saved["describe-network-interfaces"] = {"NetworkInterfaces": [interface(address="10.0.1.9", **members)]}
        opened = [permission(ports=(port, port), cidr="0.0.0.0/0") for port in ports]
        saved["describe-security-groups"] = {"SecurityGroups": [group("sg-1", *opened)]}
        return Inventory.load(save(tmp_path / "inventory", saved, taken_at))

    return make


def probe(*ports: int, remote: str = "198.51.100.7", interface_id: str = "eni-0a", instance: str | None = None) -> Sighting:
    """A sighting of a port probe."""
    said = {port: canonical({"port": port, "local": "10.0.1.9", "remote": {"ipAddressV4": remote}}) for port in ports}
    return Sighting(
        finding_type="Recon:EC2/PortProbeUnprotectedPort",
        account_id="123456789012",
        region="us-east-1",
        partition="aws",
        resource_key=instance or interface_id,
        target="",
        first=Moment(AT, ""),
        last=Moment(AT, ""),
        count=1,
        resource=instance_resource({"interface_id": interface_id, "instance_id": instance}, "10.0.1.9"),
        action={"actionType": "PORT_PROBE"},
        tallies={"probes": {text: Tally(1, AT, AT) for text in said.values()}},
        samples={},
    )


def configuration(sighting: Sighting) -> dict[int, dict[str, Any]]:
    return {item["port"]: item for item in map(json.loads, sighting.tallies.get("configuration", {}))}


def test_nothing_is_added_where_nothing_is_known() -> None:
    assert Enrichment()(probe(22)) == probe(22)


def test_the_inventory_names_the_instance_and_its_details(inventory: MakeInventory) -> None:
    found = Enrichment(inventory())(probe(22))
    assert found.resource_key == "i-0a"
    details = found.resource["instanceDetails"]
    assert isinstance(details, dict)
    assert (details["instanceId"], details["instanceType"]) == ("i-0a", "t3.micro")
    assert "via_load_balancer" not in found.facts


def test_an_interface_that_nobody_knows_stays_as_it_is(inventory: MakeInventory) -> None:
    found = Enrichment(inventory())(probe(22, interface_id="eni-0f"))
    assert found.resource == probe(22, interface_id="eni-0f").resource
    assert (found.resource_key, found.facts) == ("eni-0f", {})
    assert configuration(found)[22]["verdict"] == "unknown"


def test_an_instance_that_the_records_name_keeps_its_name(inventory: MakeInventory) -> None:
    found = Enrichment(inventory())(probe(22, interface_id="eni-0f", instance="i-0f"))
    assert found.resource_key == "i-0f"
    assert found.resource == probe(22, interface_id="eni-0f", instance="i-0f").resource


@pytest.mark.parametrize(
    ("members", "via"),
    [
        ({"public": None}, True),
        ({}, False),
        ({"public": None, "Ipv6Addresses": [{"Ipv6Address": "2001:db8::9"}]}, False),
    ],
)
def test_without_a_public_address_a_balancer_passes_them_on(
    inventory: MakeInventory, members: dict[str, object], via: bool
) -> None:
    assert ("via_load_balancer" in Enrichment(inventory(**members))(probe(22)).facts) is via


def test_the_configuration_says_which_rule_lets_the_scanner_in(inventory: MakeInventory) -> None:
    told = configuration(Enrichment(inventory(ports=(22, 9200)))(probe(22, 9200, 443)))
    assert {port: item["verdict"] for port, item in told.items()} == {22: "allow", 9200: "allow", 443: "deny"}
    assert told[22]["rule"] == "sg-1 ingress tcp 22 from 0.0.0.0/0"
    assert "revoke-security-group-ingress" in told[22]["command"]
    assert not told[443]["command"]


@pytest.mark.parametrize(
    ("taken_at", "verdict"),
    [
        ("2026-03-13T12:00:00Z", "allow"),
        ("2026-03-13T11:59:59Z", "unknown"),
        ("2026-03-15T12:00:00Z", "allow"),
        ("2026-03-15T12:00:01Z", "unknown"),
    ],
)
def test_a_snapshot_counts_for_a_day_before_and_after(inventory: MakeInventory, taken_at: str, verdict: str) -> None:
    told = configuration(Enrichment(inventory(taken_at))(probe(22)))[22]
    assert told["verdict"] == verdict
    assert (told["steps"] == ["No snapshot was taken within 24 hours of it."]) is (verdict == "unknown")
