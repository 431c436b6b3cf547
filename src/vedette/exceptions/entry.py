"""Entries of settings that name somebody, with a last day and a reason: ``WHO until DAY: REASON``. No I/O."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from vedette.errors import ConfigurationError

_Made = TypeVar("_Made")

_ENTRY = re.compile(r"(?P<who>\S(?:.*?\S)??)(?:\s+until\s+(?P<until>\d{4}-\d{2}-\d{2})\s*(?::\s*(?P<reason>.*))?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry: its text, whom it names, when it ends (None: never), and the reason."""

    text: str
    who: str
    until: datetime | None = None
    reason: str = ""

    def holds(self, at: datetime) -> bool:
        """Say whether it is valid at a time."""
        return self.until is None or at < self.until


def read(text: str) -> Entry:
    """Read ``WHO``, ``WHO until DAY`` or ``WHO until DAY: REASON``; it is valid to the end of the day, in UTC.

    Raises:
        ValueError: it is empty, or the day does not exist.
    """
    match = _ENTRY.fullmatch(text.strip())
    if match is None:
        raise ValueError("is empty")
    until = None
    if match["until"]:
        day = date.fromisoformat(match["until"])
        # nothing comes after the last day of the calendar: an entry that ends then never ends
        until = None if day == date.max else datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
    return Entry(text=text, who=match["who"], until=until, reason=(match["reason"] or "").strip())


def read_all(texts: Iterable[str], setting: str, make: Callable[[Entry], _Made]) -> tuple[_Made, ...]:
    """Read the entries of a setting and convert each with ``make``, which raises ValueError for those that it cannot use.

    Raises:
        ConfigurationError: some of them cannot be used; all are named.
    """
    made, faults = [], []
    for text in texts:
        try:
            made.append(make(read(text)))
        except ValueError as error:
            faults.append(f"{text!r} ({error})")
    if faults:
        raise ConfigurationError(f"{setting}: {'; '.join(faults)}")
    return tuple(made)
