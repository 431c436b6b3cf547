"""Ports that answered the internet and the scanners that found them: the days of two state tables, merged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from vedette.errors import EngineError
from vedette.findings.rows import Row, text, whole
from vedette.state_files.generation import Generation, Part
from vedette.state_files.location import StateLocation

OPEN = 3
"""The level of evidence (``findings.probes.LEVELS``) from which on a port answered; below it only the path is open."""

ANSWERS, PROBES = "exposed_ports", "scanner_probes"
# A scanner that changed its class between days has the first of these that it ever had, as within one day.
VERDICTS = ("malicious", "research", "unknown")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of an interface, over all days that are remembered.

    ``instance_id`` is "" where no record names one. ``protocol`` is the number of the IP protocol. ``clients`` is a lower bound:
    client ports that were sent data, in 60 classes. ``scanners`` are the listed ones that found it, with their class: whom it
    answered, or for a port of a lower ``level`` than ``OPEN`` who got that far.
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
    """A port while its days are merged; ``scanners`` holds the level and class of each."""

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
        """Merge what every row of both tables says."""
        first, last = whole(row.get("first_us")), whole(row.get("last_us"))
        self.account_id, self.region = text(row.get("account_id")), text(row.get("region"))
        if instance_id := text(row.get("instance_id")):
            self.instance = max(self.instance, (last, instance_id))
        self.addresses.add(text(row.get("address")))
        self.level = max(self.level, whole(row.get("level")))
        self.first_us = first if self.first_us is None else min(self.first_us, first)
        self.last_us = max(self.last_us, last)

    def take_scanner(self, row: Row) -> None:
        """Merge what one scanner got."""
        remote, verdict = text(row.get("remote_address")), text(row.get("verdict"))
        level, before = self.scanners.get(remote, (0, verdict))
        self.scanners[remote] = max(level, whole(row.get("level"))), min(before, verdict, key=_rank)
        self.probes += whole(row.get("probes"))

    def port(self, interface_id: str, port: int, protocol: int) -> Port:
        """Return the port, all days of which were merged."""
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


def remembered(generation: Generation, place: StateLocation, *, least: int = OPEN) -> list[Port]:
    """Return the ports whose evidence reaches a level, in order of interface, port and protocol.

    Raises:
        EngineError: a file of the state is gone or broken.
    """
    found: dict[tuple[str, int, int], _Merged] = {}
    for row in rows(generation, place, ANSWERS, least):
        merged = found.setdefault(_key(row), _Merged())
        merged.take(row)
        merged.conversations += whole(row.get("conversations"))
        merged.clients |= whole(row.get("clients"))
    for row in rows(generation, place, PROBES, least):
        merged = found.setdefault(_key(row), _Merged())
        merged.take(row)
        merged.take_scanner(row)
    return [merged.port(*key) for key, merged in sorted(found.items(), key=lambda item: item[0])]


def rows(
    generation: Generation,
    place: StateLocation,
    table: str,
    least: int,
    *,
    days: tuple[int, int] | None = None,
    distinct: Sequence[str] = (),
) -> Iterator[Row]:
    """Yield the rows of a state table whose evidence reaches a level.

    Args:
        generation: names the files.
        place: where they lie.
        table: the state table.
        least: the least level of evidence.
        days: the first and the last that are read, counted since 1970; None for all.
        distinct: columns that are read, equal rows of a batch once; without it whole rows as they are.

    Raises:
        EngineError: a file of the state is gone or broken.
    """
    for part in generation.states.get(table, ()):
        if days is None or part.day is None or days[0] <= part.day <= days[1]:
            yield from _part(place, part, least, distinct)


def moment(microseconds: int) -> datetime:
    """Return the time so many microseconds after 1970; one that no calendar has becomes its first or last."""
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if microseconds > 0 else datetime.min.replace(tzinfo=UTC)


def _part(place: StateLocation, part: Part, least: int, distinct: Sequence[str]) -> Iterator[Row]:
    import pyarrow.compute as pc  # noqa: PLC0415  # a run without flow records needs neither
    import pyarrow.parquet as pq  # noqa: PLC0415

    columns = [*distinct, "level"] if distinct else None
    try:
        with place.reading(part.path) as file:
            for batch in pq.ParquetFile(file).iter_batches(columns=columns):
                kept = batch.filter(pc.greater_equal(batch.column("level"), pa.scalar(least)))
                if distinct:
                    yield from pa.Table.from_batches([kept]).group_by(list(distinct)).aggregate([]).to_pylist()
                else:
                    yield from kept.to_pylist()
    except (pa.ArrowException, KeyError, OSError, ValueError) as error:
        raise EngineError(f"{part.path}: is no file of the state ({error})") from error


def _key(row: Row) -> tuple[str, int, int]:
    return text(row.get("interface_id")), whole(row.get("port")), whole(row.get("protocol"))


def _rank(verdict: str) -> int:
    return VERDICTS.index(verdict) if verdict in VERDICTS else len(VERDICTS)
