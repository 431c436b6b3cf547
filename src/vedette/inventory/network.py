"""Compile security group rules, network ACL entries and routes for evaluation: numbers instead of text, one source per rule.

Pure. Ports are inclusive ranges; for ICMP they are ranges of types (methods 3.2). Protocol -1 means any.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from vedette.inventory.blocks import Block, Ranges, block
from vedette.inventory.saved import AclEntry, NetworkAcl, Permission, Route, RouteTable, SecurityGroup, SecurityGroupRule
from vedette.network.address import Address

ANY = -1
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
PORTS = (0, 65535)
WITH_PORTS = frozenset({TCP, UDP})
WITH_TYPES = frozenset({ICMP, ICMPV6})
NAMES: Mapping[int, str] = {ANY: "all", ICMP: "icmp", TCP: "tcp", UDP: "udp", ICMPV6: "icmpv6"}
LAST_RULE = 32767
_NUMBERS = {name: number for number, name in NAMES.items()}
# For text that is not a protocol: no IP protocol has this number, so it matches nothing.
_NO_PROTOCOL = -2
_NUMBER = re.compile(r"-1|[0-9]{1,3}")

Target = Literal["internet", "inside", "private", "endpoint", "other", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One source of one ingress permission of a security group; exactly one of the three sources is set."""

    group_id: str
    rule_id: str
    protocol: int
    ports: tuple[int, int]
    source: Block | None = None
    prefix_list_id: str = ""
    source_group: str = ""

    @property
    def origin(self) -> str:
        """The source as text."""
        return self.source.text if self.source else self.prefix_list_id or self.source_group

    @property
    def text(self) -> str:
        """The rule as one line."""
        rule = f" ({self.rule_id})" if self.rule_id else ""
        return f"{self.group_id} ingress {traffic(self.protocol, self.ports)} from {self.origin}{rule}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a network ACL."""

    acl_id: str
    number: int
    egress: bool
    allow: bool
    protocol: int
    ports: tuple[int, int]
    block: Block

    @property
    def text(self) -> str:
        """The entry as one line."""
        number = str(self.number) if self.number < LAST_RULE else "*"
        direction, side = ("egress", "to") if self.egress else ("ingress", "from")
        action = "allows" if self.allow else "denies"
        return f"{self.acl_id} rule {number} {action} {direction} {traffic(self.protocol, self.ports)} {side} {self.block.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acl:
    """A network ACL, with its entries in ascending order of their numbers."""

    acl_id: str
    ingress: tuple[Entry, ...]
    egress: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRoute:
    """One route of a table: its ``block`` or prefix list, the kind of its target and the target's ID."""

    block: Block | None
    prefix_list_id: str
    target: Target
    target_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A route table."""

    table_id: str
    routes: tuple[TableRoute, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Everything that decides about traffic, by the ID of the group, subnet, VPC or prefix list that it belongs to.

    ``members`` maps (IP version, address number) to the (VPC, group IDs) of the interfaces that have the address.
    ``blocked`` maps (account, region) to the mode of VPC Block Public Access if it is on; ``excluded`` are the IDs of the VPCs
    and subnets that are excluded from it.
    """

    groups: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    acls: Mapping[str, Acl] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    main_tables: Mapping[str, Table] = field(default_factory=dict)
    subnets: Mapping[str, tuple[Block, ...]] = field(default_factory=dict)
    vpcs: Mapping[str, tuple[Block, ...]] = field(default_factory=dict)
    prefix_lists: Mapping[str, tuple[Block, ...]] = field(default_factory=dict)
    prefix_ranges: Mapping[str, Ranges] = field(default_factory=dict)
    members: Mapping[tuple[int, int], tuple[tuple[str, tuple[str, ...]], ...]] = field(default_factory=dict)
    blocked: Mapping[tuple[str, str], str] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()

    def in_prefix_list(self, prefix_list_id: str, address: Address) -> bool | None:
        """Tell whether a prefix list contains an address; None if its entries are unknown."""
        ranges = self.prefix_ranges.get(prefix_list_id)
        return None if ranges is None else ranges.contain(address)


def traffic(protocol: int, ports: tuple[int, int]) -> str:
    """Return a protocol and its ports (for ICMP its types) as text, such as ``tcp 80-90``."""
    name = NAMES.get(protocol) or f"protocol {protocol}"
    return name if ports == PORTS or protocol not in WITH_PORTS | WITH_TYPES else f"{name} {span(ports)}"


def span(ports: tuple[int, int]) -> str:
    """Return a range of ports as text, such as ``80`` or ``80-90``."""
    return str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}"


def group_rules(group: SecurityGroup, rule_ids: Mapping[tuple[object, ...], str]) -> tuple[Rule, ...]:
    """Return the ingress rules of a group; ``rule_ids`` is the result of ``ids_of_rules``."""
    return tuple(rule for permission in group.ip_permissions for rule in _rules(group.group_id, permission, rule_ids))


