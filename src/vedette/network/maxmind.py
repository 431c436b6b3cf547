"""Read databases in MaxMind's format (https://maxmind.github.io/MaxMind-DB/): what they say of an address, and no more than that.

A database is thought of as written by an attacker. It is read into memory, so that a change of the file cannot end the process;
of a record, only the members that are asked for are decoded, and every lookup ends after a bounded number of steps.
"""

import struct
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Final

from vedette.errors import GeoError
from vedette.network.address import IPV4, IPV6, Address

# Members of a record that are wanted, by name, each with those wanted of it; none: it is a text or a number.
Wanted = Mapping[str, "Wanted"]

MAX_BYTES = 2 << 30  # of a file; the largest that are published have half of that
MAX_VALUES = 1_024  # of a record that are passed on the way; the richest published ones have some three hundred
MAX_TEXT = 1_024  # bytes of a text or name
MAX_NAMES = 1_024  # of members that are remembered
MAX_SHOWN = 40
MAX_NODES = 20_000  # of the tree that are passed to find samples
MAX_SAMPLES = 50

_MARKER = b"\xab\xcd\xefMaxMind.com"
_METADATA_BYTES = 128 << 10
_SEPARATOR_BYTES = 16
_WIDTHS = {IPV4: 32, IPV6: 128}
_VERSIONS = {4: IPV4, 6: IPV6}
_POINTER, _TEXT, _DOUBLE, _BYTES, _MAP, _INT32, _ARRAY, _BOOLEAN, _FLOAT = 1, 2, 3, 4, 7, 8, 11, 14, 15
_FIXED = {_DOUBLE: struct.Struct(">d"), _FLOAT: struct.Struct(">f"), _INT32: struct.Struct(">i")}
_UNSIGNED = {5: 2, 6: 4, 9: 8, 10: 16}  # types, and how many bytes their numbers have at most
_SHORT_TEXT, _LONG_TEXT, _LONG_SIZE = 2 << 5, (2 << 5) + 29, 29
_LONG_SIZES = {29: (1, 29), 30: (2, 285), 31: (3, 65_821)}  # how many bytes of a size follow, and what is added to it
_TOO_MANY = f"a record has more than {MAX_VALUES} values"
_POINTER_OFFSETS = (0, 2_048, 526_336, 0)


class DamagedError(ValueError):
    """What is read is not what the format says."""


def scalars(*names: str) -> dict[str, Wanted]:
    """Return members that are wanted as a text or a number."""
    return {name: {} for name in names}


_ABOUT: Wanted = scalars("node_count", "record_size", "ip_version", "database_type", "binary_format_major_version")


