"""Describe the simulated VPC as the AWS CLI would save it: the answers of ``describe-instances`` and similar commands."""

import hashlib
from collections.abc import Iterable, Mapping

from vedette.simulate import ACCOUNT_ID, HOME_REGION
from vedette.simulate.world.estate import (
    GATEWAY_ADDRESS,
    MACHINES,
    SUBNETS,
    VPC_ID,
    VPC_NETWORK,
    VPC_NETWORK_V6,
    Machine,
    Subnet,
    interface_id,
    resource_id,
)

_ZONE = f"{HOME_REGION}a"
_ANYWHERE, _ANYWHERE_V6 = "0.0.0.0/0", "::/0"
_CREATED_AT = "2025-11-03T08:15:42+00:00"
_INTERNET_GATEWAY, _NAT_GATEWAY = resource_id("igw", "internet"), resource_id("nat", GATEWAY_ADDRESS)
# What AWS writes on the interfaces of its services (methods 1.4); an instance's own interface has no description.
_DESCRIPTIONS = {
    "nat_gateway": f"Interface for NAT Gateway {_NAT_GATEWAY}",
    "load_balancer_alb": "ELB app/{name}/50dc6c495c0c9188",
    "load_balancer_nlb": "ELB net/{name}/60ad7d586d1da299",
    "lambda": "AWS Lambda VPC ENI-{name}-9f8e7d6c-5b4a-4938-8271-605f4e3d2c1b",
}
_TYPES = {"nat_gateway": "nat_gateway", "load_balancer_nlb": "network_load_balancer", "lambda": "lambda"}

Document = dict[str, object]


def inventory() -> Mapping[str, Document]:
    """Return the content of each ``describe-*.json`` file, by file name."""
    instances = [machine for machine in MACHINES if machine.instance_id]
    interfaces = [interface for machine in MACHINES for interface in _interfaces(machine)]
    return {
        "describe-instances.json": {"Reservations": [_reservation(machine) for machine in instances]},
        "describe-network-interfaces.json": {"NetworkInterfaces": interfaces},
        "describe-security-groups.json": {"SecurityGroups": [_group(machine) for machine in MACHINES]},
        "describe-network-acls.json": {"NetworkAcls": [_access_list()]},
        "describe-route-tables.json": {"RouteTables": [_route_table(public=public) for public in (True, False)]},
        "describe-subnets.json": {"Subnets": [_subnet(subnet) for subnet in SUBNETS.values()]},
        "describe-vpcs.json": {"Vpcs": [_vpc()]},
    }


def _tags(name: str, more: Iterable[tuple[str, str]] = ()) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in (("Name", name), *more)]


def _group_of(machine: Machine) -> list[dict[str, str]]:
    if machine.role == "nat_gateway":
        return []  # has none
    return [{"GroupId": resource_id("sg", machine.address), "GroupName": machine.name}]


def _private_name(address: str) -> str:
    return f"ip-{address.replace('.', '-')}.{HOME_REGION}.compute.internal"


def _association(machine: Machine, address: str) -> Document:
    if not machine.public or address != machine.address:
        return {}
    name = f"ec2-{machine.public.replace('.', '-')}.{HOME_REGION}.compute.amazonaws.com"
    return {"Association": {"IpOwnerId": ACCOUNT_ID, "PublicDnsName": name, "PublicIp": machine.public}}


def _reservation(machine: Machine) -> Document:
    interfaces = _interfaces(machine)
    for interface in interfaces:
        for name in ("TagSet", "RequesterManaged", "AvailabilityZone"):
            del interface[name]
    instance: Document = {
        "AmiLaunchIndex": 0,
        "ImageId": "ami-0abcdef1234567890",
        "InstanceId": machine.instance_id,
        "InstanceType": "m6i.large",
        "LaunchTime": _CREATED_AT,
        "Placement": {"AvailabilityZone": _ZONE, "GroupName": "", "Tenancy": "default"},
        "PrivateDnsName": _private_name(machine.address),
        "PrivateIpAddress": machine.address,
        "PublicDnsName": "",
        "State": {"Code": 16, "Name": "running"},
        "SubnetId": machine.subnet.subnet_id,
        "VpcId": VPC_ID,
        "IamInstanceProfile": {
            "Arn": f"arn:aws:iam::{ACCOUNT_ID}:instance-profile/{machine.name}",
            "Id": "AIPA" + hashlib.sha256(machine.name.encode()).hexdigest()[:17].upper(),
        },
        "NetworkInterfaces": interfaces,
        "SecurityGroups": _group_of(machine),
        "SourceDestCheck": True,
        "Tags": _tags(machine.name, machine.tags),
    }
    if machine.public:
        instance["PublicIpAddress"] = machine.public
    return {"ReservationId": resource_id("r", machine.address), "OwnerId": ACCOUNT_ID, "Groups": [], "Instances": [instance]}


