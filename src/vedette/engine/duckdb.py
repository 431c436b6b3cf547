"""The DuckDB engine: one process runs the SQL, several read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pyarrow as pa

from vedette.detections import Detection, Number
from vedette.engine import Knowledge, Reading, ReadPlan, StepResult
from vedette.engine.fact_tables import (
    DISTINCT_CALLS,
    AddressTables,
    addresses_of,
    agent_facts,
    api_facts,
    error_facts,
    expected_ports,
    inventory_table,
)
from vedette.engine.functions import FUNCTIONS
from vedette.engine.partitions import Partitions
from vedette.engine.plan import AMBIGUOUS, EVICTED, SILENCED, latest, microseconds, orders
from vedette.engine.spool import load, read_blobs, taken
from vedette.errors import EngineError
from vedette.findings import Sighting
from vedette.logs.blob import Blob
from vedette.rules import Rules
from vedette.schema import TABLES, TIME_COLUMN
from vedette.state import State
from vedette.state_files.generation import Generation
from vedette.state_files.location import Folder
from vedette.views import View, fill

_ROWS = 10_000

_DUPLICATES = """
create or replace temp table duplicates as
with repeated as (
    select account_id, event_id from cloudtrail_read where event_id is not null
    group by account_id, event_id having count(*) > 1
)
select "object", "position"
from (
    select c."object", c."position",
           row_number() over (partition by c.account_id, c.event_id order by c."object", c."position") as copy
    from cloudtrail_read c
    join repeated r on c.event_id = r.event_id and c.account_id is not distinct from r.account_id
)
where copy > 1
union
select c."object", c."position"
from cloudtrail_read c
join seen_events s on c.event_id = s.event_id and c.account_id is not distinct from s.account_id
where c.event_time = s.event_time and c.event_time <= (select max(event_time) from seen_events)
"""
_FLOW = "interface_id, start_time, end_time, src_address, dst_address, src_port, dst_port, protocol, packets, bytes, action"
_FLOW_DUPLICATES = f"""
create or replace temp table duplicates as
select "object", "position"
from (
    select "object", "position", row_number() over (partition by {_FLOW}, flow_direction order by "object", "position") as copy
    from flows_read
    where coalesce(log_status, 'OK') = 'OK'
)
where copy > 1
"""
_WITHOUT_DUPLICATES = """
create or replace temp view {table} as
select c.* from {table}_read c anti join duplicates d on c."position" = d."position" and c."object" = d."object"
"""
# table: whether it may hold duplicates, and what finds them. Most slices have none: a count of hashes says so quickly.
_REPEATS = {
    "cloudtrail": (
        """
select count(*) > count(distinct hash(account_id, event_id))
       or min(event_time) <= (select max(event_time) from seen_events)
from cloudtrail_read
where event_id is not null
""",
        _DUPLICATES,
    ),
    "flows": (
        """
