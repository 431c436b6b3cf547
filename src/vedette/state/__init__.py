"""State tables: what is remembered between steps. One module each, with the constant ``STATE``. No I/O.

A state table has a schema, the rows that a slice adds, and a fold: SQL that returns the new rows of the partitions that a slice
touches, from the old rows (view ``<name>_old``) and those of the slice (``<name>_rows``). Rows are partitioned by day or hour:
unchanged partitions are carried over.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

import pyarrow as pa

from vedette.registry import discover
from vedette.sql.graph import ordered
from vedette.sql.threshold import Threshold
from vedette.sql.time import DAY, HOUR
from vedette.views import View, all_views

SEEN = "seen_events"
"""The table that every engine needs to recognise a record that is delivered twice, whatever is looked for."""

BEFORE = "_before"
"""Ends the name of a state table as it was before the fold of the slice."""

_PER_DAY = {"day": 1, "hour": DAY // HOUR}


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One remembered table.

    ``meaning`` is a sentence that says what one row is. ``rows`` is SQL over the views that it ``reads``: what the slice adds,
    already folded as if nothing was there before. ``fold`` is SQL that returns the rows of the touched partitions after the
    slice, from ``<name>_old`` (the rows of those partitions before it) and ``<name>_rows``. ``thresholds`` are numbers that they
    use as ``$name`` and that no view below uses.

    The column that ``partition`` names is a number of days or hours since 1970-01-01. ``keep_days`` is how long a row is
    remembered, counted back from the watermark. A ``whole`` table is small: each fold sees and writes all of it. With
    ``within_days`` a slice must lie within a block of so many days of the calendar: its days are judged by earlier ones.
    """

    name: str
    meaning: str
    schema: pa.Schema
    reads: tuple[str, ...]
    rows: str
    fold: str
    keep_days: int
    partition: Literal["day", "hour"] = "day"
    within_days: int = 0
    whole: bool = False
    thresholds: tuple[Threshold, ...] = ()

    def oldest(self, today: int) -> int:
        """Return the number of the oldest partition that is kept; ``today`` is the watermark's day since 1970-01-01."""
        return (today - self.keep_days) * _PER_DAY[self.partition]


@cache
def all_states() -> dict[str, State]:
    """Return every state table by name."""
    return {state.name: state for state in (cast("State", value) for _, value in discover(__name__, "STATE"))}


def below(roots: Iterable[str]) -> tuple[View | State, ...]:
    """Return the views and state tables that ``roots`` (names of tables) are made from, each after what it reads.

    A table that is read before its fold is one of them, too: where it reads what reads it, the order ends there.
    """
    nodes: dict[str, View | State] = {**all_views(), **all_states()}
    reads = {name: [table.removesuffix(BEFORE) for table in node.reads] for name, node in nodes.items()}
    return tuple(nodes[name] for name in ordered((root.removesuffix(BEFORE) for root in roots), reads) if name in nodes)
