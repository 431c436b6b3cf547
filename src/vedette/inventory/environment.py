"""Answer questions about addresses and interfaces from all snapshots of a folder, combined in one immutable value."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self

import pyarrow as pa

from vedette.inventory.combine import network_of, unused_of
from vedette.inventory.details import instance_details
from vedette.inventory.exposure import Opening, openings
from vedette.inventory.files import Snapshot, read_snapshots
from vedette.inventory.interfaces import Interface, collect
from vedette.inventory.kinds import IMAGES
from vedette.inventory.path import Subject
from vedette.inventory.reachability import Reachability, evaluate
from vedette.network.address import parse

CURRENT = timedelta(hours=24)
INTERFACES: pa.Schema = pa.schema(
    [
        pa.field(name, pa.string())
        for name in ("interface_id", "address", "account_id", "region", "instance_id", "role", "vpc_id", "subnet_id")
    ]
)


class Inventory:
    """The environment according to its snapshots. Picklable and immutable.

    ``taken_at`` is the time of the newest snapshot, ``interfaces`` are sorted by ID, ``notes`` name incomplete files with their
    folders.
    """

    __slots__ = ("_found", "_images", "_network", "_unused", "interfaces", "notes", "snapshots", "taken_at")

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        whole = sorted(snapshots, key=lambda snapshot: (snapshot.taken_at, snapshot.folder))
        self._found = collect(whole)
        self._network = network_of(whole, self._found.interfaces)
        self._unused = unused_of(whole, self._found)
        self._images = {image.image_id: image.description for snapshot in whole for image in snapshot.of(IMAGES)}
        # Everything that is used has been taken from the records: drop them, and keep only which kinds there are.
        self.snapshots: tuple[Snapshot, ...] = tuple(
            replace(snapshot, records=dict.fromkeys(snapshot.records, ()), entries={}) for snapshot in whole
        )
        self.interfaces: tuple[Interface, ...] = tuple(
            interface for _, interface in sorted(self._found.interfaces.items(), key=lambda item: item[0])
        )
        self.taken_at: datetime | None = self.snapshots[-1].taken_at if self.snapshots else None
        self.notes = tuple(f"{snapshot.folder}: {note}" for snapshot in self.snapshots for note in snapshot.notes)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load the saved responses below a folder.

        Raises:
            ConfigurationError: there are none, or a file cannot be used; the message lists faults with file and place.
        """
        return cls(read_snapshots(folder))

    def interface(self, interface_id: str) -> Interface | None:
        """Return the interface with the given ID, or None if it is unknown."""
        return self._found.interfaces.get(interface_id)

    def is_current(self, at: datetime, interface_id: str | None = None) -> bool:
        """Tell whether the newest snapshot (of an interface, if given) was taken within 24 hours before or after a time."""
        taken_at = self._found.taken_at.get(interface_id) if interface_id else self.taken_at
        return taken_at is not None and abs(at - taken_at) <= CURRENT

    def instance_details(self, instance_id: str) -> dict[str, object] | None:
        """Return an instance as findings show it (contract 1.2), or None if it is in no snapshot."""
        instance = self._found.instances.get(instance_id)
        attached = self._found.attached.get(instance_id, instance.network_interfaces if instance else ())
        if instance is None and not attached:
            return None
        image = self._images.get(instance.image_id) if instance and instance.image_id else None
        return instance_details(instance, instance_id, attached, image)

    def tags(self, instance_id: str) -> Mapping[str, str]:
        """Return the tags of an instance; an unknown instance has none."""
        instance = self._found.instances.get(instance_id)
        return {tag.key: tag.value for tag in instance.tags} if instance else {}

    def is_dark(self, address: str) -> bool:
        """Tell whether an address of one of the user's VPCs has no interface and is not reserved by AWS (methods 2.1).

        Only VPCs whose interfaces and subnets were saved count. Networks beyond a VPN or gateway never count, because their hosts
        are unknown.
        """
        parsed = parse(address)
        return parsed is not None and self._unused.is_dark(parsed)

    def reachability(self, *, remote: str, protocol: int, port: int, interface_id: str) -> Reachability:
        """Decide whether traffic from a remote address reaches a port of an interface, and by which rule (methods 3.2).

        Args:
            remote: the address of the other side.
            protocol: IP protocol number.
            port: destination port; the type for ICMP; ignored for a protocol without ports.
            interface_id: the interface at which the traffic arrives.
        """
        interface = self._found.interfaces.get(interface_id)
        address = parse(remote)
        if interface is None:
            return _unknown(f"{interface_id} is not in the inventory")
        if address is None:
            return _unknown(f"{remote!r} is not an address")
        return evaluate(self._network, _subject(interface), address, protocol, port)

    def openings(self, interface_id: str) -> tuple[Opening, ...]:
        """Return the ports of an interface that the internet can reach; none if the interface is unknown."""
        interface = self._found.interfaces.get(interface_id)
        if interface is None:
            return ()
        return openings(self._network, _subject(interface), partial(evaluate, self._network, _subject(interface)))

    def table(self) -> pa.Table:
        """Return a table of ``INTERFACES`` with one row per interface and private or IPv6 address."""
        rows = [(item, address) for item in self.interfaces for address in (*item.private_addresses, *item.ipv6_addresses)]
        columns = [[address if name == "address" else getattr(item, name) for item, address in rows] for name in INTERFACES.names]
        return pa.table([pa.array(column, pa.string()) for column in columns], schema=INTERFACES)


def _subject(interface: Interface) -> Subject:
    return Subject(
        interface_id=interface.interface_id,
        account_id=interface.account_id,
        region=interface.region,
        vpc_id=interface.vpc_id or "",
        subnet_id=interface.subnet_id or "",
        public_addresses=interface.public_addresses,
        ipv6_addresses=interface.ipv6_addresses,
        group_ids=interface.group_ids,
    )


def _unknown(reason: str) -> Reachability:
    return Reachability(verdict="unknown", steps=(f"{reason}.",), deciding_rule="", command="")
