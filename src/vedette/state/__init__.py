"""State tables: what is remembered between steps. One module each, with the constant ``STATE``. No I/O.

A state table has a schema, the rows that a slice adds, and a fold: SQL that gives the new rows of the partitions that a slice
touches, from the old rows (view ``<name>_old``) and those of the slice (``<name>_rows``). Rows are partitioned by day or hour:
unchanged partitions are carried over.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

import pyarrow as pa

from vedette.registry import discover

SEEN = "seen_events"
"""The table that every engine needs to know a record that comes twice, whatever is looked for."""

_A_DAY = {"day": 1, "hour": 24}


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One remembered table.

    ``rows`` is SQL over the views that it ``reads``: what the slice adds, folded already as if nothing was there before. ``fold``
    is SQL that returns the rows of the touched partitions after the slice, from ``<name>_old`` (the rows of those partitions
    before it) and ``<name>_rows``. The column that ``partition`` names is a number of days or hours since 1970-01-01.
    ``keep_days`` is how long a row is remembered, counted back from the watermark. A ``whole`` table is small: each fold sees and
    writes all of it. ``$watermark_us`` is the watermark in microseconds since 1970, ``$step`` the rising number of the step.
    With ``within_days`` a slice must lie within a block of so many days of the calendar: its days are judged by earlier ones.
    """

    name: str
    schema: pa.Schema
    reads: tuple[str, ...]
    rows: str
    fold: str
    keep_days: int
    partition: Literal["day", "hour"] = "day"
    within_days: int = 0
    whole: bool = False

    def oldest(self, today: int) -> int:
        """Return the number of the oldest partition that is kept; ``today`` is the watermark's day since 1970-01-01."""
        return (today - self.keep_days) * _A_DAY[self.partition]


@cache
def all_states() -> dict[str, State]:
    """Return every state table by name."""
    return {state.name: state for state in (cast("State", value) for _, value in discover(__name__, "STATE"))}
