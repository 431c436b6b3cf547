"""Law: what a line of a flow log gives depends on the line alone, not on its neighbours, its place or the size of a block."""

import io
from calendar import monthrange
from collections import Counter
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

import pytest
from flow_lines import FLOW, HEADER
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_blobs import read_bytes

from vedette.logs.blob import KeyFacts
from vedette.logs.cloudtrail.batch import BatchBuilder
from vedette.logs.cloudtrail.record import Record
from vedette.logs.flow.batch import FlowBatches
from vedette.logs.flow.fields import EVENT_TIME, layout_of
from vedette.logs.flow.text import FlowParser, parse_lines
from vedette.logs.lines import LineReader
from vedette.readers import BATCH_ROWS

LAYOUTS = {
    "default": layout_of(HEADER.split()),
    "words only": layout_of(["interface-id", "srcaddr", "dstaddr", "action", "az-id"]),
    "a number last": layout_of(["az-id", "interface-id", "srcaddr", "action", "dstport"]),
    "exported": layout_of(["interface-id", "srcaddr", "dstaddr", "action", "dstport"]).preceded_by(EVENT_TIME),
    "exported words": layout_of(["interface-id", "srcaddr", "action"]).preceded_by(EVENT_TIME),
}
ODD = [
    *("", "-", " ", "\t-", "\t", "\r", "srcaddr", '"', '"a b"', "AC\tCEPT", "\t443\t", "\x0c", "é", "\xa0", "22\0"),
    *("0x10", "0XfFffFFFF", "0xFFFFFFFFFFFFFFFF", "0x", "+22", "-5", "-0005", "0" * 40 + "7", "99999", "1e3"),
    *("2147483648", "9" * 19, "9" * 400, "\ufeff22", "\ufeff\ufeff"),
    *("2026-03-30T10:00:00.000Z", "2026-02-30T10:00:00Z", "2024-02-29T10:00Z", "2026-03-31 10:00:00", "2026-03-31t10:00:00z"),
    *("2026-12-31T23:59:60Z", "2026-12-31T24:00:00Z", "2026-03-29T10:00:00.123456789Z", "2026-03-29T10:00:00+05:30"),
]
SOUND = {
    EVENT_TIME: "2026-03-31T10:00:00.000Z",
    "": "use1-az1",
    **dict(zip(LAYOUTS["default"].columns, FLOW.split(), strict=True)),
}


