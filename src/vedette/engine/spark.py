"""The Spark engine: blobs are read, parts loaded, addresses looked up on the executors; sightings and counts come back."""

import pickle
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from vedette.detections import Detection, Number
from vedette.engine import Knowledge, Reading, ReadPlan, StepResult
from vedette.engine.dialect import spark_sql
from vedette.engine.executors import (
    PARTS,
    READINGS,
    AddressFacts,
    Batches,
    LoadPart,
    LoadState,
    Numbered,
    ReadGroup,
    WriteState,
    agents_described,
    call_facts,
    errors_judged,
    plain,
)
from vedette.engine.fact_tables import (
    ADDRESS_FACTS,
    ADDRESS_MATCHES,
    AGENT_FACTS,
    API_FACTS,
    DISTINCT_CALLS,
    ERROR_FACTS,
    AddressTables,
    addresses_of,
    expected_ports,
    inventory_table,
)
from vedette.engine.plan import AMBIGUOUS, EPOCH, EVICTED, SILENCED, Order, latest, microseconds, orders
from vedette.engine.spark_session import first_line, start
from vedette.engine.spool import groups_of, taken
from vedette.errors import EngineError
from vedette.findings import Sighting
from vedette.logs.blob import Blob
from vedette.rules import Rules
from vedette.schema import TABLES, TIME_COLUMN
from vedette.state import State
from vedette.state_files.generation import Generation, Part
from vedette.state_files.location import StateLocation
from vedette.views import View, fill

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_ALWAYS = {"event_id", "account_id", "object", "position", "log_status", "interface_id", "flow_direction", *TIME_COLUMN.values()}
_ALWAYS |= {"end_time", "src_address", "dst_address", "src_port", "dst_port", "protocol", "packets", "bytes", "action"}
_TASKS_A_JOB = 4  # a core: how many groups of blobs are read before the driver hears of them

_REPEATED = """
select xxhash64(account_id, event_id) as hash from cloudtrail_read where event_id is not null
group by xxhash64(account_id, event_id) having count(*) > 1
"""
# The first of each event by object and position stays, unless an earlier slice had it.
_DUPLICATES = """
select object, position
from (
    select c.object, c.position,
           row_number() over (partition by c.account_id, c.event_id order by c.object, c.position) as copy
    from cloudtrail_read c left semi join repeated r on xxhash64(c.account_id, c.event_id) = r.hash
    where c.event_id is not null
)
where copy > 1
union
select c.object, c.position
from cloudtrail_read c
join seen_events s on c.event_id = s.event_id and c.account_id <=> s.account_id and c.event_time = s.event_time
"""
_FLOW = "interface_id, start_time, end_time, src_address, dst_address, src_port, dst_port, protocol, packets, bytes, action"
_FLOWS_REPEATED = f"""
select xxhash64({_FLOW}, flow_direction) as hash from flows_read where coalesce(log_status, 'OK') = 'OK'
group by xxhash64({_FLOW}, flow_direction) having count(*) > 1
"""
_FLOW_DUPLICATES = f"""
select object, position
from (
    select object, position, row_number() over (partition by {_FLOW}, flow_direction order by object, position) as copy
    from flows_read left semi join repeated r on xxhash64({_FLOW}, flow_direction) = r.hash
    where coalesce(log_status, 'OK') = 'OK'
)
where copy > 1
"""
_WITHOUT_DUPLICATES = """
select c.* from {table}_read c left anti join duplicates d on c.object = d.object and c.position = d.position
"""
# table: hashes that occur twice, what finds the duplicates, and whether late records may repeat what an earlier slice had.
_REPEATS = {"cloudtrail": (_REPEATED, _DUPLICATES, True), "flows": (_FLOWS_REPEATED, _FLOW_DUPLICATES, False)}


