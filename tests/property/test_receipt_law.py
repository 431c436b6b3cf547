"""Files are read for random spans, and touched, copied and grown in between: in the end, each record was taken exactly once."""

import gzip
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from flow_lines import FLOW, HEADER, text
from hypothesis import given, settings
from hypothesis import strategies as st
from trails import WRAPPERS, event

from vedette.aws import DEFAULT_CONNECTION
from vedette.engine import ReadPlan
from vedette.engine.spool import load, read_group
from vedette.engine.taken import Taking
from vedette.errors import ReadError
from vedette.logs.blob import Blob
from vedette.logs.read_counts import Limits, ReadCounts
from vedette.logs.receipt import ALWAYS, Receipt, Taken, covers, joined
from vedette.pipeline.reading import read_blob
from vedette.pipeline.unread import sort_out
from vedette.schema import TABLES
from vedette.sources import Span, list_blobs
from vedette.state_files.generation import Generation
from vedette.state_files.location import Folder
from vedette.store import Store

START = datetime(2024, 5, 6, 7, tzinfo=UTC)
HOURS = 8


def taken_from(data: bytes, before: Receipt | None = None) -> tuple[Counter[str], Receipt]:
    """Read bytes of which some were read before; return what is new, by what the record says."""
    taken = (Taken(records=before.records, last=before.last),) if before is not None and before.records else ()
    blob = Blob(name="some.log", version="1", size=len(data), opener=partial(BytesIO, data), taken=taken)
    taking, counts, found = Taking(blob), ReadCounts(), Counter[str]()
    with suppress(ReadError):  # cut off before the first record
        for table, batch in read_blob(blob, Limits(), counts):
            rows = taking.new(table, batch).to_pylist()
            found.update(row.get("event_id") or str({**row, "position": None, "log_status": None}) for row in rows)
    return found, taking.receipt(counts, ALWAYS[0], 0)


def flows(number: int) -> list[str]:
    return [FLOW.replace("40000", str(40000 + n)) for n in range(number)]


FORMS: dict[str, Callable[[int], bytes]] = {
    **{name: lambda n, write=write: write([event(number) for number in range(n)]).encode() for name, write in WRAPPERS.items()},
    "flow records": lambda n: text(HEADER, *flows(n)),
    "flow records without a header": lambda n: text(*flows(n), end="\r\n"),
    "members": lambda n: b"".join(gzip.compress(text(line), mtime=0) for line in flows(n)),
    "compressed": lambda n: gzip.compress(text(HEADER, *flows(n)), mtime=0),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_was_read_of_a_beginning_is_left_out_later(form: str) -> None:
    """Wherever a file was cut off when it was read first, later the rest is taken, and nothing else."""
    data = FORMS[form](4)
    whole, receipt = taken_from(data)
    assert (sum(whole.values()), receipt.records) == (4, 4)
    halves = 0
    for cut in range(1, len(data), max(1, len(data) // 13)):
        first, before = taken_from(data[:cut])
        rest, _ = taken_from(data, before)
        assert first + rest == whole, cut
        halves += bool(first and rest)
    assert halves or form == "compressed"


class World:
    """A folder of logs, and a store into which it is read: all of a pipeline but its detections."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.logs, self.place, self.store = folder / "logs", Folder(folder / "state"), store
        self.logs.mkdir()
        self.number = self.written = 0
        self.taken = Counter[str]()
        self.half = ""

    def append(self, hours: list[int], cut: float) -> None:
        """Append records to the log that grows; the last is cut off, until more is appended."""
        text = self.half
        for hour in hours:
            time = START + timedelta(hours=hour)
            text += json.dumps(event(self.written, eventTime=f"{time:%Y-%m-%dT%H:%M:%SZ}")) + "\n"
            self.written += 1
        end = len(text) if cut == 1 else text.rstrip("\n").rfind("\n") + 1 + int(cut * 300)
        with (self.logs / "grows.log").open("a") as file:
            file.write(text[:end])
        self.half = text[end:]

    def read(self, since: int | None = None, until: int | None = None) -> None:
        """Read what is to be read, and commit the receipts; copies within a reading are dropped, as an engine does."""
        ends = [None if hour is None else START + timedelta(hours=hour) for hour in (since, until)]
        plan = ReadPlan(
            read=read_blob,
            limits=Limits(),
            place=self.place,
            tables=frozenset(TABLES),
            processes=1,
            since=ends[0],
            until=ends[1],
        )
        found = sort_out(list_blobs(str(self.logs), Span(), DEFAULT_CONNECTION), self.store, plan.span)
        reading = read_group(tuple(found.unread), plan)
        rows = [load(self.place, part, None)["event_id"].to_pylist() for part in reading.parts]
        self.taken.update({name for names in rows for name in names})
        self.number += 1
        self.store.commit(findings=(), receipts=[*found.receipts, *reading.receipts], generation=Generation(number=self.number))

    def copy(self, number: int) -> None:
        """Copy the log that grows; what was half of a record there stays one."""
        if (self.logs / "grows.log").exists() and not self.half:
            self.read()
            shutil.copy(self.logs / "grows.log", self.logs / f"copy{number}.log")

    def touch(self) -> None:
        """Give every file another time."""
        for path in self.logs.iterdir():
            os.utime(path, (self.number, self.number))

    def rename(self, number: int) -> None:
        """Give the log that grows another name; another one begins, if it was whole."""
        if (self.logs / "grows.log").exists() and not self.half:
            (self.logs / "grows.log").rename(self.logs / f"old{number}.log")


HOUR = st.integers(0, HOURS)
STEP = st.one_of(
    st.tuples(st.just("append"), st.lists(HOUR, min_size=1, max_size=4), st.sampled_from([0.2, 0.9, 1, 1])),
    st.tuples(st.just("read"), st.none() | HOUR, st.none() | HOUR),
    st.tuples(st.just("copy"), HOUR),
    st.tuples(st.just("rename"), HOUR),
    st.tuples(st.just("touch")),
)


@settings(max_examples=25)
@given(st.lists(STEP, min_size=3, max_size=10))
def test_every_record_is_taken_exactly_once(steps: list[tuple[str, ...]]) -> None:
    with TemporaryDirectory() as folder, Store.ephemeral() as store:
        world = World(Path(folder), store)
        world.append([1], 1)
        for name, *arguments in steps:
            getattr(world, name)(*arguments)
        world.append([2], 1)
        world.read()
        assert world.taken == Counter(event(number)["eventID"] for number in range(world.written))


SPAN = st.tuples(st.none() | st.integers(0, 9), st.none() | st.integers(0, 9))


@given(st.lists(SPAN, max_size=5), SPAN)
def test_joined_spans_hold_the_same_moments(
    spans: list[tuple[int | None, int | None]], wanted: tuple[int | None, int | None]
) -> None:
    def holds(span: tuple[int | None, int | None], moment: int) -> bool:
        return (span[0] is None or span[0] <= moment) and (span[1] is None or moment < span[1])

    whole = joined(spans)
    moments = range(-1, 11)
    held = [any(holds(span, moment) for span in spans) for moment in moments]
    assert [any(holds(span, moment) for span in whole) for moment in moments] == held
    assert joined(whole) == whole
    asked = [moment for moment in moments if holds(wanted, moment)]
    assert covers(spans, wanted) == all(any(holds(span, moment) for span in spans) for moment in asked)
