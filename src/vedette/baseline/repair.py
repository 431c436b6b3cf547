"""Take out of a state what is dated in the future: one record with such a time made it forget all that is older."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from vedette.engine.plausible import UNITS, beyond, partition_begin
from vedette.engine.spool import rewritten
from vedette.epoch import microseconds, moment
from vedette.state import State, all_states
from vedette.state_files.generation import Generation, Part
from vedette.state_files.location import StateLocation
from vedette.state_files.tables import read_table, write_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A state after its repair: rows per table that were removed and kept (``pending`` records included), and how far it reached.

    ``reached`` is None if only rows of small tables were dated in the future.
    """

    generation: Generation
    reached: datetime | None
    removed: Mapping[str, int]
    kept: Mapping[str, int]


PENDING = "pending"


def repaired(before: Generation, location: StateLocation, latest: datetime, clock: datetime) -> Repaired | None:
    """Write a state without what is dated after ``latest``; None if nothing is. Nothing is committed.

    The watermark becomes the end of the newest partition that is left, but not later than the clock; None if nothing is left.

    Raises:
        EngineError: a state file is missing or damaged, or the location cannot be written.
    """
    limit = microseconds(latest)
    removed, kept = Counter[str](), Counter[str]()
    states, ends = dict(before.states), [0]
    written: list[Part] = []
    try:
        for name, state in all_states().items():
            parts, newest = _kept(before, location, state, limit, written)
            ends.append(newest)
            kept[name] = sum(part.rows for part in parts)
            removed[name] = sum(part.rows for part in before.states.get(name, ())) - kept[name]
            if removed[name]:
                states[name] = parts
        pending = tuple(_waiting(before.pending, location, limit, written))
        kept[PENDING] = sum(part.rows for part in pending)
        removed[PENDING] = sum(part.rows for part in before.pending) - kept[PENDING]
    except BaseException:
        for part in written:
            location.remove(part.path)
        raise
    reached = beyond(before, latest)
    if reached is None and not +removed:
        return None
    watermark = before.watermark
    if watermark is not None and watermark > latest:
        newest = max(ends)
        watermark = min(moment(newest), clock) if newest else None
    after = replace(before, number=before.number + 1, watermark=watermark, states=states, pending=pending)
    return Repaired(generation=after, reached=reached, removed=+removed, kept=+kept)


def _kept(
    before: Generation, location: StateLocation, state: State, limit: int, written: list[Part]
) -> tuple[tuple[Part, ...], int]:
    """Return the parts of a table without what begins after the limit, and where the newest partition that is left ends."""
    unit = UNITS[state.partition]
    parts: list[Part] = []
    newest = 0
    for part in before.states.get(state.name, ()):
        if part.day is not None:
            if partition_begin(part, unit) <= limit:
                parts.append(part)
                newest = max(newest, partition_begin(part, unit) + unit)
            continue
        table = read_table(location, part, state.schema)
        left = table.filter(pc.less_equal(table[state.partition], pa.scalar(limit // unit)))
        if left.num_rows == table.num_rows:
            parts.append(part)
        elif left.num_rows:
            parts.append(write_table(location, before.number + 1, state.name, None, left))
            written.append(parts[-1])
        if left.num_rows:
            newest = max(newest, (int(pc.max(left[state.partition]).as_py()) + 1) * unit)
    return tuple(parts), newest


def _waiting(parts: Iterable[Part], location: StateLocation, limit: int, written: list[Part]) -> Iterable[Part]:
    for part in parts:
        if (part.last_us or 0) <= limit:
            yield part
        elif (part.first_us or 0) <= limit:
            some = rewritten(location, part, limit + 1)
            written += some
            yield from some
