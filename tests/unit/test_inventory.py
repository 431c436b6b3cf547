"""Saved answers become an inventory: files, faults, roles, dates, unused addresses, and instances as findings show them."""

import json
import os
import pickle
import re
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inventories import ACCOUNT, ENI, INSTANCE, REGION, answers, group, interface, permission, save

from vedette.errors import ConfigurationError
from vedette.inventory import INTERFACES, Interface, Inventory
from vedette.inventory.roles import role_of
from vedette.inventory.saved import NetworkInterface


def load(folder: Path, **replaced: object) -> Inventory:
    """Load the answers of ``inventories``, some of which are replaced; names are commands with underscores."""
    documents = answers() | {name.replace("_", "-"): value for name, value in replaced.items()}
    return Inventory.load(save(folder, documents))


def interfaces(*items: dict[str, Any]) -> dict[str, Any]:
    return {"NetworkInterfaces": list(items)}


def test_an_interface_is_read(tmp_path: Path) -> None:
    item = interface(
        Ipv6Addresses=[{"Ipv6Address": "2001:DB8::1"}],
        PrivateIpAddresses=[
            {"PrivateIpAddress": "10.0.1.10", "Association": {"PublicIp": "203.0.113.10"}},
            {"PrivateIpAddress": "10.0.1.11", "Association": {"PublicIp": "203.0.113.11"}},
        ],
    )
    inventory = load(tmp_path, describe_network_interfaces=interfaces(item))
    assert inventory.interfaces == (
        Interface(
            interface_id=ENI,
            account_id=ACCOUNT,
            region=REGION,
            role="instance",
            instance_id=INSTANCE,
            vpc_id="vpc-1",
            subnet_id="subnet-1",
            private_addresses=("10.0.1.10", "10.0.1.11"),
            public_addresses=("203.0.113.10", "203.0.113.11"),
            ipv6_addresses=("2001:db8::1",),
            group_ids=("sg-1",),
        ),
    )
    table = inventory.table()
    assert table.schema == INTERFACES
    assert table["address"].to_pylist() == ["10.0.1.10", "10.0.1.11", "2001:db8::1"]
    assert set(table["interface_id"].to_pylist()) == {ENI}
    again = pickle.loads(pickle.dumps(inventory))  # noqa: S301 - our own bytes
    assert again.interfaces == inventory.interfaces
    assert again.reachability(remote="198.51.100.7", protocol=6, port=9200, interface_id=ENI).verdict == "allow"


def test_interfaces_inside_instances_do_where_there_is_no_file_of_interfaces(tmp_path: Path) -> None:
    documents = answers()
    (instance,) = documents["describe-instances"]["Reservations"][0]["Instances"]
    instance["NetworkInterfaces"] = [{**interface(), "Attachment": {"Status": "attached"}}]
    del documents["describe-network-interfaces"]
    inventory = Inventory.load(save(tmp_path, documents))
    assert [(item.interface_id, item.instance_id, item.role) for item in inventory.interfaces] == [(ENI, INSTANCE, "instance")]
    assert not inventory.is_dark("10.0.1.77"), "other interfaces of the VPC are not known"


