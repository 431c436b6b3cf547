"""The spool: Arrow files in which records wait for their slice; reading processes write them, the engine maps them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from vedette.engine import Reading, ReadPlan
from vedette.engine.plausible import Sieve
from vedette.engine.taken import Taking
from vedette.errors import EngineError, ReadError, SourceError
from vedette.logs.blob import Blob
from vedette.logs.processes import context, follow_parent, kill_workers
from vedette.logs.read_counts import KEPT_PROBLEMS, ReadCounts
from vedette.schema import TABLES, TIME_COLUMN
from vedette.sql.time import BIN
from vedette.state_files.generation import Part
from vedette.state_files.location import StateLocation

FOLDER = "spool"

# Work of one task: enough that its start does not matter, and so little that processes finish together and memory stays flat.
_LARGE_GROUP_BYTES = 8 << 20
_SMALL_GROUP_BYTES = 256 << 10
_GROUP_BLOBS = 512
_PART_BYTES = 128 << 20
_QUEUED_GROUPS = 2  # per process


def read_blobs(blobs: Iterable[Blob], plan: ReadPlan) -> Iterator[Reading]:
    """Read blobs in groups, in this process or in several; yield the ``Reading`` of each group when it is done.

    Raises:
        EngineError: a process that read died, or the spool cannot be written.
    """
    groups = groups_of(blobs)
    first = list(islice(groups, 2))
    if plan.processes == 1 or len(first) < 2:  # noqa: PLR2004  # one group: nothing to share out
        for group in (*first, *groups):
            yield read_group(group, plan)
        return
    yield from _read_in_processes(iter((*first, *groups)), plan)


def _read_in_processes(groups: Iterator[tuple[Blob, ...]], plan: ReadPlan) -> Iterator[Reading]:
    pool = ProcessPoolExecutor(plan.processes, mp_context=context(), initializer=follow_parent)
    waiting: set[Future[Reading]] = set()
    try:
        for group in groups:
            waiting.add(pool.submit(read_group, group, plan))
            if len(waiting) >= plan.processes * _QUEUED_GROUPS:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    except BrokenProcessPool as error:
        raise EngineError("a process that reads logs died; too little memory may be the cause, try fewer workers") from error
    except BaseException:
        kill_workers(pool)  # what they read now is not wanted any more
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def groups_of(blobs: Iterable[Blob]) -> Iterator[tuple[Blob, ...]]:
    """Cut blobs into groups of similar size; the first are small, so that all processes soon have work."""
    group: list[Blob] = []
    size, target = 0, _SMALL_GROUP_BYTES
    for blob in blobs:
        group.append(blob)
        size += blob.size or 0
        if size >= target or len(group) >= _GROUP_BLOBS:
            yield tuple(group)
            group, size, target = [], 0, min(target * 2, _LARGE_GROUP_BYTES)
    if group:
        yield tuple(group)


def read_group(blobs: tuple[Blob, ...], plan: ReadPlan) -> Reading:
    """Read some blobs into parts of the spool."""
    writer = _Writer(plan.place, uuid4().hex, plan.part_rows)
    reading = Reading()
    receipts, missed = [], []
    for blob in blobs:
        counts, failure, before, taking, outside = ReadCounts(), "", len(writer.parts), Taking(blob), 0
        sieve = Sieve(name=blob.name, clock=plan.clock, lateness=plan.lateness, nulled=counts.nulled)
        try:
            for table, whole in plan.read(blob, plan.limits, counts):
                batch = taking.new(table, whole)
                batch = _timed(table, batch, counts)
                reading.records[table] += batch.num_rows
                batch = sieve.plausible(table, batch)
                inside = _inside(batch, TIME_COLUMN[table], plan)
                outside += batch.num_rows - inside.num_rows
                if table in plan.tables and inside.num_rows:
                    writer.add(table, inside)
        except ReadError as error:
            failure = str(error).removeprefix(f"{blob.name}: ")
        except SourceError as error:  # gone or not readable: it gets no receipt, so that another run reads it
            missed.append(blob.name)
            for table, rows in writer.forget(blob.name, before).items():
                reading.records[table] -= rows
            _note(reading, blob, counts, str(error))
            continue
        reading.outside += outside
        reading.future.update(sieve.future)
        reading.early.update(sieve.early)
        if sieve.waits:
            missed.append(blob.name)
        else:
            receipts.append(taking.receipt(counts, plan.span, outside))
        _note(reading, blob, counts, failure)
    reading.parts = writer.finish()
    reading.receipts = tuple(receipts)
    reading.missed = tuple(missed)
    return reading


def _timed(table: str, batch: pa.RecordBatch, counts: ReadCounts) -> pa.RecordBatch:
    """Return the records that have a time; one without belongs to no slice, so it is lost and counts as bad."""
    times = batch[TIME_COLUMN[table]]
    if not times.null_count:
        return batch
    lost = batch["position"].filter(pc.is_null(times))
    named = lost.slice(0, KEPT_PROBLEMS).to_pylist()
    for position in named:
        counts.reject(f"record {position}", f"no usable time ({TIME_COLUMN[table]})")
    counts.bad += len(lost) - len(named)
    return batch.filter(pc.is_valid(times))


def _inside(batch: pa.RecordBatch, time: str, plan: ReadPlan) -> pa.RecordBatch:
    """Return the records of the span of the plan."""
    for limit, is_outside in ((plan.since, pc.less), (plan.until, pc.greater_equal)):
        if limit is not None:
            outside: pa.BooleanArray = is_outside(batch[time], pa.scalar(limit, batch[time].type))
            batch = batch.filter(pc.invert(outside))
    return batch


def _note(reading: Reading, blob: Blob, counts: ReadCounts, failure: str) -> None:
    reading.blobs += 1
    reading.stored_bytes += blob.size or 0
    reading.bad += counts.bad
    reading.nulled.update(counts.nulled)
    reading.statuses.update(counts.statuses)
    reasons = [f"{problem.place}: {problem.reason}" for problem in counts.problems]
    if counts.skipped:
        reading.skipped[counts.skipped] += 1
    if failure:
        reading.unreadable += 1
        reasons.append(failure)
    if reasons:
        reading.files.append((blob.name, tuple(reasons)))


@dataclass(slots=True)
class _Writer:
    """Gathers batches and writes them as parts of limited size."""

    place: StateLocation
    stem: str
    part_rows: int
    parts: list[Part] = field(default_factory=list)
    written: int = 0
    _batches: dict[str, list[pa.RecordBatch]] = field(default_factory=dict)
    _sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, table: str, batch: pa.RecordBatch) -> None:
        rows, size = self._sizes.get(table, (0, 0))
        self._batches.setdefault(table, []).append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        self._sizes[table] = (rows, size)
        if rows >= self.part_rows or size >= _PART_BYTES:
            self._write(table)

    def forget(self, name: str, before: int) -> Counter[str]:
        """Remove the records of a blob that will be read again; return how many, by table.

        ``before`` is the number of parts when the blob was opened. A batch holds records of one blob; parts that were written
        since may hold records of others too, and are written anew.
        """
        dropped: Counter[str] = Counter()
        for table, batches in self._batches.items():
            kept = [batch for batch in batches if batch["object"][0].as_py() != name]
            dropped[table] += sum(batch.num_rows for batch in batches) - sum(batch.num_rows for batch in kept)
            self._batches[table] = kept
            self._sizes[table] = (sum(batch.num_rows for batch in kept), sum(batch.nbytes for batch in kept))
        written, self.parts[before:] = self.parts[before:], []
        for part in written:
            rows = load(self.place, part, None)
            others = rows.filter(pc.not_equal(rows["object"].cast(pa.string()), pa.scalar(name)))
            dropped[part.table] += rows.num_rows - others.num_rows
            self.place.remove(part.path)
            self.write_rows(part.table, others)
        return dropped

    def finish(self) -> tuple[Part, ...]:
        for table in list(self._batches):
            self._write(table)
        return tuple(self.parts)

    def _write(self, table: str) -> None:
        batches = self._batches.pop(table)
        self._sizes.pop(table)
        # One dictionary per column, so that work on distinct values is done once per part.
        self.write_rows(table, pa.Table.from_batches(batches, TABLES[table]).unify_dictionaries().combine_chunks())

    def write_rows(self, table: str, gathered: pa.Table) -> None:
        time = TIME_COLUMN[table]
        if not gathered.num_rows:
            return
        name = f"{FOLDER}/{self.stem}-{self.written}.arrow"
        self.written += 1
        with self.place.writing(name) as file, pa.ipc.new_file(file, gathered.schema) as writer:
            writer.write_table(gathered)
        self.parts.append(_part(name, table, gathered[time].cast(pa.int64())))


def _part(name: str, table: str, times: "pa.ChunkedArray[Any]") -> Part:
    counts = pc.value_counts(pc.divide(times, pa.scalar(BIN)))
    bins: list[tuple[Any, Any]] = list(zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True))
    first, last = _ends(times)
    return Part(
        path=name,
        table=table,
        day=None,
        rows=len(times),
        first_us=first,
        last_us=last,
        bins=tuple(sorted((int(number), int(count)) for number, count in bins)),
    )


def _ends(times: "pa.ChunkedArray[Any]") -> tuple[int, int]:
    ends = pc.min_max(times)
    return int(ends["min"].as_py()), int(ends["max"].as_py())


def load(place: StateLocation, part: Part, until_us: int | None) -> pa.Table:
    """Map the rows of a part that are pending and before a moment; those before its ``first_us`` are folded already.

    Raises:
        EngineError: the file is gone or damaged.
    """
    try:
        with place.reading(part.path) as file:
            table = pa.ipc.open_file(file).read_all()
    except pa.ArrowInvalid as error:
        raise EngineError(f"{part.path}: the records that wait there are damaged ({error})") from error
    times = table[TIME_COLUMN[part.table]].cast(pa.int64())
    first, last = _ends(times)
    if first >= (part.first_us or 0) and (until_us is None or last < until_us):
        return table
    wanted = pc.greater_equal(times, pa.scalar(part.first_us or 0))
    if until_us is not None:
        wanted = pc.and_(wanted, pc.less(times, pa.scalar(until_us)))
    return table.filter(wanted)


def rewritten(place: StateLocation, part: Part, until_us: int) -> tuple[Part, ...]:
    """Write the rows of a part before a moment to a new file; return its part, nothing if there are none.

    Raises:
        EngineError: the file is gone or damaged, or the new one cannot be written.
    """
    writer = _Writer(place, uuid4().hex, part.rows)
    writer.write_rows(part.table, load(place, part, until_us))
    return tuple(writer.parts)


def taken(parts: Iterable[Part], until_us: int | None) -> tuple[list[Part], list[Part]]:
    """Sort parts into those that hold rows before a moment, and what remains pending after these rows are taken.

    Bins are exact where the moment lies on the edge of one.
    """
    touched, remaining = [], []
    for part in parts:
        if until_us is None or (part.first_us or 0) < until_us:
            touched.append(part)
        if until_us is not None and (part.last_us or 0) >= until_us:
            remaining.append(_after(part, until_us))
    return touched, remaining


def _after(part: Part, until_us: int) -> Part:
    if (part.first_us or 0) >= until_us:
        return part
    bins = tuple(item for item in part.bins if item[0] >= until_us // BIN)
    return replace(part, rows=sum(count for _, count in bins), first_us=until_us, bins=bins)
