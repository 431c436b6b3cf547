"""Law: a trail is read back the same in every wrapper; junk raises nothing but ReadError; a cut costs what it cuts."""

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from reading_blobs import Read, read_bytes
from trails import WRAPPERS, Event, bridged, compact, event, found, subscribed

from vedette.errors import ReadError
from vedette.logs.json_pieces import PieceReader
from vedette.logs.json_salvage import leaves_of
from vedette.readers import Limits, cloudtrail

# Text as others may send it: quotes, brackets, escapes, names of our own members, other planes.
hostile = st.one_of(
    st.text(max_size=12),
    st.sampled_from(['"', "\\", '","eventName":"', "},{", '{"Records":[', "]}", "\n", "\0", "\u2028", "💥", '{"eventVersion":"']),
).filter(
    lambda text: text.isascii() or (text.encode("utf-8", "ignore").decode() == text and "\N{REPLACEMENT CHARACTER}" not in text)
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), hostile),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(hostile, st.sampled_from(["eventName", "message", "detail", "Records", "data"])), inner, max_size=3
        ),
    ),
    max_leaves=6,
)
TEXTS = {
    "eventID": "event_id",
    "awsRegion": "region",
    "eventSource": "event_source",
    "eventName": "event_name",
    "eventType": "event_type",
    "eventCategory": "event_category",
    "sourceIPAddress": "source_address",
    "userAgent": "user_agent",
    "vpcEndpointId": "vpc_endpoint_id",
}
TRUTHS = {"readOnly": "read_only", "managementEvent": "management_event"}
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)).map(lambda t: t.replace(microsecond=0))  # noqa: DTZ001


@st.composite
def trails(draw: st.DrawFn) -> tuple[list[Event], list[dict[str, object]]]:
    """Draw records, and the columns that they are to be read as."""
    records, rows = [], []
    for number in range(draw(st.integers(1, 6))):
        time = draw(TIMES)
        row: dict[str, object] = {"event_time": time, "account_id": "123456789012", "user_name": "alice"}
        members: Event = {"eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ")}
        for member, column in (TEXTS | TRUTHS).items():
            row[column] = draw(st.booleans() if member in TRUTHS else hostile)
            if member in {"eventID", "eventSource", "eventName"} or draw(st.booleans()):
                members[member] = row[column]
            else:
                row[column] = members[member] = None
        members |= {"requestParameters": draw(values), "responseElements": draw(values), "additionalEventData": draw(values)}
        records.append(event(number, **members))
        rows.append(row)
    return records, rows


def columns(read: Read, names: list[str]) -> list[dict[str, object]]:
    assert read.column("position") == list(range(read.counts.records))
    return [{name: row[name] for name in names} for row in read.rows]


@pytest.mark.parametrize("wrapper", list(WRAPPERS))
@given(trails())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_records_are_read_back_from_every_wrapper(wrapper: str, trail: tuple[list[Event], list[dict[str, object]]]) -> None:
    records, rows = trail
    head = event(0, eventID="head")  # so that the first bytes tell the log, whatever the others hold
    read = read_bytes(WRAPPERS[wrapper]([head, *records]).encode())
    assert columns(read, list(rows[0]))[1:] == rows
    assert (read.counts.bad, read.counts.nulled) == (0, {})


# Damage


def whole_before(text: bytes, records: list[Event], cut: int, written: Callable[[Event], bytes]) -> list[str]:
    """Return the ids of the records whose text ends before ``cut``."""
    ends = [text.index(written(record)) + len(written(record)) for record in records]
    return [record["eventID"] for record, end in zip(records, ends, strict=True) if end <= cut]


def escaped(value: object) -> bytes:
    return compact(compact(value)).encode()


PLAIN: dict[str, Callable[[Event], bytes]] = {
    "delivered": lambda record: compact(record).encode(),
    "array": lambda record: compact(record).encode(),
    "lines": lambda record: compact(record).encode(),
    "joined without an end": lambda record: compact(record).encode(),
    "delivered, with more": lambda record: compact(record).encode(),
    "CloudWatch export": lambda record: compact(record).encode(),
    "EventBridge": lambda record: compact(record).encode(),
    "data.Records": lambda record: compact(record).encode(),
    "a log shipper": lambda record: compact(record).encode(),
    "LookupEvents": lambda record: compact(found(record)).encode(),
    "CloudWatch subscription": lambda record: escaped(record) + b"}",
}
TRAIL = [event(n, requestParameters={"a": [{"b": '"}]},{"'}, n]}) for n in range(12)]
TEXT = {wrapper: WRAPPERS[wrapper](TRAIL).encode() for wrapper in PLAIN}
SNIFFED = 400  # a shorter text need not be known as a trail


