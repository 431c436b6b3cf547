"""Describe what is usual for a principal and since when, and how much is known about each account (methods 5.2)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

import pyarrow as pa
import pyarrow.compute as pc

from vedette.baseline.tables import API_DAYS, DAYS, MARKS, TRAITS, load
from vedette.errors import NotFoundError
from vedette.findings.rows import Row, text, whole
from vedette.sql.threshold import Number
from vedette.state_files.generation import Generation
from vedette.state_files.location import StateLocation

QUARANTINE = 2
"""The number of days after which a day becomes part of the baseline, so that an attack cannot teach itself."""

# Traits in the order of a page, with their headings.
SUBJECTS = {
    "network": "Networks",
    "country": "Countries",
    "agent": "Tools",
    "region": "Regions",
    "key": "Long-lived keys",
    "hour": "Hours (UTC)",
    "api": "APIs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """One value that a principal uses: a network, tool, API, ….

    ``first_day`` and ``last_day`` are counted since 1970; ``days`` is the number of days on which the value was seen.
    ``found`` is whether it was seen only in findings, and so is not part of the baseline. ``calls`` and ``denied`` belong to APIs
    and are 0 for other values.
    """

    subject: str
    value: str
    first_day: int
    last_day: int
    days: int
    calls: int = 0
    denied: int = 0
    found: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """How much is known about a principal. ``enough`` is whether its first calls are judged by its own history (methods 5.2)."""

    principal: str
    kind: str
    accounts: tuple[str, ...]
    first_day: int
    last_day: int
    days: int
    calls: int
    reads: int
    denied: int
    enough: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A principal's history, the names of sessions that are principals of their own, and its usual values by subject."""

    history: History
    sessions: tuple[str, ...]
    usual: Mapping[str, tuple[Usual, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """How much has been learned about an account.

    ``judged_from`` is the first day on which points alone can make a finding. As in a scan, it depends on how far the archive of
    all accounts together reaches back.
    """

    account_id: str
    first_day: int
    last_day: int
    judged_from: int
    principals: int
    enough: int

    @property
    def done(self) -> bool:
        """Return whether the next day is judged by points alone."""
        return self.last_day + 1 >= self.judged_from


@dataclass(slots=True)
class _Seen:
    """A history while its days are collected."""

    kind: str = ""
    accounts: set[str] = field(default_factory=set)
    sessions: dict[str, set[int]] = field(default_factory=dict)
    days: set[int] = field(default_factory=set)
    calls: int = 0
    reads: int = 0
    denied: int = 0

    def take(self, row: Row) -> None:
        """Add a row of ``principal_days``."""
        self.kind = max(self.kind, text(row["kind"]))
        self.accounts.add(text(row["account_id"]))
        self.sessions.setdefault(text(row["session"]), set()).add(whole(row["day"]))
        self.days.add(whole(row["day"]))
        self.calls += whole(row["calls"])
        self.reads += whole(row["reads"])
        self.denied += whole(row["denied"])

    def history(self, principal: str, day: int, numbers: Mapping[str, Number]) -> History:
        """Return the history of the principal as of a day, counted since 1970."""
        first = min(self.days)
        return History(
            principal=principal,
            kind=self.kind,
            accounts=tuple(sorted(self.accounts)),
            first_day=first,
            last_day=max(self.days),
            days=len(self.days),
            calls=self.calls,
            reads=self.reads,
            denied=self.denied,
            enough=day - first >= numbers["history_days"]
            and len(self.days) >= numbers["history_active_days"]
            and self.reads >= numbers["history_reads"],
        )


def principals(generation: Generation, location: StateLocation, numbers: Mapping[str, Number]) -> list[History]:
    """Return all principals of the baseline, those with the most calls first.

    Args:
        generation: names the files.
        location: the location of the files.
        numbers: ``history_days``, ``history_active_days`` and ``history_reads``. They are applied as of the day on
            which the newest day of the baseline leaves quarantine, so that everything known counts.

    Raises:
        EngineError: a state file is missing or damaged.
    """
    seen: dict[str, _Seen] = {}
    for row in _rows(generation, location, DAYS):
        seen.setdefault(str(row["principal"]), _Seen()).take(row)
    day = _judged(seen)
    found = [one.history(principal, day, numbers) for principal, one in seen.items()]
    return sorted(found, key=lambda item: (-item.calls, item.principal))


def learning(histories: list[History], numbers: Mapping[str, Number]) -> list[Learning]:
    """Return how much has been learned about each account, derived from the histories of its principals."""
    begun = min((item.first_day for item in histories), default=0)
    accounts: dict[str, list[History]] = {}
    for item in histories:
        for account in item.accounts:
            accounts.setdefault(account, []).append(item)
    return [
        Learning(
            account_id=account,
            first_day=min(item.first_day for item in known),
            last_day=max(item.last_day for item in known),
            judged_from=begun + int(numbers["learning_days"]),
            principals=len(known),
            enough=sum(item.enough for item in known),
        )
        for account, known in sorted(accounts.items())
    ]


def page(generation: Generation, location: StateLocation, principal: str, numbers: Mapping[str, Number]) -> Page:
    """Return what is usual for a principal.

    Args:
        generation: names the files.
        location: the location of the files.
        principal: the full name, or a part that occurs in only one name.
        numbers: as for ``principals``.

    Raises:
        NotFoundError: no principal matches, or several do.
        EngineError: a state file is missing or damaged.
    """
    histories = principals(generation, location, numbers)
    name = resolve(principal, [item.principal for item in histories])
    sessions: dict[str, set[int]] = {}
    for row in _rows(generation, location, DAYS, name):
        sessions.setdefault(text(row["session"]), set()).add(whole(row["day"]))
    marks = {
        (whole(row["call_day"]), text(row["session"]), text(row["subject"]), text(row["value"]))
        for row in _rows(generation, location, MARKS, name)
    }
    usual = [*_traits(generation, location, name, marks), *_apis(generation, location, name, marks)]
    return Page(
        history=next(item for item in histories if item.principal == name),
        sessions=tuple(sorted(session for session, days in sessions.items() if session and len(days) >= _STABLE)),
        usual={subject: tuple(item for item in usual if item.subject == subject) for subject in SUBJECTS},
    )


_STABLE = 5  # days on which a session name of a role is seen before it is a principal of its own (methods 5.1)
_Marks = set[tuple[int, str, str, str]]


def resolve(name: str, names: list[str]) -> str:
    """Return the name that equals ``name``, else the only one that contains it.

    Raises:
        NotFoundError: no name matches (the message suggests the closest), or several do (the message lists some).
    """
    if name in names:
        return name
    found = [item for item in names if name and name in item]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFoundError(f"{name!r} matches {len(found)} principals: {', '.join(sorted(found)[:5])}")
    near = get_close_matches(name, names, n=1)
    raise NotFoundError(f"the baseline has no principal {name!r}{f'; did you mean {near[0]}?' if near else ''}")


def _judged(seen: Mapping[str, _Seen]) -> int:
    return max((max(one.days) for one in seen.values()), default=0) + QUARANTINE


def _rows(generation: Generation, location: StateLocation, name: str, principal: str | None = None) -> Iterator[Row]:
    for part in generation.states.get(name, ()):
        table = load(location, name, part)
        if principal is not None:
            table = table.filter(pc.equal(table["principal"], pa.scalar(principal)))
        for batch in table.to_batches(10_000):
            yield from batch.to_pylist()


def _traits(generation: Generation, location: StateLocation, principal: str, marks: _Marks) -> list[Usual]:
    days: dict[tuple[str, str], tuple[set[int], set[int]]] = {}
    for row in _rows(generation, location, TRAITS, principal):
        subject, value, day = text(row["trait"]), text(row["value"]), whole(row["day"])
        all_days, learned = days.setdefault((subject, value), (set(), set()))
        all_days.add(day)
        if (day, text(row["session"]), subject, value) not in marks:
            learned.add(day)
    found = [
        Usual(
            subject=subject,
            value=value,
            first_day=min(learned or seen),
            last_day=max(learned or seen),
            days=len(learned or seen),
            found=not learned,
        )
        for (subject, value), (seen, learned) in days.items()
    ]
    return sorted(found, key=lambda item: (item.found, -item.days, item.first_day, item.value))


def _apis(generation: Generation, location: StateLocation, principal: str, marks: _Marks) -> list[Usual]:
    seen: dict[str, list[tuple[int, int, int, bool]]] = {}
    for row in _rows(generation, location, API_DAYS, principal):
        api, day = f"{text(row['service'])}:{text(row['operation'])}", whole(row["day"])
        marked = (day, text(row["session"]), "api", api) in marks
        seen.setdefault(api, []).append((day, whole(row["calls"]), whole(row["denied"]), marked))
    found = []
    for api, rows in seen.items():
        learned = [row for row in rows if not row[3]]
        days = {row[0] for row in learned or rows}
        found.append(
            Usual(
                subject="api",
                value=api,
                first_day=min(days),
                last_day=max(days),
                days=len(days),
                calls=sum(row[1] for row in learned or rows),
                denied=sum(row[2] for row in learned or rows),
                found=not learned,
            )
        )
    return sorted(found, key=lambda item: (item.found, -item.calls, item.first_day, item.value))