class Database:
    """An open database; ``kind`` is the type that it declares. Lookups only read, so that threads may share it."""

    __slots__ = ("_data", "_node_bytes", "_nodes", "_section", "_start", "_version", "kind")

    def __init__(self, path: str) -> None:
        """Read the file.

        Raises:
            GeoError: it cannot be read, or is no database.
        """
        try:
            self._data = _read(path)
            about, end = self._about()
            self._nodes: Final = _number(about, "node_count", range(1 << 32))
            self._node_bytes: Final = _number(about, "record_size", (24, 28, 32)) // 4
            self._version: Final = _VERSIONS[_number(about, "ip_version", _VERSIONS)]
            if (begin := self._nodes * self._node_bytes + _SEPARATOR_BYTES) > end:
                raise DamagedError("it is cut off")  # noqa: TRY301 - as what is called raises it
            self._section: Final = Section(self._data, begin)
            self.kind: Final = str(about.get("database_type") or "")
            self._start: Final = self._descended(0, 0, 96) if self._version == IPV6 else 0
        except OSError as error:
            raise GeoError(f"{path}: not a readable geolocation database ({error.strerror or error})") from error
        except DamagedError as error:
            raise GeoError(f"{path}: not a readable geolocation database ({error})") from error

    def _about(self) -> tuple[dict[str, object], int]:
        """Return what the database says of itself, and where it begins to."""
        start = self._data.rfind(_MARKER, max(0, len(self._data) - _METADATA_BYTES))
        if start < 0:
            raise DamagedError("it does not end as one")
        about = Section(self._data, start + len(_MARKER)).members(0, _ABOUT)
        _number(about, "binary_format_major_version", (2,))
        return about, start

    def get(self, address: Address, wanted: Wanted) -> dict[str, object] | None:
        """Return the wanted members of the record of an address, None if it has none.

        Raises:
            DamagedError: the database is damaged there.
        """
        if address.version == IPV6 and self._version == IPV4:
            return None
        start = 0 if address.version == self._version else self._start
        node = self._descended(start, address.integer, _WIDTHS[address.version])
        return None if node == self._nodes else self._record(node, wanted)

    def samples(self, wanted: Wanted) -> Iterator[dict[str, object] | None]:
        """Yield the wanted members of some records, the leftmost of the tree; None for a damaged one."""
        seen, waiting, left = set[int](), [0], MAX_SAMPLES
        while waiting and left and len(seen) < MAX_NODES:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            if node < self._nodes:
                waiting += [self._next(node, 1), self._next(node, 0)]
            elif node > self._nodes:
                left -= 1
                try:
                    yield self._record(node, wanted)
                except DamagedError:
                    yield None

    def _record(self, node: int, wanted: Wanted) -> dict[str, object]:
        if node < self._nodes:
            raise DamagedError("the tree is deeper than an address is long")
        return self._section.members(node - self._nodes - _SEPARATOR_BYTES, wanted)

    def _descended(self, node: int, number: int, bits: int) -> int:
        """Return where the path of the highest ``bits`` bits of a number leads: to a node, or beyond the nodes to a record."""
        for place in range(bits - 1, -1, -1):
            if node >= self._nodes:
                break
            node = self._next(node, number >> place & 1)
        return node

    def _next(self, node: int, side: int) -> int:
        size = self._node_bytes
        whole = int.from_bytes(self._data[node * size : node * size + size], "big")
        if size == 7:  # noqa: PLR2004 - two numbers of 28 bits: the middle byte holds the highest bits of both
            return whole & 0xFFFFFFF if side else whole >> 32 | (whole >> 28 & 0xF) << 24
        half = size * 4
        return whole & (1 << half) - 1 if side else whole >> half


class Section:
    """The values from one place of the file on."""

    __slots__ = ("_base", "_data", "_names")

    def __init__(self, data: bytes, base: int) -> None:
        """Read values of ``data``; places and pointers count from ``base``."""
        self._data = data
        self._base = base
        self._names: dict[bytes, str] = {}  # of members, by the pointer to them: all records share them

    def members(self, place: int, wanted: Wanted) -> dict[str, object]:
        """Return the wanted members of the map at a place.

        Raises:
            DamagedError: there is none, or it goes on for longer than any does.
        """
        if place < 0:
            raise DamagedError("the tree leads to no record")
        try:
            found, _ = _Walk(self._data, self._base, self._names).value(self._base + place, wanted)
        except (IndexError, UnicodeDecodeError, struct.error) as error:
            raise DamagedError(f"a record is damaged ({error})") from error
        if not isinstance(found, dict):
            raise DamagedError("a record is no map")
        return found