def ids_of_rules(rules: Iterable[SecurityGroupRule]) -> dict[tuple[object, ...], str]:
    """Return the IDs of ingress rules by (group, protocol, ports, source)."""
    found: dict[tuple[object, ...], str] = {}
    for rule in rules:
        if not rule.is_egress:
            group = rule.referenced_group_info.group_id if rule.referenced_group_info else None
            protocol = _protocol(rule.ip_protocol)
            origin = rule.cidr_ipv4 or rule.cidr_ipv6 or rule.prefix_list_id or group or ""
            found[rule.group_id, protocol, _rule_ports(protocol, rule.from_port, rule.to_port), str(origin)] = (
                rule.security_group_rule_id
            )
    return found


def _rules(group_id: str, permission: Permission, rule_ids: Mapping[tuple[object, ...], str]) -> Iterator[Rule]:
    protocol = _protocol(permission.ip_protocol)
    ports = _rule_ports(protocol, permission.from_port, permission.to_port)

    def rule(origin: str, *, source: Block | None = None, prefix_list_id: str = "", source_group: str = "") -> Rule:
        return Rule(
            group_id=group_id,
            rule_id=rule_ids.get((group_id, protocol, ports, origin), ""),
            protocol=protocol,
            ports=ports,
            source=source,
            prefix_list_id=prefix_list_id,
            source_group=source_group,
        )

    networks = [*(item.cidr_ip for item in permission.ip_ranges), *(item.cidr_ipv6 for item in permission.ipv6_ranges)]
    for text in networks:
        yield rule(str(text), source=block(str(text)))
    for item in permission.prefix_list_ids:
        yield rule(item.prefix_list_id, prefix_list_id=item.prefix_list_id)
    for pair in permission.user_id_group_pairs:
        yield rule(pair.group_id or "", source_group=pair.group_id or "")


def compiled_acl(acl: NetworkAcl) -> Acl:
    """Return a network ACL with its entries in the order in which they are evaluated."""
    entries = sorted((entry for item in acl.entries for entry in _entries(acl.network_acl_id, item)), key=lambda e: e.number)
    return Acl(
        acl_id=acl.network_acl_id,
        ingress=tuple(entry for entry in entries if not entry.egress),
        egress=tuple(entry for entry in entries if entry.egress),
    )


def _entries(acl_id: str, item: AclEntry) -> Iterator[Entry]:
    protocol = _protocol(item.protocol)
    allow = item.rule_action.lower() == "allow"
    ports = PORTS
    if protocol in WITH_PORTS and item.port_range:
        ports = (item.port_range.first, item.port_range.last)
    elif protocol in WITH_TYPES and item.icmp_type_code and item.icmp_type_code.type != ANY:
        ports = (item.icmp_type_code.type, item.icmp_type_code.type)
        if not allow and item.icmp_type_code.code != ANY:
            return  # the entry denies only one code: other codes of the type still pass
    for text in (item.cidr_block, item.ipv6_cidr_block):
        if text is not None:
            yield Entry(
                acl_id=acl_id,
                number=item.rule_number,
                egress=item.egress,
                allow=allow,
                protocol=protocol,
                ports=ports,
                block=block(str(text)),
            )


def compiled_table(table: RouteTable) -> Table:
    """Return a route table with the kinds of its routes' targets."""
    return Table(table_id=table.route_table_id, routes=tuple(_compiled_route(route) for route in table.routes))


def _compiled_route(route: Route) -> TableRoute:
    text = route.destination_cidr_block or route.destination_ipv6_cidr_block
    target, target_id = _target(route)
    return TableRoute(
        block=block(str(text)) if text else None,
        prefix_list_id=route.destination_prefix_list_id or "",
        target="none" if route.state == "blackhole" else target,
        target_id=target_id,
    )


def _target(route: Route) -> tuple[Target, str]:
    gateway = route.gateway_id or ""
    prefixes: tuple[tuple[str, Target], ...] = (
        ("igw-", "internet"),
        ("local", "inside"),
        ("vgw-", "private"),
        ("vpce-", "endpoint"),
    )
    for prefix, target in prefixes:
        if gateway.startswith(prefix):
            return target, gateway
    private = (route.transit_gateway_id, route.vpc_peering_connection_id, route.core_network_arn, route.local_gateway_id)
    if found := next((item for item in private if item), None):
        return "private", found
    # NAT gateways, egress-only gateways and appliances: no connection can be opened through them from outside.
    outward = (
        route.nat_gateway_id,
        route.egress_only_internet_gateway_id,
        route.network_interface_id,
        route.instance_id,
        gateway,
    )
    return "other", next((item for item in outward if item), "an unknown target")


def _protocol(text: str) -> int:
    if (named := _NUMBERS.get(text.lower())) is not None:
        return named
    return int(text) if _NUMBER.fullmatch(text) else _NO_PROTOCOL


def _rule_ports(protocol: int, first: int | None, last: int | None) -> tuple[int, int]:
    """Return the ports of a rule (for ICMP its types); a rule for a single code of a type counts for the whole type."""
    if protocol in WITH_TYPES:
        return PORTS if first is None or first == ANY else (first, first)
    if protocol not in WITH_PORTS or first is None or last is None or ANY in {first, last}:
        return PORTS
    return first, last