@pytest.mark.parametrize(
    ("members", "role"),
    [
        ({}, "instance"),
        ({"Description": "ELB app/web/50dc6c495c0c9188"}, "instance"),
        ({"Description": "aws-K8S-i-0a"}, "instance_k8s_node"),
        ({"InterfaceType": "trunk"}, "instance"),
        ({"InterfaceType": "efa"}, "instance"),
        ({"InterfaceType": "natGateway"}, "nat_gateway"),
        ({"Attachment": None}, "unknown"),
        ({"Attachment": None, "Description": "ELB app/web/50dc6c495c0c9188"}, "load_balancer_alb"),
        ({"Attachment": None, "Description": "ELB net/web/50dc6c495c0c9188"}, "load_balancer_nlb"),
        ({"Attachment": None, "Description": "ELB gwy/web/50dc6c495c0c9188"}, "load_balancer_gwlb"),
        ({"Attachment": None, "Description": "ELB web"}, "load_balancer_clb"),
        ({"Attachment": None, "Description": "ELBOW"}, "unknown"),
        ({"Attachment": None, "Description": "Interface for NAT Gateway nat-1"}, "nat_gateway"),
        ({"Attachment": None, "Description": "VPC Endpoint Interface vpce-1"}, "vpc_endpoint"),
        ({"Attachment": None, "Description": "AWS Lambda VPC ENI-x"}, "lambda"),
        ({"Attachment": None, "Description": "RDSNetworkInterface"}, "rds"),
        ({"Attachment": None, "Description": "ElastiCache x"}, "elasticache"),
        ({"Attachment": None, "Description": "EFS mount target for fs-1"}, "efs"),
        ({"Attachment": None, "Description": "Amazon EKS web"}, "eks_control_plane"),
        ({"Attachment": None, "Description": "Network Interface for Transit Gateway Attachment t"}, "transit_gateway"),
        ({"Attachment": None, "Description": "ES web"}, "opensearch"),
        ({"Attachment": None, "Description": "ESTATE"}, "unknown"),
        ({"Attachment": None, "Description": "RedshiftNetworkInterface"}, "redshift"),
        ({"Attachment": None, "Description": "DMSNetworkInterface"}, "dms"),
        ({"Attachment": None, "Description": "Route 53 Resolver: rslvr-1"}, "resolver_endpoint"),
        ({"Attachment": None, "Description": "AWS created network interface for directory d-1"}, "directory"),
        ({"Attachment": None, "Description": "arn:aws:ecs:us-east-1:123456789012:attachment/1"}, "fargate"),
        ({"Attachment": {"InstanceOwnerId": "amazon-elb"}, "Description": "ELB app/web/1"}, "load_balancer_alb"),
        ({"RequesterManaged": True, "Description": "VPC Endpoint Interface vpce-1"}, "vpc_endpoint"),
    ],
)
def test_roles(tmp_path: Path, members: dict[str, Any], role: str) -> None:
    inventory = load(tmp_path, describe_network_interfaces=interfaces(interface(**members)))
    assert inventory.interfaces[0].role == role


def test_the_user_of_an_interface_cannot_hide_it_by_its_description() -> None:
    item = NetworkInterface(network_interface_id=ENI, description="Interface for NAT Gateway nat-1")
    assert role_of(item, INSTANCE) == "instance"
    assert role_of(item, None) == "nat_gateway"


def test_all_interfaces_of_a_node_are_a_nodes(tmp_path: Path) -> None:
    second = interface("eni-0b", "10.0.1.11", Description="aws-K8S-i-0a")
    other = interface("eni-0c", "10.0.1.12", Attachment={"InstanceId": "i-0c"})
    inventory = load(tmp_path, describe_network_interfaces=interfaces(interface(), second, other))
    assert [item.role for item in inventory.interfaces] == ["instance_k8s_node", "instance_k8s_node", "instance"]


@pytest.mark.parametrize(("tag", "role"), [("kubernetes.io/cluster/web", "instance_k8s_node"), ("kubernetes.io", "instance")])
def test_a_node_is_known_by_its_tags(tmp_path: Path, tag: str, role: str) -> None:
    documents = answers()
    documents["describe-instances"]["Reservations"][0]["Instances"][0]["Tags"] = [{"Key": tag, "Value": "owned"}]
    assert Inventory.load(save(tmp_path, documents)).interfaces[0].role == role


def test_an_instance_has_the_shape_of_findings(tmp_path: Path) -> None:
    images = {"Images": [{"ImageId": "ami-1", "Description": "An image"}]}
    found = load(tmp_path, describe_images=images).instance_details(INSTANCE)
    assert found == {
        "imageId": "ami-1",
        "instanceId": INSTANCE,
        "instanceType": "t3.micro",
        "outpostArn": None,
        "launchTime": "2026-03-01T12:00:00.000Z",
        "platform": None,
        "productCodes": [],
        "iamInstanceProfile": None,
        "networkInterfaces": [
            {
                "ipv6Addresses": [],
                "networkInterfaceId": ENI,
                "privateDnsName": None,
                "privateIpAddress": "10.0.1.10",
                "privateIpAddresses": [{"privateDnsName": None, "privateIpAddress": "10.0.1.10"}],
                "publicDnsName": "host.example",
                "publicIp": "203.0.113.10",
                "securityGroups": [{"groupId": "sg-1", "groupName": "sg-1"}],
                "subnetId": "subnet-1",
                "vpcId": "vpc-1",
            }
        ],
        "tags": [{"key": "Name", "value": "search"}],
        "instanceState": "running",
        "availabilityZone": "us-east-1a",
        "imageDescription": "An image",
    }
    assert [name for name in found if name != "outpostArn"] == [
        *("imageId", "instanceId", "instanceType", "launchTime", "platform", "productCodes", "iamInstanceProfile"),
        *("networkInterfaces", "tags", "instanceState", "availabilityZone", "imageDescription"),
    ]
    assert {type(value) for value in (found["instanceId"], found["networkInterfaces"][0]["publicIp"])} == {str}  # type: ignore[index]


