"""What runs on the executors of Spark: functions over Arrow batches, picklable, with nothing of Spark in them."""

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vedette.engine import ReadPlan
from vedette.engine.fact_tables import AddressTables, FactTable
from vedette.engine.spool import load, read_group
from vedette.state import State
from vedette.state_files.generation import Part
from vedette.state_files.location import StateLocation

BATCH_ROWS = 10_000

READINGS = pa.schema([pa.field("reading", pa.binary())])
_PART_FIELDS: list[Any] = [pa.field("path", pa.string()), pa.field("day", pa.int64()), pa.field("rows", pa.int64())]
PARTS = pa.schema(_PART_FIELDS)

Batches = Iterator[pa.RecordBatch]


def plain(schema: pa.Schema) -> pa.Schema:
    """Return a schema without dictionaries, which Spark does not support."""
    kinds: list[Any] = [field.type.value_type if pa.types.is_dictionary(field.type) else field.type for field in schema]
    columns: list[Any] = list(zip(schema.names, kinds, strict=True))
    return pa.schema(columns)


@dataclass(frozen=True, slots=True)
class Numbered:
    """Runs ``work`` on the items whose numbers arrive: one task per item."""

    items: Sequence[object]
    work: Callable[[object], Iterable[pa.RecordBatch]]

    def __call__(self, batches: Batches) -> Batches:
        """Yield the batches of each item."""
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield from self.work(self.items[int(str(number))])


@dataclass(frozen=True, slots=True)
class ReadGroup:
    """Reads a group of blobs into the spool; returns its ``Reading``, pickled."""

    plan: ReadPlan

    def __call__(self, blobs: object) -> Batches:
        """Yield one row."""
        assert isinstance(blobs, tuple)  # noqa: S101  # for the type checker: items of Numbered are objects
        yield pa.RecordBatch.from_arrays([pa.array([pickle.dumps(read_group(blobs, self.plan))], pa.binary())], schema=READINGS)


@dataclass(frozen=True, slots=True)
class LoadPart:
    """Loads the rows of a pending part, the columns of ``schema`` only."""

    place: StateLocation
    schema: pa.Schema
    until_us: int | None

    def __call__(self, part: object) -> Batches:
        """Yield its rows in batches that fit into a worker's memory."""
        assert isinstance(part, Part)  # noqa: S101
        table = load(self.place, part, self.until_us).select(self.schema.names)
        for start in range(0, table.num_rows, BATCH_ROWS):
            yield from table.slice(start, BATCH_ROWS).cast(self.schema).combine_chunks().to_batches()


@dataclass(frozen=True, slots=True)
class LoadState:
    """Loads a part of a state table."""

    place: StateLocation
    state: State

    def __call__(self, part: object) -> Batches:
        """Yield its rows."""
        assert isinstance(part, Part)  # noqa: S101
        with self.place.reading(part.path) as file:
            for batch in pq.ParquetFile(file).iter_batches(BATCH_ROWS, columns=self.state.schema.names):
                yield from pa.Table.from_batches([batch]).cast(self.state.schema).to_batches()


@dataclass(frozen=True, slots=True)
class WriteState:
    """Writes rows of a state table as parts, one per partition and task; returns what was written."""

    place: StateLocation
    state: State
    prefix: str

    def __call__(self, batches: Batches) -> Batches:
        """Yield a row per part. A task that runs again writes new files; nothing refers to those of the run that failed."""
        rows: dict[int | None, list[pa.RecordBatch]] = {}
        for batch in batches:
            table = pa.Table.from_batches([batch]).cast(self.state.schema)
            for day in [None] if self.state.whole else table[self.state.partition].unique().to_pylist():
                part = table if day is None else table.filter(pc.equal(table[self.state.partition], pa.scalar(day)))
                rows.setdefault(day, []).extend(part.to_batches())
        for day, found in sorted(rows.items(), key=str):
            path = f"{self.prefix}/{self.state.name}-{'all' if day is None else day}-{uuid4().hex}.parquet"
            with self.place.writing(path) as file, pq.ParquetWriter(file, self.state.schema) as writer:
                for batch in found:
                    writer.write_batch(batch)
            count = sum(batch.num_rows for batch in found)
            yield pa.RecordBatch.from_pylist([{"path": path, "day": day, "rows": count}], schema=PARTS)


class Broadcast(Protocol):
    """A value that every executor holds once."""

    @property
    def value(self) -> AddressTables:
        """The value."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """Makes rows of a table of facts for distinct values; lists and places come by broadcast."""

    addresses: Broadcast
    facts: FactTable

    def __call__(self, batches: Batches) -> Batches:
        """Yield the rows for the values of each batch."""
        for batch in batches:
            yield from self.facts.make(self.addresses.value, pa.Table.from_batches([batch])).to_batches()
