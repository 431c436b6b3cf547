"""The Spark engine: blobs are read, parts loaded, addresses looked up on the executors; sightings and counts come back."""

import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from vedette.engine import Knowledge, Reading, ReadPlan, StepResult
from vedette.engine.dialect import spark_sql
from vedette.engine.executors import (
    PARTS,
    READINGS,
    Broadcast,
    LoadPart,
    LoadState,
    LookUp,
    Numbered,
    ReadGroup,
    WriteState,
    plain,
)
from vedette.engine.fact_tables import AddressTables, FactTable
from vedette.engine.spark_session import mapped_errors, start
from vedette.engine.spool import groups_of
from vedette.engine.step import Script, needed_columns
from vedette.logs.blob import Blob
from vedette.rules import Rules
from vedette.schema import TABLES
from vedette.state import State
from vedette.state_files.generation import Generation, Part
from vedette.state_files.location import StateLocation

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TASKS_A_JOB = 4  # a core: how many groups of blobs are read before the driver hears of them
_ROWS = 1_000


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
        self._spark, self._started = start(master, conf or {}, broadcast_limit)
        self._addresses = self._spark.sparkContext.broadcast(AddressTables(knowledge))
        columns = {table: plain(schema) for table, schema in needed_columns(rules).items()}
        self._script = Script(SparkPort(self._spark, place, self._addresses, columns), rules, knowledge)

    @property
    def tables(self) -> frozenset[str]:
        """The record tables that the rules read; records of others need not be kept."""
        return self._script.tables

    def read(self, blobs: Iterable[Blob], plan: ReadPlan) -> Iterator[Reading]:
        """Read blobs on the executors, some groups of them per job."""
        groups = groups_of(blobs)
        size = self._spark.sparkContext.defaultParallelism * _TASKS_A_JOB
        while some := tuple(islice(groups, size)):
            with mapped_errors():
                readings = _numbered(self._spark, some, ReadGroup(plan), READINGS).toArrow()
            for text in readings["reading"].to_pylist():
                yield pickle.loads(text or b"")  # noqa: S301  # our own executors wrote it

    def step(self, generation: Generation, until: datetime | None) -> StepResult:
        """Run the detections over what is pending before ``until`` and fold it."""
        return self._script.step(generation, until)

    def close(self) -> None:
        """Stop Spark, if it was started for this engine."""
        self._addresses.destroy()
        if self._started:
            self._spark.stop()


@dataclass(slots=True)
class SparkPort:
    """Does what the script of a step asks for in one session; see ``Port``. Of record tables only ``columns`` go to Spark."""

    spark: "SparkSession"
    place: StateLocation
    addresses: Broadcast
    columns: Mapping[str, pa.Schema]
    _kept: list["DataFrame"] = field(default_factory=list)
    _views: set[str] = field(default_factory=set)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold a step; leave nothing of it in the session."""
        with mapped_errors():
            try:
                yield
            finally:
                self.spark.sparkContext.cancelAllJobs()  # what an empty side of a join made needless may still run
                for frame in self._kept:
                    frame.unpersist()
                for name in self._views:  # a view holds its plan, and with it all that the plan has computed
                    self.spark.catalog.dropTempView(name)
                self._kept, self._views = [], set()

    def load(self, name: str, table: str, parts: Sequence[Part], until_us: int | None) -> None:
        """Load each part in a task of its own, when the rows are first read, and hold them for the step."""
        schema = self.columns[table]
        frame = _numbered(self.spark, parts, LoadPart(self.place, schema, until_us), schema)
        self._kept.append(frame.persist())
        self._name(name, frame)

    def open(self, name: str, state: State, parts: Sequence[Part]) -> None:
        """Load each part in a task of its own, whenever the rows are read."""
        self._name(name, _numbered(self.spark, parts, LoadState(self.place, state), state.schema))

    def register(self, name: str, rows: pa.Table) -> None:
        """Send the rows to the executors."""
        frame = self.spark.createDataFrame(rows) if rows.num_rows else _numbered(self.spark, (), None, rows.schema)
        self._hold(name, frame)

    def look_up(self, facts: FactTable) -> None:
        """Make the facts on the executors."""
        from pyspark.sql.pandas.types import from_arrow_schema

        values, work = self._query(facts.distinct), LookUp(self.addresses, facts)
        self._hold(facts.name, values.mapInArrow(work, from_arrow_schema(facts.schema)))

    def view(self, name: str, sql: str) -> None:
        """Make a view."""
        self._name(name, self._query(sql))

    def keep(self, name: str, sql: str) -> int:
        """Compute the result and hold it on the executors: in memory while there is some, else on disk."""
        return self._hold(name, self._query(sql))

    def narrow(self, table: str, sql: str) -> None:
        """Hold the result: many views read the records, and each would drop the others anew."""
        self.keep(table, sql)

    def rows(self, sql: str) -> Iterator[dict[str, Any]]:
        """Yield the result, which comes to the driver as a whole."""
        for batch in self._query(sql).toArrow().to_batches(_ROWS):
            yield from batch.to_pylist()

    def fold(self, state: State, sql: str, oldest: int, folder: str) -> tuple[Part, ...]:
        """Hold the result and write it on the executors: the rows of a partition in one task."""
        from pyspark.sql.pandas.types import from_arrow_schema

        self.keep(f"{state.name}_new", sql)
        rows = self.spark.table(f"{state.name}_new").where(f"{state.partition} >= {oldest}")
        spread = rows if state.whole else rows.repartition(state.partition)
        written = spread.mapInArrow(WriteState(self.place, state, folder), from_arrow_schema(PARTS)).collect()
        parts = (Part(path=row["path"], table=state.name, day=row["day"], rows=row["rows"]) for row in written)
        return tuple(sorted(parts, key=lambda part: part.path))

    def _query(self, sql: str) -> "DataFrame":
        return self.spark.sql(spark_sql(sql))

    def _name(self, name: str, frame: "DataFrame") -> None:
        frame.createOrReplaceTempView(name)
        self._views.add(name)

    def _hold(self, name: str, frame: "DataFrame") -> int:
        """Compute a frame now, hold it for the step under a name, and return its number of rows.

        Of a frame that was computed Spark knows the size, so that it sends small ones to the executors instead of shuffling
        large ones. Its plan ends at its RDD, whose lineage computes again what a lost executor held: Spark describes the plan
        of a cached frame within that of every frame that uses it, and the descriptions of frames upon frames grow without end.
        """
        from pyspark.sql import DataFrame

        within = self.spark._jsparkSession  # noqa: SLF001  # Java's createDataFrame, which takes Java's RDD
        held = DataFrame(within.createDataFrame(frame._jdf.javaRDD(), frame._jdf.schema()), self.spark)  # noqa: SLF001
        self._kept.append(held.persist())
        self._name(name, held)
        return held.count()


def _numbered(spark: "SparkSession", items: Sequence[object], work: object, schema: pa.Schema) -> "DataFrame":
    """Return the rows that ``work`` makes of each item, in a task of its own."""
    from pyspark.sql.pandas.types import from_arrow_schema

    fields = from_arrow_schema(schema)
    if not items:  # a plan that Spark sees to be empty costs it nothing
        columns = ", ".join(f"cast(null as {field.dataType.simpleString()}) as {field.name}" for field in fields)
        return spark.sql(f"select {columns} where false")
    run = Numbered(items, work)  # type: ignore[arg-type]  # of whatever items it takes
    return spark.range(0, len(items), 1, len(items)).mapInArrow(run, fields)
