"""Sources list blobs.

To add one, write a module here with the constant ``SOURCE``. A source owns one or more URL schemes ("" is a plain path).
A source that is not in AWS takes no notice of the connection.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import cast
from urllib.parse import urlsplit

from vedette.aws import USUAL, Connection
from vedette.errors import ConfigurationError
from vedette.logs.blob import Blob, key_facts
from vedette.registry import discover

# How long after an event the file with its record may still be delivered (methods 7: usually minutes, after a fault hours).
DELIVERY_ALLOWANCE = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span of event time, from (inclusive) to (exclusive); None leaves an end open."""

    since: datetime | None = None
    until: datetime | None = None

    def admits(self, name: str) -> bool:
        """Say whether a log file of that name may hold records of the span, as far as its name in AWS's layout tells.

        A file holds what happened before its delivery, by at most ``DELIVERY_ALLOWANCE``. Of the folder of a day or an hour
        is known when it begins. A name in no layout of AWS's may hold anything.
        """
        facts = key_facts(name)
        if facts.account_id is None or facts.delivered_at is None:
            return True
        whole_day = (facts.delivered_at.hour, facts.delivered_at.minute) == (0, 0)
        delivered_before = facts.delivered_at + (timedelta(days=1) if whole_day else timedelta(hours=1))
        too_early = self.since is not None and delivered_before <= self.since
        too_late = self.until is not None and facts.delivered_at >= self.until + DELIVERY_ALLOWANCE
        return not (too_early or too_late)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One kind of place that holds blobs.

    ``blobs(location, span, connection)`` lists the blobs of a location in order of their names, left out those that the span
    does not admit by their names.

    Raises (from ``blobs``):
        SourceError: the location cannot be listed; one sentence that shows it.
        NothingToReadError: it can, and holds nothing, or nothing of the span.
    """

    schemes: tuple[str, ...]
    blobs: Callable[[str, Span, Connection], Iterator[Blob]]


@cache
def all_sources() -> dict[str, Source]:
    """Return every source by URL scheme."""
    sources = (cast("Source", source) for _, source in discover(__name__, "SOURCE"))
    return {scheme: source for source in sources for scheme in source.schemes}


def list_blobs(location: str, span: Span, connection: Connection = USUAL) -> Iterator[Blob]:
    """List the blobs of any location.

    Raises:
        ConfigurationError: no source owns the location's scheme.
        SourceError: see ``Source``.
    """
    scheme = urlsplit(location).scheme if "://" in location else ""
    source = all_sources().get(scheme)
    if source is None:
        known = ", ".join(sorted(f"{name}://" for name in all_sources() if name))
        raise ConfigurationError(f"no source reads {location!r}; known are paths, - (standard input) and {known}")
    return source.blobs(location, span, connection)