class SparkEngine:
    """Runs rules on Spark over the parts in one place, which the driver and all executors reach; see ``Engine``."""

    # A step costs some seconds of planning, whatever it takes.
    usual_slice: ClassVar[Mapping[str, int]] = dict.fromkeys(TABLES, 5_000_000)

    def __init__(
        self,
        place: StateLocation,
        rules: Rules,
        knowledge: Knowledge,
        *,
        master: str = "",
        conf: Mapping[str, str] | None = None,
        broadcast_limit: str = "10MB",
    ) -> None:
        self._place = place
        self._rules = rules
        self._spark, self._started = start(master, conf or {}, broadcast_limit)
        self._addresses = self._spark.sparkContext.broadcast(AddressTables(knowledge))
        self._known = {"inventory": inventory_table(knowledge), "expected_ports": expected_ports(knowledge)}
        self._orders = orders(rules)
        self._numbers = rules.all_numbers()
        texts = [item.rows if isinstance(item, State) else item.sql for item in self._orders[frozenset(TABLES)].plan]
        words = set(
            re.findall(r"\w+", " ".join([*texts, addresses_of(TABLES), *(detection.sql for detection in rules.detections)]))
        )
        # Columns that no query names are not sent to Spark.
        self._needed = {
            table: plain(pa.schema([field for field in schema if field.name in words | _ALWAYS]))
            for table, schema in TABLES.items()
        }
        self._kept: list[DataFrame] = []
        self._views: set[str] = set()

    @property
    def tables(self) -> frozenset[str]:
        """The record tables that the rules read."""
        return self._orders[frozenset(TABLES)].tables

    def read(self, blobs: Iterable[Blob], plan: ReadPlan) -> Iterator[Reading]:
        """Read blobs on the executors, a job for some groups of them at a time."""
        groups = groups_of(blobs)
        wave = self._spark.sparkContext.defaultParallelism * _TASKS_A_JOB
        while some := tuple(islice(groups, wave)):
            with _mapped():
                readings = self._numbered(some, ReadGroup(plan), READINGS).toArrow()
            for text in readings["reading"].to_pylist():
                yield pickle.loads(text or b"")  # noqa: S301  # our own executors wrote it

    def step(self, generation: Generation, until: datetime | None) -> StepResult:
        """Run the detections over what is pending before ``until`` and fold it."""
        with _mapped():
            try:
                return self._step(generation, until)
            finally:
                self._spark.sparkContext.cancelAllJobs()  # what an empty side of a join made needless may still run
                for frame in self._kept:
                    frame.unpersist()
                self._kept = []
                for name in self._views:  # a view holds its plan, and with it all that the plan has computed
                    self._spark.catalog.dropTempView(name)
                self._views = set()

    def close(self) -> None:
        """Stop Spark, if it was started for this engine."""
        self._addresses.destroy()
        if self._started:
            self._spark.stop()

    def _step(self, generation: Generation, until: datetime | None) -> StepResult:
        until_us = None if until is None else microseconds(until)
        touched, remaining = taken(generation.pending, until_us)
        watermark = until or latest(generation.watermark, touched)
        numbers = {**self._numbers, "watermark_us": microseconds(watermark), "step": generation.number + 1}
        for table in TABLES:
            work = LoadPart(self._place, self._needed[table], until_us)
            parts = tuple(part for part in touched if part.table == table)
            loaded = self._numbered(parts, work, work.schema).persist()
            self._kept.append(loaded)
            self._view(f"{table}_read", loaded)
            self._view(table, self._spark.table(f"{table}_read"))
        for state in self._rules.states:
            before = self._loaded(state, generation.states.get(state.name, ()))
            self._view(state.name, before)
            self._view(f"{state.name}_before", before)
        records, late = self._counted(generation.watermark)
        duplicates = self._drop_duplicates(late) if records else 0
        order = self._orders[frozenset(part.table for part in touched)]
        self._make_facts(order)
        prefix = f"states/{generation.number + 1:08}"
        states = dict(generation.states)
        for item in order.plan:
            if isinstance(item, State):
                states[item.name] = self._fold(item, generation, numbers, watermark, prefix)
            else:
                self._make_view(item, numbers)
        return StepResult(
            generation=replace(
                generation, number=generation.number + 1, watermark=watermark, states=states, pending=tuple(remaining)
            ),
            sightings=tuple(sighting for detection in order.detections for sighting in self._seen(detection)),
            records=records,
            late=late,
            duplicates=duplicates,
            ambiguous=sum(self._spark.table(name).collect()[0]["records"] for name in order.counting(AMBIGUOUS)),
            evicted=sum(int(self._spark.table(name).collect()[0]["records"]) for name in order.counting(EVICTED)),
            silenced=sum((self._counts(name) for name in order.counting(SILENCED)), Counter()),
        )

    def _counts(self, name: str) -> "Counter[str]":
        return Counter({row["list_name"]: row["records"] for row in self._spark.table(name).collect()})

    def _numbered(self, items: tuple[object, ...], work: object, schema: "pa.Schema") -> "DataFrame":
        """Return what ``work`` gives for each item, in a task of its own."""
        from pyspark.sql.pandas.types import from_arrow_schema

        if not items:  # a plan that Spark sees to be empty costs it nothing
            fields = from_arrow_schema(schema)
            columns = ", ".join(f"cast(null as {field.dataType.simpleString()}) as {field.name}" for field in fields)
            return self._spark.sql(f"select {columns} where false")
        run = Numbered(items, work)  # type: ignore[arg-type]  # of whatever items it takes
        frame = self._spark.range(0, len(items), 1, len(items))
        return frame.mapInArrow(run, from_arrow_schema(schema))

    def _view(self, name: str, frame: "DataFrame") -> None:
        frame.createOrReplaceTempView(name)
        self._views.add(name)

    def _keep(self, frame: "DataFrame") -> "DataFrame":
        """Compute a frame now, and hold it for the step: in memory while there is some, else on disk.

        Of a frame that was computed Spark knows the size, so that it sends small ones to the executors instead of shuffling
        large ones. Its plan ends at its RDD, whose lineage computes again what a lost executor held: Spark describes the plan
        of a cached frame within that of every frame that uses it, and the descriptions of frames upon frames grow without end.
        """
        from pyspark.sql import DataFrame

        within = self._spark._jsparkSession  # noqa: SLF001  # Java's createDataFrame, which takes Java's RDD
        kept = DataFrame(within.createDataFrame(frame._jdf.javaRDD(), frame._jdf.schema()), self._spark)  # noqa: SLF001
        self._kept.append(kept.persist())
        kept.count()
        return kept

    def _loaded(self, state: State, parts: tuple[Part, ...]) -> "DataFrame":
        return self._numbered(parts, LoadState(self._place, state), state.schema)

    def _counted(self, folded_until: datetime | None) -> tuple[int, int]:
        """Return how many records the slice has, and how many of them are older than what was folded before."""
        before = microseconds(folded_until, none=-1)
        records = late = 0
        for table in self.tables:
            time = TIME_COLUMN[table]
            query = f"select count(*), count_if(unix_micros({time}) < {before}) from {table}"
            row = self._spark.sql(query).collect()[0]
            records, late = records + row[0], late + row[1]
        return records, late

    def _drop_duplicates(self, late: int) -> int:
        """Leave one of each record; only a late event can be one that an earlier slice had."""
        dropped = 0
        for table in sorted(self.tables):
            repeats, duplicates, remembered = _REPEATS[table]
            repeated = self._keep(self._spark.sql(repeats))
            self._view("repeated", repeated)
            if not (late and remembered) and repeated.isEmpty():
                continue
            self._view("duplicates", self._keep(self._spark.sql(duplicates)))
            found = self._spark.table("duplicates").count()
            if found:
                self._view(table, self._keep(self._spark.sql(_WITHOUT_DUPLICATES.format(table=table))))
            dropped += found
        return dropped

    def _make_facts(self, order: Order) -> None:
        """Look distinct values up on the executors, for the tables of facts that this slice needs."""
        from pyspark.sql.pandas.types import from_arrow_schema

        facts: list[tuple[str, str, Callable[[Batches], Batches], pa.Schema]] = [
            ("address_facts", addresses_of(order.tables), AddressFacts(self._addresses, matches=False), ADDRESS_FACTS),
            ("address_matches", addresses_of(order.tables), AddressFacts(self._addresses, matches=True), ADDRESS_MATCHES),
            ("api_facts", DISTINCT_CALLS, call_facts, API_FACTS),
            ("agent_facts", "select distinct user_agent from cloudtrail", agents_described, AGENT_FACTS),
            ("error_facts", "select distinct error_code from cloudtrail", errors_judged, ERROR_FACTS),
        ]
        for name, distinct, work, schema in facts:
            if name in order.facts:
                self._view(name, self._keep(self._spark.sql(distinct).mapInArrow(work, from_arrow_schema(schema))))
        for name, table in self._known.items():
            if name not in order.facts:
                continue
            frame = self._spark.createDataFrame(table) if table.num_rows else self._numbered((), None, table.schema)
            self._view(name, self._keep(frame))

    def _make_view(self, view: View, numbers: Mapping[str, Number]) -> None:
        frame = self._spark.sql(spark_sql(fill(view.sql, numbers)))
        self._view(view.name, self._keep(frame) if view.kept else frame)

    def _fold(
        self, state: State, generation: Generation, numbers: Mapping[str, Number], watermark: datetime, prefix: str
    ) -> tuple[Part, ...]:
        """Fold the slice into a state table; return its parts, and leave the table under its name as it is after."""
        from pyspark.sql.pandas.types import from_arrow_schema

        before = generation.states.get(state.name, ())
        column = state.partition
        rows = self._keep(self._spark.sql(spark_sql(fill(state.rows, numbers))).select(*state.schema.names))
        self._view(f"{state.name}_rows", rows)
        wanted = {row[column] for row in rows.select(column).distinct().collect()}
        touched = tuple(part for part in before if state.whole or part.day in wanted)
        untouched = tuple(part for part in before if part not in touched)
        oldest = state.oldest((watermark - EPOCH).days)
        self._view(f"{state.name}_old", self._loaded(state, touched))
        folded = self._keep(self._spark.sql(spark_sql(fill(state.fold, numbers))).select(*state.schema.names))
        kept = folded.where(f"{column} >= {oldest}")
        writer = WriteState(self._place, state, prefix)
        spread = kept if state.whole else kept.repartition(column)
        written = spread.mapInArrow(writer, from_arrow_schema(PARTS)).collect()
        self._view(state.name, folded.unionByName(self._loaded(state, untouched)))
        remembered = tuple(part for part in untouched if part.day is None or part.day >= oldest)
        parts = (Part(path=row["path"], table=state.name, day=row["day"], rows=row["rows"]) for row in written)
        return (*remembered, *sorted(parts, key=lambda part: part.path))

    def _seen(self, detection: Detection) -> Iterator[Sighting]:
        rows = self._spark.sql(spark_sql(fill(detection.sql, self._numbers))).toArrow()
        for batch in rows.to_batches(1_000):
            yield from map(detection.describe, batch.to_pylist())


@contextmanager
def _mapped() -> Iterator[None]:
    """Map what Spark raises: an error of ours on an executor comes back inside Spark's."""
    from py4j.protocol import Py4JError  # noqa: PLC0415  # pyspark, and what comes with it, is an extra
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        ours = next((line.partition("EngineError: ")[2] for line in str(error).splitlines() if "EngineError: " in line), "")
        raise EngineError(ours or f"Spark failed: {first_line(error)}") from error