def test_what_is_known_only_as_an_interface_is_an_instance_all_the_same(tmp_path: Path) -> None:
    inventory = load(tmp_path, describe_instances={"Reservations": []})
    found = inventory.instance_details(INSTANCE)
    assert found is not None
    assert (found["instanceType"], found["availabilityZone"]) == (None, "us-east-1a")
    assert inventory.tags(INSTANCE) == {}
    assert inventory.instance_details("i-9") is None


@pytest.mark.parametrize(
    ("address", "dark"),
    [
        ("10.0.1.77", True),
        ("10.0.1.10", False),
        ("10.0.1.11", False),
        ("10.0.1.0", False),
        ("10.0.1.3", False),
        ("10.0.1.4", True),
        ("10.0.1.254", True),
        ("10.0.1.255", False),
        ("10.0.1.200", False),
        ("10.0.1.208", True),
        ("10.0.200.1", True),
        ("10.1.0.1", False),
        ("198.51.100.7", False),
        ("2001:db8:1::99", True),
        ("2001:db8:1::3", False),
        ("2001:db8:2::99", False),
        ("no address", False),
    ],
)
def test_dark_addresses(tmp_path: Path, address: str, *, dark: bool) -> None:
    item = interface(
        PrivateIpAddresses=[{"PrivateIpAddress": "10.0.1.10"}, {"PrivateIpAddress": "10.0.1.11"}],
        Ipv4Prefixes=[{"Ipv4Prefix": "10.0.1.192/28"}],
    )
    ipv6 = [{"Ipv6CidrBlock": "2001:db8:1::/64"}]
    subnet = {"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24", "Ipv6CidrBlockAssociationSet": ipv6}
    vpc = {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "2001:db8:1::/56"}]}
    inventory = load(
        tmp_path,
        describe_network_interfaces=interfaces(item),
        describe_subnets={"Subnets": [subnet]},
        describe_vpcs={"Vpcs": [vpc]},
    )
    assert inventory.is_dark(address) == dark


@pytest.mark.parametrize("missing", ["describe-network-interfaces", "describe-subnets", "describe-vpcs"])
def test_nothing_is_dark_where_too_little_is_known(tmp_path: Path, missing: str) -> None:
    documents = answers()
    assert Inventory.load(save(tmp_path / "whole", documents)).is_dark("10.0.1.77")
    del documents[missing]
    assert not Inventory.load(save(tmp_path / "part", documents)).is_dark("10.0.1.77")


def test_the_newest_snapshot_wins(tmp_path: Path) -> None:
    older, newer = answers(), answers()
    older["describe-network-interfaces"] = interfaces(interface("eni-0b", "10.0.1.11"), interface(public="203.0.113.99"))
    newer["describe-security-groups"] = {"SecurityGroups": [group("sg-1", permission(ports=(22, 22), cidr="0.0.0.0/0"))]}
    save(tmp_path / "b-old", older, "2026-03-01T00:00:00Z")
    save(tmp_path / "a-new", newer, "2026-03-02T01:00:00+01:00")
    inventory = Inventory.load(tmp_path)
    assert inventory.taken_at == datetime(2026, 3, 2, tzinfo=UTC)
    assert {item.interface_id: item.public_addresses for item in inventory.interfaces} == {
        ENI: ("203.0.113.10",),
        "eni-0b": ("203.0.113.10",),
    }
    asked = {"remote": "198.51.100.7", "protocol": 6, "interface_id": ENI}
    assert inventory.reachability(port=22, **asked).verdict == "allow"  # type: ignore[arg-type]
    assert inventory.reachability(port=9200, **asked).verdict == "deny"  # type: ignore[arg-type]
    assert not inventory.is_current(datetime(2026, 3, 2, 1, tzinfo=UTC), "eni-0b")
    assert inventory.is_current(datetime(2026, 3, 2, 1, tzinfo=UTC), ENI)


