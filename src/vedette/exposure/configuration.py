"""Combine proved ports with the configuration: which rule admits the internet, and what is open without any traffic. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from vedette.exposure.ports import OPEN, Port
from vedette.families.probes.sighting import LEVELS
from vedette.inventory import Interface, Inventory, Opening
from vedette.inventory.network import ANY, TCP, UDP
from vedette.inventory.path import NO_PUBLIC_PATH

CONFIGURED = "configured"
"""The evidence of ports that the configuration opens and no traffic has proved."""

# Roles of interfaces whose ports belong to an instance; other roles are load balancers, gateways and VPC endpoints.
_INSTANCES = frozenset({"instance", "instance_k8s_node", "unknown"})
_RANK = {"unknown": 1, "partial": 2, "allow": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Ports of an interface that the internet reaches: a single port if traffic proved it, else a range of the configuration.

    ``evidence`` is a name in ``LEVELS``, or ``CONFIGURED``, in which case the times are None. ``verdict`` is the configuration's
    answer (allow, partial, deny, unknown; "" without an inventory), ``rule`` the rule that decides it, ``command`` the command
    that revokes the rule. ``proved`` counts the ports of the range that answered.
    """

    account_id: str
    region: str
    instance_id: str
    interface_id: str
    role: str = "unknown"
    name: str = ""
    addresses: tuple[str, ...] = ()
    protocol: int
    ports: tuple[int, int]
    evidence: str
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    conversations: int = 0
    clients: int = 0
    scanners: dict[str, str] = field(default_factory=dict)
    expected: bool = False
    verdict: str = ""
    rule: str = ""
    sources: tuple[str, ...] = ()
    command: str = ""
    proved: int = 0

    @property
    def of_instance(self) -> bool:
        """Return whether the ports belong to an instance, as far as is known."""
        return self.role in _INSTANCES

    @property
    def resource(self) -> str:
        """The ID of the instance, or of the interface if the instance is unknown."""
        return self.instance_id or self.interface_id


@dataclass(frozen=True, slots=True)
class _Answer:
    """The configuration's answer for some ports; the fields are those of ``Exposure``."""

    verdict: str = ""
    rule: str = ""
    sources: tuple[str, ...] = ()
    command: str = ""


def exposures(ports: Iterable[Port], inventory: Inventory | None, expected: Iterable[tuple[str | None, int]]) -> list[Exposure]:
    """Return the ports that traffic proved, each with its configuration, and the ranges that only the configuration opens.

    Args:
        ports: as ``remembered`` returns them.
        inventory: the configuration, None if it is unknown.
        expected: ports that are meant to answer the internet, each with its instance ID (None: every instance).

    Returns:
        The ports in order of account, region and instance; of each instance, proved ports first, by number.
    """
    meant = frozenset(expected)
    openings = {} if inventory is None else {item.interface_id: _openings(inventory, item) for item in inventory.interfaces}
    found: list[Exposure] = []
    proved: dict[tuple[str, int], set[int]] = {}
    for port in ports:
        found.append(_proved(port, inventory, openings.get(port.interface_id, ()), meant))
        if port.level >= OPEN:
            proved.setdefault((port.interface_id, port.protocol), set()).add(port.port)
    if inventory is not None:
        for interface in inventory.interfaces:
            found += _configured(inventory, interface, openings[interface.interface_id], proved, meant)
    return sorted(found, key=_order)


def _order(item: Exposure) -> tuple[object, ...]:
    return (
        item.account_id,
        item.region,
        item.resource,
        item.interface_id,
        item.evidence == CONFIGURED,
        item.ports,
        item.protocol,
    )


def _openings(inventory: Inventory, interface: Interface) -> tuple[Opening, ...]:
    """Return what the rules open for address families in which the interface is public; ICMP types are not ports."""
    families = {4} if interface.public_addresses else set()
    families |= {6} if interface.ipv6_addresses else set()
    found = (item for item in inventory.openings(interface.interface_id) if item.protocol in {ANY, TCP, UDP})
    return tuple(item for item in found if _family(item.source) in families | {0})


def _family(source: str) -> int:
    """Return the IP version of a network, 0 for any other source, such as a prefix list."""
    return 0 if "/" not in source else 6 if ":" in source else 4


