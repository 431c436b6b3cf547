"""Saved EC2 answers for tests: one instance in a public subnet whose parts a test replaces."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ACCOUNT = "123456789012"
REGION = "us-east-1"
ENI = "eni-0a"
INSTANCE = "i-0a"
REMOTE = "198.51.100.7"


def permission(protocol: str = "tcp", ports: tuple[int, int] | None = (9200, 9200), **sources: str) -> dict[str, Any]:
    """One ingress permission; ``cidr``, ``cidr6``, ``prefix_list``, ``group`` name its source."""
    found: dict[str, Any] = {"IpProtocol": protocol}
    if ports is not None:
        found |= {"FromPort": ports[0], "ToPort": ports[1]}
    if cidr := sources.get("cidr"):
        found["IpRanges"] = [{"CidrIp": cidr}]
    if cidr := sources.get("cidr6"):
        found["Ipv6Ranges"] = [{"CidrIpv6": cidr}]
    if name := sources.get("prefix_list"):
        found["PrefixListIds"] = [{"PrefixListId": name}]
    if name := sources.get("group"):
        found["UserIdGroupPairs"] = [{"GroupId": name, "UserId": ACCOUNT}]
    return found


def group(name: str, *permissions: dict[str, Any]) -> dict[str, Any]:
    """A security group."""
    return {"GroupId": name, "GroupName": name, "VpcId": "vpc-1", "OwnerId": ACCOUNT, "IpPermissions": list(permissions)}


def entry(number: int, action: str, *, egress: bool = False, protocol: str = "-1", **members: object) -> dict[str, Any]:
    """One entry of a network ACL; ``cidr`` or ``cidr6``, ``ports``, ``icmp`` (type, code)."""
    found: dict[str, Any] = {"RuleNumber": number, "RuleAction": action, "Egress": egress, "Protocol": protocol}
    found |= {"Ipv6CidrBlock": members["cidr6"]} if "cidr6" in members else {"CidrBlock": members.get("cidr", "0.0.0.0/0")}
    if ports := members.get("ports"):
        found["PortRange"] = {"From": ports[0], "To": ports[1]}
    if icmp := members.get("icmp"):
        found["IcmpTypeCode"] = {"Type": icmp[0], "Code": icmp[1]}
    return found


def acl(*entries: dict[str, Any], name: str = "acl-1", subnet: str = "subnet-1") -> dict[str, Any]:
    """A network ACL of a subnet; ends with the entries that deny the rest, as EC2's answers do."""
    last = [entry(32767, "deny", egress=egress) for egress in (False, True)]
    return {"NetworkAclId": name, "Associations": [{"SubnetId": subnet}], "Entries": [*entries, *last]}


OPEN_ACL = acl(
    entry(100, "allow"),
    entry(100, "allow", egress=True),
    entry(101, "allow", cidr6="::/0"),
    entry(101, "allow", egress=True, cidr6="::/0"),
)


def interface(name: str = ENI, address: str = "10.0.1.10", **members: object) -> dict[str, Any]:
    """An interface of an instance with a public address; ``public=None`` takes that away."""
    public = members.pop("public", "203.0.113.10")
    return {
        "NetworkInterfaceId": name,
        "OwnerId": ACCOUNT,
        "AvailabilityZone": f"{REGION}a",
        "InterfaceType": "interface",
        "Attachment": {"InstanceId": INSTANCE, "InstanceOwnerId": ACCOUNT},
        "VpcId": "vpc-1",
        "SubnetId": "subnet-1",
        "PrivateIpAddress": address,
        "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": address}],
        "Groups": [{"GroupId": "sg-1", "GroupName": "sg-1"}],
        **({"Association": {"PublicIp": public, "PublicDnsName": "host.example"}} if public else {}),
        **members,
    }


def table(*routes: dict[str, Any], subnet: str | None = None, name: str = "rtb-1") -> dict[str, Any]:
    """A route table: of a subnet, else the main one of the VPC."""
    association = {"SubnetId": subnet, "Main": False} if subnet else {"Main": True}
    local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
    return {"RouteTableId": name, "VpcId": "vpc-1", "Associations": [association], "Routes": [local, *routes]}


def route(cidr: str = "0.0.0.0/0", **target: str) -> dict[str, Any]:
    """A route, by default to an internet gateway."""
    key = "DestinationIpv6CidrBlock" if ":" in cidr else "DestinationCidrBlock"
    return {key: cidr, "State": "active", **(target or {"GatewayId": "igw-1"})}


def answers() -> dict[str, dict[str, Any]]:
    """An instance with a public address and a group that lets the internet reach port 9200: by command, without ``.json``."""
    return {
        "describe-instances": {
            "Reservations": [
                {
                    "OwnerId": ACCOUNT,
                    "Instances": [
                        {
                            "InstanceId": INSTANCE,
                            "InstanceType": "t3.micro",
                            "ImageId": "ami-1",
                            "LaunchTime": "2026-03-01T12:00:00+00:00",
                            "State": {"Name": "running"},
                            "Placement": {"AvailabilityZone": f"{REGION}a"},
                            "Tags": [{"Key": "Name", "Value": "search"}],
                        }
                    ],
                }
            ]
        },
        "describe-network-interfaces": {"NetworkInterfaces": [interface()]},
        "describe-security-groups": {"SecurityGroups": [group("sg-1", permission(cidr="0.0.0.0/0"))]},
        "describe-network-acls": {"NetworkAcls": [OPEN_ACL]},
        "describe-route-tables": {"RouteTables": [table(route())]},
        "describe-subnets": {"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"}]},
        "describe-vpcs": {"Vpcs": [{"VpcId": "vpc-1", "OwnerId": ACCOUNT, "CidrBlock": "10.0.0.0/16"}]},
    }


def save(folder: Path, documents: Mapping[str, object], taken_at: str | None = None) -> Path:
    """Write answers as the AWS command line would, with a manifest if there is a date."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    if taken_at:
        (folder / "snapshot.json").write_text(json.dumps({"taken_at": taken_at}), encoding="utf-8")
    return folder
