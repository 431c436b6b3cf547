"""Decide whether packets from a remote address have a path to an interface: addresses, routes and gateways (methods 3.2).

Pure. The route to the remote address with the longest prefix counts; for most of the internet this is the default route.
"""

from dataclasses import dataclass
from typing import Literal

from vedette.inventory.blocks import ANYWHERE
from vedette.inventory.network import Network, TableRoute
from vedette.network.address import IPV4, Address, AddressClass, address_class

NO_PUBLIC_PATH = "no public path: load balancer, proxy or VPN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The interface in question; unknown values are ""."""

    interface_id: str
    account_id: str
    region: str
    vpc_id: str
    subnet_id: str
    public_addresses: tuple[str, ...]
    ipv6_addresses: tuple[str, ...]
    group_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The path from a remote address to an interface.

    ``routed`` is true if it leads through another VPC or private network, ``same_subnet`` if no network ACL applies.
    """

    verdict: Literal["allow", "deny", "unknown"]
    sentence: str
    rule: str = ""
    routed: bool = False
    same_subnet: bool = False


def path(network: Network, subject: Subject, remote: Address) -> Path:
    """Return the path of packets from a remote address to an interface."""
    if any(block.contains(remote) for block in network.subnets.get(subject.subnet_id, ())):
        return Path(verdict="allow", sentence=f"Path: {remote.text} is in the same subnet.", same_subnet=True)
    table = network.tables.get(subject.subnet_id) or network.main_tables.get(subject.vpc_id)
    route = _route(network, table.routes, remote) if table else None
    place = f"{subject.subnet_id or 'the subnet'} ({table.table_id})" if table else ""
    inside = any(block.contains(remote) for block in network.vpcs.get(subject.vpc_id, ()))
    if inside or (route and route.target == "inside"):
        return Path(verdict="allow", sentence=f"Path: {remote.text} is in the same VPC.")
    public = address_class(remote) is AddressClass.PUBLIC
    # A default route through a VPN or transit gateway leads out, but does not let the internet in.
    if route and route.target == "private" and not (public and route.block == ANYWHERE[remote.version]):
        sentence = f"Path: {place} routes {remote.text} through {route.target_id}."
        return Path(verdict="allow", sentence=sentence, routed=True)
    if public:
        return _public(network, subject, remote, route, place)
    if table is None:
        return _unknown(f"the route table of {subject.subnet_id or 'the subnet'} is not in the inventory")
    rule = f"no route from {place} to the private address {remote.text}"
    return Path(verdict="deny", sentence=f"Path: {rule}.", rule=rule)


def _public(network: Network, subject: Subject, remote: Address, route: TableRoute | None, place: str) -> Path:
    addresses = subject.public_addresses if remote.version == IPV4 else subject.ipv6_addresses
    if not addresses:
        kind = "public IPv4 address" if remote.version == IPV4 else "IPv6 address"
        return Path(
            verdict="deny", sentence=f"Path: {subject.interface_id} has no {kind}; {NO_PUBLIC_PATH}.", rule=NO_PUBLIC_PATH
        )
    if not place:
        return _unknown(f"the route table of {subject.subnet_id or 'the subnet'} is not in the inventory")
    if route and route.target == "endpoint":
        return _unknown(
            f"{place} routes {remote.text} to {route.target_id}, possibly a firewall, whose rules are not in the inventory"
        )
    if route is None or route.target != "internet":
        towards = f"to {route.target_id}" if route and route.target != "none" else "nowhere"
        sentence = f"Path: {place} routes {remote.text} {towards}, not to an internet gateway; {NO_PUBLIC_PATH}."
        return Path(verdict="deny", sentence=sentence, rule=NO_PUBLIC_PATH)
    mode = network.blocked.get((subject.account_id, subject.region))
    if mode and not network.excluded & {subject.vpc_id, subject.subnet_id}:
        rule = f"VPC Block Public Access is on ({mode})"
        return Path(verdict="deny", sentence=f"Path: {rule}.", rule=rule)
    return Path(verdict="allow", sentence=f"Path: {addresses[0]}, and {place} routes {remote.text} to {route.target_id}.")


def _route(network: Network, routes: tuple[TableRoute, ...], remote: Address) -> TableRoute | None:
    """Return the route to an address with the longest prefix, also among the entries of prefix lists; None without any."""
    best, best_size = None, 1 << 129
    for route in routes:
        blocks = (route.block,) if route.block else network.prefix_lists.get(route.prefix_list_id, ())
        for block in blocks:
            if block.contains(remote) and block.last - block.first < best_size:
                best, best_size = route, block.last - block.first
    return best


def _unknown(reason: str) -> Path:
    return Path(verdict="unknown", sentence=f"Path: {reason}.", rule=reason)