def _interfaces(machine: Machine) -> list[Document]:
    found = [_interface(machine, machine.address, ())]
    if machine.pods_at:
        found.append(_interface(machine, machine.pods_at, machine.pods))
    return found


def _interface(machine: Machine, primary: str, secondary: tuple[str, ...]) -> Document:
    own = bool(machine.instance_id)
    description = _DESCRIPTIONS.get(machine.role, "").format(name=machine.name)
    if machine.pods_at == primary:
        description = f"aws-K8S-{machine.instance_id}"
    attachment: Document = {
        "AttachmentId": resource_id("eni-attach", primary),
        "AttachTime": _CREATED_AT,
        "DeleteOnTermination": True,
        "DeviceIndex": 0 if primary == machine.address else 1,
        "Status": "attached",
    }
    attachment |= {"InstanceId": machine.instance_id} if own else {}
    return (
        {
            "NetworkInterfaceId": interface_id(primary),
            "Attachment": attachment | {"InstanceOwnerId": ACCOUNT_ID if own else "amazon-aws"},
            "AvailabilityZone": _ZONE,
            "Description": description,
            "Groups": _group_of(machine),
            "InterfaceType": _TYPES.get(machine.role, "interface"),
            "Ipv6Addresses": [{"Ipv6Address": machine.ipv6}] if machine.ipv6 and primary == machine.address else [],
            "OwnerId": ACCOUNT_ID,
            "PrivateDnsName": _private_name(primary),
            "PrivateIpAddress": primary,
            "PrivateIpAddresses": [
                {"Primary": address == primary, "PrivateDnsName": _private_name(address), "PrivateIpAddress": address}
                | _association(machine, address)
                for address in (primary, *secondary)
            ],
            "RequesterManaged": not own,
            "SourceDestCheck": machine.role != "nat_gateway",
            "Status": "in-use",
            "SubnetId": machine.subnet.subnet_id,
            "TagSet": [],
            "VpcId": VPC_ID,
        }
        | ({} if own else {"RequesterId": _requester(machine)})
        | _association(machine, primary)
    )


def _requester(machine: Machine) -> str:
    return "amazon-elb" if machine.role.startswith("load_balancer") else "AROAEXAMPLE:service"


def _group(machine: Machine) -> Document:
    rules = [] if machine.sealed else [_permission("-1", None, [VPC_NETWORK], [VPC_NETWORK_V6])]
    rules += [_permission("tcp", port, [_ANYWHERE], [_ANYWHERE_V6]) for port in machine.opens]
    return {
        "GroupId": resource_id("sg", machine.address),
        "GroupName": machine.name,
        "Description": f"of {machine.name}",
        "OwnerId": ACCOUNT_ID,
        "VpcId": VPC_ID,
        "IpPermissions": rules,
        "IpPermissionsEgress": [_permission("-1", None, [_ANYWHERE], [_ANYWHERE_V6])],
        "Tags": [],
    }


def _permission(protocol: str, port: int | None, networks: list[str], networks_v6: list[str]) -> Document:
    ports = {} if port is None else {"FromPort": port, "ToPort": port}
    return {"IpProtocol": protocol} | ports | {
        "IpRanges": [{"CidrIp": network} for network in networks],
        "Ipv6Ranges": [{"CidrIpv6": network} for network in networks_v6],
        "PrefixListIds": [],
        "UserIdGroupPairs": [],
    }  # fmt: skip


