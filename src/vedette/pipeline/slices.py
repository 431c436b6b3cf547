"""Decide where the pending records are cut into slices, and which few stand so far before or after the others that it is told."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from vedette.engine.spool import load
from vedette.epoch import EPOCH, microseconds, moment
from vedette.logs.strays import Strays
from vedette.schema import TIME_COLUMN
from vedette.sql.time import BIN, BINS_PER_DAY
from vedette.state_files.generation import Part
from vedette.state_files.location import StateLocation

APART_DAYS = 365
"""How many days without a record make the few before them stand apart."""
FEW = 3
SHARE = 100  # … or one record in so many
AHEAD_DAYS = 30
"""How many days without a record make the ``FEW`` after them stand apart: the state would forget so much for their sake."""
AHEAD = "ahead"
"""Names the count of records, in a generation, that stood apart after its watermark and did not move it."""
FLOWS_BEGUN = datetime(2015, 6, 1, tzinfo=UTC)
"""The month in which AWS began to write flow logs: what is older stands apart from what is newer even if it is not rare."""


@dataclass(frozen=True, slots=True)
class Apart:
    """The pending records before ``end`` stand apart; a step up to ``until`` takes just them, and forgets them. Both in us."""

    end: int
    until: int


def full_slice(pending: Iterable[Part], safe: datetime | None, largest: Mapping[str, int], block_days: int) -> datetime | None:
    """Return where a full slice ends: the last edge of a bin before which there is no more than a slice takes.

    Args:
        pending: what waits for its slice.
        safe: the time before which all records have been read, None if all have.
        largest: how many records of each table fill a slice alone.
        block_days: a slice ends where a block of so many days of the calendar ends; 0 if there are none.
    """
    counts = _by_bin(pending)
    limit = None if safe is None else microseconds(safe) // BIN
    block = BINS_PER_DAY * block_days
    total: Counter[str] = Counter()
    edges = sorted(number for number in counts if limit is None or number < limit)
    for place, number in enumerate(edges):
        if block and number // block != edges[0] // block:
            return moment(number // block * block * BIN)
        total += counts[number]
        if sum(rows / largest[table] for table, rows in total.items()) > 1:
            # One bin alone may be larger than a slice: then it is taken whole.
            return moment((number if place else number + 1) * BIN)
    return None


def apart(pending: Iterable[Part], safe: datetime | None, folded_until: datetime | None, records: int) -> Apart | None:
    """Return what stands apart: the oldest ``FEW`` records, or one in ``SHARE``, with no others for ``APART_DAYS`` after them.

    Before ``FLOWS_BEGUN`` there may be more of them, but not more than of the others: then those are the ones that err.

    Args:
        pending: what waits for its slice.
        safe: the time before which all records have been read, None if all have.
        folded_until: the time up to which the state reaches; what is older is late, and followed by that. None without a state.
        records: how many records the run has read.
    """
    counts = {number: sum(tables.values()) for number, tables in _by_bin(pending).items()}
    ends = [microseconds(end) // BIN for end in (safe, folded_until) if end is not None]
    few, total, before = FEW if safe else max(FEW, records // SHARE), sum(counts.values()), 0
    found = None
    for number, following in pairwise((*sorted(counts), None)):
        assert number is not None  # noqa: S101  # for the type checker: only the last is
        before += counts[number]
        followers = [end for end in (*ends, following) if end is not None and end > number]
        rare = before <= few or number < microseconds(FLOWS_BEGUN) // BIN
        if not rare or not followers or (folded_until is not None and number >= ends[-1]):
            break
        alone = not ends and before * 2 >= total  # nobody can tell which of them are the others
        if min(followers) - number >= APART_DAYS * BINS_PER_DAY and not alone:
            waiting = [end for end in (following, ends[0] if safe else None) if end is not None]
            found = Apart((number + 1) * BIN, min(waiting) * BIN if waiting else microseconds(folded_until or EPOCH))
    return found


def ahead(pending: Iterable[Part], folded_until: datetime | None, counted: int) -> tuple[int, int] | None:
    """Return where the others end and where the newest ``FEW`` records begin, in us, if ``AHEAD_DAYS`` lie between them.

    One record of a wrong time, which nothing else contradicts, must not carry the state away from all others. Where ``counted``
    earlier ones and these are more than ``FEW``, time has gone on.

    Args:
        pending: what waits for its slice.
        folded_until: the time up to which the state reaches, None without a state.
        counted: how many records have stood ahead of the state before.
    """
    counts = {number: sum(tables.values()) for number, tables in _by_bin(pending).items()}
    reached = [] if folded_until is None else [(microseconds(folded_until) - 1) // BIN]
    found, few = None, FEW - counted
    for number, earlier in pairwise((*sorted(counts, reverse=True), None)):
        assert number is not None  # noqa: S101  # for the type checker: only the last is
        few -= counts[number]
        before = max([*reached, *([] if earlier is None else [earlier])], default=None)
        if few < 0 or before is None or before >= number:
            break
        if number - before > AHEAD_DAYS * BINS_PER_DAY:
            found = (before + 1) * BIN, number * BIN
    return found


def named_apart(
    place: StateLocation, parts: Iterable[Part], begin: int, end: int
) -> tuple[Strays, dict[str, tuple[int, int] | None]]:
    """Return the records of parts from a moment (us) until another, and the ends of the rest by path of part, None without any.

    Parts without such records are not looked at.

    Raises:
        EngineError: a file of the spool is gone or damaged.
    """
    strays, ends = Strays(), dict[str, tuple[int, int] | None]()
    for part in parts:
        if (part.first_us or 0) >= end or (part.last_us or 0) < begin:
            continue
        rows = load(place, part, None)
        times = rows[TIME_COLUMN[part.table]].cast(pa.int64())
        inside = pc.and_(pc.less(times, pa.scalar(end)), pc.greater_equal(times, pa.scalar(begin)))
        files = pa.table({"file": rows["object"].filter(inside).cast(pa.string()), "us": times.filter(inside)})
        for row in files.group_by("file").aggregate([("us", "min"), ("us", "count")]).to_pylist():
            strays.add(row["us_count"], row["us_min"], row["file"])
        rest = times.filter(pc.invert(inside))
        ends[part.path] = (pc.min(rest).as_py(), pc.max(rest).as_py()) if len(rest) else None
    return strays, ends


def _by_bin(pending: Iterable[Part]) -> dict[int, Counter[str]]:
    counts: dict[int, Counter[str]] = {}
    for part in pending:
        for number, count in part.bins:
            counts.setdefault(number, Counter())[part.table] += count
    return counts
