"""The run report: what was read, what was not, and what was known; ``text.coverage`` adds what could not be seen."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime

from vedette.intel import ThreatList
from vedette.logs.strays import Strays

NAMED_FILES = 20
NAMED_STRAYS = 3
KEPT_FILES = 1_000  # an archive of a million broken files must not make a report of as many lines


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUse:
    """A list that took part in a run. ``age_days`` is its age at the newest record, None where the list has no date."""

    name: str
    kind: str
    entries: int
    refused: int
    status: str
    as_of: datetime | None
    age_days: int | None
    stale: bool

    @classmethod
    def of(cls, threat_list: ThreatList, at: datetime) -> "ListUse":
        """Return the state of a list at a moment."""
        age = None if threat_list.as_of is None else max(0, (at - threat_list.as_of).days)
        return cls(
            name=threat_list.name,
            kind=threat_list.kind.value,
            entries=len(threat_list.entries),
            refused=sum(threat_list.refused.values()),
            status=threat_list.status,
            as_of=threat_list.as_of,
            age_days=age,
            stale=age is not None and age > threat_list.max_age_days,
        )


@dataclass(slots=True, kw_only=True)
class RunReport:
    """Counts of one run.

    ``known`` counts blobs that were read before, ``copies`` those with the same bytes as one that was read, ``grown`` those of
    which only the end was taken; ``changed`` names those that hold something else than before. ``files`` are the names and
    reasons of the first blobs with problems, of ``flawed_files`` in all; ``findings`` counts by type. Records ``from_future``
    were left out; those ``long_before`` the others were, too, if no log can hold them, and are else judged. Those ``long_after``
    were judged, and the state learned nothing from them. None of these counts in ``first_record`` and ``last_record``.
    """

    blobs: int = 0
    known: int = 0
    copies: int = 0
    grown: int = 0
    changed: list[str] = field(default_factory=list)
    stored_bytes: int = 0
    records: Counter[str] = field(default_factory=Counter)
    bad: int = 0
    outside: int = 0
    from_future: Strays = field(default_factory=Strays)
    long_before: Strays = field(default_factory=Strays)
    long_after: Strays = field(default_factory=Strays)
    late: int = 0
    duplicates: int = 0
    ambiguous: int = 0
    evicted: int = 0
    unreadable: int = 0
    nulled: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    silenced: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    flawed_files: int = 0
    files: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    first_record: datetime | None = None
    last_record: datetime | None = None
    slices: int = 0
    history_days: int = 0
    baseline_days: int = 0
    lists: tuple[ListUse, ...] = ()
    digest: tuple[str, ...] = ()
    learning: tuple[str, ...] = ()
    blind_spots: tuple[str, ...] = ()
    next_step: str = ""

    @property
    def flawed(self) -> bool:
        """Say whether records or blobs were bad, or dated as none can be, for which ``--strict`` exits with an error status."""
        return bool(self.bad or self.unreadable or self.from_future.count or self.long_before.count or self.long_after.count)

    def name_files(self, files: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        """Count blobs with problems, and keep the names of the first."""
        self.flawed_files += len(files)
        self.files += files[: max(0, KEPT_FILES - len(self.files))]

    def document(self) -> dict[str, object]:
        """Return the report as plain values for JSON; times in ISO 8601."""
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self)}

    def lines(self) -> Iterator[str]:
        """Yield the report as lines ``name: value``, the four counts of every run first."""
        yield f"records read: {sum(self.records.values())}{_of(self.records)}"
        yield f"records bad: {self.bad}"
        yield f"records late: {self.late}"
        yield f"flows ambiguous: {self.ambiguous}"
        yield f"duplicates dropped: {self.duplicates}"
        yield from self._left_out()
        yield from self._read()
        if self.first_record and self.last_record:
            yield f"time covered: {self.first_record:%Y-%m-%d %H:%M:%S} to {self.last_record:%Y-%m-%d %H:%M:%S} UTC"
        for label, counts in (("values not usable", self.nulled), ("flow records without data", self.statuses)):
            if counts:
                yield f"{label}:{_of(counts)}"
        for reason, count in sorted(self.skipped.items()):
            yield f"files skipped: {count}, {reason}"
        yield from self._files()
        yield from map(_list_line, self.lists)
        for name, calls in sorted(self.silenced.items()):
            yield f"silenced by trusted list {name}: {counted(calls, 'record')}"
        yield from (f"digest: {text}" for text in self.digest)
        yield from (f"learning: {text}" for text in self.learning)
        yield from (f"blind spot: {text}" for text in self.blind_spots)
        if self.next_step:
            yield f"next: {self.next_step}"

    def _read(self) -> Iterator[str]:
        more = [f"{self.known} more were read before"] if self.known else []
        more += [f"{self.copies} more {'is a copy' if self.copies == 1 else 'are copies'} of them"] if self.copies else []
        yield f"files read: {self.blobs}" + (f" ({', '.join(more)})" if more else "")
        if self.grown:
            yield f"files grown: {self.grown} (only what is new in them was taken)"
        for name in self.changed[:NAMED_FILES]:
            yield f"file changed: {name}: not what was read there before, so it was read as a new one"
        if len(self.changed) > NAMED_FILES:
            yield f"file changed: {len(self.changed) - NAMED_FILES} more"

    def _left_out(self) -> Iterator[str]:
        if self.evicted:
            yield f"contacts not remembered: {self.evicted} (more per interface and hour than kept_contacts)"
        for label, strays in (
            ("from the future", self.from_future),
            ("long before the others", self.long_before),
            ("long after the others", self.long_after),
        ):
            if strays.count:
                yield f"records {label}: {strays.count}, {_dated(strays)}"
        if self.outside:
            yield f"records outside the span: {self.outside}"

    def _files(self) -> Iterator[str]:
        for name, reasons in self.files[:NAMED_FILES]:
            more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
            yield f"bad file: {name}: {reasons[0]}{more}"
        if self.flawed_files > NAMED_FILES:
            yield f"bad file: {self.flawed_files - NAMED_FILES} more; --run-report FILE names up to {KEPT_FILES}"


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun; ``many`` is the plural where it does not end in an s."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _of(counts: Mapping[str, int]) -> str:
    parts = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return f" ({parts})" if parts else ""


def _dated(strays: Strays) -> str:
    shown = "; ".join(f"{stray.time.date()} in {stray.file}" for stray in strays.first[:NAMED_STRAYS])
    return f"{shown}; and in more files" if len(strays.first) > NAMED_STRAYS else shown


def _list_line(use: ListUse) -> str:
    text = f"list {use.name}: {use.kind}, {counted(use.entries, 'entry', 'entries')}"
    if use.refused:
        text += f", {counted(use.refused, 'line')} refused"
    if use.as_of is not None:
        text += f", dated {use.as_of:%Y-%m-%d}"
    if use.stale:
        text += f", STALE ({use.age_days} days old)"
    return text + ("" if use.status == "ACTIVE" else f", status {use.status}: not used")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, ListUse | Strays):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
