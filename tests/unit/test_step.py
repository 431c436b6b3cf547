"""A step does the same on both engines: what is a duplicate or late, which partitions a fold writes, carries over, forgets."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from engines import ENGINES

from vedette.engine import Engine, Knowledge
from vedette.engine.duckdb import DuckDBEngine
from vedette.engine.spark import SparkEngine
from vedette.epoch import EPOCH
from vedette.errors import EngineError
from vedette.rules import Rules
from vedette.schema import TABLES, TIME_COLUMN
from vedette.state import SEEN, State, all_states
from vedette.state_files.generation import Generation, Part
from vedette.state_files.location import Folder

pytest_plugins = ["sparks"]

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
DAY = (NOON - EPOCH).days
COLUMNS: list[Any] = [
    ("day", pa.int64()),
    ("table_name", pa.string()),
    ("file", pa.string()),
    ("place", pa.int64()),
    ("step", pa.int64()),
]


def remembering(name: str, *, keep_days: int = 90, whole: bool = False) -> State:
    """Make a state table that holds where each record that was left stands, and the step that folded it."""
    rows = [
        f'select day_number({time}) as day, \'{table}\' as table_name, "object" as file, "position" as place, '
        f"cast($step as bigint) as step from {table}"
        for table, time in TIME_COLUMN.items()
    ]
    return State(
        name=name,
        meaning="A record that was left.",
        schema=pa.schema(COLUMNS),
        reads=tuple(TABLES),
        rows=" union all ".join(rows),
        fold=f"select day, table_name, file, place, step from (select * from {name}_old union all select * from {name}_rows)",
        keep_days=keep_days,
        whole=whole,
    )


class Steps:
    """Takes steps of an engine over records that are written down, and reads the state tables that result."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.generation = Generation(number=0)
        self.late = self.duplicates = 0

    def take(self, *records: Mapping[str, object], until: datetime | None = None, table: str = "cloudtrail") -> None:
        """Let records wait, and take one step."""
        pending = self.generation.pending + ((self._part(records, table),) if records else ())
        result = self.engine.step(Generation(**{**_fields(self.generation), "pending": pending}), until)
        self.generation, self.late, self.duplicates = result.generation, result.late, result.duplicates

    def rows(self, name: str) -> dict[tuple[str, int], int]:
        """Return the step that folded each record, by file and place."""
        parts = self.generation.states[name]
        rows = [row for part in parts for row in pq.read_table(self.folder / part.path).to_pylist()]
        assert sum(part.rows for part in parts) == len(rows)
        return {(row["file"], row["place"]): row["step"] for row in rows}

    def files(self, name: str) -> dict[int | None, str]:
        """Return the file of each partition."""
        return {part.day: part.path for part in self.generation.states[name]}

    def _part(self, records: Sequence[Mapping[str, object]], table: str) -> Part:
        name = f"spool/{self.generation.number}-{table}.arrow"
        rows = pa.Table.from_pylist([dict(record) for record in records], schema=TABLES[table])
        with Folder(self.folder).writing(name) as file, pa.ipc.new_file(file, rows.schema) as writer:
            writer.write_table(rows)
        times = sorted((moment - EPOCH) // timedelta(microseconds=1) for moment in rows[TIME_COLUMN[table]].to_pylist())
        return Part(path=name, table=table, day=None, rows=len(records), first_us=times[0], last_us=times[-1])


def _fields(generation: Generation) -> dict[str, Any]:
    return {name: getattr(generation, name) for name in ("number", "watermark", "states")}


@contextmanager
def steps(engine: str, folder: Path, *states: State) -> Iterator[Steps]:
    """Make an engine whose rules are nothing but state tables."""
    rules = Rules(detections=(), states=(all_states()[SEEN], *states), numbers={})
    made: Engine
    made = DuckDBEngine(folder, rules, Knowledge()) if engine == "duckdb" else SparkEngine(Folder(folder), rules, Knowledge())
    try:
        yield Steps(made, folder)
    finally:
        made.close()


def event(file: str, place: int, at: datetime, event_id: str | None, account: str | None = "123456789012") -> dict[str, object]:
    return {"event_time": at, "event_id": event_id, "account_id": account, "object": file, "position": place}


def flow(file: str, place: int, **other: object) -> dict[str, object]:
    times = {"start_time": NOON, "end_time": NOON + MINUTE}
    ends = {"src_address": "10.0.0.9", "dst_address": "192.0.2.7", "src_port": 40_000, "dst_port": 443, "protocol": 6}
    rest = {"packets": 1, "bytes": 60, "action": "ACCEPT", "log_status": "OK", "interface_id": "eni-1"}
    return times | ends | rest | {"object": file, "position": place} | other


def test_of_equal_events_the_first_by_file_and_place_is_left(engine: str, tmp_path: Path) -> None:
    with steps(engine, tmp_path, remembering("remembered")) as made:
        made.take(
            event("b", 1, NOON, "one"),
            event("a", 7, NOON, "one"),
            event("a", 9, NOON, "one"),
            event("c", 0, NOON, "one", "210987654321"),
            event("c", 1, NOON, "two", None),
            event("d", 1, NOON, "two", None),
            event("c", 2, NOON, None),
            event("c", 3, NOON, None),
        )
        assert (made.late, made.duplicates) == (0, 3)
        assert made.rows("remembered") == dict.fromkeys([("a", 7), ("c", 0), ("c", 1), ("c", 2), ("c", 3)], 1)


def test_flow_records_are_equal_in_all_that_they_measure(engine: str, tmp_path: Path) -> None:
    with steps(engine, tmp_path, remembering("remembered")) as made:
        made.take(
            flow("b", 0),
            flow("a", 5),
            flow("c", 0, log_status=None),
            flow("c", 1, flow_direction="egress"),
            flow("c", 2, action="REJECT"),
            flow("c", 3, end_time=NOON + 2 * MINUTE),
            flow("c", 4, bytes=61),
            flow("d", 0, log_status="NODATA"),
            flow("d", 1, log_status="NODATA"),
            table="flows",
        )
        assert made.duplicates == 2
        assert made.rows("remembered") == dict.fromkeys(
            [("a", 5), *(("c", place) for place in (1, 2, 3, 4)), ("d", 0), ("d", 1)], 1
        )


def test_an_event_of_an_earlier_slice_is_dropped_when_it_comes_again(engine: str, tmp_path: Path) -> None:
    with steps(engine, tmp_path, remembering("remembered")) as made:
        made.take(event("a", 0, NOON, "one"), event("a", 1, NOON + 5 * MINUTE, "two"))
        made.take(
            event("b", 0, NOON, "one"),
            event("b", 1, NOON, "one"),
            event("b", 2, NOON, "three"),
            event("b", 3, NOON + 9 * MINUTE, "four"),
        )
        assert (made.late, made.duplicates) == (3, 2)
        assert made.rows("remembered") == {("a", 0): 1, ("a", 1): 1, ("b", 2): 2, ("b", 3): 2}


def test_late_is_what_lies_before_the_last_watermark(engine: str, tmp_path: Path) -> None:
    with steps(engine, tmp_path) as made:
        made.take(event("a", 0, NOON, "one"), until=NOON + MINUTE)
        assert made.late == 0
        made.take(
            event("b", 0, NOON - timedelta(days=3), "two"),
            event("b", 1, NOON + MINUTE - timedelta(microseconds=1), "three"),
            event("b", 2, NOON + MINUTE, "four"),
        )
        assert made.late == 2
        made.take(flow("c", 0, start_time=NOON), flow("c", 1, start_time=NOON + 2 * MINUTE), table="flows")
        assert made.late == 1


def test_what_lies_after_the_end_of_the_slice_waits(engine: str, tmp_path: Path) -> None:
    with steps(engine, tmp_path, remembering("remembered")) as made:
        made.take(event("a", 0, NOON, "one"), event("a", 1, NOON + 10 * MINUTE, "two"), until=NOON + 5 * MINUTE)
        assert made.rows("remembered") == {("a", 0): 1}
        made.take()
        assert made.rows("remembered") == {("a", 0): 1, ("a", 1): 2}
        assert (made.generation.pending, made.duplicates) == ((), 0)


def test_a_fold_writes_what_it_touches_and_carries_the_rest_over(engine: str, tmp_path: Path) -> None:
    with steps(engine, tmp_path, remembering("remembered"), remembering("kept_whole", whole=True)) as made:
        made.take(event("a", 0, NOON, "one"), event("a", 1, NOON + timedelta(days=1), "two"))
        before = made.files("remembered"), made.files("kept_whole")
        assert (sorted(map(int, filter(None, before[0]))), set(before[1])) == ([DAY, DAY + 1], {None})
        made.take(event("b", 0, NOON + timedelta(days=1, minutes=1), "three"), event("b", 1, NOON + timedelta(days=2), "four"))
        after = made.files("remembered"), made.files("kept_whole")
        assert after[0].keys() == {DAY, DAY + 1, DAY + 2}
        assert after[0][DAY] == before[0][DAY]
        assert after[0][DAY + 1] != before[0][DAY + 1]
        assert all(path.startswith("states/00000002/") for path in (after[0][DAY + 1], after[0][DAY + 2], after[1][None] or ""))
        assert made.rows("remembered") == made.rows("kept_whole") == {("a", 0): 1, ("a", 1): 1, ("b", 0): 2, ("b", 1): 2}


def test_the_oldest_partitions_are_forgotten(engine: str, tmp_path: Path) -> None:
    with steps(
        engine, tmp_path, remembering("remembered", keep_days=1), remembering("kept_whole", keep_days=1, whole=True)
    ) as made:
        made.take(event("a", 0, NOON, "one"), event("a", 1, NOON + timedelta(days=1), "two"))
        made.take(event("b", 0, NOON + timedelta(days=2), "three"), event("b", 1, NOON - timedelta(days=1), "four"))
        assert made.files("remembered").keys() == {DAY + 1, DAY + 2}
        assert made.rows("remembered") == made.rows("kept_whole") == {("a", 1): 1, ("b", 0): 2}


def test_a_slice_without_records_folds_nothing(engine: str, tmp_path: Path) -> None:
    with steps(engine, tmp_path, remembering("remembered")) as made:
        made.take(event("a", 0, NOON, "one"))
        states = made.generation.states
        made.take(until=NOON + timedelta(days=1))
        assert (made.generation.states, made.generation.number) == (states, 2)
        assert made.generation.watermark == NOON + timedelta(days=1)


def test_a_step_that_fails_raises_our_error_and_the_next_one_works(engine: str, tmp_path: Path) -> None:
    with steps(engine, tmp_path, remembering("remembered")) as made:
        made.take(event("a", 0, NOON, "one"))
        (tmp_path / made.files("remembered")[DAY]).rename(tmp_path / "away")
        broken = made.generation
        with pytest.raises(EngineError):
            made.take(event("b", 0, NOON + MINUTE, "two"))
        (tmp_path / "away").rename(tmp_path / made.files("remembered")[DAY])
        assert made.generation is broken
        with suppress(FileNotFoundError):
            (tmp_path / "spool" / "1-cloudtrail.arrow").unlink()
        made.take(event("b", 0, NOON + MINUTE, "two"))
        assert made.rows("remembered") == {("a", 0): 1, ("b", 0): 2}
