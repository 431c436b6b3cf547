"""Read the state tables that make up the baseline, and fold them without an engine."""

from typing import Literal

import pyarrow as pa

from vedette.state import all_states
from vedette.state_files.generation import Part
from vedette.state_files.location import StateLocation
from vedette.state_files.tables import read_table

DAYS, API_DAYS, TRAITS, MARKS = "principal_days", "principal_api_days", "principal_traits", "found_marks"

# The columns that a fold aggregates, as the SQL in ``state`` does: rows that agree in all other columns become one.
FOLDS: dict[str, tuple[tuple[str, Literal["sum", "min"]], ...]] = {
    DAYS: (("calls", "sum"), ("reads", "sum"), ("denied", "sum")),
    API_DAYS: (("calls", "sum"), ("denied", "sum")),
    TRAITS: (),
    MARKS: (("day", "min"),),
}


def schema_of(name: str) -> pa.Schema:
    """Return the schema of a state table."""
    return all_states()[name].schema


def load(location: StateLocation, name: str, part: Part) -> pa.Table:
    """Return the rows of one file of a state table.

    Raises:
        EngineError: the file is missing or damaged.
    """
    return read_table(location, part, schema_of(name))


def folded(name: str, table: pa.Table) -> pa.Table:
    """Return a table with equal rows folded into one, sorted by all columns."""
    folds = FOLDS[name]
    summed = {column for column, _ in folds}
    keys = [column for column in table.schema.names if column not in summed]
    grouped = table.group_by(keys).aggregate([(column, how) for column, how in folds])
    named = grouped.rename_columns([*keys, *(column for column, _ in folds)])
    return named.select(table.schema.names).sort_by([(column, "ascending") for column in table.schema.names]).cast(table.schema)
