"""One run: blobs are read, cut into slices of event time, and each slice becomes findings in one commit.

``(state, slice, knowledge) → (findings, state')`` is the engine's step; this module carries things to it and away from it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Protocol

from vedette.engine import Engine, Reading, ReadPlan, StepResult
from vedette.engine.plausible import believed_delivery, check_reach
from vedette.epoch import microseconds, moment
from vedette.exceptions.accepted import Acceptance, accepted
from vedette.exceptions.authorised import Permit, permitted
from vedette.findings import Finding, Sighting, assemble, detector_id, episodes, identity
from vedette.logs.blob import Blob
from vedette.logs.receipt import Receipt
from vedette.logs.strays import Strays
from vedette.pipeline.slices import AHEAD, ahead, apart, full_slice, named_apart
from vedette.pipeline.unread import Sorted, sort_out
from vedette.rules import Rules
from vedette.schema import TABLES
from vedette.sql.time import BIN
from vedette.state_files.folder import sweep
from vedette.state_files.generation import Generation
from vedette.store import Store
from vedette.text.report import RunReport

_NEVER = (1 << 63) - 1  # later than all times, in us
_BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)


class Progress(Protocol):
    """Is told how a run goes on."""

    def start(self, blobs: int, stored_bytes: int) -> None:
        """Hear how much there is to read."""

    def advance(self, reading: Reading) -> None:
        """Hear what was read since."""


class Silence:
    """A progress that nobody watches."""

    def start(self, blobs: int, stored_bytes: int) -> None:
        """Hear, and say nothing."""

    def advance(self, reading: Reading) -> None:
        """Hear, and say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicing:
    """How the input is cut.

    ``largest`` is how many records of each table fill a slice alone, ``lateness`` how much older than its delivery a record may
    be; ``gap`` ends an episode.
    """

    largest: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 500_000))
    lateness: timedelta = timedelta(minutes=20)
    gap: timedelta = timedelta(days=30)


def _as_it_is(sighting: Sighting) -> Sighting:
    return sighting


def _nothing(_state: Generation, _first: datetime, _last: datetime) -> tuple[str, ...]:
    return ()


def _nothing_more(_report: RunReport) -> None:
    return


