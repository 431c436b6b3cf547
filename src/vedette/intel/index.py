"""Find the list entries that cover an address, and when they match, with an interval index.

Networks nest or are disjoint, so the entries of all lists form trees: each entry has the next larger one around it as its parent
(``parents``). The space of each address family is cut where the innermost entry changes: the sorted starts of the pieces (one
array of 64 bits for IPv4, two for IPv6) and the innermost entry of each piece (``owners``). A look-up is one binary search and a
walk to the root. Everything is in flat arrays, which are small and quick to send to another process.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from vedette.intel import Entry, Kind, ThreatList
from vedette.intel.entries import IPV6_LENGTHS, Entries
from vedette.network.address import IPV4, IPV6, Address, AddressClass, address_class, parse

# Open ends as times that every engine can represent in every time zone, so that matching is a plain comparison.
FAR_PAST = datetime(1900, 1, 1, tzinfo=UTC)
FAR_FUTURE = datetime(9999, 1, 1, tzinfo=UTC)
SLACK = timedelta(hours=24)  # before valid_from (methods 4.4)
_LOW = (1 << 64) - 1
_BITS = {IPV4: 32, IPV6: 128}
_V4_HOSTS = tuple((1 << (32 - length)) - 1 for length in range(33))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The list of a match: what the index keeps about it besides its entries."""

    name: str
    kind: Kind
    verdict: str
    grace_days: float
    stale_after: datetime

    @classmethod
    def of(cls, threat_list: ThreatList) -> "Source":
        """Return what matching needs to know about a list. A list of unknown age is never stale."""
        return cls(
            name=threat_list.name,
            kind=threat_list.kind,
            verdict=threat_list.verdict,
            grace_days=threat_list.grace_days,
            stale_after=_plus(threat_list.as_of, threat_list.max_age_days),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A list entry that covers an address, from ``matches_from`` to ``matches_to`` (both inclusive, slack and grace included).

    An entry without ``valid_from`` matches from the beginning of time: it is unknown since when it has been listed. For events
    after ``source.stale_after``, the list is older than its maximum age.
    """

    source: Source
    entry: Entry

    @property
    def matches_from(self) -> datetime:
        """Return when the entry begins to match: 24 hours before ``valid_from``."""
        start = self.entry.valid_from
        return FAR_PAST if start is None or start <= FAR_PAST + SLACK else start - SLACK

    @property
    def matches_to(self) -> datetime:
        """Return when the entry stops matching: at ``valid_to`` plus the list's days of grace."""
        return _plus(self.entry.valid_to, self.source.grace_days)

    def at(self, time: datetime) -> bool:
        """Tell whether the entry matches an event at the given time."""
        return self.matches_from <= time <= self.matches_to


class Index:
    """Looks addresses up in all lists at once. Create it with ``build``; it is immutable."""

    __slots__ = ("_entries", "_families", "_offsets", "_parents", "sources")

    def __init__(self, sources: tuple[Source, ...], entries: tuple[Entries, ...]) -> None:
        self.sources = sources
        self._entries = entries
        self._offsets = array("Q", [0])
        for column in entries:
            self._offsets.append(self._offsets[-1] + len(column))
        self._parents = array("I", bytes(4 * (self._offsets[-1] + 1)))
        self._families = {version: _Family(version) for version in (IPV4, IPV6)}

    @classmethod
    def build(cls, lists: Iterable[ThreatList]) -> "Index":
        """Build the index of all active lists (status ACTIVE), in the order given."""
        active = [item for item in lists if item.status == "ACTIVE"]
        index = cls(tuple(Source.of(item) for item in active), tuple(Entries.of(item.entries) for item in active))
        for version, family in index._families.items():
            family.fill(_sorted_networks(index._entries, version), index._parents)
        return index

    def __len__(self) -> int:
        """Return the number of entries."""
        return self._offsets[-1]

    def lookup(self, address: Address | str) -> tuple[Match, ...]:
        """Return every entry that covers an address, at whatever time it is valid, in the order of lists and entries.

        Text that is not an address and addresses that cannot be listed (private, multicast …) have no match.
        """
        owner, numbers = self._owner(address), []
        while owner:  # entries are numbered from 1; 0 means none
            numbers.append(owner - 1)
            owner = self._parents[owner]
        return tuple(self._match(number) for number in sorted(numbers))

    def match_at(self, address: Address | str, time: datetime) -> tuple[Match, ...]:
        """Return the entries that cover an address and match an event at the given time."""
        return tuple(match for match in self.lookup(address) if match.at(time))

    def covers(self, address: Address | str) -> bool:
        """Tell whether any entry covers an address, at whatever time it is valid."""
        return self._owner(address) > 0

    def _owner(self, address: Address | str) -> int:
        found = parse(address) if isinstance(address, str) else address
        if found is None or address_class(found) is not AddressClass.PUBLIC:
            return 0
        return self._families[found.version].owner(found.integer)

    def _match(self, number: int) -> Match:
        position = bisect_right(self._offsets, number) - 1
        return Match(source=self.sources[position], entry=self._entries[position][number - self._offsets[position]])


class _Family:
    """The pieces of one address family: the start of each, and the number of its innermost entry (0 for none)."""

    __slots__ = ("high", "low", "owners", "version")

    def __init__(self, version: int) -> None:
        self.version = version
        self.high = array("Q")
        self.low = array("Q")
        self.owners = array("I")

    def fill(self, networks: Iterator[tuple[int, int, int]], parents: "array[int]") -> None:
        """Cut the space into pieces. ``networks`` are (number, first, last), sorted by first address, larger ones first."""
        owners, add = self.owners, self.low.append if self.version == IPV4 else self._add_v6
        end = 1 << _BITS[self.version]
        numbers, lasts = [0], [end]  # the networks that are open, innermost last; outermost is the whole space
        innermost_last, cut = end, -1
        for number, first, last in chain(networks, [(0, end, end)]):  # the sentinel closes what is still open
            while innermost_last < first:
                numbers.pop()
                lasts.pop()
                start, innermost_last = innermost_last + 1, lasts[-1]
                if start == cut:
                    owners[-1] = numbers[-1]
                elif start < end:
                    add(start)
                    owners.append(numbers[-1])
                    cut = start
            if not number:
                return
            parents[number] = numbers[-1]
            numbers.append(number)
            lasts.append(last)
            innermost_last = last
            if first == cut:
                owners[-1] = number
            else:
                add(first)
                owners.append(number)
                cut = first

    def _add_v6(self, start: int) -> None:
        self.high.append(start >> 64)
        self.low.append(start & _LOW)

    def owner(self, address: int) -> int:
        """Return the number of the innermost entry that covers an address, 0 if there is none."""
        if self.version == IPV4:
            position = bisect_right(self.low, address) - 1
        else:
            high = address >> 64
            begin = bisect_left(self.high, high)
            end = bisect_right(self.high, high, begin)
            position = bisect_right(self.low, address & _LOW, begin, end) - 1
        return self.owners[position] if position >= 0 else 0


def _sorted_networks(columns: tuple[Entries, ...], version: int) -> Iterator[tuple[int, int, int]]:
    """Yield (number from 1, first, last) for one family's networks, sorted by first address, larger networks first.

    Arrow columns are sorted: sorting a million Python objects would take longer than everything else.
    """
    if not columns:
        return
    table = pa.concat_tables(pa.table(_arrow_columns(column)) for column in columns)
    table = table.append_column("number", pa.array(range(1, table.num_rows + 1), pa.uint32()))
    is_v6 = pc.greater_equal(table["length"], pa.scalar(IPV6_LENGTHS, pa.uint8()))
    table = table.filter(is_v6 if version == IPV6 else pc.invert(is_v6))
    table = table.sort_by([(name, "ascending") for name in ("high", "low", "length", "number")])
    lengths, numbers = _values(table["length"], "B"), _values(table["number"], "I")
    highs, lows = _values(table["high"], "Q"), _values(table["low"], "Q")
    if version == IPV4:
        for number, low, length in zip(numbers, lows, lengths, strict=True):
            yield number, low, low | _V4_HOSTS[length]
        return
    for number, high, low, length in zip(numbers, highs, lows, lengths, strict=True):
        first = high << 64 | low
        yield number, first, first | (1 << (128 + IPV6_LENGTHS - length)) - 1


def _values(column: "pa.ChunkedArray[pa.Scalar[pa.DataType]]", typecode: str) -> "array[int]":
    """Return a column that has no nulls as an array of the same width."""
    numbers = array(typecode)
    for chunk in column.chunks:
        data = chunk.buffers()[1]
        if data is not None:
            begin = chunk.offset * numbers.itemsize
            numbers.frombytes(memoryview(data)[begin : begin + len(chunk) * numbers.itemsize])
    return numbers


def _arrow_columns(entries: Entries) -> dict[str, "pa.Array[pa.Scalar[pa.DataType]]"]:
    def wrapped(column: "array[int]", kind: pa.DataType) -> "pa.Array[pa.Scalar[pa.DataType]]":
        return pa.Array.from_buffers(kind, len(column), [None, pa.py_buffer(column)])

    return {
        "length": wrapped(entries.lengths, pa.uint8()),
        "high": wrapped(entries.high, pa.uint64()),
        "low": wrapped(entries.low, pa.uint64()),
    }


def _plus(time: datetime | None, days: float) -> datetime:
    """Return a time some days later, FAR_FUTURE if the time is open (None) or the sum is later than that."""
    if time is None or days >= (FAR_FUTURE - time).days:
        return FAR_FUTURE
    return time + timedelta(days=days)
