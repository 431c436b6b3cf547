"""Define the typed records of EC2's saved responses, with the members that are used.

Members that are not named here are skipped. Addresses and networks are checked while they are decoded, so that the error shows
the place.
"""

from typing import TypeVar

import msgspec

from vedette.inventory.blocks import block
from vedette.network.address import parse

Item = TypeVar("Item", bound="Record")


class Ip(str):
    """An address as canonical text."""

    __slots__ = ()


class Cidr(str):
    """A network as canonical text."""

    __slots__ = ()


def check(kind: type, value: object) -> object:
    """Decode an ``Ip`` or ``Cidr`` (msgspec's hook for custom types).

    Raises:
        ValueError: the value is not an address or not a network.
    """
    if kind is Ip:
        address = parse(value) if isinstance(value, str) else None
        if address is None:
            raise ValueError(f"{value!r} is not an address")
        return Ip(address.text)
    try:
        return Cidr(block(str(value)).text)
    except ValueError as error:
        raise ValueError(f"{value!r} is not a network") from error


class Record(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """A record of a response; the members' names in EC2 are the fields' names in Pascal case."""


class Tag(Record, frozen=True):
    """A tag."""

    key: str = ""
    value: str = ""


class GroupName(Record, frozen=True):
    """A security group of an interface."""

    group_id: str = ""
    group_name: str = ""


class Association(Record, frozen=True):
    """The public address that is associated with a private one."""

    public_ip: Ip | None = None
    public_dns_name: str | None = None


class PrivateAddress(Record, frozen=True):
    """One private address of an interface."""

    private_ip_address: Ip | None = None
    private_dns_name: str | None = None
    association: Association | None = None


class Ipv6Address(Record, frozen=True):
    """One IPv6 address of an interface."""

    ipv6_address: Ip | None = None


class Ipv4Prefix(Record, frozen=True):
    """A range that is delegated to an interface."""

    ipv4_prefix: Cidr | None = None


class Ipv6Prefix(Record, frozen=True):
    """A range that is delegated to an interface."""

    ipv6_prefix: Cidr | None = None


class Attachment(Record, frozen=True):
    """The instance to which an interface is attached."""

    instance_id: str | None = None


class NetworkInterface(Record, frozen=True):
    """An interface, from DescribeNetworkInterfaces or inside an instance."""

    network_interface_id: str
    interface_type: str | None = None
    description: str | None = None
    requester_id: str | None = None
    requester_managed: bool | None = None
    owner_id: str | None = None
    availability_zone: str | None = None
    vpc_id: str | None = None
    subnet_id: str | None = None
    attachment: Attachment | None = None
    association: Association | None = None
    private_ip_address: Ip | None = None
    private_dns_name: str | None = None
    private_ip_addresses: tuple[PrivateAddress, ...] = ()
    ipv6_addresses: tuple[Ipv6Address, ...] = ()
    ipv4_prefixes: tuple[Ipv4Prefix, ...] = ()
    ipv6_prefixes: tuple[Ipv6Prefix, ...] = ()
    groups: tuple[GroupName, ...] = ()


class State(Record, frozen=True):
    """An instance's state."""

    name: str | None = None


class Placement(Record, frozen=True):
    """Where an instance runs."""

    availability_zone: str | None = None


class Profile(Record, frozen=True):
    """An instance profile."""

    arn: str | None = None
    id: str | None = None


class ProductCode(Record, frozen=True):
    """A product code of an instance."""

    product_code_id: str | None = None
    product_code_type: str | None = None


class Instance(Record, frozen=True):
    """An instance."""

    instance_id: str
    image_id: str | None = None
    instance_type: str | None = None
    launch_time: str | None = None
    platform: str | None = None
    outpost_arn: str | None = None
    vpc_id: str | None = None
    iam_instance_profile: Profile | None = None
    state: State | None = None
    placement: Placement | None = None
    product_codes: tuple[ProductCode, ...] = ()
    network_interfaces: tuple[NetworkInterface, ...] = ()
    tags: tuple[Tag, ...] = ()


class Reservation(Record, frozen=True):
    """Instances that were launched together."""

    owner_id: str | None = None
    instances: tuple[Instance, ...] = ()


class Image(Record, frozen=True):
    """A machine image."""

    image_id: str
    description: str | None = None


class IpRange(Record, frozen=True):
    """An IPv4 source of a permission."""

    cidr_ip: Cidr


class Ipv6Range(Record, frozen=True):
    """An IPv6 source of a permission."""

    cidr_ipv6: Cidr


class PrefixListName(Record, frozen=True):
    """A prefix list as a source."""

    prefix_list_id: str


class GroupPair(Record, frozen=True):
    """A security group as a source."""

    group_id: str | None = None


class Permission(Record, frozen=True):
    """A permission of a security group: a protocol, its ports, and several sources."""

    ip_protocol: str
    from_port: int | None = None
    to_port: int | None = None
    ip_ranges: tuple[IpRange, ...] = ()
    ipv6_ranges: tuple[Ipv6Range, ...] = ()
    prefix_list_ids: tuple[PrefixListName, ...] = ()
    user_id_group_pairs: tuple[GroupPair, ...] = ()


class SecurityGroup(Record, frozen=True):
    """A security group with its ingress permissions."""

    group_id: str
    vpc_id: str | None = None
    owner_id: str | None = None
    ip_permissions: tuple[Permission, ...] = ()


class SecurityGroupRule(Record, frozen=True):
    """One rule with its ID, which DescribeSecurityGroups does not return."""

    security_group_rule_id: str
    group_id: str | None = None
    is_egress: bool = False
    ip_protocol: str = ""
    from_port: int | None = None
    to_port: int | None = None
    cidr_ipv4: Cidr | None = None
    cidr_ipv6: Cidr | None = None
    prefix_list_id: str | None = None
    referenced_group_info: GroupPair | None = None


class PortRange(Record, frozen=True):
    """Ports of a network ACL's entry."""

    # named explicitly, because "from" is reserved in Python
    first: int = msgspec.field(name="From", default=0)
    last: int = msgspec.field(name="To", default=65535)


class IcmpTypeCode(Record, frozen=True):
    """Type and code of a network ACL's entry; -1 means any."""

    type: int = -1
    code: int = -1


class AclEntry(Record, frozen=True):
    """A rule of a network ACL."""

    rule_number: int
    rule_action: str
    egress: bool
    protocol: str
    cidr_block: Cidr | None = None
    ipv6_cidr_block: Cidr | None = None
    port_range: PortRange | None = None
    icmp_type_code: IcmpTypeCode | None = None


class BlockState(Record, frozen=True):
    """How far the association of a block or a route table has come."""

    state: str = ""

    @property
    def ended(self) -> bool:
        """Whether it is listed though it is no more, or never was."""
        return self.state in {"disassociated", "failing", "failed"}


class SubnetName(Record, frozen=True):
    """The association of a network ACL or a route table with a subnet."""

    subnet_id: str | None = None
    main: bool = False
    association_state: BlockState = BlockState()


class NetworkAcl(Record, frozen=True):
    """A network ACL."""

    network_acl_id: str
    associations: tuple[SubnetName, ...] = ()
    entries: tuple[AclEntry, ...] = ()


class Route(Record, frozen=True):
    """A route, with one of its possible targets."""

    destination_cidr_block: Cidr | None = None
    destination_ipv6_cidr_block: Cidr | None = None
    destination_prefix_list_id: str | None = None
    state: str | None = None
    gateway_id: str | None = None
    egress_only_internet_gateway_id: str | None = None
    nat_gateway_id: str | None = None
    transit_gateway_id: str | None = None
    vpc_peering_connection_id: str | None = None
    local_gateway_id: str | None = None
    carrier_gateway_id: str | None = None
    core_network_arn: str | None = None
    network_interface_id: str | None = None
    instance_id: str | None = None


class RouteTable(Record, frozen=True):
    """A route table."""

    route_table_id: str
    vpc_id: str | None = None
    associations: tuple[SubnetName, ...] = ()
    routes: tuple[Route, ...] = ()


class VpcBlock(Record, frozen=True):
    """An additional IPv4 block of a VPC."""

    cidr_block: Cidr | None = None
    cidr_block_state: BlockState = BlockState()


class VpcIpv6Block(Record, frozen=True):
    """An IPv6 block of a VPC or a subnet."""

    ipv6_cidr_block: Cidr | None = None
    ipv6_cidr_block_state: BlockState = BlockState()


class Subnet(Record, frozen=True):
    """A subnet."""

    subnet_id: str
    vpc_id: str | None = None
    owner_id: str | None = None
    availability_zone: str | None = None
    cidr_block: Cidr | None = None
    ipv6_cidr_block_association_set: tuple[VpcIpv6Block, ...] = ()


class Vpc(Record, frozen=True):
    """A VPC."""

    vpc_id: str
    owner_id: str | None = None
    cidr_block: Cidr | None = None
    cidr_block_association_set: tuple[VpcBlock, ...] = ()
    ipv6_cidr_block_association_set: tuple[VpcIpv6Block, ...] = ()


class PrefixList(Record, frozen=True):
    """A prefix list; only DescribePrefixLists includes its networks."""

    prefix_list_id: str
    cidrs: tuple[Cidr, ...] = ()


class PrefixListEntry(Record, frozen=True):
    """One network of a prefix list."""

    cidr: Cidr


class BlockOptions(Record, frozen=True):
    """The settings of VPC Block Public Access in a region."""

    internet_gateway_block_mode: str = "off"


class BlockExclusion(Record, frozen=True):
    """A VPC or subnet that is excluded from VPC Block Public Access."""

    resource_arn: str = ""
    internet_gateway_exclusion_mode: str = ""
    state: str = ""
