"""Convert threat lists to what is stored: a header, and all entries with their validity as one compressed Arrow table.

Entries that ended are kept, so that an event matches as of its time. They are deleted only when the list is removed.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from vedette.epoch import moment
from vedette.errors import StoreError
from vedette.intel import Entry, Kind, Network, Refusal, ThreatList
from vedette.intel.entries import IPV6_LENGTHS, OPEN, Entries, Numbers, Validity
from vedette.intel.history import diff
from vedette.store.documents import clean, json_text, read_json

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Row

_VALIDITIES = b"validities"
_CATEGORIES = b"categories"
# name of a column, type code of its array
_COLUMNS = (("lengths", "B"), ("high", "Q"), ("low", "Q"), ("lines", "I"), ("categories", "I"), ("validities", "I"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSummary:
    """A stored list without its entries.

    ``entries`` is the number of entries that are valid still, ``ended`` that of entries that ended. ``refused`` is the number of
    refused lines. ``imported_at`` is the time of the last import, ``as_of`` the date of the content. Status ERROR means that
    nothing in the list is valid.
    """

    name: str
    kind: Kind
    format: str
    status: str
    entries: int
    ended: int
    refused: int
    imported_at: datetime
    as_of: datetime | None
    max_age_days: float
    digest: str
    location: str
    licence: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A ThreatList without its entries, with the same field names; the ages are text."""

    name: str
    kind: Kind
    format: str
    refusals: tuple[Refusal, ...]
    digest: str
    as_of: datetime | None
    max_age_days: str
    grace_days: str
    licence: str
    location: str
    verdict: str
    status: str
    refused: Mapping[str, int]


def header_text(threat_list: ThreatList) -> str:
    """Return a list without its entries as JSON text."""
    values = {item.name: getattr(threat_list, item.name) for item in fields(Header)}
    # JSON has no infinity, so ages are text
    values |= {name: str(values[name]) for name in ("max_age_days", "grace_days")}
    return json_text(Header(**values))


def list_of(header: str, entries: Entries) -> ThreatList:
    """Return the list of a stored header and entries."""
    read = read_json(header, Header)
    values = {item.name: getattr(read, item.name) for item in fields(Header)}
    values |= {name: float(values[name]) for name in ("max_age_days", "grace_days")}
    return ThreatList(entries=entries, **values)


def summary_of(row: "Row[*tuple[Any, ...]]") -> ListSummary:
    """Return the summary of a row of the table ``lists``."""
    header = read_json(row.header, Header)
    return ListSummary(
        name=row.name,
        kind=header.kind,
        format=header.format,
        status=header.status,
        entries=row.entries_open,
        ended=row.entries_closed,
        refused=row.refused,
        imported_at=moment(row.imported_at),
        as_of=header.as_of,
        max_age_days=float(header.max_age_days),
        digest=header.digest,
        location=header.location,
        licence=header.licence,
        verdict=header.verdict,
    )


def imported(previous: Entries | None, threat_list: ThreatList, at: datetime) -> Entries:
    """Return a list's entries after an import at time ``at``: new ones opened, vanished ones ended, all others unchanged.

    Entries that ``diff`` would certainly keep are set aside first: comparing a million objects would take a gigabyte.
    """
    listed = Entries.of(threat_list.entries)
    if not previous:
        return listed
    unchanged = _unchanged(previous, listed, at)
    result = _subset(previous, unchanged.keys())
    old = _subset(previous, (place for place in range(len(previous)) if place not in unchanged))
    seen = set(unchanged.values())
    new = _subset(listed, (place for place in range(len(listed)) if place not in seen))
    for entry in diff(old, _without_ended(old, new, at), at, first=False).entries:
        result.append(_numbers(entry.network), entry.line, entry.category, (entry.valid_from, entry.valid_to))
    return result


def _unchanged(previous: Entries, listed: Entries, at: datetime) -> dict[int, int]:
    """Return the positions of stored entries that are certainly still listed, with their positions in the new list.

    This is certain if the network occurs once in the new list, without a validity, and once among the open stored entries.
    """
    undated = {number for number, validity in enumerate(listed.validity_values) if validity == OPEN}
    running = {number for number, (_, to) in enumerate(previous.validity_values) if to is None or to > at}
    begun = {number for number, (since, _) in enumerate(previous.validity_values) if since is None or since <= at}
    unending = {number for number in running & begun if previous.validity_values[number][1] is None}
    places = _single_places(listed, set(range(len(listed.validity_values))))
    known = _single_places(previous, running)
    return {
        place: places[key]
        for key, place in known.items()
        if place >= 0
        and previous.validities[place] in unending
        and places.get(key, -1) >= 0
        and listed.validities[places[key]] in undated
    }