def test_snapshots_of_several_accounts_stand_beside_one_another(tmp_path: Path) -> None:
    documents = answers()
    save(tmp_path / "one", documents, "2026-03-01T00:00:00Z")
    text = re.sub(r"([a-z])-1", r"\1-2", json.dumps(documents)).replace(ACCOUNT, "111122223333")
    other = json.loads(text.replace("-0a", "-0b"))
    save(tmp_path / "two", other, "2026-03-02T00:00:00Z")
    inventory = Inventory.load(tmp_path)
    assert [item.account_id for item in inventory.interfaces] == [ACCOUNT, "111122223333"]
    for name in ("eni-0a", "eni-0b"):
        assert inventory.reachability(remote="198.51.100.7", protocol=6, port=9200, interface_id=name).verdict == "allow"


def test_a_snapshot_is_current_for_a_day(tmp_path: Path) -> None:
    taken_at = datetime(2026, 3, 1, tzinfo=UTC)
    inventory = Inventory.load(save(tmp_path, answers(), taken_at.isoformat()))
    day = timedelta(hours=24)
    assert [inventory.is_current(taken_at + shift) for shift in (day, -day)] == [True, True]
    late = day + timedelta(seconds=1)
    assert [inventory.is_current(taken_at + shift) for shift in (late, -late)] == [False, False]


def test_without_a_manifest_the_files_tell_the_date(tmp_path: Path) -> None:
    save(tmp_path, answers())
    for path in tmp_path.iterdir():
        os.utime(path, (1_770_000_000, 1_770_000_000))
    assert Inventory.load(tmp_path).taken_at == datetime.fromtimestamp(1_770_000_000, tz=UTC)


def test_account_and_region_are_those_of_the_folders(tmp_path: Path) -> None:
    bare = {name: answers()[name] for name in ("describe-network-acls", "describe-route-tables")}
    save(tmp_path / "111122223333" / "eu-west-1", bare, "2026-03-01T00:00:00Z")
    assert Inventory.load(tmp_path).snapshots[0].scope == ("111122223333", "eu-west-1")


def test_files_are_read_as_tools_write_them(tmp_path: Path) -> None:
    documents = answers()
    networks = documents.pop("describe-network-interfaces")
    groups = documents.pop("describe-security-groups")
    save(tmp_path, documents)
    (tmp_path / "ec2-describe-network-interfaces.json").write_text(json.dumps(networks), encoding="utf-16")
    (tmp_path / "describe-security-groups-1.json").write_text(json.dumps(groups), encoding="utf-8-sig")
    (tmp_path / "describe-security-groups-2.json").write_text('{"SecurityGroups": [{"GroupId": "sg-2"}]}')
    (tmp_path / "describe-load-balancers.json").write_text("no JSON")
    (tmp_path / "notes.txt").write_text("nothing")
    inventory = Inventory.load(tmp_path)
    assert len(inventory.interfaces) == 1
    assert inventory.reachability(remote="198.51.100.7", protocol=6, port=9200, interface_id=ENI).verdict == "allow"


