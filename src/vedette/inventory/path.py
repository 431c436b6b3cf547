"""Whether there is a way from a remote address to an interface at all: addresses, routes and gateways (methods 3.2).

Pure. The route to the remote address with the longest prefix counts, which is the default route for most of the internet.
"""

from dataclasses import dataclass
from typing import Literal

from vedette.inventory.blocks import ANYWHERE
from vedette.inventory.network import Network, Way
from vedette.network.address import IPV4, Address, AddressClass, address_class

NO_PUBLIC_PATH = "no public path: balancer, proxy or VPN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The interface that is asked about, "" for what is not known of it."""

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
    """The way between the two; ``routed``: to another VPC or network of ours, ``same_subnet``: without any network ACL."""

    verdict: Literal["allow", "deny", "unknown"]
    sentence: str
    rule: str = ""
    routed: bool = False
    same_subnet: bool = False


def path(network: Network, subject: Subject, remote: Address) -> Path:
    """Find the way that packets of a remote address take to an interface."""
    if any(block.holds(remote) for block in network.subnets.get(subject.subnet_id, ())):
        return Path(verdict="allow", sentence=f"Path: {remote.text} is in the same subnet.", same_subnet=True)
    table = network.tables.get(subject.subnet_id) or network.main_tables.get(subject.vpc_id)
    way = _way(network, table.ways, remote) if table else None
    place = f"{subject.subnet_id or 'the subnet'} ({table.table_id})" if table else ""
    inside = any(block.holds(remote) for block in network.vpcs.get(subject.vpc_id, ()))
    if inside or (way and way.target == "inside"):
        return Path(verdict="allow", sentence=f"Path: {remote.text} is in the same VPC.")
    public = address_class(remote) is AddressClass.PUBLIC
    # A default route through a VPN or transit gateway is a way out, and none in for the internet.
    if way and way.target == "private" and not (public and way.block == ANYWHERE[remote.version]):
        sentence = f"Path: {place} routes {remote.text} through {way.target_id}."
        return Path(verdict="allow", sentence=sentence, routed=True)
    if public:
        return _public(network, subject, remote, way, place)
    if table is None:
        return _unknown(f"the route table of {subject.subnet_id or 'the subnet'} is not in the inventory")
    rule = f"no route from {place} to the private address {remote.text}"
    return Path(verdict="deny", sentence=f"Path: {rule}.", rule=rule)


def _public(network: Network, subject: Subject, remote: Address, way: Way | None, place: str) -> Path:
    addresses = subject.public_addresses if remote.version == IPV4 else subject.ipv6_addresses
    if not addresses:
        kind = "public IPv4 address" if remote.version == IPV4 else "IPv6 address"
        return Path(
            verdict="deny", sentence=f"Path: {subject.interface_id} has no {kind}; {NO_PUBLIC_PATH}.", rule=NO_PUBLIC_PATH
        )
    if not place:
        return _unknown(f"the route table of {subject.subnet_id or 'the subnet'} is not in the inventory")
    if way and way.target == "endpoint":
        return _unknown(
            f"{place} routes {remote.text} to {way.target_id}, perhaps a firewall, whose rules are not in the inventory"
        )
    if way is None or way.target != "internet":
        towards = f"to {way.target_id}" if way and way.target != "none" else "nowhere"
        sentence = f"Path: {place} routes {remote.text} {towards}, not to an internet gateway; {NO_PUBLIC_PATH}."
        return Path(verdict="deny", sentence=sentence, rule=NO_PUBLIC_PATH)
    mode = network.blocked.get((subject.account_id, subject.region))
    if mode and not network.spared & {subject.vpc_id, subject.subnet_id}:
        rule = f"VPC Block Public Access is on ({mode})"
        return Path(verdict="deny", sentence=f"Path: {rule}.", rule=rule)
    return Path(verdict="allow", sentence=f"Path: {addresses[0]}, and {place} routes {remote.text} to {way.target_id}.")


def _way(network: Network, ways: tuple[Way, ...], remote: Address) -> Way | None:
    """Return the route with the longest prefix; the entries of a prefix list are longer than any block that holds them."""
    best, best_size = None, 1 << 129
    for way in ways:
        blocks = (way.block,) if way.block else network.prefix_lists.get(way.prefix_list_id, ())
        for block in blocks:
            if block.holds(remote) and block.last - block.first < best_size:
                best, best_size = way, block.last - block.first
    return best


def _unknown(reason: str) -> Path:
    return Path(verdict="unknown", sentence=f"Path: {reason}.", rule=reason)
