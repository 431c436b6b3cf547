"""Read and write the Parquet files of state tables: one file per part, in the columns of a given schema.

Nothing here knows a particular table; what its rows mean is up to the caller.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from vedette.errors import EngineError
from vedette.state_files.generation import Part
from vedette.state_files.location import StateLocation

if TYPE_CHECKING:
    import pyarrow.parquet as pq


def parts_by_day(parts: Iterable[Part]) -> Iterator[tuple[int | None, tuple[Part, ...]]]:
    """Yield each partition of a table with its files, in ascending order; None, for a table that is kept whole, comes first."""
    found: dict[int | None, list[Part]] = {}
    for part in parts:
        found.setdefault(part.day, []).append(part)
    yield from ((day, tuple(found[day])) for day in sorted(found, key=lambda day: -1 if day is None else day))


def read_table(location: StateLocation, part: Part, schema: pa.Schema) -> pa.Table:
    """Return the rows of one file in the columns and types of the schema; other columns of the file are ignored.

    Raises:
        EngineError: the file is missing or damaged, or lacks a column.
    """
    with _opened(location, part) as file:
        return file.read(columns=schema.names).select(schema.names).cast(schema)


def read_batches(location: StateLocation, part: Part, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one file as ``read_table`` returns them, in batches.

    Raises:
        EngineError: the file is missing or damaged, or lacks a column.
    """
    with _opened(location, part) as file:
        for batch in file.iter_batches(columns=schema.names):
            yield from pa.Table.from_batches([batch]).select(schema.names).cast(schema).to_batches()


def write_table(location: StateLocation, generation: int, name: str, day: int | None, table: pa.Table) -> Part:
    """Write one partition of a table to a new file of the generation with this number; return the part that describes it.

    Raises:
        EngineError: the file cannot be written.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415  # slow to import, and many runs write no table

    path = f"states/{generation:08}/{name}-{'all' if day is None else day}.parquet"
    with location.writing(path) as file:
        pq.write_table(table, file)
    return Part(path=path, table=name, day=day, rows=table.num_rows)


@contextmanager
def _opened(location: StateLocation, part: Part) -> "Iterator[pq.ParquetFile]":
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with location.reading(part.path) as file:
            yield pq.ParquetFile(file)
    except (pa.ArrowException, KeyError, OSError, ValueError) as error:
        raise EngineError(f"{part.path}: is not a valid state file ({error})") from error
