"""Turn CloudTrail records into Arrow batches, with one list comprehension and one dictionary builder per column.

Callers repeat: each distinct userIdentity is decoded once, and the identity columns are taken by its number.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute

from vedette.epoch import EARLIEST_US, LATEST_US
from vedette.logs.blob import KeyFacts
from vedette.logs.cloudtrail.identity import Caller
from vedette.logs.cloudtrail.record import Record, caller_in
from vedette.logs.moments import moment
from vedette.schema import CLOUDTRAIL

pc: Any = pyarrow.compute

_TEXT = pa.dictionary(pa.int32(), pa.string())
_TIME = pa.timestamp("us", tz="UTC")
_CENTURY = range(2000, 2100)
_TRUTH = {"true": True, "True": True, "false": False, "False": False, True: True, False: False}
_CALLER_COLUMNS = (
    "identity_type",
    "identity_arn",
    "identity_account_id",
    "principal_id",
    "access_key_id",
    "user_name",
    "principal",
    "principal_kind",
    "session_name",
    "issuer_arn",
    "invoked_by",
    "ec2_role_delivery",
    "source_identity",
)
_CALLER_TEXT = [(name, attrgetter(name)) for name in _CALLER_COLUMNS]
_TEXT_COLUMNS = (
    "account_id",
    "region",
    "event_source",
    "event_name",
    "event_type",
    "event_category",
    "error_code",
    "source_address",
    "user_agent",
    "vpc_endpoint_id",
)
_TRUTH_COLUMNS = ("read_only", "management_event", "from_console")
MEMO_ENTRIES = 20_000
MEMO_TEXT_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class _ResolvedCaller:
    """A caller, when its credentials were created, and the columns in which an impossible value became null."""

    caller: Caller
    created_at: datetime | None
    nulled: tuple[str, ...]


@dataclass(slots=True)
class BatchBuilder:
    """Gathers the records of one blob column by column; counts impossible values in ``nulled``, per column."""

    object_name: str
    facts: KeyFacts
    nulled: Counter[str]
    rows: int = 0
    _columns: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    _numbers: dict[bytes, int] = field(default_factory=dict)

    def add(self, records: Sequence[Record], positions: Iterable[int]) -> None:
        """Add records; ``positions`` are their indices in the blob."""
        columns, numbers = self._columns, self._numbers
        self.rows += len(records)
        columns["position"] += positions
        columns["caller"] += [numbers.setdefault(bytes(r.user_identity), len(numbers)) for r in records]
        columns["event_time"] += [r.event_time or r.shipped_at for r in records]
        columns["event_id"] += [r.event_id for r in records]
        columns["account_id"] += [r.recipient_account_id for r in records]
        columns["region"] += [r.aws_region for r in records]
        columns["event_source"] += [r.event_source for r in records]
        columns["event_name"] += [r.event_name for r in records]
        columns["event_type"] += [r.event_type for r in records]
        columns["event_category"] += [r.event_category for r in records]
        columns["read_only"] += [r.read_only for r in records]
        columns["management_event"] += [r.management_event for r in records]
        columns["error_code"] += [r.error_code or None for r in records]
        columns["source_address"] += [r.source_address for r in records]
        columns["user_agent"] += [r.user_agent for r in records]
        columns["vpc_endpoint_id"] += [r.vpc_endpoint_id for r in records]
        columns["from_console"] += [r.from_console for r in records]
        columns["request_attribute"] += [p and p.attribute for r in records for p in (r.request_parameters,)]
        columns["request_name"] += [p and (p.user_name or p.role_name) for r in records for p in (r.request_parameters,)]

    def finish(self) -> pa.RecordBatch:
        """Return the added records as one batch of ``schema.CLOUDTRAIL``, and start the next batch."""
        given = self._columns
        columns = self._callers(given["caller"])
        accounts, regions = given["account_id"], given["region"]
        if None in accounts:
            owners = columns["identity_account_id"].to_pylist()
            default = self.facts.account_id
            given["account_id"] = [given or owner or default for given, owner in zip(accounts, owners, strict=True)]
        if None in regions and self.facts.region:
            given["region"] = [region or self.facts.region for region in regions]
        columns |= {name: pa.array(given[name], _TEXT) for name in _TEXT_COLUMNS}
        columns |= {name: self._truths(given[name], name) for name in _TRUTH_COLUMNS}
        columns |= {
            "event_time": self._times(given["event_time"]),
            "event_id": pa.array(given["event_id"], pa.string()),
            "request_attribute": _texts(given["request_attribute"]),
            "request_name": _texts(given["request_name"]),
            "object": pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), self.rows), [self.object_name]),
            "position": pa.array(given["position"], pa.int64()),
        }
        self.rows = 0
        self._columns = defaultdict(list)
        self._numbers = {}
        return pa.RecordBatch.from_arrays([columns[name] for name in CLOUDTRAIL.names], schema=CLOUDTRAIL)

    def _callers(self, codes: list[int]) -> "dict[str, pa.Array[Any]]":
        found = [(_resolve_cached if len(text) <= MEMO_TEXT_BYTES else _resolve)(text) for text in self._numbers]
        if any(resolved.nulled for resolved in found):
            for code, times in Counter(codes).items():
                for column in found[code].nulled:
                    self.nulled[column] += times
        callers = [resolved.caller for resolved in found]
        columns: dict[str, pa.Array[Any]] = {
            name: pa.array(map(read, callers), _TEXT, size=len(found)) for name, read in _CALLER_TEXT
        }
        columns["credentials_created_at"] = pa.array([resolved.created_at for resolved in found], _TIME)
        taken = pa.RecordBatch.from_pydict(columns).take(pa.array(codes, pa.int32()))
        return dict(zip(columns, taken.columns, strict=True))

    def _times(self, values: list[str | None]) -> "pa.Array[Any]":
        try:
            times = pa.array(values, pa.string()).cast(_TIME)
        except pa.ArrowInvalid:
            times = pa.array([moment(value) for value in values], _TIME)
        times = _of_calendar(times)
        if times.null_count:
            self.nulled["event_time"] += times.null_count
        return times

    def _truths(self, values: list[bool | str | None], column: str) -> "pa.Array[Any]":
        try:
            return pa.array(values, pa.bool_())
        except pa.ArrowInvalid:
            truths = [None if value is None else _TRUTH.get(value) for value in values]
        impossible = truths.count(None) - values.count(None)
        if impossible:
            self.nulled[column] += impossible
        return pa.array(truths, pa.bool_())


def _of_calendar(times: "pa.Array[Any]") -> "pa.Array[Any]":
    """Return the times with null in place of those that ``moment`` does not know; which times are plausible is not said here."""
    numbers = times.cast(pa.int64())
    span = pc.min_max(numbers).as_py()
    if span["min"] is None or (span["min"] >= EARLIEST_US and span["max"] <= LATEST_US):
        return times
    known = pc.and_(pc.greater_equal(numbers, EARLIEST_US), pc.less_equal(numbers, LATEST_US))
    return cast("pa.Array[Any]", pc.if_else(known, times, pa.scalar(None, _TIME)))


def _resolve(text: bytes) -> _ResolvedCaller:
    caller, nulled = caller_in(text)
    created_at = moment(caller.credentials_created_at)
    if created_at is not None and created_at.year not in _CENTURY:  # which no clock of AWS can have written
        created_at = None
    if caller.credentials_created_at and created_at is None:
        nulled.append("credentials_created_at")
    return _ResolvedCaller(caller, created_at, tuple(nulled))


@lru_cache(MEMO_ENTRIES)
def _resolve_cached(text: bytes) -> _ResolvedCaller:
    """Return ``_resolve(text)``, cached across blobs: the same caller occurs in many."""
    return _resolve(text)


def _texts(values: list[object]) -> "pa.Array[Any]":
    try:
        return pa.array(values, _TEXT)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        return pa.array([value if isinstance(value, str) else None for value in values], _TEXT)
