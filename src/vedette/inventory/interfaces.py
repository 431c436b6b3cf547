"""Collect the interfaces of snapshots, with roles and addresses: one value per interface, from the newest snapshot with it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from vedette.inventory.files import Snapshot, region_of
from vedette.inventory.kinds import INSTANCES
from vedette.inventory.kinds import INTERFACES as SAVED_INTERFACES
from vedette.inventory.roles import INSTANCE, NODE, is_node, role_of
from vedette.inventory.saved import Instance, NetworkInterface


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One network interface; ``role`` as in methods 1.4, addresses as canonical text, the primary one first."""

    interface_id: str
    account_id: str
    region: str
    role: str
    instance_id: str | None
    vpc_id: str | None
    subnet_id: str | None
    private_addresses: tuple[str, ...]
    public_addresses: tuple[str, ...]
    ipv6_addresses: tuple[str, ...]
    group_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The interfaces and instances of all snapshots by ID, each from the newest snapshot that has it.

    ``taken_at`` is the time of that snapshot per interface; ``delegated`` are the ranges that are delegated to interfaces, as
    text; ``attached`` are the interfaces per instance.
    """

    interfaces: Mapping[str, Interface]
    taken_at: Mapping[str, datetime]
    delegated: frozenset[str]
    instances: Mapping[str, Instance]
    attached: Mapping[str, tuple[NetworkInterface, ...]]


def collect(snapshots: Iterable[Snapshot]) -> Found:
    """Collect the interfaces and instances of snapshots, which are given oldest first."""
    interfaces: dict[str, Interface] = {}
    saved: dict[str, NetworkInterface] = {}
    taken_at: dict[str, datetime] = {}
    instances: dict[str, Instance] = {}
    for snapshot in snapshots:
        for item, instance_id, owner in _saved(snapshot):
            interfaces[item.network_interface_id] = _interface(item, snapshot, instance_id, owner)
            saved[item.network_interface_id] = item
            taken_at[item.network_interface_id] = snapshot.taken_at
        for reservation in snapshot.of(INSTANCES):
            instances.update((instance.instance_id, instance) for instance in reservation.instances)
    nodes = {interface.instance_id for interface in interfaces.values() if interface.role == NODE}
    nodes |= {name for name, instance in instances.items() if is_node({tag.key: tag.value for tag in instance.tags})}
    attached: dict[str, list[NetworkInterface]] = {}
    for name, interface in interfaces.items():
        if interface.instance_id:
            attached.setdefault(interface.instance_id, []).append(saved[name])
            if interface.role == INSTANCE and interface.instance_id in nodes:
                interfaces[name] = replace(interface, role=NODE)
    return Found(
        interfaces=interfaces,
        taken_at=taken_at,
        delegated=frozenset(text for item in saved.values() for text in _delegated(item)),
        instances=instances,
        attached={name: tuple(items) for name, items in attached.items()},
    )


def _saved(snapshot: Snapshot) -> Iterator[tuple[NetworkInterface, str | None, str | None]]:
    """Yield each interface of a snapshot with its instance and owner; those of DescribeNetworkInterfaces come last, and win."""
    for reservation in snapshot.of(INSTANCES):
        for instance in reservation.instances:
            for item in instance.network_interfaces:
                yield item, instance.instance_id, reservation.owner_id
    for item in snapshot.of(SAVED_INTERFACES):
        yield item, item.attachment.instance_id if item.attachment else None, None


def _interface(item: NetworkInterface, snapshot: Snapshot, instance_id: str | None, owner: str | None) -> Interface:
    return Interface(
        interface_id=item.network_interface_id,
        account_id=item.owner_id or owner or snapshot.account_id,
        region=region_of(item.availability_zone or "") or snapshot.region,
        role=role_of(item, instance_id or None),
        instance_id=instance_id or None,
        vpc_id=item.vpc_id or None,
        subnet_id=item.subnet_id or None,
        private_addresses=_private(item),
        public_addresses=_public(item),
        ipv6_addresses=_unique(address.ipv6_address for address in item.ipv6_addresses),
        group_ids=_unique(group.group_id for group in item.groups),
    )


def _private(item: NetworkInterface) -> tuple[str, ...]:
    return _unique([item.private_ip_address, *(address.private_ip_address for address in item.private_ip_addresses)])


def _public(item: NetworkInterface) -> tuple[str, ...]:
    associations = [item.association, *(address.association for address in item.private_ip_addresses)]
    return _unique(association.public_ip for association in associations if association)


def _delegated(item: NetworkInterface) -> Iterator[str]:
    texts = [*(prefix.ipv4_prefix for prefix in item.ipv4_prefixes), *(prefix.ipv6_prefix for prefix in item.ipv6_prefixes)]
    yield from (str(text) for text in texts if text)


def _unique(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(text) for text in texts if text))
