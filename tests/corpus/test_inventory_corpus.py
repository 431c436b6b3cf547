"""Saved answers of public examples: what they hold was read off the files by eye."""

from pathlib import Path

import pytest

from vedette.inventory import Inventory

pytestmark = pytest.mark.corpus


def test_an_account_that_a_tool_collected(corpus: Path) -> None:
    inventory = Inventory.load(corpus / "environment" / "cloudmapper-demo")
    assert inventory.snapshots[0].scope == ("123456789012", "us-east-1")
    details = inventory.instance_details("i-00000000000000000")
    assert details is not None
    assert (details["instanceType"], details["launchTime"]) == ("t2.micro", "2017-12-01T00:00:00.000Z")
    assert inventory.tags("i-00000000000000000") == {"Name": "Bastion"}
    task = inventory.interface("eni-00000001")
    assert task is not None
    assert (task.role, task.private_addresses, task.public_addresses) == ("fargate", ("172.31.48.168",), ("3.80.3.41",))
    assert [(item.ports, item.source, item.verdict) for item in inventory.openings("eni-00000001")] == [
        ((443, 443), "0.0.0.0/0", "unknown")  # there is no file of route tables and ACLs
    ]
    found = inventory.reachability(remote="1.1.1.1", protocol=6, port=22, interface_id="eni-00000001")
    assert found.verdict == "deny"  # only the bastion's group may


def test_examples_of_the_command_line(corpus: Path) -> None:
    inventory = Inventory.load(corpus / "environment" / "aws-cli-examples")
    assert {item.interface_id: (item.role, item.instance_id) for item in inventory.interfaces} == {
        "eni-b9a5ac93": ("unknown", None),
        "eni-e5aa89a3": ("instance", "i-1234567890abcdef0"),
        "eni-f9ba99bf": ("instance", "i-0598c7d356eba48d7"),
    }
    assert inventory.notes == (
        (
            ".: get-managed-prefix-list-entries-1.json: the name contains no prefix list ID; "
            "rename the file to get-managed-prefix-list-entries-pl-….json"
        ),
    )
    assert inventory.reachability(remote="198.51.100.7", protocol=6, port=22, interface_id="eni-e5aa89a3").verdict == "unknown"
    addresses = inventory.table()["address"].to_pylist()
    assert sorted(addresses) == ["10.0.1.117", "10.0.1.149", "10.0.1.17", "10.0.1.55"]