select count(*) > count(distinct hash(interface_id, start_time, src_address, dst_address, src_port, dst_port, bytes))
from flows_read
where coalesce(log_status, 'OK') = 'OK'
""",
        _FLOW_DUPLICATES,
    ),
}


class DuckDBEngine:
    """Runs rules over the parts in one folder. Made for one writer; see ``Engine`` for what it does."""

    # Larger ones are hardly faster, and take more memory.
    usual_slice: ClassVar[Mapping[str, int]] = {"cloudtrail": 500_000, "flows": 2_000_000}

    def __init__(self, folder: Path, rules: Rules, knowledge: Knowledge, *, memory_limit: str = "1GB", threads: int = 0) -> None:
        self._folder = folder
        self._place = Folder(folder)
        self._rules = rules
        self._numbers = rules.all_numbers()
        self._addresses = AddressTables(knowledge)
        self._inventory = inventory_table(knowledge)
        self._expected = expected_ports(knowledge)
        self._orders = orders(rules)
        try:
            self._connection = _connect(folder, memory_limit, threads)
        except duckdb.Error as error:
            raise EngineError(f"DuckDB cannot start with memory limit {memory_limit!r} ({error})") from error

    @property
    def tables(self) -> frozenset[str]:
        """The record tables that the rules read; records of others need not be kept."""
        return self._orders[frozenset(TABLES)].tables

    def read(self, blobs: Iterable[Blob], plan: ReadPlan) -> Iterator[Reading]:
        """Read blobs into pending parts."""
        return read_blobs(blobs, plan)

    def step(self, generation: Generation, until: datetime | None) -> StepResult:
        """Run the detections over what is pending before ``until`` and fold it."""
        try:
            return self._step(generation, until)
        except duckdb.Error as error:
            raise EngineError(f"DuckDB failed: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _step(self, generation: Generation, until: datetime | None) -> StepResult:
        until_us = None if until is None else microseconds(until)
        touched, remaining = taken(generation.pending, until_us)
        for table in TABLES:
            self._open(table, [load(self._place, part, until_us) for part in touched if part.table == table])
        watermark = until or latest(generation.watermark, touched)
        with Partitions(self._connection, self._folder, generation, watermark) as states:
            for state in self._rules.states:
                states.open(state)
            records, late = self._counted(generation.watermark)
            duplicates = self._drop_duplicates() if records else 0
            numbers = {**self._numbers, "watermark_us": microseconds(watermark), "step": generation.number + 1}
            self._make_facts({part.table for part in touched})
            order = self._orders[frozenset(part.table for part in touched)]
            for item in order.plan:
                if isinstance(item, State):
                    states.fold(item, numbers)
                else:
                    self._make_view(item, numbers)
            sightings = tuple(sighting for detection in order.detections for sighting in self._seen(detection))
        return StepResult(
            generation=replace(
                generation,
                number=generation.number + 1,
                watermark=watermark,
                states=states.parts,
                pending=tuple(remaining),
            ),
            sightings=sightings,
            records=records,
            late=late,
            duplicates=duplicates,
            ambiguous=sum(self._rows(name)[0][0] for name in order.counting(AMBIGUOUS)),
            evicted=sum(int(self._rows(name)[0][0]) for name in order.counting(EVICTED)),
            silenced=sum((Counter(dict(self._rows(name))) for name in order.counting(SILENCED)), Counter()),
        )

    def _rows(self, name: str) -> list[tuple[Any, ...]]:
        return self._connection.sql(f"select * from {name}").fetchall()

    def _open(self, table: str, rows: list[pa.Table]) -> None:
        records = pa.concat_tables(rows) if rows else TABLES[table].empty_table()
        self._connection.register(f"{table}_read", records)
        self._connection.execute(f"create or replace temp view {table} as select * from {table}_read")

    def _counted(self, folded_until: datetime | None) -> tuple[int, int]:
        """Return how many records the slice has, and how many of them are older than what was folded before."""
        records = late = 0
        before = microseconds(folded_until, none=-1)
        for table, time in TIME_COLUMN.items():
            query = f"select count(*), count(*) filter (where epoch_us({time}) < {before}) from {table}"
            counts = self._connection.sql(query).fetchall()[0]
            records, late = records + counts[0], late + counts[1]
        return records, late

    def _drop_duplicates(self) -> int:
        """Leave one of each record, the first by object and position, and of events none that an earlier slice had."""
        dropped = 0
        for table, (may_repeat, duplicates) in _REPEATS.items():
            if self._connection.sql(may_repeat).fetchall()[0][0]:
                self._connection.execute(duplicates)
                found = int(self._connection.sql("select count(*) from duplicates").fetchall()[0][0])
                if found:
                    # The view is read once: the next table's duplicates take the name.
                    self._connection.execute(f"create or replace temp table duplicates_of_{table} as select * from duplicates")
                    self._connection.execute(
                        _WITHOUT_DUPLICATES.format(table=table).replace("duplicates", f"duplicates_of_{table}")
                    )
                dropped += found
        return dropped

    def _make_facts(self, tables: Iterable[str]) -> None:
        texts = [row[0] for row in self._connection.sql(addresses_of(tables)).fetchall()]
        self._connection.register("address_facts", self._addresses.facts(texts))
        self._connection.register("address_matches", self._addresses.matches(texts))
        self._connection.register("inventory", self._inventory)
        self._connection.register("expected_ports", self._expected)
        self._connection.register("api_facts", api_facts(self._connection.sql(DISTINCT_CALLS).fetchall()))
        self._connection.register("agent_facts", agent_facts(self._distinct("user_agent")))
        self._connection.register("error_facts", error_facts(self._distinct("error_code")))

    def _distinct(self, column: str) -> list[str | None]:
        return [row[0] for row in self._connection.sql(f"select distinct {column} from cloudtrail").fetchall()]

    def _make_view(self, view: View, numbers: Mapping[str, Number]) -> None:
        kind = "table" if view.kept else "view"
        self._connection.execute(f"create or replace temp {kind} {view.name} as {fill(view.sql, numbers)}")

    def _seen(self, detection: Detection) -> Iterator[Sighting]:
        rows = self._connection.sql(fill(detection.sql, self._numbers)).to_arrow_reader(_ROWS)
        for batch in rows:
            yield from map(detection.describe, batch.to_pylist())


def _connect(folder: Path, memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    options: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(folder / "overflow"),
        # What comes out is ordered by the queries that need it; keeping the order of what goes in costs memory.
        "preserve_insertion_order": "false",
        # Tables of a step are read once or twice and dropped: no checkpoint, usual every 16 MiB, need compress them.
        "checkpoint_threshold": "1TiB",
    }
    if threads:
        options["threads"] = threads
    connection = duckdb.connect(":memory:", config=options)
    connection.execute("set timezone = 'UTC'")
    connection.execute("set enable_progress_bar = false")  # standard output belongs to the findings
    for function in FUNCTIONS:
        connection.execute(f"create macro {function.name}({function.parameter}) as {function.duckdb}")
    return connection
