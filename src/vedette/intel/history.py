"""Import a new version of a list as a diff, so that events match as of their time: what was in force is never taken back.

The validity of a network is a set of periods, one entry each. A period that the list goes on with stays one entry, whose end
follows the list's; what vanishes ends, and stays stored as history.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from vedette.intel import Entry, Network

_PAST = datetime.min.replace(tzinfo=UTC)
_FUTURE = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """All entries of a list after an import, open and closed, and those that the import opened, closed and kept (a number)."""

    entries: tuple[Entry, ...]
    opened: tuple[Entry, ...]
    closed: tuple[Entry, ...]
    kept: int


def diff(previous: Iterable[Entry], new: Iterable[Entry], at: datetime, *, first: bool | None = None) -> Change:
    """Return a list's entries after importing ``new`` at the time ``at`` over the stored ``previous`` ones.

    - An entry whose network is still listed, for a period that touches its own, stays, with its first line and category. Its end
      is the one that the list states now, but not before ``at``: until then it was in force. The earlier beginning counts.
    - An entry that vanished is closed: ``valid_to`` = ``at``. One that was to begin later is forgotten.
    - Closed entries stay as they are: they are the history. One is left out only if another entry of its network and category
      contains its period, so that a list whose ends slide does not gain an entry per import.
    - A new entry is valid from the time that the list states, else from ``at``. On the first import (``first``, by default if
      ``previous`` is empty) its beginning stays open, because it is unknown since when the network has been listed.
    """
    before = tuple(previous)
    started = None if (not before if first is None else first) else at
    listed: dict[Network, list[Entry]] = {}
    for entry in new:
        listed.setdefault(entry.network, []).append(entry)
    places: dict[Network, list[int]] = {}
    for place, entry in enumerate(before):
        places.setdefault(entry.network, []).append(place)
    after: list[Entry | None] = [*before]
    opened: list[Entry] = []
    closed: list[Entry] = []
    kept = 0
    for network, some in places.items():
        candidates = listed.pop(network, [])
        partners = _partners([before[place] for place in some], candidates, at)
        stored: dict[int, Entry] = {}
        for place, partner in zip(some, partners, strict=True):
            after[place] = result = _continued(before[place], partner, at)
            if result is not None:
                stored[place] = result
            if result is not None and partner is None and _runs(before[place], at):
                closed.append(result)
            kept += partner is not None and _runs(before[place], at)
        added = _begun(candidates, at, stored.values())
        opened += added
        for place in _contained(stored, added, at):
            after[place] = None
    for items in listed.values():
        opened += items if started is None else _begun(items, at, [])
    entries = (*(entry for entry in after if entry is not None), *opened)
    return Change(entries=entries, opened=tuple(opened), closed=tuple(closed), kept=kept)


def _partners(stored: Sequence[Entry], candidates: list[Entry], at: datetime) -> list[Entry | None]:
    """Return the listed entry with which each stored one of the same network goes on; remove these from ``candidates``."""
    found: list[Entry | None] = [None] * len(stored)
    running = [place for place, entry in enumerate(stored) if _runs(entry, at)]
    ended = sorted(set(range(len(stored))) - {*running}, key=lambda place: _end(stored[place]), reverse=True)

    def pair(places: Iterable[int], fits: Callable[[Entry, Entry], bool]) -> None:
        for place in places:
            if found[place] is None and candidates:
                partner = next((item for item in candidates if fits(stored[place], item)), None)
                if partner is not None:
                    candidates.remove(partner)
                    found[place] = partner

    pair((*running, *ended), _is_same)
    pair(running, lambda entry, item: _runs(item, at) and _touches(entry, item, at) and entry.category == item.category)
    pair(running, lambda entry, item: _runs(item, at) and _touches(entry, item, at))
    pair((*running, *ended), lambda entry, item: _touches(entry, item, at) and entry.category == item.category)
    pair((*running, *ended), lambda entry, item: _touches(entry, item, at))
    return found


def _is_same(stored: Entry, listed: Entry) -> bool:
    """Tell whether a listed entry is the stored one: it has the same end, and the same beginning if the list states one."""
    return stored.valid_to == listed.valid_to and (listed.valid_from is None or listed.valid_from == stored.valid_from)


def _touches(stored: Entry, listed: Entry, at: datetime) -> bool:
    """Tell whether the period of a listed entry and that of a stored one, as far as it came, are one period."""
    if listed.valid_from is None and _runs(listed, at):  # it is listed now
        return _end(stored) >= at
    until = min(_end(stored), at) if _runs(stored, at) else _end(stored)
    return _begin(listed) <= max(until, _begin(stored)) and _begin(stored) <= _end(listed)


def _continued(stored: Entry, listed: Entry | None, at: datetime) -> Entry | None:
    """Return a stored entry after the import; None if it is forgotten, because it never was in force."""
    future = _begin(stored) > at
    if listed is None:
        if not _runs(stored, at):
            return stored
        return None if future else replace(stored, valid_to=at)
    begin = min(stored.valid_from, listed.valid_from or (at if future else stored.valid_from)) if stored.valid_from else None
    if _runs(listed, at):
        end = listed.valid_to
    elif _runs(stored, at):
        end = listed.valid_to if future else at
    else:
        end = stored.valid_to if listed.valid_from is None else max(_end(stored), _end(listed))
    return replace(stored, valid_from=begin, valid_to=end)


def _begun(items: Iterable[Entry], at: datetime, stored: Collection[Entry]) -> list[Entry]:
    """Return new entries with their beginnings, without those that ended before and say nothing new."""
    begun = (replace(item, valid_from=item.valid_from or at) for item in items)
    return [
        item
        for item in begun
        if _begin(item) <= _end(item) and (_runs(item, at) or not any(_contains(entry, item) for entry in stored))
    ]


def _contained(entries: dict[int, Entry], added: Sequence[Entry], at: datetime) -> list[int]:
    """Return the places of the entries that ended and whose period one that runs contains, of the same category."""
    running = [entry for entry in (*entries.values(), *added) if _runs(entry, at)]
    return [
        place
        for place, entry in entries.items()
        if not _runs(entry, at) and any(other.category == entry.category and _contains(other, entry) for other in running)
    ]


def _contains(outer: Entry, inner: Entry) -> bool:
    return _begin(outer) <= _begin(inner) and _end(inner) <= _end(outer)


def _runs(entry: Entry, at: datetime) -> bool:
    """Tell whether an entry has not ended yet."""
    return entry.valid_to is None or entry.valid_to > at


def _begin(entry: Entry) -> datetime:
    return entry.valid_from or _PAST


def _end(entry: Entry) -> datetime:
    return entry.valid_to or _FUTURE