class _Walk:
    """One way through the values of a record, which ends after ``MAX_VALUES``."""

    __slots__ = ("_base", "_data", "_left", "_names")

    def __init__(self, data: bytes, base: int, names: dict[bytes, str]) -> None:
        self._data = data
        self._base = base
        self._names = names
        self._left = MAX_VALUES

    def value(self, at: int, wanted: Wanted) -> tuple[object, int]:
        """Return the value at a place, and where the next begins; None for an array, and for a map of which nothing is wanted."""
        kind, size, at = self._control(at)
        after = -1
        if kind == _POINTER:
            after = at
            kind, size, at = self._control(size)
            if kind == _POINTER:
                raise DamagedError("a pointer leads to a pointer")
        if kind == _MAP and wanted:
            value: object
            value, at = self._members(at, size, wanted)
        elif kind in {_MAP, _ARRAY}:
            value, at = None, self._passed(at, size * 2 if kind == _MAP else size) if after < 0 else at
        else:
            end = at + (0 if kind == _BOOLEAN else size)
            if end > len(self._data):
                raise DamagedError("a record goes on beyond the end of the file")
            value, at = _scalar(kind, size, self._data[at : min(end, at + MAX_TEXT + 1)]), end
        return value, at if after < 0 else after

    def _members(self, at: int, size: int, wanted: Wanted) -> tuple[dict[str, object], int]:
        found: dict[str, object] = {}
        data = self._data
        for _ in range(size):
            first = data[at]
            if _SHORT_TEXT <= first < _LONG_TEXT:  # as almost all names are
                name: object = data[at + 1 : at + 1 + (first & 31)].decode()
                at += 1 + (first & 31)
                self._left -= 1
            elif first >> 5 == _POINTER:
                end = at + 2 + (first >> 3 & 3)
                name = self._names.get(data[at:end])
                if name is None:
                    name, _ = self.value(at, {})
                    if isinstance(name, str) and len(self._names) < MAX_NAMES:
                        self._names[data[at:end]] = name
                else:
                    self._left -= 2  # as if it were read again: what is too much must not depend on what was read before
                at = end
            else:
                name, at = self.value(at, {})
            inner = wanted.get(name) if isinstance(name, str) else None
            if inner is None:
                at = self._passed(at, 1)
            else:
                found[str(name)], at = self.value(at, inner)
        return found, at

    def _passed(self, at: int, count: int) -> int:
        """Return what comes after so many values, without looking at them or where their pointers lead."""
        data = self._data
        while count:
            first = data[at]
            kind, size = first >> 5, first & 31
            count -= 1
            if kind == _POINTER:
                at += 2 + (size >> 3)
            elif size < _LONG_SIZE and kind not in {0, _MAP}:
                at += 1 + size
            else:
                kind, size, at = self._control(at)
                count += {_MAP: size * 2, _ARRAY: size}.get(kind, 0)
                at += 0 if kind in {_MAP, _ARRAY, _BOOLEAN} else size
                continue
            self._left -= 1
            if self._left < 0:
                raise DamagedError(_TOO_MANY)
        return at

    def _control(self, at: int) -> tuple[int, int, int]:
        """Return type and size of a value, of a pointer the place that it leads to, and where it goes on."""
        self._left -= 1
        if self._left < 0:
            raise DamagedError(_TOO_MANY)
        data = self._data
        first = data[at]
        kind, size, at = first >> 5, first & 31, at + 1
        if kind == _POINTER:
            length = (size >> 3) + 1
            number = int.from_bytes(data[at : at + length], "big")
            if length < 4:  # noqa: PLR2004 - the longest pointer needs no further bits
                number += (size & 7) << 8 * length
            return kind, self._base + number + _POINTER_OFFSETS[length - 1], at + length
        if kind == 0:
            kind, at = data[at] + 7, at + 1
        if size in _LONG_SIZES:
            length, more = _LONG_SIZES[size]
            size, at = int.from_bytes(data[at : at + length], "big") + more, at + length
        return kind, size, at


def _scalar(kind: int, size: int, data: bytes) -> object:
    """Return a text, a number or a truth; None for bytes, and for a text that is too long for any name."""
    value: object = None
    if kind == _TEXT:
        value = data.decode() if size <= MAX_TEXT else None
    elif kind in _UNSIGNED and size <= _UNSIGNED[kind]:
        value = int.from_bytes(data, "big")
    elif kind in _FIXED and size == _FIXED[kind].size:
        (value,) = _FIXED[kind].unpack(data)
    elif kind == _INT32 and size < _FIXED[kind].size:
        value = int.from_bytes(data, "big")
    elif kind == _BOOLEAN and size in {0, 1}:
        value = size == 1
    elif kind != _BYTES:
        raise DamagedError(f"a value of type {kind} has {size} bytes")
    return value


def _number(about: Mapping[str, object], name: str, known: Container[int]) -> int:
    value = about.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value not in known:
        raise DamagedError(f"its {name} is {str(value)[:MAX_SHOWN]!r}")
    return value


def _read(path: str) -> bytes:
    try:
        file = Path(path)
        size = file.stat().st_size
    except ValueError as error:  # a name that no file can have
        raise DamagedError(str(error)) from error
    if not file.is_file():
        raise DamagedError("not a file")
    if size > MAX_BYTES:
        raise DamagedError(f"larger than {MAX_BYTES >> 30} GiB")
    with file.open("rb") as stream:
        return stream.read(size)  # not of MAX_BYTES: so much would be allocated
