"""Law: damage to gzip data, in either of two layers, costs no record before it and no whole member behind it, and is counted."""

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

import pytest
from flow_lines import FLOW, HEADER
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_blobs import Read, read_bytes
from trails import compact, event

from vedette.errors import ReadError

# What zlib gives when it is fed byte by byte


def before_damage(stored: bytes) -> tuple[bytes, bool]:
    """Return the text of gzip members up to the first damage, and whether all of it is sound."""
    text = bytearray()
    state = zlib.decompressobj(31)
    within = True
    for at in range(len(stored)):
        byte = stored[at : at + 1]
        if not within:
            if byte == b"\0":
                continue
            state, within = zlib.decompressobj(31), True
        try:
            text += state.decompress(byte)
        except zlib.error:
            return bytes(text), False
        within = not state.eof
    return bytes(text), not within


# Logs: a list of records, and the text of some of them, as a part that can be put behind another


@dataclass(frozen=True, slots=True)
class Log:
    """A log format: the text of record ``n``, what surrounds the records of a part, and the column that tells them apart."""

    record: Callable[[int], str]
    column: str
    before: str = ""
    between: str = ""
    after: str = ""

    def part(self, numbers: range) -> bytes:
        """Return the text of some records."""
        return (self.before + self.between.join(map(self.record, numbers)) + self.after).encode()


def flow(number: int) -> str:
    return FLOW.replace("40000", str(number))


def call(number: int) -> str:
    return compact(event(number, requestParameters={"token": f"{number * 2_654_435_761 % 2**32:08x}"}))


ENVELOPE = '{"messageType":"DATA_MESSAGE","owner":"123456789012","logStream":"eni-1","logEvents":['
LOGS = {
    "delivered": Log(call, "event_id", '{"Records":[', ",", "]}"),
    "lines of JSON": Log(lambda n: call(n) + "\n", "event_id"),
    "CloudTrail in envelopes": Log(
        lambda n: json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "timestamp": 1, "message": call(n)}]}),
        "event_id",
    ),
    "flows": Log(lambda n: flow(n) + "\n", "src_port"),
    "flows, each file with a header": Log(lambda n: flow(n) + "\n", "src_port", HEADER + "\n"),
    "flows without a last line end": Log(flow, "src_port", "", "\n"),
    "flows in envelopes": Log(
        lambda n: compact({"id": "1", "timestamp": 1, "message": flow(n)}), "src_port", ENVELOPE, ",", "]}"
    ),
    "exported flows": Log(lambda n: f"2024-05-31T07:08:09.123Z {flow(n)}\n", "src_port"),
}


def known(log: Log, number: int) -> object:
    return event(number)["eventID"] if log.column == "event_id" else number


def ends(log: Log, numbers: range) -> list[int]:
    """Return where each record of a part ends: with the line end behind it, without which no line can be told from the next."""
    head, line_end = len(log.before.encode()), int(log.between == "\n")
    lengths = [len(log.record(n).encode()) for n in numbers]
    found = [head + end + len(log.between) * at + line_end for at, end in enumerate(accumulate(lengths))]
    return [*found[:-1], found[-1] - line_end]


def read_damaged(stored: bytes) -> Read | None:
    """Read what may be nothing but damage."""
    try:
        return read_bytes(stored, "some.log.gz")
    except ReadError as error:
        assert "gzip" in str(error)  # noqa: PT017 - either way is right
        return None


def is_reported(read: Read | None) -> bool:
    return read is None or read.counts.bad > 0 or read.counts.skipped != ""


# One text, damaged anywhere

RECORDS = range(1, 60)


