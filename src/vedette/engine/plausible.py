"""Set records aside whose time cannot be right: no slice ever holds them, so that none moves the watermark or ages anything out.

The clock, the names that AWS gives to delivered files and the age of its services decide; what other records say does not.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from shlex import quote
from typing import Any

import pyarrow as pa
import pyarrow.compute

from vedette.epoch import EPOCH, microseconds, moment
from vedette.errors import StoreError
from vedette.logs.blob import Delivery, delivery
from vedette.logs.strays import Strays
from vedette.schema import TIME_COLUMN
from vedette.sql.time import DAY, HOUR
from vedette.state import all_states
from vedette.state_files.generation import Generation, Part

pc: Any = pyarrow.compute

SLACK = timedelta(days=1)
"""How far beyond the clock or the delivery, and the lateness, a record may be dated: clocks differ, and zones are forgotten."""
BEFORE_DELIVERY = timedelta(days=30)
"""How long before the delivery that its file's own name tells a record may be dated."""
LONGEST_WINDOW = timedelta(days=1)
"""How long the window of a flow record may be; AWS aggregates for ten minutes at most."""
BEGUN = datetime(2013, 11, 1, tzinfo=UTC)
"""The month in which AWS began to write CloudTrail: nothing was delivered before."""

UNITS = {"day": DAY, "hour": HOUR}
"""The length of a partition of a state table, by the column that numbers it."""

_END_COLUMN = {"flows": "end_time"}
# Flow records are also made of captures of traffic, which may be of any age; AWS's own examples are older than its logs.
EARLIEST = {"cloudtrail": BEGUN, "flows": EPOCH}
"""The earliest time of a record, by table."""


def latest_plausible(clock: datetime, lateness: timedelta) -> datetime:
    """Return the latest time of a record that is read at this moment."""
    return clock + lateness + SLACK


def believed_delivery(name: str, clock: datetime) -> Delivery | None:
    """Return the delivery that a blob's name tells, None if there is none: before CloudTrail existed or after the clock."""
    found = delivery(name)
    return found if found and BEGUN <= found.begin <= clock + SLACK else None


def beyond(generation: Generation, latest: datetime) -> datetime | None:
    """Return how far a state reaches into the future that should end before ``latest``; None if it does not.

    The rows of tables that are kept whole are not looked at.
    """
    units = {name: UNITS[state.partition] for name, state in all_states().items()}
    reached = [part.last_us or 0 for part in generation.pending]
    reached += [partition_begin(part, units[name]) for name in units for part in generation.states.get(name, ())]
    reached += [microseconds(generation.watermark)] if generation.watermark else []
    newest = max(reached, default=0)
    return moment(newest) if newest > microseconds(latest) else None


def check_reach(generation: Generation, store: str, clock: datetime, lateness: timedelta) -> None:
    """Check that the state of a store does not reach into the future: it would take all that is read for late.

    Raises:
        StoreError: it does.
    """
    if reached := beyond(generation, latest_plausible(clock, lateness)):
        raise StoreError(
            f"{store}: its state reaches to {reached:%Y-%m-%d %H:%M}, which is in the future: if this machine's clock"
            f" ({clock:%Y-%m-%d %H:%M} UTC) is right, run vedette baseline repair --store {quote(store)};"
            " if it is wrong, set the clock"
        )


@dataclass(slots=True, kw_only=True)
class Sieve:
    """Lets the plausible records of one blob pass, and counts the others.

    ``future`` are records later than the clock, or than the delivery that the blob's name tells, by more than the lateness and
    ``SLACK``; ``early`` those that are older than their kind of log, or more than ``BEFORE_DELIVERY`` older than the delivery
    that the blob's own name tells. ``nulled`` counts ends of windows that cannot be true, which their starts replace.
    """

    name: str
    clock: datetime
    lateness: timedelta
    nulled: Counter[str]
    future: Strays = field(default_factory=Strays)
    early: Strays = field(default_factory=Strays)
    _passed: int = 0
    _bounds: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        """Say whether nothing passed, and only because of the clock: it may be wrong, and will have gone on at the next run."""
        if self._passed or not self.future.count:
            return False
        found = believed_delivery(self.name, self.clock)
        return found is None or found.end >= self.clock

    def plausible(self, table: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the records of a batch whose times may be right, and those without a time."""
        earliest, latest = self._bounds_of(table)
        times = _numbers(batch, TIME_COLUMN[table])
        ends = _numbers(batch, _END_COLUMN[table]) if table in _END_COLUMN else times
        if _least(times, earliest) < earliest or max(_most(times, latest), _most(ends, latest)) > latest:
            newest = pc.max_element_wise(times, ends)
            future = pc.fill_null(pc.greater(newest, latest), fill_value=False)
            early = pc.and_not(pc.fill_null(pc.less(times, earliest), fill_value=False), future)
            for strays, found in ((self.future, newest.filter(future)), (self.early, times.filter(early))):
                if len(found):
                    strays.add(len(found), pc.min(found).as_py(), self.name)
            batch = batch.filter(pc.invert(pc.or_(future, early)))
        self._passed += batch.num_rows
        return self._with_true_end(table, batch) if table in _END_COLUMN else batch

    def _with_true_end(self, table: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Replace ends before the start or more than ``LONGEST_WINDOW`` after it: what was seen last must have been seen."""
        end = _END_COLUMN[table]
        times, ends = batch[TIME_COLUMN[table]], _numbers(batch, end)
        lengths = pc.subtract(ends, times.cast(pa.int64()))
        longest = LONGEST_WINDOW // timedelta(microseconds=1)
        if _least(lengths, 0) >= 0 and _most(lengths, longest) <= longest:
            return batch
        wrong = pc.fill_null(pc.or_(pc.less(lengths, 0), pc.greater(lengths, longest)), fill_value=False)
        self.nulled[end] += wrong.true_count
        return batch.set_column(batch.schema.get_field_index(end), batch.schema.field(end), pc.if_else(wrong, times, batch[end]))

    def _bounds_of(self, table: str) -> tuple[int, int]:
        """Return the earliest and the latest time that a record of this blob may have."""
        if table not in self._bounds:
            earliest, latest = EARLIEST[table], self.clock
            if found := believed_delivery(self.name, self.clock):
                latest = min(latest, found.end)
                if found.exact:
                    earliest = max(earliest, found.begin - BEFORE_DELIVERY)
            self._bounds[table] = microseconds(earliest), microseconds(latest_plausible(latest, self.lateness))
        return self._bounds[table]


def partition_begin(part: Part, unit: int) -> int:
    """Return the microseconds from 1970 to the begin of a part's partition, 0 if its table is kept whole."""
    return (part.day or 0) * unit


def _numbers(batch: pa.RecordBatch, column: str) -> Any:  # noqa: ANN401  # an array whose type the stubs cannot say
    return batch[column].cast(pa.int64())


def _least(numbers: Any, none: int) -> int:  # noqa: ANN401
    found = pc.min(numbers).as_py()
    return none if found is None else int(found)


def _most(numbers: Any, none: int) -> int:  # noqa: ANN401
    found = pc.max(numbers).as_py()
    return none if found is None else int(found)