def test_what_is_incomplete_is_noted(tmp_path: Path) -> None:
    first = {**answers()["describe-security-groups"], "NextToken": "more"}
    entries = {"Entries": [{"Cidr": "192.0.2.0/24"}]}
    inventory = load(tmp_path, describe_security_groups=first, get_managed_prefix_list_entries=entries)
    assert len(inventory.notes) == 2
    assert "describe-security-groups.json: contains only the first page of the response" in inventory.notes[0]
    assert "get-managed-prefix-list-entries.json: the name contains no prefix list ID" in inventory.notes[1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "describe-vpcs.json: Input data was truncated"),
        ('{"Vpcs": [', "describe-vpcs.json: Input data was truncated"),
        ("[]", "describe-vpcs.json: Expected `object`, got `array`"),
        ("{}", "describe-vpcs.json: has no member 'Vpcs', so it is not a response of describe-vpcs"),
        ('{"Vpcs": {}}', "describe-vpcs.json: Expected `array`, got `object`"),
        ('{"Vpcs": [{"VpcId": "vpc-1"}, {"VpcId": 7}]}', "describe-vpcs.json: Vpcs[1].VpcId: Expected `str`, got `int`"),
        ('{"Vpcs": [{}]}', "describe-vpcs.json: Vpcs[0]: Object missing required field `VpcId`"),
        (
            '{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/33"}]}',
            "describe-vpcs.json: Vpcs[0].CidrBlock: '10.0.0.0/33' is not a network",
        ),
        ('{"Vpcs": ' + "[" * 100_000, "describe-vpcs.json: nested too deeply"),
        (b"\xff\xfe\x00", "describe-vpcs.json: "),
        (b"\x00\x01", "describe-vpcs.json: JSON is malformed"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_fault_with_its_place(tmp_path: Path, content: str | bytes, message: str) -> None:
    save(tmp_path, answers())
    (tmp_path / "describe-vpcs.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigurationError) as raised:
        Inventory.load(tmp_path)
    assert message in str(raised.value)


def test_all_faults_are_named_at_once_but_not_without_end(tmp_path: Path) -> None:
    bad = {"SecurityGroups": [{"GroupId": number} for number in range(30)]}
    save(tmp_path, answers() | {"describe-security-groups": bad, "describe-instances": []})
    (tmp_path / "snapshot.json").write_text('{"taken_at": "2026-03-01T00:00:00"}')
    with pytest.raises(ConfigurationError) as raised:
        Inventory.load(tmp_path)
    lines = str(raised.value).splitlines()
    assert len(lines) == 22
    assert "describe-instances.json: Expected `object`, got `array`" in lines[1]
    assert "SecurityGroups[0].GroupId" in lines[2]
    assert lines[-1] == "and 12 more faults"


def test_a_folder_without_answers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no saved response of EC2"):
        Inventory.load(tmp_path)
    with pytest.raises(ConfigurationError, match="not a folder"):
        Inventory.load(tmp_path / "nowhere")


ADDRESSES = st.ip_addresses(v=4).map(str)
SAVED = st.builds(
    interface,
    st.integers(0, 50).map(lambda number: f"eni-{number}"),
    ADDRESSES,
    public=st.none() | ADDRESSES,
    VpcId=st.sampled_from(["vpc-1", "vpc-2"]),
    Groups=st.lists(st.sampled_from(["sg-1", "sg-2"]).map(lambda name: {"GroupId": name}), max_size=2),
    Ipv6Addresses=st.lists(st.ip_addresses(v=6).map(lambda address: {"Ipv6Address": str(address)}), max_size=2),
    Description=st.text(max_size=20).filter(lambda text: not text.startswith("aws-K8S")),
)


@given(items=st.lists(SAVED, max_size=6, unique_by=lambda item: item["NetworkInterfaceId"]))
def test_what_was_saved_is_what_is_loaded(items: list[dict[str, Any]]) -> None:
    """The law: each interface comes back with its addresses in canonical form, whatever else its record holds."""
    with tempfile.TemporaryDirectory() as folder:
        inventory = load(Path(folder), describe_network_interfaces=interfaces(*items))
    assert {item.interface_id for item in inventory.interfaces} == {item["NetworkInterfaceId"] for item in items}
    loaded = {item.interface_id: item for item in inventory.interfaces}
    for item in items:
        found = loaded[item["NetworkInterfaceId"]]
        assert found.private_addresses == (item["PrivateIpAddress"],)
        assert found.public_addresses == ((item["Association"]["PublicIp"],) if "Association" in item else ())
        assert found.vpc_id == item["VpcId"]
        assert len(found.ipv6_addresses) == len({text["Ipv6Address"] for text in item["Ipv6Addresses"]})
        assert not inventory.is_dark(item["PrivateIpAddress"])