@dataclass(slots=True, kw_only=True)
class Pipeline:
    """Carries blobs through one engine into one store.

    ``clock`` stamps findings; None stamps event time (a replay). ``enrich`` adds to a sighting what is known of its instance and
    addresses. ``permits`` name authorised scanners, ``acceptances`` accepted behaviour: such findings are archived. ``digest``
    says from the state after a bulk run, and the times of its first and last record, what of it is no finding and yet worth a
    line. ``complete`` adds to the report of a run, before it is stored, what was known and what could not be seen.
    """

    engine: Engine
    store: Store
    plan: ReadPlan
    rules: Rules
    slicing: Slicing = Slicing()
    clock: Callable[[], datetime] | None = None
    enrich: Callable[[Sighting], Sighting] = _as_it_is
    permits: tuple[Permit, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    digest: Callable[[Generation, datetime, datetime], tuple[str, ...]] = _nothing
    complete: Callable[[RunReport], None] = _nothing_more
    report: RunReport = field(default_factory=RunReport)
    findings: dict[str, str] = field(default_factory=dict)
    _generation: Generation = field(default_factory=lambda: Generation(number=0))
    _receipts: list[Receipt] = field(default_factory=list)
    _sorted: Sorted = field(default_factory=Sorted)
    _ends: dict[str, tuple[int, int]] = field(default_factory=dict)

    def bulk(self, blobs: Iterable[Blob], progress: Progress | None = None) -> RunReport:
        """Read everything, detect, and leave nothing pending. Blobs that the store has receipts of are not read again.

        Raises:
            EngineError: the engine failed; what was committed before stays, and a run again goes on from there.
            StoreError: the store failed, likewise.
        """
        self._read(blobs, progress or Silence())
        found = self._ahead()
        if found is not None:
            self._judge_ahead(*found)
            return self.report
        self._advance(None)
        if self._generation.pending or self._receipts or self.report.slices:  # the last step writes the report
            self._step(None, last=True)
        self._count()
        return self.report

    def feed(self, blobs: Iterable[Blob], progress: Progress | None = None) -> RunReport:
        """Read what has arrived, and detect up to the watermark: the newest record seen, less the lateness. The rest waits.

        Raises:
            EngineError: the engine failed; what was committed before stays, and a run again goes on from there.
            StoreError: the store failed, likewise.
        """
        self._read(blobs, progress or Silence())
        newest = max((part.last_us or 0 for part in self._generation.pending), default=None)
        if newest is not None:
            if found := self._ahead():  # they wait: either others follow them, or they were wrong
                newest = found[0] - 1
            lateness = self.slicing.lateness // timedelta(microseconds=1)
            edge = moment((newest - lateness) // BIN * BIN)
            self._advance(edge)
            if any((part.first_us or 0) < microseconds(edge) for part in self._generation.pending) or self._receipts:
                self._step(max(edge, self._generation.watermark or edge), last=True)
        self._count()
        return self.report

    def _read(self, blobs: Iterable[Blob], progress: Progress) -> None:
        self._generation = self.store.generation() or Generation(number=0)
        check_reach(self._generation, self.store.place, self.plan.clock, self.slicing.lateness)
        sweep(self.plan.place, self._generation.files())
        queue = self._unread(blobs)
        progress.start(len(queue.blobs), sum(blob.size or 0 for blob in queue.blobs))
        for reading in self.engine.read(queue.blobs, self.plan):
            self._take(reading)
            queue.done(reading)
            progress.advance(reading)
            safe = queue.safe_until(self.slicing.lateness)
            if safe is not None:
                self._advance(safe)

    def _unread(self, blobs: Iterable[Blob]) -> "_Queue":
        found = self._sorted = sort_out(blobs, self.store, self.plan.span)
        self.report.known, self.report.grown = found.known, found.grown
        self.report.copies = sum(map(len, found.copies.values()))
        self.report.changed += found.changed
        self._receipts += found.receipts
        return _Queue(found.unread, self.plan.clock)

    def _take(self, reading: Reading) -> None:
        report = self.report
        report.blobs += reading.blobs
        report.stored_bytes += reading.stored_bytes
        report.bad += reading.bad
        report.outside += reading.outside
        report.unreadable += reading.unreadable
        for name in ("records", "nulled", "statuses", "skipped"):
            getattr(report, name).update(getattr(reading, name))
        report.name_files(reading.files)
        report.from_future.update(reading.future)
        report.long_before.update(reading.early)
        self._cover({part.path: (part.first_us or 0, part.last_us or 0) for part in reading.parts})
        self._receipts += self._sorted.receipts_of(reading.receipts)
        self._generation = replace(self._generation, pending=(*self._generation.pending, *reading.parts))

    def _advance(self, safe: datetime | None) -> None:
        """Step over full slices while what lies before ``safe`` (None: everything that is pending) makes one."""
        self._set_apart(safe)
        largest = self.slicing.largest
        while until := full_slice(self._generation.pending, safe, largest, self._block):
            self._step(until)

    def _set_apart(self, safe: datetime | None) -> None:
        """Give the few records that stand far before all others a slice of their own, name them, and forget when they were."""
        generation, report = self._generation, self.report
        found = apart(generation.pending, safe, generation.watermark, report.records.total())
        if found is None:
            return
        report.long_before.update(self._named(0, found.end))
        self._step(moment(found.until))

    def _ahead(self) -> tuple[int, int] | None:
        """Return where the others end and the few records begin that stand far after them (us), None if there are none."""
        generation = self._generation
        return ahead(generation.pending, generation.watermark, generation.counts.get(AHEAD, 0))

    def _judge_ahead(self, end: int, begin: int) -> None:
        """Step over what lies before ``end``, then judge the few records from ``begin`` on, which teach nothing."""
        self.report.long_after.update(self._named(begin, _NEVER))
        self._advance(moment(end))
        if any((part.first_us or 0) < end for part in self._generation.pending):
            self._step(moment(end))
        block = self._block
        while until := full_slice(self._generation.pending, None, self.slicing.largest, block):
            self._step(until, learns=False)
        self._step(None, last=True, learns=False)
        self._count()

    def _named(self, begin: int, end: int) -> Strays:
        """Return the pending records of a time, and let the report cover the times of the others only."""
        strays, others = named_apart(self.plan.place, self._generation.pending, begin, end)
        covered, self._ends = self._ends, {}
        self.report.first_record = self.report.last_record = None
        for path, (first, last) in covered.items():
            if (rest := others.get(path, (first, last))) is not None:
                self._cover({path: (max(first, rest[0]), min(last, rest[1]))})
        return strays

    @property
    def _block(self) -> int:
        return min((state.within_days for state in self.rules.states if state.within_days), default=0)

    def _cover(self, ends: Mapping[str, tuple[int, int]]) -> None:
        """Let the report cover the times of parts, each from its first record to its last."""
        self._ends.update(ends)
        for first, last in ends.values():
            self.report.first_record = min(self.report.first_record or moment(first), moment(first))
            self.report.last_record = max(self.report.last_record or moment(last), moment(last))

    def _step(self, until: datetime | None, *, last: bool = False, learns: bool = True) -> None:
        """Step, and commit; a step that does not learn leaves the state as it was, and the time that it has reached."""
        before, previous = self._generation.files(), self._generation
        result = self.engine.step(previous, until)
        written = result.generation.files()
        result = replace(result, generation=_learnt(result.generation) if learns else _unlearnt(result.generation, previous))
        findings = list(self._findings(result))
        for finding in findings:
            self.findings[finding.id] = finding.seen.finding_type
        report = self.report
        report.late += result.late
        report.duplicates += result.duplicates
        report.ambiguous += result.ambiguous
        report.evicted += result.evicted
        report.silenced.update(result.silenced)
        report.slices += 1
        report.history_days = len({part.day for part in result.generation.states.get("caller_activity", ())})
        days = {part.day for part in result.generation.states.get("principal_days", ()) if part.day is not None}
        report.baseline_days = max(days) - min(days) + 1 if days else 0
        if until is None and report.records["flows"] and report.first_record and report.last_record:
            report.digest = self.digest(result.generation, report.first_record, report.last_record)
        if last:  # what is stored is the same report as the one that is shown
            self._count()
            self.complete(report)
        self.store.commit(
            findings=findings,
            receipts=self._receipts,
            generation=result.generation,
            report=report.document() if last else None,
        )
        self._receipts = []
        self._generation = result.generation
        # Only what the step replaced: files that are read meanwhile are in no generation yet.
        for name in (before | written) - result.generation.files():
            self.plan.place.remove(name)

    def _count(self) -> None:
        self.report.findings = Counter(self.findings.values())

    def _findings(self, result: StepResult) -> Iterator[Finding]:
        detections = {detection.finding_type: detection for detection in self.rules.detections}
        known = self.store.open_findings({identity(sighting) for sighting in result.sightings})
        gaps = {
            kind: timedelta(hours=detection.gap_hours)
            for kind, detection in detections.items()
            if detection.gap_hours is not None
        }
        for episode in episodes(map(self.enrich, result.sightings), known, self.slicing.gap, gaps):
            detection = detections[episode.seen.finding_type]
            finding = assemble(
                episode.seen,
                detection,
                detection.values(self.rules.numbers),
                existing=episode.existing,
                stamp=self.clock() if self.clock else None,
                detector_id=detector_id(episode.seen.account_id, episode.seen.region),
            )
            yield accepted(permitted(finding, self.permits), self.acceptances)


def _learnt(after: Generation) -> Generation:
    return replace(after, counts={name: count for name, count in after.counts.items() if name != AHEAD})


def _unlearnt(after: Generation, before: Generation) -> Generation:
    waited = sum(part.rows for part in before.pending) - sum(part.rows for part in after.pending)
    counts = {**before.counts, AHEAD: before.counts.get(AHEAD, 0) + waited}
    return replace(after, states=before.states, watermark=before.watermark, counts=counts)


class _Queue:
    """The blobs of a run, those without a time in their name first, then by time; knows which are still to be read."""

    def __init__(self, blobs: Iterable[Blob], clock: datetime) -> None:
        told = [(believed_delivery(blob.name, clock), blob) for blob in blobs]
        hinted = [(delivery.begin if delivery else _BEGINNING, blob.name, blob) for delivery, blob in told]
        hinted.sort(key=itemgetter(0, 1))
        self.blobs = [blob for _, _, blob in hinted]
        self._hints = [hint for hint, _, _ in hinted]
        self._done: set[str] = set()
        self._next = 0

    def done(self, reading: Reading) -> None:
        """Cross off the blobs that were read."""
        self._done.update(receipt.name for receipt in reading.receipts)
        self._done.update(reading.missed)
        while self._next < len(self.blobs) and self.blobs[self._next].name in self._done:
            self._done.discard(self.blobs[self._next].name)
            self._next += 1

    def safe_until(self, lateness: timedelta) -> datetime | None:
        """Return the event time before which no unread blob holds a record; None when all are read.

        A file is delivered after its events, by at most the lateness.
        """
        if self._next == len(self.blobs):
            return None
        return max(_BEGINNING, self._hints[self._next] - lateness)
