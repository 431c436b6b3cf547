"""Collect what a STIX 1 package says of each address, and then decide which addresses count: as what and for how long.

An address may stand inside an indicator, or in an observable that others refer to by its id. It counts for each indicator that
names it in one of these ways, with the title and validity of that indicator. What is negated, needs more than an address, or is a
victim's does not count; nor does an observable to which only such places refer.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from vedette.intel import Refusal
from vedette.intel.formats import Item
from vedette.intel.text import shortened

MOST_CONTEXTS = 16  # of one observable: different titles and validities
_UNREFERRED = "not applicable: nothing that refers to the observable accuses it by itself"

# Title, valid from, valid to.
Context = tuple[str, datetime | None, datetime | None]
ANYWHERE: Context = ("", None, None)


@dataclass(slots=True)
class Indicator:
    """What an indicator states about its addresses: its title, its validities, and why it does not count ("" if it does)."""

    title: str = ""
    positions: list[list[datetime | None]] = field(default_factory=list)
    reason: str = ""

    def contexts(self) -> list[Context]:
        """Return the title with each validity; none if the indicator does not count."""
        if self.reason:
            return []
        return [(self.title, begin, end) for begin, end in self.positions or [[None, None]]]


@dataclass(slots=True)
class Place:
    """A place that names an address (``text``) or refers to an observable (``target``).

    ``reason`` is why it does not count. ``observables`` are the ids of the observables around it.
    """

    line: int
    text: str = ""
    target: str = ""
    reason: str = ""
    indicator: Indicator | None = None
    observables: tuple[str, ...] = ()


def resolved(places: list[Place]) -> Iterator[Item | Refusal]:
    """Yield the addresses that count, once per title and validity, and refusals for the others."""
    referred = _contexts([place for place in places if place.target])
    for place in places:
        if place.target:
            continue
        contexts, reason = _of_place(place, referred)
        yield from (Item(place.line, place.text, *context) for context in contexts)
        if not contexts:
            yield Refusal(place.line, shortened(place.text), reason)


def _of_place(place: Place, referred: dict[str, dict[Context, None]]) -> tuple[list[Context], str]:
    """Return as what an address counts, or nothing and the reason."""
    names = [name for name in place.observables if name in referred]
    if place.indicator is not None:
        own, reason = place.indicator.contexts(), place.reason or place.indicator.reason
    else:
        own, reason = [] if names else [ANYWHERE], place.reason or _UNREFERRED
    if place.reason:
        return [], place.reason
    others = (context for name in names for context in referred[name])
    return list(dict.fromkeys((*own, *others)))[:MOST_CONTEXTS], reason


def _contexts(references: list[Place]) -> dict[str, dict[Context, None]]:
    """Return, for each observable that is referred to, as what it counts; nothing if no place that counts refers to it."""
    found: dict[str, dict[Context, None]] = {place.target: {} for place in references}
    inner: dict[str, list[str]] = defaultdict(list)
    waiting: deque[tuple[str, Context]] = deque()
    for place in references:
        if place.reason:
            continue
        if place.indicator is not None:
            waiting.extend((place.target, context) for context in place.indicator.contexts())
        elif any(name in found for name in place.observables):
            for name in place.observables:
                inner[name].append(place.target)
        else:
            waiting.append((place.target, ANYWHERE))
    while waiting:
        target, context = waiting.popleft()
        if context not in found[target] and len(found[target]) < MOST_CONTEXTS:
            found[target][context] = None
            waiting.extend((name, context) for name in inner[target])
    return found