def _proved(
    port: Port, inventory: Inventory | None, openings: Iterable[Opening], meant: frozenset[tuple[str | None, int]]
) -> Exposure:
    interface = None if inventory is None else inventory.interface(port.interface_id)
    instance_id = port.instance_id or (interface.instance_id if interface else None) or ""
    answer = _Answer()
    if inventory is not None:
        matching = [item for item in openings if _lets_in(item, port)]
        answer = _decided(matching) if matching else _closed(inventory, interface, port)
    return Exposure(
        account_id=port.account_id or (interface.account_id if interface else ""),
        region=port.region or (interface.region if interface else ""),
        instance_id=instance_id,
        interface_id=port.interface_id,
        role=interface.role if interface else "unknown",
        name=_name(inventory, instance_id),
        addresses=tuple(dict.fromkeys((*port.addresses, *(interface.public_addresses if interface else ())))),
        protocol=port.protocol,
        ports=(port.port, port.port),
        evidence=LEVELS.get(port.level, "unknown"),
        first_seen=port.first_seen,
        last_seen=port.last_seen,
        conversations=port.conversations,
        clients=port.clients,
        scanners=port.scanners,
        expected=_expected(meant, instance_id, (port.port, port.port)),
        verdict=answer.verdict,
        rule=answer.rule,
        sources=answer.sources,
        command=answer.command,
        proved=int(port.level >= OPEN),
    )


def _lets_in(opening: Opening, port: Port) -> bool:
    families = {6 if ":" in address else 4 for address in port.addresses} | {0}
    covers = opening.ports[0] <= port.port <= opening.ports[1]
    return covers and opening.protocol in {ANY, port.protocol} and _family(opening.source) in families


def _decided(openings: list[Opening]) -> _Answer:
    """Return the answer of openings of the same ports: the rule and command of the most permissive, and the sources of all."""
    best = max(openings, key=lambda item: (_RANK[item.verdict], -_prefix(item.source)))
    return _Answer(best.verdict, best.rule, tuple(dict.fromkeys(item.source for item in openings)), best.command)


def _prefix(source: str) -> int:
    """Return the prefix length of a network, for IPv6 divided by four; any other source counts as a single address."""
    length = source.rpartition("/")[2]
    return 32 if not length.isdecimal() else int(length) // (4 if ":" in source else 1)


def _closed(inventory: Inventory, interface: Interface | None, port: Port) -> _Answer:
    """Return why no rule opens a port that answered, evaluated for a scanner that it answered if there is one."""
    if interface is None:
        return _Answer("unknown", f"{port.interface_id} is not in the inventory")
    for remote in port.scanners:
        reached = inventory.reachability(remote=remote, protocol=port.protocol, port=port.port, interface_id=port.interface_id)
        return _Answer(reached.verdict, reached.deciding_rule or reached.steps[0].rstrip("."), (), reached.command)
    if not interface.public_addresses and not interface.ipv6_addresses:
        return _Answer("deny", NO_PUBLIC_PATH)
    return _Answer("deny", "no rule opens it to the internet")


def _configured(
    inventory: Inventory,
    interface: Interface,
    openings: Iterable[Opening],
    proved: dict[tuple[str, int], set[int]],
    meant: frozenset[tuple[str | None, int]],
) -> Iterator[Exposure]:
    """Yield the ranges that the configuration opens, except those in which every port answered."""
    ranges: dict[tuple[int, tuple[int, int]], list[Opening]] = {}
    for opening in openings:
        ranges.setdefault((opening.protocol, opening.ports), []).append(opening)
    instance_id = interface.instance_id or ""
    for (protocol, ports), some in ranges.items():
        known = {
            port
            for number in ((TCP, UDP) if protocol == ANY else (protocol,))
            for port in proved.get((interface.interface_id, number), ())
            if ports[0] <= port <= ports[1]
        }
        if len(known) > ports[1] - ports[0]:
            continue
        answer = _decided(some)
        yield Exposure(
            account_id=interface.account_id,
            region=interface.region,
            instance_id=instance_id,
            interface_id=interface.interface_id,
            role=interface.role,
            name=_name(inventory, instance_id),
            addresses=(*interface.private_addresses, *interface.public_addresses, *interface.ipv6_addresses),
            protocol=protocol,
            ports=ports,
            evidence=CONFIGURED,
            expected=_expected(meant, instance_id, ports),
            verdict=answer.verdict,
            rule=answer.rule,
            sources=answer.sources,
            command=answer.command,
            proved=len(known),
        )


def _expected(meant: frozenset[tuple[str | None, int]], instance_id: str, ports: tuple[int, int]) -> bool:
    if ports[1] - ports[0] >= len(meant):  # cannot all be expected; saves a long loop
        return False
    return all(not meant.isdisjoint({(None, port), (instance_id, port)}) for port in range(ports[0], ports[1] + 1))


def _name(inventory: Inventory | None, instance_id: str) -> str:
    return inventory.tags(instance_id).get("Name", "") if inventory is not None and instance_id else ""