@pytest.mark.parametrize("wrapper", list(PLAIN))
@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_cut_anywhere_loses_no_whole_record_before_it(wrapper: str, data: st.DataObject) -> None:
    text = TEXT[wrapper]
    cut = data.draw(st.integers(SNIFFED, len(text)))
    expected = whole_before(text, TRAIL, cut, PLAIN[wrapper])
    read = read_bytes(text[:cut])
    assert read.column("event_id")[: len(expected)] == expected
    assert len(read.rows) <= len(expected) + 1
    assert read.counts.bad <= 2


@given(st.integers(20, 100))
@settings(max_examples=80, deadline=None)
def test_a_cut_anywhere_in_an_archive_loses_no_whole_record_before_it(percent: int) -> None:
    records = [event(n, requestParameters={"name": f"{n * 2_654_435_761 % 2**32:08x}"}) for n in range(120)]
    text = compact({"Records": records}).encode()
    stored = gzip.compress(text, 6, mtime=0)
    stored = stored[: len(stored) * percent // 100]
    there = zlib.decompressobj(31).decompress(stored)
    read = read_bytes(stored)
    expected = whole_before(text, records, len(there), lambda record: compact(record).encode())
    assert read.column("event_id")[: len(expected)] == expected


@pytest.mark.parametrize("wrapper", list(WRAPPERS))
@given(size=st.integers(1_000, 6_000))
@example(size=1_060)  # between a key and its value
@example(size=2_119)
@settings(max_examples=25, deadline=None)
def test_the_size_of_pieces_does_not_matter(wrapper: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cloudtrail, "PieceReader", partial(PieceReader, piece_bytes=size))
        read = read_bytes(WRAPPERS[wrapper](TRAIL).encode())
    assert read.column("event_id") == [record["eventID"] for record in TRAIL]
    assert read.column("position") == list(range(len(TRAIL)))
    assert (read.counts.bad, read.counts.nulled) == (0, {})


@given(st.binary(max_size=30), st.integers(1, 11))
@settings(max_examples=60, deadline=None)
def test_junk_instead_of_a_record_costs_no_neighbour(junk: bytes, at: int) -> None:
    texts = [compact(record).encode() for record in TRAIL]
    texts[at] = b"{" + junk.translate(None, b'"\\{}[]')
    read = read_bytes(b"\n".join(texts))
    assert read.column("event_id") == [record["eventID"] for n, record in enumerate(TRAIL) if n != at]
    assert read.counts.bad >= 1


SEEDS = {wrapper: WRAPPERS[wrapper](TRAIL[:3]).encode() for wrapper in WRAPPERS} | {
    "gzip": gzip.compress(WRAPPERS["delivered"](TRAIL).encode(), mtime=0),
    "nested": compact([bridged(subscribed([found(event(0))]))]).encode(),
}
SMALL = Limits(max_bytes=1 << 20, max_record_bytes=1 << 12)
chunks = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [
            *(b"\0", b"\n", b"\r", b"\xff\xfe", b" ", b'"', b"{", b"}", b"[", b"]", b"\\", b",", b":", b"null", b"NaN", b"1e999"),
            *(b"[" * 300, b'{"a":' * 300, b'"eventName":', b'"Records":[', b'{"eventVersion":', b'\\ud800"', b"\xed\xa0\x80"),
            *(b'"userIdentity":7,', b'"CloudTrailEvent":"{', compact(event(1)).encode(), b"9" * 400),
        ]
    ),
)
edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), chunks), min_size=1, max_size=6)


def survives(data: bytes) -> None:
    """Read anything; whatever comes is a batch of the schema or a ReadError."""
    try:
        read_bytes(data, limits=SMALL)
    except ReadError as error:
        assert str(error).startswith("some.log: ")  # noqa: PT017 - either way is right


@pytest.mark.parametrize("seed", list(SEEDS))
@given(changes=edits)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_trails_raise_nothing_else(seed: str, changes: list[tuple[float, int, bytes]]) -> None:
    data = SEEDS[seed]
    for where, length, put in changes:
        at = int(where * len(data))
        data = data[:at] + put + data[at + length :]
    survives(data)


@given(st.one_of(st.binary(max_size=300), st.lists(chunks, max_size=30).map(b"".join)))
@settings(max_examples=100, deadline=None)
def test_junk_raises_nothing_else(data: bytes) -> None:
    for begin in (
        b"",
        b'{"Records":[',
        b'[{"eventVersion":"1.08",',
        b'{"eventVersion":',
        compact(event(0)).encode(),
        b'{"messageType":"DATA_MESSAGE","logEvents":[{"message":"{\\"eventVersion\\":',
        b'2024-05-06T07:08:09.123Z {"eventVersion":"1.08"}\n',
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    ):
        survives(begin + data)


@given(values)
@settings(max_examples=150, deadline=None)
def test_leaves_are_found_wherever_they_lie(value: object) -> None:
    text = json.dumps({"a": [value, {"b": {"eventName": "ListUsers", "inner": value}}]}).encode()
    assert b'{"eventName": "ListUsers"' in b"".join(leaves_of(text))
