"""Imports are diffs: what a list said before is closed, never overwritten, so that events are matched as of their time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from vedette.intel import Entry, Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A list's entries after an import, open and closed ones, and the networks that came and went with it."""

    entries: tuple[Entry, ...]
    opened: tuple[Entry, ...]
    closed: tuple[Entry, ...]
    kept: int


def diff(previous: Iterable[Entry], new: Iterable[Entry], at: datetime) -> Change:
    """Return a list's entries after importing ``new`` at the time ``at`` over the stored ``previous`` ones.

    - Closed entries stay as they are: they are the history.
    - An open entry whose network is still listed stays as it is, with its first line and word.
    - One that vanished, or whose own validity was changed by the list, is closed: ``valid_to`` = ``at``.
    - A new one opens: ``valid_from`` as the list states, else ``at``. On the first import (``previous`` empty) it stays open:
      nobody knows since when the network was listed.
    """
    before = tuple(previous)
    listed: dict[Network, list[Entry]] = {}
    for entry in new:
        listed.setdefault(entry.network, []).append(entry)
    after: list[Entry] = []
    closed: list[Entry] = []
    kept = 0
    for entry in before:
        twins = listed.get(entry.network, [])
        twin = next((item for item in twins if _continues(entry, item)), None)
        if entry.valid_to is not None and entry.valid_to <= at:
            after.append(entry)
            if twin is not None:  # still listed, with the end that it has: nothing new
                twins.remove(twin)
        elif twin is None:
            ended = replace(entry, valid_to=at)
            after.append(ended)
            closed.append(ended)
        else:
            twins.remove(twin)
            after.append(entry)
            kept += 1
    start = at if before else None
    opened = tuple(replace(item, valid_from=item.valid_from or start) for twins in listed.values() for item in twins)
    return Change(entries=(*after, *opened), opened=opened, closed=tuple(closed), kept=kept)


def _continues(stored: Entry, listed: Entry) -> bool:
    """Say whether a listed entry is the stored one: same end, and same beginning if the list states one."""
    return stored.valid_to == listed.valid_to and (listed.valid_from is None or listed.valid_from == stored.valid_from)
