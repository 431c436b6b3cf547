"""State tables: what is remembered between steps. One module each, with the constant ``STATE``. No I/O.

A state table has a schema and a fold: SQL that gives the new rows of the partitions that a slice touches, from the old
rows (view ``<name>_old``) and the slice's views. Rows are partitioned by day: unchanged partitions are carried over.
"""

from dataclasses import dataclass
from functools import cache
from typing import cast

import pyarrow as pa

from vedette.registry import discover


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One remembered table.

    ``fold`` is SQL that returns the rows of the touched days after the slice, from ``<name>_old`` (the rows of those days
    before it) and the views it ``reads``. Its column ``day`` is a day's number since 1970-01-01. ``keep_days`` is how long a
    day is remembered, counted back from the watermark. A ``whole`` table is small: each fold sees and writes all of it.
    ``$watermark_us`` is the watermark in microseconds since 1970.
    """

    name: str
    schema: pa.Schema
    reads: tuple[str, ...]
    fold: str
    keep_days: int
    whole: bool = False


@cache
def all_states() -> dict[str, State]:
    """Return every state table by name."""
    return {state.name: state for state in (cast("State", value) for _, value in discover(__name__, "STATE"))}
