"""The remembered tables that the baseline is: read from their files, and folded without an engine."""

from collections.abc import Iterator
from typing import Literal

import pyarrow as pa

from vedette.errors import EngineError
from vedette.state import all_states
from vedette.state_files.generation import Generation, Part
from vedette.state_files.location import StateLocation

DAYS, API_DAYS, TRAITS, MARKS = "principal_days", "principal_api_days", "principal_traits", "found_marks"

# What equal rows of a table are folded by, as the folds in ``state`` do: rows alike in all other columns are one.
FOLDS: dict[str, tuple[tuple[str, Literal["sum", "min"]], ...]] = {
    DAYS: (("calls", "sum"), ("reads", "sum"), ("denied", "sum")),
    API_DAYS: (("calls", "sum"), ("denied", "sum")),
    TRAITS: (),
    MARKS: (("day", "min"),),
}


def schema_of(name: str) -> pa.Schema:
    """Return the schema of a table."""
    return all_states()[name].schema


def parts_of(generation: Generation, name: str) -> Iterator[tuple[int | None, tuple[Part, ...]]]:
    """Yield the days of a table in order (None for one that is kept whole) with their files."""
    found: dict[int | None, list[Part]] = {}
    for part in generation.states.get(name, ()):
        found.setdefault(part.day, []).append(part)
    yield from ((day, tuple(found[day])) for day in sorted(found, key=lambda day: -1 if day is None else day))


def load(place: StateLocation, name: str, part: Part) -> pa.Table:
    """Read one file.

    Raises:
        EngineError: it is gone or broken.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415  # a scan without a baseline needs none of it

    try:
        with place.reading(part.path) as file:
            return pq.ParquetFile(file).read(columns=schema_of(name).names).select(schema_of(name).names).cast(schema_of(name))
    except (pa.ArrowException, KeyError, OSError, ValueError) as error:
        raise EngineError(f"{part.path}: is no file of the state ({error})") from error


def folded(name: str, table: pa.Table) -> pa.Table:
    """Return the rows of a table with equal ones as one, in an order that only depends on what they say."""
    folds = FOLDS[name]
    summed = {column for column, _ in folds}
    keys = [column for column in table.schema.names if column not in summed]
    grouped = table.group_by(keys).aggregate([(column, how) for column, how in folds])
    named = grouped.rename_columns([*keys, *(column for column, _ in folds)])
    return named.select(table.schema.names).sort_by([(column, "ascending") for column in table.schema.names]).cast(table.schema)


def write(place: StateLocation, number: int, name: str, day: int | None, table: pa.Table) -> Part:
    """Write a day of a table for the generation of a number.

    Raises:
        EngineError: it cannot be written.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415

    path = f"states/{number:08}/{name}-{'all' if day is None else day}.parquet"
    with place.writing(path) as file:
        pq.write_table(table, file)
    return Part(path=path, table=name, day=day, rows=table.num_rows)
