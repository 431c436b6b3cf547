"""Store list entries in columns: a list of a million networks takes tens of megabytes instead of hundreds.

``Entries`` behaves as a sequence of ``Entry`` objects, which are created on access.
"""

from array import array
from collections.abc import Iterable, Sequence
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from typing import TypeVar, overload

from vedette.intel import Entry, Network
from vedette.network.address import IPV4, IPV6

# A network as numbers: version (4 or 6), first address, prefix length.
Numbers = tuple[int, int, int]
Validity = tuple[datetime | None, datetime | None]

OPEN: Validity = (None, None)
IPV6_LENGTHS = 64  # added to the prefix lengths of IPv6 in their column
_LOW = (1 << 64) - 1


class Entries(Sequence[Entry]):
    """An append-only sequence of entries in columns; picklable, and equal and hashable by content.

    ``lengths`` holds the prefix length, plus ``IPV6_LENGTHS`` for IPv6; ``high`` and ``low`` the upper and lower 64 bits of
    the first address (IPv4: low). Categories and validities are indices into ``category_values`` and ``validity_values``.
    """

    __slots__ = (
        "_category_number",
        "_category_numbers",
        "_last_category",
        "_last_validity",
        "_validity_number",
        "_validity_numbers",
        "categories",
        "category_values",
        "high",
        "lengths",
        "lines",
        "low",
        "validities",
        "validity_values",
    )

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.lengths = array("B")
        self.high = array("Q")
        self.low = array("Q")
        self.lines = array("I")
        self.categories = array("I")
        self.validities = array("I")
        self.category_values: list[str] = []
        self.validity_values: list[Validity] = []
        self._category_numbers: dict[str, int] = {}
        self._validity_numbers: dict[Validity, int] = {}
        # consecutive entries mostly share these values, so that one look-up is enough
        self._last_category: str | None = None
        self._last_validity: Validity | None = None
        self._category_number = self._validity_number = 0
        for entry in entries:
            network = entry.network
            numbers = (network.version, int(network.network_address), network.prefixlen)
            self.append(numbers, entry.line, entry.category, (entry.valid_from, entry.valid_to))

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Entries":
        """Return the entries in columns; ``entries`` itself if it already is an ``Entries``."""
        return entries if isinstance(entries, cls) else cls(entries)

    def append(self, network: Numbers, line: int, category: str, validity: Validity) -> None:
        """Add one entry."""
        version, first, length = network
        if version == IPV4:
            self.lengths.append(length)
            self.high.append(0)
            self.low.append(first)
        else:
            self.lengths.append(length + IPV6_LENGTHS)
            self.high.append(first >> 64)
            self.low.append(first & _LOW)
        self.lines.append(line)
        if category is not self._last_category:
            self._last_category, self._category_number = category, _number(category, self.category_values, self._category_numbers)
        self.categories.append(self._category_number)
        if validity is not self._last_validity:
            self._last_validity, self._validity_number = validity, _number(validity, self.validity_values, self._validity_numbers)
        self.validities.append(self._validity_number)

    def network(self, position: int) -> Numbers:
        """Return the network of one entry as numbers."""
        length = self.lengths[position]
        if length < IPV6_LENGTHS:
            return IPV4, self.low[position], length
        return IPV6, self.high[position] << 64 | self.low[position], length - IPV6_LENGTHS

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.lengths)

    @overload
    def __getitem__(self, position: int) -> Entry: ...
    @overload
    def __getitem__(self, position: slice) -> "tuple[Entry, ...]": ...
    def __getitem__(self, position: int | slice) -> "Entry | tuple[Entry, ...]":
        """Return the entry at a position, or the entries of a slice."""
        if isinstance(position, slice):
            return tuple(self[index] for index in range(*position.indices(len(self))))
        valid_from, valid_to = self.validity_values[self.validities[position]]
        return Entry(
            network=as_network(self.network(position)),
            line=self.lines[position],
            category=self.category_values[self.categories[position]],
            valid_from=valid_from,
            valid_to=valid_to,
        )

    def __eq__(self, other: object) -> bool:
        """Tell whether both hold equal entries in the same order."""
        if not isinstance(other, Entries):
            return NotImplemented
        return len(self) == len(other) and all(ours == theirs for ours, theirs in zip(self, other, strict=True))

    def __hash__(self) -> int:
        """Return a hash of the networks, which are the same in equal sequences."""
        return hash((self.lengths.tobytes(), self.high.tobytes(), self.low.tobytes()))

    def __repr__(self) -> str:
        """Return a short text with the number of entries."""
        return f"<{len(self)} entries>"


_Value = TypeVar("_Value")


def _number(value: _Value, values: list[_Value], numbers: dict[_Value, int]) -> int:
    """Return the index of a value, which is added if it is new."""
    number = numbers.get(value)
    if number is None:
        number = numbers[value] = len(values)
        values.append(value)
    return number


def as_network(numbers: Numbers) -> Network:
    """Return the network that the numbers describe."""
    version, first, length = numbers
    return IPv4Network((first, length)) if version == IPV4 else IPv6Network((first, length))
