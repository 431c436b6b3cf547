"""Law: what is written as a flow log is read back the same, in every form; junk raises nothing but ReadError."""

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from reading_blobs import Read, read_bytes

from vedette.errors import ReadError
from vedette.logs.flow.fields import LARGEST
from vedette.readers import Limits

Value = int | str | None
Record = dict[str, Value]
HEADER = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
DEFAULT = HEADER.split()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

words = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.:/=é", min_size=2, max_size=12).filter(lambda word: word.strip("-") != "")
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
ports = st.integers(0, 65_535)
times = st.integers(0, 4_000_000_000)


@dataclass(frozen=True)
class Field:
    """A field: its column, and what it may say."""

    column: str
    values: st.SearchStrategy[Value]


FIELDS: dict[str, Field] = {
    "version": Field("version", st.integers(2, 10)),
    "account-id": Field("account_id", st.from_regex(r"[0-9]{12}", fullmatch=True)),
    "interface-id": Field("interface_id", st.from_regex(r"eni-[0-9a-f]{8,17}", fullmatch=True)),
    "srcaddr": Field("src_address", addresses),
    "dstaddr": Field("dst_address", addresses),
    "srcport": Field("src_port", ports),
    "dstport": Field("dst_port", ports),
    "protocol": Field("protocol", st.integers(0, 255)),
    "packets": Field("packets", st.integers(0, LARGEST["packets"])),
    "bytes": Field("bytes", st.integers(0, LARGEST["bytes"])),
    "start": Field("start_time", times),
    "end": Field("end_time", times),
    "action": Field("action", st.sampled_from(["ACCEPT", "REJECT"])),
    "log-status": Field("log_status", st.just("OK")),
    "vpc-id": Field("vpc_id", words),
    "subnet-id": Field("subnet_id", words),
    "instance-id": Field("instance_id", words),
    "tcp-flags": Field("tcp_flags", st.integers(0, 255)),
    "pkt-srcaddr": Field("packet_src_address", addresses),
    "pkt-dstaddr": Field("packet_dst_address", addresses),
    "region": Field("region", words),
    "pkt-src-aws-service": Field("packet_src_service", words),
    "pkt-dst-aws-service": Field("packet_dst_service", words),
    "flow-direction": Field("flow_direction", st.sampled_from(["ingress", "egress"])),
    "traffic-path": Field("traffic_path", st.integers(1, 8)),
    "reject-reason": Field("reject_reason", words),
}
UNUSED = ["type", "az-id", "ecs-task-id", "resource-id", "encryption-status", "of-tomorrow"]


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[str], list[Record]]:
    """Draw the fields of a format, and records of it; "srcaddr" and "start" tell a header line and give every record a time."""
    some = draw(st.lists(st.sampled_from([*FIELDS, *UNUSED[: len(FIELDS)]]), unique=True, min_size=3, max_size=20))
    known = [field for field in some if field in FIELDS]
    unused = [field for field in some if field not in FIELDS][: len(known)]
    fields = draw(st.permutations(list(dict.fromkeys(["srcaddr", "start", *known, *unused]))))
    return fields, draw(records(fields))


@st.composite
def records(draw: st.DrawFn, fields: list[str]) -> list[Record]:
    """Draw records of the fields; all but time and version may say nothing."""
    values = {field: FIELDS[field].values if field in FIELDS else words for field in fields}
    optional = {field: given if field in {"start", "version"} else st.one_of(given, st.none()) for field, given in values.items()}
    drawn = draw(st.lists(st.fixed_dictionaries(optional), min_size=1, max_size=8))
    return [{field: record[field] for field in fields} for record in drawn]


def written(record: Record) -> str:
    return " ".join("-" if value is None else str(value) for value in record.values())


def expected(record: Record) -> dict[str, object]:
    """Return the row that a record is to be read as."""
    row: dict[str, object] = {}
    for field, value in record.items():
        if field in FIELDS and value is not None:
            time = field in {"start", "end"} and isinstance(value, int)
            row[FIELDS[field].column] = EPOCH + timedelta(seconds=value) if time and isinstance(value, int) else value
    row.setdefault("end_time", row["start_time"])
    return row


def rows(read: Read) -> list[dict[str, object]]:
    """Return what the rows say, and check where they say they are from."""
    assert read.column("position") == list(range(read.counts.records))
    assert set(read.column("object")) <= {"some.log"}
    assert (read.counts.bad, read.counts.nulled) == (0, {})
    return [{k: v for k, v in row.items() if v is not None and k not in {"object", "position"}} for row in read.rows]


