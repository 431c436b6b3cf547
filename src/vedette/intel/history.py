"""Import a new version of a list as a diff: old entries are closed, never overwritten, so that events match as of their time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from vedette.intel import Entry, Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """All entries of a list after an import, open and closed, and those that the import opened, closed and kept (a number)."""

    entries: tuple[Entry, ...]
    opened: tuple[Entry, ...]
    closed: tuple[Entry, ...]
    kept: int


def diff(previous: Iterable[Entry], new: Iterable[Entry], at: datetime) -> Change:
    """Return a list's entries after importing ``new`` at the time ``at`` over the stored ``previous`` ones.

    - Closed entries stay as they are: they are the history.
    - An open entry whose network is still listed stays as it is, with its first line and category.
    - An entry that vanished, or whose validity was changed by the list, is closed: ``valid_to`` = ``at``.
    - A new entry is valid from the time that the list states, else from ``at``. On the first import (``previous`` is empty) its
      beginning stays open, because it is unknown since when the network has been listed.
    """
    before = tuple(previous)
    listed: dict[Network, list[Entry]] = {}
    for entry in new:
        listed.setdefault(entry.network, []).append(entry)
    after: list[Entry] = []
    closed: list[Entry] = []
    kept = 0
    for entry in before:
        candidates = listed.get(entry.network, [])
        same = next((item for item in candidates if _continues(entry, item)), None)
        if entry.valid_to is not None and entry.valid_to <= at:
            after.append(entry)
            if same is not None:  # still listed with this end, so it is not new
                candidates.remove(same)
        elif same is None:
            ended = replace(entry, valid_to=at)
            after.append(ended)
            closed.append(ended)
        else:
            candidates.remove(same)
            after.append(entry)
            kept += 1
    start = at if before else None
    opened = tuple(replace(item, valid_from=item.valid_from or start) for items in listed.values() for item in items)
    return Change(entries=(*after, *opened), opened=opened, closed=tuple(closed), kept=kept)


def _continues(stored: Entry, listed: Entry) -> bool:
    """Tell whether a listed entry is the stored one: it has the same end, and the same beginning if the list states one."""
    return stored.valid_to == listed.valid_to and (listed.valid_from is None or listed.valid_from == stored.valid_from)
