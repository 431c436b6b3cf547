"""Turn typed columns of flow records into batches of ``schema.FLOWS``, whole columns at a time.

Every reader of flow logs ends here: impossible values become null and are counted, times in any unit become timestamps,
and an account, region or time that a record lacks is taken from the object's key.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute

from vedette.logs.blob import KeyFacts
from vedette.logs.flow.fields import EVENT_MILLISECONDS, EVENT_TIME, LARGEST
from vedette.network.address import parse_number
from vedette.schema import FLOWS

TEXT = pa.dictionary(pa.int32(), pa.string())
TIME = pa.timestamp("us", tz="UTC")
SILENT = ("NODATA", "SKIPDATA")

# A pyarrow.Array. The stubs of Array and of compute want a type argument that is known only at run time.
Column: TypeAlias = Any
pc: Any = pyarrow.compute

_ADDRESSES = ("src_address", "dst_address", "packet_src_address", "packet_dst_address")
_PLAIN_TEXT = tuple(
    name
    for name in FLOWS.names
    if FLOWS.field(name).type == TEXT and name not in {*_ADDRESSES, "account_id", "region", "log_status", "object"}
)
# The number from which a time is taken to be in milliseconds, microseconds, nanoseconds: 10**11 seconds would be the year 5138.
_MILLISECONDS, _MICROSECONDS, _NANOSECONDS = 10**11, 10**14, 10**17
_OCTET = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = rf"^({_OCTET}\.){{3}}{_OCTET}$"


@dataclass(slots=True, kw_only=True)
class FlowBatches:
    """Makes the batches of one blob; counts into ``nulled`` and ``statuses`` (see ``logs.read_counts.ReadCounts``).

    ``interface_id`` is the interface of records that do not name one, None if it is unknown.
    """

    object_name: str
    facts: KeyFacts
    nulled: Counter[str]
    statuses: Counter[str]
    interface_id: str | None = None
    _constants: dict[str, Column] = field(default_factory=dict)

    def cut(self, columns: Mapping[str, Column], positions: Column, most: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches of similar size, none of more than ``most`` rows.

        ``columns`` are those of ``FLOWS`` that the records have: text dictionary-encoded, numbers of any integer type,
        times as numbers or timestamps; also ``fields.EVENT_TIME`` or ``fields.EVENT_MILLISECONDS``. ``positions`` are the
        indices of the records in the blob.
        """
        rows = len(positions)
        parts = -(-rows // most)
        for part in range(parts):
            start = rows * part // parts
            length = rows * (part + 1) // parts - start
            some = {name: column.slice(start, length) for name, column in columns.items()}
            yield self._batch(some, positions.slice(start, length))

    def _batch(self, given: Mapping[str, Column], positions: Column) -> pa.RecordBatch:
        rows = len(positions)
        made: dict[str, Column] = {"position": positions, "object": self._constant(self.object_name, rows)}
        made |= {name: self._number(name, given.get(name), rows) for name in LARGEST}
        made |= {name: given[name] if name in given else self._nulls(name, rows) for name in _PLAIN_TEXT}
        made |= self._times(given, rows)
        made["account_id"] = self._filled("account_id", given, self.facts.account_id, rows)
        made["region"] = self._filled("region", given, self.facts.region, rows)
        if self.interface_id:
            made["interface_id"] = self._filled("interface_id", given, self.interface_id, rows)
        status = given["log_status"] if "log_status" in given else self._nulls("log_status", rows)
        made["log_status"] = status
        silent = self._silent(status)
        for name in _ADDRESSES:
            made[name] = self._addresses(name, given[name], silent) if name in given else self._nulls(name, rows)
        return pa.RecordBatch.from_arrays([made[name] for name in FLOWS.names], schema=FLOWS)

    def _silent(self, status: Column) -> Column | None:
        """Count the records that do not describe a flow (NODATA, SKIPDATA); return a mask of them, None if there are none."""
        found = None
        for at, text in enumerate(status.dictionary.to_pylist()):
            if text in SILENT:
                here = pc.equal(status.indices, at).fill_null(False)  # noqa: FBT003 - Arrow's
                self.statuses[text] += here.true_count
                found = here if found is None else pc.or_(found, here)
        return found

    def _addresses(self, name: str, array: Column, silent: Column | None) -> Column:
        indices, texts = array.indices, array.dictionary
        if silent is not None:
            indices = pc.if_else(silent, pa.scalar(None, indices.type), indices)
        valid = pc.match_substring_regex(texts, _IPV4)
        if valid.true_count < len(valid):
            doubtful = texts.filter(pc.invert(valid)).to_pylist()
            good = pa.array([text for text in doubtful if parse_number(text) is not None], pa.string())
            valid = pc.or_(valid, pc.is_in(texts, good))
        if valid.true_count < len(valid):
            before = indices.null_count
            renumbered = pc.subtract(pc.cumulative_sum(valid.cast(pa.int32())), pa.scalar(1, pa.int32()))
            indices = pc.if_else(valid, renumbered, pa.scalar(None, pa.int32())).take(indices)
            texts = texts.filter(valid)
            self._count(name, indices.null_count - before)
        return pa.DictionaryArray.from_arrays(indices, texts)

    def _number(self, name: str, array: Column | None, rows: int) -> Column:
        if array is None:
            return self._nulls(name, rows)
        wanted = FLOWS.field(name).type
        span = pc.min_max(array)
        lowest, highest = span["min"].as_py(), span["max"].as_py()
        if highest is not None and (lowest < 0 or highest > LARGEST[name]):
            array = self._between(name, array, 0, LARGEST[name])
        return array if array.type == wanted else array.cast(wanted)

    def _between(self, name: str, array: Column, first: int, last: int) -> Column:
        kept = between(array, first, last)
        self._count(name, kept.null_count - array.null_count)
        return kept

    def _times(self, given: Mapping[str, Column], rows: int) -> dict[str, Column]:
        start = self._time("start_time", given.get("start_time"))
        end = self._time("end_time", given.get("end_time"))
        event = self._time("start_time", given.get(EVENT_TIME, given.get(EVENT_MILLISECONDS)))
        found = [times for times in (start, event, end) if times is not None]
        started = found[0] if found else pa.nulls(rows, TIME)
        if started.null_count:
            delivered = pa.scalar(self.facts.delivered_at, TIME)
            started = pc.coalesce(started, *found[1:], delivered)
        if end is None:
            end = started
        elif end.null_count:
            end = pc.coalesce(end, started)
        return {"start_time": started, "end_time": end}

    def _time(self, name: str, array: Column | None) -> Column | None:
        if array is None or pa.types.is_timestamp(array.type):
            return array
        numbers = array.cast(pa.int64(), safe=False)  # what is too large for it becomes negative
        span = pc.min_max(numbers)
        lowest, highest = span["min"].as_py(), span["max"].as_py()
        if highest is None:
            return pa.nulls(len(numbers), TIME)
        if lowest < 0:
            numbers = self._between(name, numbers, 0, highest)
        if highest < _MILLISECONDS:
            return pc.multiply(numbers, 1_000_000).cast(TIME)
        return pc.case_when(
            pc.make_struct(
                pc.less(numbers, _MILLISECONDS),
                pc.less(numbers, _MICROSECONDS),
                pc.less(numbers, _NANOSECONDS),
            ),
            pc.multiply(numbers, 1_000_000),
            pc.multiply(numbers, 1_000),
            numbers,
            pc.divide(numbers, 1_000),
        ).cast(TIME)

    def _filled(self, name: str, given: Mapping[str, Column], default: str | None, rows: int) -> Column:
        """Return a text column with ``default`` for records without a value (AWS writes "unknown" for an unknown account)."""
        if name not in given:
            return self._nulls(name, rows) if default is None else self._constant(default, rows)
        indices, texts = given[name].indices, given[name].dictionary
        unknown = pc.index(texts, "unknown").as_py()
        if unknown >= 0:
            indices = pc.if_else(pc.equal(indices, unknown), pa.scalar(None, pa.int32()), indices)
        if default is not None and indices.null_count:
            indices = indices.fill_null(len(texts))
            texts = pa.concat_arrays([texts, pa.array([default], pa.string())])
        return pa.DictionaryArray.from_arrays(indices, texts)

    def _constant(self, text: str, rows: int) -> Column:
        return pa.DictionaryArray.from_arrays(self._repeated("", pa.scalar(0, pa.int32()), rows), pa.array([text], pa.string()))

    def _nulls(self, name: str, rows: int) -> Column:
        return self._repeated(str(FLOWS.field(name).type), pa.scalar(None, FLOWS.field(name).type), rows)

    def _repeated(self, key: str, value: Column, rows: int) -> Column:
        """Return an array of ``rows`` times ``value``; batches share its memory."""
        kept = self._constants.get(key)
        if kept is None or len(kept) < rows:
            kept = pa.nulls(rows, value.type) if not value.is_valid else pa.repeat(value, rows)
            self._constants[key] = kept
        return kept.slice(0, rows)

    def _count(self, name: str, times: int) -> None:
        if times:
            self.nulled[name] += times


def between(array: Column, first: int, last: int) -> Column:
    """Return integers of any type in 64 bits, with null in place of those that do not lie between two, both included."""
    kind = array.type if array.type == pa.uint64() else pa.int64()  # not the column's own type, which may not hold ``last``
    wide = array.cast(kind)
    possible = pc.and_(pc.greater_equal(wide, pa.scalar(first, kind)), pc.less_equal(wide, pa.scalar(last, kind)))
    return pc.if_else(possible, wide, pa.scalar(None, kind))


def numbered(first: int, count: int) -> Column:
    """Return an array of ``count`` consecutive integers from ``first`` on."""
    arange: Any = pa.arange  # type: ignore[attr-defined]  # newer than the stubs
    return arange(first, first + count)
