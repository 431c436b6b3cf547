"""Law: whatever the size of the pieces and wherever a log in JSON is damaged, every record before and after is read, once."""

from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reading_blobs import Read, read_bytes
from trails import WRAPPERS, Event, bridged, compact, event, lines

from vedette.logs.json_pieces import PIECE_BYTES, PieceReader
from vedette.readers import Limits, cloudtrail

SIZES = [64, 200, 333, 1_500, 5_000, PIECE_BYTES]
INNER = {"eventVersion": "1", "eventName": "Inner", "eventSource": "x", "eventID": "invented"}
# What a caller may send that looks like a record, or like the place between two.
PARAMETERS: list[object] = [
    None,
    {"items": [{"eventVersion": "1.08", "a": 1}, {"eventVersion": "1.08"}], "more": [{"version": 1}, {"version": 2}]},
    {"Records": [event(99, eventID="invented")], "message": compact(INNER)},
    INNER,
    [{"EventId": 1}, INNER, {"data": INNER}, {"messageType": "x", "logEvents": [{"message": compact(INNER)}]}],
    'text with ,{"eventVersion": and ]} and \\ \n and "},{"',
]
CHUNKS = [b'"', b"{", b"}", b"[", b"]", b"\\", b"\0", b"\0" * 40, b"\xef\xbb\xbf", b"\r\n", b"\n", b"?", b",", b":", b"\xff"]
CHUNKS += [b"\\ud800", b"\\u12", b"tru", b'"x":', b'"}', b"<html>", b""]


def read_in_pieces(data: bytes, size: int, limits: Limits | None = None) -> Read:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cloudtrail, "PieceReader", partial(PieceReader, piece_bytes=size))
        return read_bytes(data, "some.json", limits)


def ids(read: Read) -> list[str | None]:
    return read.column("event_id")


@st.composite
def trails(draw: st.DrawFn) -> list[Event]:
    asked = draw(st.lists(st.sampled_from(PARAMETERS), min_size=2, max_size=9))
    return [
        event(n, requestParameters=value, additionalEventData=draw(st.sampled_from(PARAMETERS))) for n, value in enumerate(asked)
    ]


@pytest.mark.parametrize("wrapper", list(WRAPPERS))
@given(trails(), st.sampled_from(SIZES))
@settings(max_examples=4, deadline=None)
def test_a_sound_log_is_read_the_same_in_pieces_of_any_size(wrapper: str, records: list[Event], size: int) -> None:
    read = read_in_pieces(WRAPPERS[wrapper](records).encode(), size)
    assert ids(read) == [record["eventID"] for record in records]
    assert (read.counts.bad, read.counts.nulled) == (0, {})
    assert read.column("position") == list(range(len(records)))


def numbered(count: int) -> list[Event]:
    """Return records of which each has an ``eventVersion`` of its own at its start."""
    return [event(n, eventVersion=f"8.{n:03}") for n in range(count)]


@pytest.mark.parametrize("wrapper", list(WRAPPERS))
@given(st.integers(2, 9), st.data())
@settings(max_examples=8, deadline=None)
def test_damage_inside_a_record_costs_no_other(wrapper: str, count: int, data: st.DataObject) -> None:
    records = numbered(count)
    whole = WRAPPERS[wrapper](records).encode()
    hit = data.draw(st.integers(0, count - 1), label="record")
    start = whole.rindex(b"eventVersion", 0, whole.index(b"8.%03d" % hit)) - 1
    end = whole.index(b"eventCategory", start) + 24
    at = data.draw(st.integers(start, end), label="at")
    chunk, over = data.draw(st.sampled_from(CHUNKS), label="chunk"), data.draw(st.integers(0, 40), label="over")
    damaged = whole[:at] + chunk + whole[min(end, at + over) :]
    others = [record["eventID"] for n, record in enumerate(records) if n != hit]
    for size in (1 << 30, data.draw(st.sampled_from(SIZES), label="size")):
        read = read_in_pieces(damaged, size)
        assert [name for name in ids(read) if name in others] == others
        assert len(ids(read)) <= count
        assert read.counts.bad or len(ids(read)) == count
        assert read.column("position") == sorted(set(read.column("position")))


@pytest.mark.parametrize("name", ["delivered", "array", "delivered, indented", "EventBridge, in an array"])
@pytest.mark.parametrize("hit", [b"{", b","])
@pytest.mark.parametrize("put", [b"]", b"}", b"[", b'"', b":", b"\0", b"?", b"\\"])
def test_damage_between_records_costs_at_most_the_next(name: str, hit: bytes, put: bytes) -> None:
    """The brace that opens a record is replaced, or the comma before it."""
    records = numbered(6)
    whole = WRAPPERS[name](records).encode()
    first = b"version" if "Bridge" in name else b"eventVersion"
    opening = [whole.rindex(b"{", 0, whole.rindex(b'"' + first, 0, whole.index(b"8.%03d" % n))) for n in range(6)]
    at = opening[3] if hit == b"{" else whole.rindex(b",", 0, opening[3])
    damaged = whole[:at] + put + whole[at + 1 :]
    for size in SIZES:
        read = read_in_pieces(damaged, size)
        left = [name for name in ids(read) if name != records[3]["eventID"]]
        assert left == [record["eventID"] for n, record in enumerate(records) if n != 3]
        assert read.counts.bad or len(ids(read)) == 6


@pytest.mark.parametrize(
    "cut", [b'"userIdentity":{', b'"requestParameters":', b'"requestParameters":{"maxItems"', b'"userAgent":"aws', b'"a":[']
)
@pytest.mark.parametrize("wrap", [lambda record: record, bridged, lambda record: {"Records": [record]}])
def test_a_line_that_was_not_written_to_its_end_costs_itself_alone(cut: bytes, wrap: object) -> None:
    records = [wrap(event(n, requestParameters={"maxItems": 1, "a": [{"b": 1}]})) for n in range(40)]  # type: ignore[operator]
    text = lines(records).encode().split(b"\n")
    text[5] = text[5][: text[5].index(cut) + len(cut)]
    for size in SIZES:
        read = read_in_pieces(b"\n".join(text), size)
        assert ids(read) == [event(n)["eventID"] for n in range(40) if n != 5]
        assert read.counts.bad >= 1


@given(st.sampled_from(["delivered", "array", "lines", "CloudWatch export"]), st.integers(0, 3))
@example("delivered", 0)
@settings(max_examples=8, deadline=None)
def test_a_record_that_straddles_two_pieces_is_read_whatever_it_holds(wrapper: str, before: int) -> None:
    inner = {"items": [{"eventVersion": "1"}, {"eventVersion": "2"}], "filler": "y" * 6_000}
    records = [event(n) for n in range(600 + before)] + [event(900, requestParameters=inner)] + [event(901), event(902)]
    for size in (PIECE_BYTES, len(compact(event())) * 600, 1_000):
        read = read_in_pieces(WRAPPERS[wrapper](records).encode(), size)
        assert (ids(read), read.counts.bad) == ([record["eventID"] for record in records], 0)


def test_the_place_of_damage_in_an_export_is_that_in_the_file() -> None:
    text = "".join(f"2024-05-06T07:10:00.123Z {compact(event(n))}\n" for n in range(9)).encode()
    at = text.index(b'"eventName"', len(text) // 2)
    read = read_in_pieces(text[:at] + b"?" + text[at:], 1_000)
    assert read.counts.problems[0].place == f"byte {at}"
