"""From CloudTrail records to Arrow batches: a list comprehension and a dictionary builder a column.

Callers repeat: their JSON is decoded once a distinct text, and the identity columns are taken by its number.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from operator import attrgetter
from typing import Any

import pyarrow as pa

from vedette.blob import KeyFacts
from vedette.cloudtrail_record import Record, caller_in
from vedette.principal import Caller
from vedette.schema import CLOUDTRAIL

_TEXT = pa.dictionary(pa.int32(), pa.string())
_TIME = pa.timestamp("us", tz="UTC")
_TRUTH = {"true": True, "True": True, "false": False, "False": False, True: True, False: False}
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?\s*(?:Z|UTC|([+-])(\d\d):?(\d\d))?", re.ASCII)
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
class _Known:
    """A caller, when its credentials were made, and the columns that an impossible value was left out of."""

    caller: Caller
    created_at: datetime | None
    nulled: tuple[str, ...]


@dataclass(slots=True)
class BatchBuilder:
    """Gathers the records of one blob column by column; counts the impossible values in ``nulled``."""

    object_name: str
    facts: KeyFacts
    nulled: Counter[str]
    rows: int = 0
    _columns: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    _numbers: dict[bytes, int] = field(default_factory=dict)
    _memo: dict[bytes, _Known] = field(default_factory=dict)

    def add(self, records: Sequence[Record], positions: Iterable[int]) -> None:
        """Take the records; ``positions`` are their places in the blob."""
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

    def finish(self) -> pa.RecordBatch:
        """Return what was added as one batch, and start the next."""
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
            "request_attribute": _attributes(given["request_attribute"]),
            "object": pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), self.rows), [self.object_name]),
            "position": pa.array(given["position"], pa.int64()),
        }
        self.rows = 0
        self._columns = defaultdict(list)
        self._numbers = {}
        return pa.RecordBatch.from_arrays([columns[name] for name in CLOUDTRAIL.names], schema=CLOUDTRAIL)

    def _callers(self, codes: list[int]) -> dict[str, pa.Array]:
        found = [self._caller(text) for text in self._numbers]
        if any(known.nulled for known in found):
            for code, times in Counter(codes).items():
                for column in found[code].nulled:
                    self.nulled[column] += times
        index = pa.array(codes, pa.int32())
        callers = [known.caller for known in found]
        columns = {name: pa.array(map(read, callers), _TEXT, size=len(found)).take(index) for name, read in _CALLER_TEXT}
        columns["credentials_created_at"] = pa.array([known.created_at for known in found], _TIME).take(index)
        return columns

    def _caller(self, text: bytes) -> _Known:
        known = self._memo.get(text)
        if known is None:
            known = _know(text)
            if len(text) <= MEMO_TEXT_BYTES:
                if len(self._memo) >= MEMO_ENTRIES:
                    self._memo.clear()
                self._memo[text] = known
        return known

    def _times(self, values: list[str | None]) -> pa.Array:
        try:
            times = pa.array(values, pa.string()).cast(_TIME)
        except pa.ArrowInvalid:
            times = pa.array([moment(value) for value in values], _TIME)
        if times.null_count:
            self.nulled["event_time"] += times.null_count
        return times

    def _truths(self, values: list[bool | str | None], column: str) -> pa.Array:
        try:
            return pa.array(values, pa.bool_())
        except pa.ArrowInvalid:
            truths = [None if value is None else _TRUTH.get(value) for value in values]
        impossible = truths.count(None) - values.count(None)
        if impossible:
            self.nulled[column] += impossible
        return pa.array(truths, pa.bool_())


def moment(text: str | None) -> datetime | None:
    """Return the time that ``text`` writes in ISO 8601, UTC where it names no zone; None where it is no time.

    Exports of query engines write a blank for the T, nanoseconds, and no zone.
    """
    parts = _ISO.fullmatch(text or "")
    if parts is None:
        return None
    day, clock, fraction, sign, hours, minutes = parts.groups()
    try:
        when = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '').ljust(6, '0')}")
        offset = timedelta(hours=int(hours), minutes=int(minutes)) if sign else timedelta()
        return when.replace(tzinfo=timezone(-offset if sign == "-" else offset)).astimezone(UTC)
    except (ValueError, OverflowError):  # 31 February, an offset of 99 hours, a zone before year 1
        return None


def _know(text: bytes) -> _Known:
    caller, nulled = caller_in(text)
    created_at = moment(caller.credentials_created_at)
    if caller.credentials_created_at and created_at is None:
        nulled.append("credentials_created_at")
    return _Known(caller, created_at, tuple(nulled))


def _attributes(values: list[object]) -> pa.Array:
    try:
        return pa.array(values, _TEXT)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        return pa.array([value if isinstance(value, str) else None for value in values], _TEXT)
