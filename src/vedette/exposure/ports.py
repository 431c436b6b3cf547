"""Merge the days of two state tables into the ports that answered the internet, with the scanners that found them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from vedette.epoch import moment
from vedette.findings.rows import Row, text, whole
from vedette.state import all_states
from vedette.state_files.generation import Generation
from vedette.state_files.location import StateLocation
from vedette.state_files.tables import read_batches

OPEN = 3
"""The lowest level of evidence (``families.probes.sighting.LEVELS``) of a port that answered; below it only the path is open."""

ANSWERS, PROBES = "exposed_ports", "scanner_probes"
# In order of precedence: a scanner whose class changed between days keeps the first of these, as within one day.
VERDICTS = ("malicious", "research", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of an interface, merged over all days in the state.

    ``instance_id`` is "" if no record names an instance. ``protocol`` is the IP protocol number. ``clients`` is a lower bound of
    the clients that were sent data: their ports, counted in 60 classes. ``scanners`` maps the address of each listed scanner that
    found the port to its class: those that it answered or, below level ``OPEN``, those that reached the port's level.
    """

    account_id: str
    region: str
    interface_id: str
    instance_id: str
    addresses: tuple[str, ...]
    protocol: int
    port: int
    level: int
    conversations: int
    clients: int
    first_seen: datetime
    last_seen: datetime
    scanners: dict[str, str]


@dataclass(slots=True)
class _Merged:
    """A port while its days are merged; ``scanners`` maps each address to level and class."""

    account_id: str = ""
    region: str = ""
    instance: tuple[int, str] = (0, "")
    addresses: set[str] = field(default_factory=set)
    level: int = 0
    conversations: int = 0
    probes: int = 0
    clients: int = 0
    first_us: int | None = None
    last_us: int = 0
    scanners: dict[str, tuple[int, str]] = field(default_factory=dict)

    def take(self, row: Row) -> None:
        """Merge the columns that both tables have."""
        first, last = whole(row.get("first_us")), whole(row.get("last_us"))
        self.account_id, self.region = text(row.get("account_id")), text(row.get("region"))
        if instance_id := text(row.get("instance_id")):
            self.instance = max(self.instance, (last, instance_id))
        self.addresses.add(text(row.get("address")))
        self.level = max(self.level, whole(row.get("level")))
        self.first_us = first if self.first_us is None else min(self.first_us, first)
        self.last_us = max(self.last_us, last)

    def take_scanner(self, row: Row) -> None:
        """Merge the columns about one scanner."""
        remote, verdict = text(row.get("remote_address")), text(row.get("verdict"))
        level, before = self.scanners.get(remote, (0, verdict))
        self.scanners[remote] = max(level, whole(row.get("level"))), min(before, verdict, key=_rank)
        self.probes += whole(row.get("probes"))

    def port(self, interface_id: str, port: int, protocol: int) -> Port:
        """Return the merged port."""
        got = min(OPEN, self.level)
        return Port(
            account_id=self.account_id,
            region=self.region,
            interface_id=interface_id,
            instance_id=self.instance[1],
            addresses=tuple(sorted(self.addresses)),
            protocol=protocol,
            port=port,
            level=self.level,
            conversations=self.conversations or self.probes,
            clients=self.clients.bit_count(),
            first_seen=moment(self.first_us or 0),
            last_seen=moment(self.last_us),
            scanners={remote: verdict for remote, (level, verdict) in sorted(self.scanners.items()) if level >= got},
        )


def remembered(generation: Generation, location: StateLocation, *, least: int = OPEN) -> list[Port]:
    """Return the ports with at least a level of evidence, in order of interface, port and protocol.

    Raises:
        EngineError: a state file is missing or damaged.
    """
    found: dict[tuple[str, int, int], _Merged] = {}
    for row in rows(generation, location, ANSWERS, least):
        merged = found.setdefault(_key(row), _Merged())
        merged.take(row)
        merged.conversations += whole(row.get("conversations"))
        merged.clients |= whole(row.get("clients"))
    for row in rows(generation, location, PROBES, least):
        merged = found.setdefault(_key(row), _Merged())
        merged.take(row)
        merged.take_scanner(row)
    return [merged.port(*key) for key, merged in sorted(found.items(), key=lambda item: item[0])]


def rows(
    generation: Generation,
    location: StateLocation,
    table: str,
    least: int,
    *,
    days: tuple[int, int] | None = None,
    distinct: Sequence[str] = (),
) -> Iterator[Row]:
    """Yield the rows of a state table with at least a level of evidence.

    Args:
        generation: names the files.
        location: the location of the files.
        table: the name of the state table.
        least: the lowest level of evidence.
        days: the first and the last day to read, counted since 1970; None for all days.
        distinct: columns to read, with equal rows of a batch returned once; if empty, whole rows are returned unchanged.

    Raises:
        EngineError: a state file is missing or damaged.
    """
    import pyarrow.compute as pc  # noqa: PLC0415  # slow to import; a run without flow records does not need it

    whole_schema = all_states()[table].schema
    schema = pa.schema([whole_schema.field(name) for name in (*distinct, "level")]) if distinct else whole_schema
    for part in generation.states.get(table, ()):
        if days is None or part.day is None or days[0] <= part.day <= days[1]:
            for batch in read_batches(location, part, schema):
                kept = batch.filter(pc.greater_equal(batch.column("level"), pa.scalar(least)))
                if distinct:
                    yield from pa.Table.from_batches([kept]).group_by(list(distinct)).aggregate([]).to_pylist()
                else:
                    yield from kept.to_pylist()


def _key(row: Row) -> tuple[str, int, int]:
    return text(row.get("interface_id")), whole(row.get("port")), whole(row.get("protocol"))


def _rank(verdict: str) -> int:
    return VERDICTS.index(verdict) if verdict in VERDICTS else len(VERDICTS)