def given_by(lines: list[bytes], name: str, block: int = 1 << 20) -> tuple[list[dict[str, Any]], Counter[str], int]:
    """Return the rows that lines of a layout give, the count of impossible values, and of rejected lines."""
    rejected: list[str] = []
    nulled: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    parser = FlowParser(LAYOUTS[name], lambda _, reason: rejected.append(reason), nulled)
    parser.line = 2  # as after a header line
    batches = FlowBatches(object_name="x", facts=KeyFacts(), nulled=nulled, statuses=statuses)
    found = []
    reader = LineReader(io.BytesIO(b"\n".join(lines) + b"\n"), 1 << 20)
    parser_rows = parse_lines(reader, parser, max(1, block // 200))
    for rows in parser_rows:
        for batch in batches.cut(rows.columns, rows.positions, BATCH_ROWS):
            found += batch.to_pylist()
    assert not [reason for reason in rejected if "cannot be parsed" in reason]
    return found, nulled, len(rejected)


@st.composite
def lines_of(draw: st.DrawFn, name: str) -> bytes:
    """Draw a line: mostly sound, with a few odd fields, delimiters, or fields too many or too few."""
    fields = [SOUND[column] for column in LAYOUTS[name].columns]
    for _ in range(draw(st.integers(0, 2))):
        fields[draw(st.integers(0, len(fields) - 1))] = draw(st.sampled_from(ODD))
    if draw(st.integers(0, 5)) == 0:
        del fields[draw(st.integers(0, len(fields) - 1))]
    if draw(st.integers(0, 5)) == 0:
        fields.insert(draw(st.integers(0, len(fields))), draw(st.sampled_from(ODD)))
    line = draw(st.sampled_from([" "] * 5 + ["\t", "  "])).join(fields).encode().replace(b"\n", b"")
    return line + draw(st.sampled_from([b""] * 5 + [b" ", b"\r", b"\0", b"\xff"]))


def said(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "position"} for row in rows]


@pytest.mark.parametrize("name", list(LAYOUTS))
@given(st.data())
@settings(max_examples=20, deadline=None)
def test_a_line_gives_the_same_wherever_it_stands(name: str, data: st.DataObject) -> None:
    lines = data.draw(st.lists(lines_of(name), min_size=1, max_size=6))
    alone = [given_by([line], name) for line in lines]
    for others in ([b"broken"], [b"\0"], [" ".join(SOUND[column] for column in LAYOUTS[name].columns).encode()]):
        _, own_nulled, own_rejected = given_by(others, name)
        for line, (rows, nulled, rejected) in zip(lines, alone, strict=True):
            beside = given_by([line, *others], name)
            assert said(beside[0])[: len(rows)] == said(rows)
            assert (beside[1], beside[2]) == (nulled + own_nulled, rejected + own_rejected)
    together = given_by(lines, name)
    assert said(together[0]) == [row for rows, _, _ in alone for row in said(rows)]
    assert together[1] == sum((nulled for _, nulled, _ in alone), Counter())
    assert together[2] == sum(rejected for _, _, rejected in alone)
    order = data.draw(st.permutations(range(len(lines))))
    shuffled = given_by([lines[at] for at in order], name, block=data.draw(st.sampled_from([1, 200, 1 << 20])))
    assert said(shuffled[0]) == [row for at in order for row in said(alone[at][0])]
    assert (shuffled[1], shuffled[2]) == (together[1], together[2])


# Times

FORMS = (
    "{0}T{1}.{2:.3}Z",
    "{0}T{1}Z",
    "{0}T{1}.{2:.6}Z",
    "{0}T{1}.{2}Z",
    "{0}T{1}.{2:.1}+00:00",
    "{0}t{1}.{2:.2}z",
    "{0}T{1}.{2:.7}Z",
)
CLOCKS = ("00:00:00", "23:59:59", "10:11:12", "09:00:59", "19:59:00", "20:30:30")
YEARS = (2000, 2023, 2024, 2096, 2099)
DAYS = [f"{year}-{month:02}-{day:02}" for year in YEARS for month in range(1, 13) for day in range(1, 32)]
NO_TIMES = (
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-03-00T00:00:00Z",
    "2026-03-32T00:00:00Z",
    "2026-03-01T24:00:00Z",
)
NO_TIMES += (
    "2026-03-01T00:60:00Z",
    "2026-03-01T23:59:60Z",
    "2026-06-30T23:59:60.000Z",
    "2026-3-1T00:00:00Z",
    "2100-02-29T00:00:00Z",
)


def times() -> list[tuple[str, datetime | None]]:
    """Return times of all days of some years, existing or not, in each form in turn, with what ``datetime`` makes of them."""
    forms, clocks = cycle(FORMS), cycle(CLOCKS)
    made: list[tuple[str, datetime | None]] = [(text, None) for text in NO_TIMES]
    for day in DAYS:
        text = next(forms).format(day, next(clocks), "987654321")
        year, month, number = map(int, day.split("-"))
        exists = number <= monthrange(year, month)[1]
        made.append((text, datetime.fromisoformat(text.upper()).astimezone(UTC) if exists else None))
    return made


@pytest.mark.parametrize("name", ["exported", "exported words"])
@pytest.mark.parametrize("beside", [[], [b"broken"]])
def test_a_time_of_any_day_is_read_as_datetime_reads_it(name: str, beside: list[bytes]) -> None:
    rest = " ".join(SOUND[column] for column in LAYOUTS[name].columns[1:])
    for some in (times(), [(text, time) for text, time in times() if time]):
        found, nulled, rejected = given_by([f"{text} {rest}".encode() for text, _ in some] + beside, name)
        assert [row["start_time"] for row in found] == [time for _, time in some]
        assert nulled == Counter(start_time=sum(time is None for _, time in some)) + Counter()
        assert rejected == len(beside)


@pytest.mark.parametrize("beside", [[], ["yesterday"]])
def test_a_time_of_a_call_is_read_as_datetime_reads_it(beside: list[str]) -> None:
    some = times() + [(text, None) for text in beside]
    builder = BatchBuilder("x", KeyFacts(), Counter())
    builder.add([Record(event_time=text, event_name="ListUsers") for text, _ in some], range(len(some)))
    assert builder.finish().column("event_time").to_pylist() == [time for _, time in some]


@pytest.mark.parametrize("day", ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31", "2024-02-29"])
@pytest.mark.parametrize("broken", [False, True])
def test_an_export_of_any_day_is_claimed_and_keeps_its_times(day: str, broken: bool) -> None:
    lines = [f"{day}T10:00:{second:02}.000Z eni-0a1b2c3d 192.0.2.1 10.0.0.5 REJECT OK" for second in range(60)]
    read = read_bytes("\n".join([*lines, *["broken"] * broken]).encode())
    assert read.column("start_time") == [datetime.fromisoformat(f"{day}T10:00:{second:02}Z") for second in range(60)]
    assert (read.counts.nulled, read.counts.bad) == ({}, int(broken))