def _access_list() -> Document:
    entries = [
        {"RuleNumber": number, "Protocol": "-1", "RuleAction": action, "Egress": egress, block: network}
        for egress in (True, False)
        for number, action, block, network in (
            (100, "allow", "CidrBlock", _ANYWHERE),
            (101, "allow", "Ipv6CidrBlock", _ANYWHERE_V6),
            (32767, "deny", "CidrBlock", _ANYWHERE),
            (32768, "deny", "Ipv6CidrBlock", _ANYWHERE_V6),
        )
    ]
    acl = resource_id("acl", "default")
    return {
        "NetworkAclId": acl,
        "IsDefault": True,
        "OwnerId": ACCOUNT_ID,
        "VpcId": VPC_ID,
        "Entries": entries,
        "Associations": [
            {
                "NetworkAclAssociationId": resource_id("aclassoc", subnet.name),
                "NetworkAclId": acl,
                "SubnetId": subnet.subnet_id,
            }
            for subnet in SUBNETS.values()
        ],
        "Tags": [],
    }


def _route_table(*, public: bool) -> Document:
    table = resource_id("rtb", "public" if public else "main")
    out: Document = {"GatewayId": _INTERNET_GATEWAY} if public else {"NatGatewayId": _NAT_GATEWAY}
    routes: list[Document] = [
        {"DestinationCidrBlock": VPC_NETWORK, "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"},
        {"DestinationIpv6CidrBlock": VPC_NETWORK_V6, "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"},
        {"DestinationCidrBlock": _ANYWHERE} | out | {"Origin": "CreateRoute", "State": "active"},
    ]
    if public:
        routes.append({"DestinationIpv6CidrBlock": _ANYWHERE_V6} | out | {"Origin": "CreateRoute", "State": "active"})
    associations = [_associated(table, subnet) for subnet in SUBNETS.values() if public and subnet.public]
    main: Document = {"Main": True, "RouteTableAssociationId": resource_id("rtbassoc", "main"), "RouteTableId": table}
    return {
        "RouteTableId": table,
        "VpcId": VPC_ID,
        "OwnerId": ACCOUNT_ID,
        "Associations": associations if public else [main | {"AssociationState": {"State": "associated"}}],
        "PropagatingVgws": [],
        "Routes": routes,
        "Tags": [],
    }


def _associated(table: str, subnet: Subnet) -> Document:
    return {
        "Main": False,
        "RouteTableAssociationId": resource_id("rtbassoc", subnet.name),
        "RouteTableId": table,
        "SubnetId": subnet.subnet_id,
        "AssociationState": {"State": "associated"},
    }


def _subnet(subnet: Subnet) -> Document:
    return {
        "SubnetId": subnet.subnet_id,
        "VpcId": VPC_ID,
        "OwnerId": ACCOUNT_ID,
        "CidrBlock": subnet.network,
        "Ipv6CidrBlockAssociationSet": [
            {
                "AssociationId": resource_id("subnet-cidr-assoc", subnet.name),
                "Ipv6CidrBlock": subnet.network_v6,
                "Ipv6CidrBlockState": {"State": "associated"},
            }
        ],
        "AvailabilityZone": _ZONE,
        "MapPublicIpOnLaunch": subnet.public,
        "State": "available",
        "Tags": _tags(subnet.name),
    }


def _vpc() -> Document:
    block = {"State": "associated"}
    return {
        "VpcId": VPC_ID,
        "OwnerId": ACCOUNT_ID,
        "CidrBlock": VPC_NETWORK,
        "CidrBlockAssociationSet": [
            {"AssociationId": resource_id("vpc-cidr-assoc", "v4"), "CidrBlock": VPC_NETWORK, "CidrBlockState": block}
        ],
        "Ipv6CidrBlockAssociationSet": [
            {"AssociationId": resource_id("vpc-cidr-assoc", "v6"), "Ipv6CidrBlock": VPC_NETWORK_V6, "Ipv6CidrBlockState": block}
        ],
        "IsDefault": False,
        "State": "available",
        "Tags": _tags("shop"),
    }