@st.composite
def changes(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """Draw a kind of damage, at any place."""
    where = draw(st.floats(0, 1, exclude_max=True))
    kind = draw(st.sampled_from(["cut", "flip", "end", "garbage", "padding", "zeros"]))
    bit, junk = draw(st.integers(0, 7)), draw(st.sampled_from([b"text behind", b"\x1f\x8b\x08\0", bytes(range(256))]))

    def change(stored: bytes) -> bytes:
        at = int(where * len(stored))
        if kind == "cut":
            return stored[:at]
        if kind == "flip":
            return stored[:at] + bytes([stored[at] ^ 1 << bit]) + stored[at + 1 :]
        if kind == "end":  # a wrong checksum or a wrong length
            return stored[: -8 + at % 8] + bytes([stored[-8 + at % 8] ^ 1 << bit]) + stored[len(stored) - 7 + at % 8 :]
        if kind == "zeros":
            return stored[:at] + bytes(min(40, len(stored) - at)) + stored[at + 40 :]
        return stored + (bytes(50) if kind == "padding" else b"") + junk

    return change


@pytest.mark.parametrize("name", list(LOGS))
@given(st.sampled_from(["one", "inner", "outer"]), changes(), st.sampled_from([1, 9]))
@settings(max_examples=8, deadline=None)
def test_every_record_before_the_damage_is_read(name: str, layer: str, change: Callable[[bytes], bytes], level: int) -> None:
    log = LOGS[name]
    text = log.part(RECORDS)
    stored = gzip.compress(text, level, mtime=0)
    if layer == "inner":
        damaged = gzip.compress(change(stored), level, mtime=0)
    else:
        damaged = change(gzip.compress(stored, level, mtime=0) if layer == "outer" else stored)
    left, sound = before_damage(damaged)
    if layer != "one":
        left, inner_sound = before_damage(left)
        sound = sound and inner_sound
    intact = common(left, text) - (len(left) > len(text))  # what follows a last line without an end is a part of it
    whole = [known(log, n) for n, end in zip(RECORDS, ends(log, RECORDS), strict=True) if end <= intact]
    read = read_damaged(damaged)
    got = read.column(log.column) if read else []
    assert got[: len(whole)] == whole
    if not sound:
        assert is_reported(read)
    if text.startswith(left):
        assert set(got) <= {known(log, n) for n in RECORDS}


def common(left: bytes, text: bytes) -> int:
    """Return how many bytes from the start are the same."""
    return next((at for at, (a, b) in enumerate(zip(left, text, strict=False)) if a != b), min(len(left), len(text)))


# Members behind damage

JOINED = [name for name in LOGS if "without" not in name]
PARTS = [range(1, 20), range(20, 21), range(21, 60), range(60, 75), range(75, 110)]


def sound_parts(log: Log, parts: list[int]) -> list[object]:
    return [known(log, n) for part in parts for n in PARTS[part]]


@pytest.mark.parametrize("name", JOINED)
@given(st.sampled_from(["one", "inner", "outer"]), st.integers(0, len(PARTS) - 1), st.data())
@settings(max_examples=8, deadline=None)
def test_whole_members_behind_the_damage_are_read(name: str, layer: str, hit: int, data: st.DataObject) -> None:
    log = LOGS[name]
    members = [gzip.compress(log.part(numbers), mtime=0) for numbers in PARTS]
    if layer == "outer":
        members = [gzip.compress(member, mtime=0) for member in members]
    first = 3 if layer == "inner" and hit == 0 else 1  # what begins a layer is known by its start
    at = data.draw(st.integers(first, len(members[hit]) - 1), label="at")
    kind = data.draw(st.sampled_from(["cut", "flip", "drop", "put", "padding"]), label="kind")
    sound = members[hit]
    members[hit] = {
        "cut": sound[:at],
        "flip": sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :],
        "drop": sound[:at] + sound[at + 7 :],
        "put": sound[:at] + b"\x1f\x8b\x08 is not a member" + sound[at:],
        "padding": sound + bytes(at % 9) + b"no member" + bytes(at % 5),
    }[kind]
    stored = b"".join(members)
    read = read_damaged(gzip.compress(stored, mtime=0) if layer == "inner" else stored)
    assert read is not None
    got = read.column(log.column)
    others = [part for part in range(len(PARTS)) if part != hit]
    expected = sound_parts(log, others)
    left = iter(got)
    assert all(value in left for value in expected)  # in this order
    if kind in {"cut", "padding"}:  # otherwise text may have changed
        assert set(got) <= set(sound_parts(log, list(range(len(PARTS)))))
    if len(got) < PARTS[-1].stop - 1:
        assert read.counts.bad
    assert read.column("position") == sorted(set(read.column("position")))


@pytest.mark.parametrize("name", JOINED)
def test_each_damaged_member_is_counted(name: str) -> None:
    log = LOGS[name]
    members = [gzip.compress(log.part(numbers), mtime=0) for numbers in PARTS]
    for hit in (1, 3):
        members[hit] = members[hit][:-7] + bytes(7)
    read = read_damaged(b"".join(members))
    assert read is not None
    assert read.column(log.column) == sound_parts(log, list(range(len(PARTS))))  # their text is whole
    assert read.counts.bad == 2
    assert all("gzip data are damaged after" in problem.reason for problem in read.counts.problems)


def test_both_layers_may_be_damaged() -> None:
    log = LOGS["lines of JSON"]
    inner = [gzip.compress(log.part(numbers), mtime=0) for numbers in PARTS]
    inner[1] = inner[1][:-7] + bytes(7)
    outer = [
        gzip.compress(inner[0] + inner[1], mtime=0),
        gzip.compress(inner[2], mtime=0)[:-40],
        gzip.compress(inner[3] + inner[4]),
    ]
    read = read_damaged(b"".join(outer))
    assert read is not None
    assert [n for n in read.column("event_id") if n in set(sound_parts(log, [0, 1, 3, 4]))] == sound_parts(log, [0, 1, 3, 4])
    reasons = [problem.reason for problem in read.counts.problems]
    assert len(reasons) == 2
    assert "in the layer around them" in reasons[1]


@pytest.mark.parametrize("size", [40, 333, 1_000])
@pytest.mark.parametrize("name", ["lines of JSON", "delivered", "flows", "exported flows", "flows in envelopes"])
def test_no_record_is_made_up_where_members_end_within_records(name: str, size: int) -> None:
    log = LOGS[name]
    text = log.part(RECORDS)
    members = [gzip.compress(text[at : at + size], mtime=0) for at in range(0, len(text), size)]
    hit = len(members) // 2
    members[hit] = members[hit][: len(members[hit]) // 2]
    read = read_damaged(b"".join(members))
    assert read is not None
    gone = range(hit * size, hit * size + size)
    spans = zip(RECORDS, [0, *ends(log, RECORDS)], ends(log, RECORDS), strict=False)
    left = [known(log, n) for n, start, end in spans if end <= gone.start or start > gone.stop + 400]
    got = read.column(log.column)
    assert [value for value in got if value in set(left)] == left
    assert set(got) <= {known(log, n) for n in RECORDS}
    assert read.counts.bad
