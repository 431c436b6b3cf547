"""The inventory: all snapshots of a folder as one immutable value that answers questions about addresses and interfaces."""

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
    """What snapshots say of the environment. Picklable; it never changes.

    ``taken_at`` is the date of the newest snapshot, ``interfaces`` are in order of their ids, ``notes`` say which files are
    incomplete, by folder.
    """

    __slots__ = ("_found", "_images", "_network", "_unused", "interfaces", "notes", "snapshots", "taken_at")

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        whole = sorted(snapshots, key=lambda snapshot: (snapshot.taken_at, snapshot.folder))
        self._found = collect(whole)
        self._network = network_of(whole, self._found.interfaces)
        self._unused = unused_of(whole, self._found)
        self._images = {image.image_id: image.description for snapshot in whole for image in snapshot.of(IMAGES)}
        # What was taken out of the records stays, and the records go.
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
        """Load the saved answers below a folder.

        Raises:
            ConfigurationError: there are none, or a file cannot be used; every fault is named with file and place.
        """
        return cls(read_snapshots(folder))

    def interface(self, interface_id: str) -> Interface | None:
        """Return an interface by its id."""
        return self._found.interfaces.get(interface_id)

    def is_current(self, at: datetime, interface_id: str | None = None) -> bool:
        """Say whether the newest snapshot, or that of an interface, was taken within 24 hours of a moment, before or after."""
        taken_at = self._found.taken_at.get(interface_id) if interface_id else self.taken_at
        return taken_at is not None and abs(at - taken_at) <= CURRENT

    def instance_details(self, instance_id: str) -> dict[str, object] | None:
        """Return an instance as findings show it (contract 1.2), None when no snapshot knows it."""
        instance = self._found.instances.get(instance_id)
        attached = self._found.attached.get(instance_id, instance.network_interfaces if instance else ())
        if instance is None and not attached:
            return None
        image = self._images.get(instance.image_id) if instance and instance.image_id else None
        return instance_details(instance, instance_id, attached, image)

    def tags(self, instance_id: str) -> Mapping[str, str]:
        """Return the tags of an instance, none when it is not known."""
        instance = self._found.instances.get(instance_id)
        return {tag.key: tag.value for tag in instance.tags} if instance else {}

    def is_dark(self, address: str) -> bool:
        """Say whether an address of one of our VPCs has no interface and is none that AWS reserves (methods 2.1).

        Only VPCs count of which interfaces and subnets were saved. Networks beyond a VPN or gateway never do: who is there is not
        known.
        """
        parsed = parse(address)
        return parsed is not None and self._unused.is_dark(parsed)

    def reachability(self, *, remote: str, protocol: int, port: int, interface_id: str) -> Reachability:
        """Say whether traffic of a remote address reaches a port of an interface, and which rule decides (methods 3.2).

        Args:
            remote: the address of the other side.
            protocol: IP protocol number.
            port: destination port; the type for ICMP, anything for a protocol without ports.
            interface_id: the interface that the traffic arrives at.
        """
        interface = self._found.interfaces.get(interface_id)
        address = parse(remote)
        if interface is None:
            return _unknown(f"{interface_id} is not in the inventory")
        if address is None:
            return _unknown(f"{remote!r} is no address")
        return evaluate(self._network, _subject(interface), address, protocol, port)

    def openings(self, interface_id: str) -> tuple[Opening, ...]:
        """Return what the internet can reach at an interface: nothing for one that is not known."""
        interface = self._found.interfaces.get(interface_id)
        if interface is None:
            return ()
        return openings(self._network, _subject(interface), partial(evaluate, self._network, _subject(interface)))

    def table(self) -> pa.Table:
        """Return a row of ``INTERFACES`` for each interface and private or IPv6 address."""
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