def _single_places(entries: Entries, validities: set[int]) -> dict[int, int]:
    """Return the position of each network among the entries with some validities, -1 for a network that occurs twice."""
    places: dict[int, int] = {}
    columns = zip(entries.high, entries.low, entries.lengths, entries.validities, strict=True)
    for place, (high, low, length, validity) in enumerate(columns):
        if validity in validities:
            key = high << 72 | low << 8 | length
            places[key] = -1 if key in places else place
    return places


def _subset(entries: Entries, places: Iterable[int]) -> Entries:
    """Return the entries at the given positions."""
    subset = Entries()
    for place in places:
        subset.append(
            entries.network(place),
            entries.lines[place],
            entries.category_values[entries.categories[place]],
            entries.validity_values[entries.validities[place]],
        )
    return subset


def _without_ended(old: Entries, new: Entries, at: datetime) -> list[Entry]:
    """Return the listed entries without those that ended and are stored already: lists repeat them, which would double them."""
    ended = {
        (entry.network, entry.valid_to, entry.valid_from) for entry in old if entry.valid_to is not None and entry.valid_to <= at
    }
    ended |= {(network, to, None) for network, to, _ in ended}
    return [entry for entry in new if (entry.network, entry.valid_to, entry.valid_from) not in ended]


def open_count(entries: Entries, at: datetime) -> int:
    """Return the number of entries that have not ended."""
    ended = {number for number, (_, to) in enumerate(entries.validity_values) if to is not None and to <= at}
    return len(entries) - sum(number in ended for number in entries.validities) if ended else len(entries)


def packed(entries: Entries) -> bytes:
    """Return entries as the bytes of a compressed Arrow table."""
    import pyarrow as pa  # noqa: PLC0415  # takes 100 ms to import, and most uses of a store do not need it

    schema = pa.schema([(name, _type(code)) for name, code in _COLUMNS])
    columns = [_as_column(getattr(entries, name), code) for name, code in _COLUMNS]
    metadata = {
        _VALIDITIES: msgspec.json.encode(entries.validity_values),
        _CATEGORIES: msgspec.json.encode([clean(word) for word in entries.category_values]),
    }
    batch = pa.record_batch(columns, schema=schema.with_metadata(metadata))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def unpacked(content: bytes, name: str) -> Entries:
    """Return the entries in bytes written by ``packed``; ``name`` is that of their list, for the message.

    Raises:
        StoreError: the content is damaged.
    """
    import pyarrow as pa  # noqa: PLC0415  # as above

    entries = Entries()
    try:
        with pa.ipc.open_stream(content) as reader:
            metadata = reader.schema.metadata
            if reader.schema.remove_metadata() != pa.schema([(column, _type(code)) for column, code in _COLUMNS]):
                raise ValueError("other columns")  # noqa: TRY301 - as what is damaged otherwise raises it
            for batch in reader:
                batch.validate(full=True)
                for position, (column, code) in enumerate(_COLUMNS):
                    getattr(entries, column).frombytes(_bytes_of(batch.column(position), code))
        entries.validity_values.extend(msgspec.json.decode(metadata[_VALIDITIES], type=list[Validity]))
        entries.category_values.extend(msgspec.json.decode(metadata[_CATEGORIES], type=list[str]))
        if any(value >= len(known) for value, known in _largest(entries)):
            raise ValueError("a value that it lacks")  # noqa: TRY301 - likewise
    except (pa.ArrowException, OSError, msgspec.MsgspecError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise StoreError(f"the store holds damaged entries of the list {name!r} ({error})") from error
    return entries


def _largest(entries: Entries) -> tuple[tuple[int, Sequence[object]], ...]:
    """Return the largest index into each kind of values, -1 if there is none, and the values."""
    return (
        (max(entries.categories, default=-1), entries.category_values),
        (max(entries.validities, default=-1), entries.validity_values),
        (max(entries.lengths, default=-1), range(IPV6_LENGTHS + 129)),
    )


def _numbers(network: Network) -> Numbers:
    return network.version, int(network.network_address), network.prefixlen


def _type(code: str) -> "pa.DataType":
    import pyarrow as pa  # noqa: PLC0415  # as above

    return {"B": pa.uint8(), "I": pa.uint32(), "Q": pa.uint64()}[code]


def _as_column(values: "array[int]", code: str) -> "pa.Array[pa.Scalar[pa.DataType]]":
    import pyarrow as pa  # noqa: PLC0415  # as above

    return pa.Array.from_buffers(_type(code), len(values), [None, pa.py_buffer(values)])


def _bytes_of(column: "pa.Array[pa.Scalar[pa.DataType]]", code: str) -> memoryview:
    data = column.buffers()[1]
    width = array(code).itemsize
    return (
        memoryview(data)[column.offset * width : (column.offset + len(column)) * width] if data is not None else memoryview(b"")
    )