@given(logs(), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_text_of_any_format_is_read_back(
    log: tuple[list[str], list[Record]], end: str, last: bool, mark: bool, again: int
) -> None:
    fields, given_records = log
    head = " ".join(fields)
    lines = [head, *map(written, given_records)]
    if again:  # as where files were joined
        lines += [head, *map(written, given_records)]
    data = ("\ufeff" if mark else "") + end.join(lines) + (end if last else "")
    read = read_bytes(gzip.compress(data.encode(), 1) if again % 2 else data.encode())
    assert rows(read) == [expected(record) for record in given_records] * (2 if again else 1)


@given(records(DEFAULT))
@settings(max_examples=60, deadline=None)
def test_the_default_format_is_read_back_without_a_header_line(given_records: list[Record]) -> None:
    read = read_bytes("\n".join(map(written, given_records)).encode())
    assert rows(read) == [expected(record) for record in given_records]


@given(records(DEFAULT), st.booleans())
@settings(max_examples=60, deadline=None)
def test_cloudwatch_is_read_back(given_records: list[Record], export: bool) -> None:
    if export:
        data = "".join(f"2024-05-06T07:08:09.123Z {written(record)}\n" for record in given_records)
    else:
        events = [{"id": "1", "timestamp": 1_714_979_289_123, "message": written(record)} for record in given_records]
        data = json.dumps({"messageType": "DATA_MESSAGE", "logEvents": events})
    assert rows(read_bytes(data.encode())) == [expected(record) for record in given_records]


@given(logs(), st.booleans(), st.sampled_from(["gzip", "snappy", "zstd", "none"]), st.integers(1, 10))
@settings(max_examples=60, deadline=None)
def test_parquet_is_read_back(log: tuple[list[str], list[Record]], hyphens: bool, compression: str, group: int) -> None:
    fields, given_records = log
    columns = {field if hyphens else field.replace("-", "_"): [record[field] for record in given_records] for field in fields}
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink, compression=compression, row_group_size=group)
    assert rows(read_bytes(sink.getvalue())) == [expected(record) for record in given_records]


# Junk

FLOW = b"2 123456789012 eni-0a1b2c3d 192.0.2.1 10.0.0.5 40000 22 6 3 180 1700000000 1700000060 ACCEPT OK"
HEAD = HEADER.encode()
ENVELOPE = b'{"messageType":"DATA_MESSAGE","owner":"1","logEvents":[{"id":"1","timestamp":1700000000000,"message":"%s"}]}' % FLOW


def parquet_seed() -> bytes:
    sink = io.BytesIO()
    numbers = list(range(40))
    parquet.write_table(pa.table({"srcaddr": ["192.0.2.1"] * 40, "dstport": numbers, "start": numbers}), sink, row_group_size=20)
    return sink.getvalue()


SEEDS = {
    "text": b"\n".join([HEAD, *[FLOW] * 5]),
    "headerless": b"\n".join([FLOW] * 5),
    "words": b"srcaddr dstaddr\n10.0.0.1 10.0.0.2\n",
    "export": b"".join(b"2024-05-06T07:08:09.123Z %s\n" % FLOW for _ in range(5)),
    "envelope": ENVELOPE * 3,
    "gzip": gzip.compress(b"\n".join([HEAD, *[FLOW] * 50])),
    "parquet": parquet_seed(),
}
SMALL = Limits(max_bytes=1 << 20, max_record_bytes=1 << 12)


def survives(data: bytes) -> None:
    """Read anything; whatever comes is a batch of the schema or a ReadError."""
    try:
        read_bytes(data, limits=SMALL)
    except ReadError as error:
        assert str(error).startswith("some.log: ")  # noqa: PT017 - either way is right


chunks = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [b"\0", b"\n", b"\r", b"\xff\xfe", b" ", b"-", b'"', b"{", b"}", b"99999999999999999999", HEAD, FLOW, b"\n" * 9]
    ),
)
edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), chunks), min_size=1, max_size=6)


@pytest.mark.parametrize("seed", list(SEEDS))
@given(changes=edits)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_logs_raise_nothing_else(seed: str, changes: list[tuple[float, int, bytes]]) -> None:
    data = SEEDS[seed]
    for where, length, put in changes:
        at = int(where * len(data))
        data = data[:at] + put + data[at + length :]
    survives(data)


@given(st.one_of(st.binary(max_size=300), st.lists(chunks, max_size=30).map(b"".join)))
@settings(max_examples=120, deadline=None)
def test_junk_raises_nothing_else(data: bytes) -> None:
    for begin in (
        b"",
        HEAD + b"\n",
        FLOW + b"\n",
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
        b"PAR1",
        b'{"messageType":"x","logEvents":[',
        b"srcaddr dstaddr\n",
    ):
        survives(begin + data)


junk_lines = st.lists(st.one_of(st.just(FLOW), st.binary(max_size=30), st.just(HEAD)), max_size=12)


@given(junk_lines)
@settings(max_examples=100, deadline=None)
def test_junk_between_records_costs_no_record(lines: list[bytes]) -> None:
    clean = [line.replace(b"\n", b"").replace(b"\r", b"") for line in lines]
    read = read_bytes(b"\n".join([HEAD, *clean, FLOW]))
    assert read.column("src_address").count("192.0.2.1") >= clean.count(FLOW) + 1
    assert read.counts.records + read.counts.bad >= clean.count(FLOW) + 1
    assert read.column("position") == sorted(set(read.column("position")))


def chunked(size: int) -> Callable[[bytes], list[bytes]]:
    return lambda data: [data[at : at + size] for at in range(0, len(data), size)]


@given(records(DEFAULT), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_the_number_of_members_does_not_matter(given_records: list[Record], size: int) -> None:
    data = "\n".join([HEADER, *map(written, given_records)]).encode()
    members = b"".join(map(gzip.compress, chunked(size)(data)))
    assert rows(read_bytes(members)) == [expected(record) for record in given_records]


def test_the_strategies_write_addresses_as_aws_does() -> None:
    assert str(IPv6Address("2001:DB8:0::1")) == "2001:db8::1"
    assert str(IPv4Address(1)) == "0.0.0.1"
