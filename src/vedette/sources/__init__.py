"""List the blobs of a location, with one source per kind of storage.

To add one, write a module here with the constant ``SOURCE``. A source owns one or more URL schemes ("" is a plain path).
A source that is not in AWS ignores the connection.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import cast
from urllib.parse import urlsplit

from vedette.aws import DEFAULT_CONNECTION, Connection
from vedette.errors import ConfigurationError
from vedette.logs.blob import Blob, delivery
from vedette.registry import discover

# The longest time from an event to the delivery of its record (methods 7: usually minutes, hours after a fault).
DELIVERY_ALLOWANCE = timedelta(days=1)
MOST_BYTES = 4 << 30  # of a stream, which is copied before it is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span of event time, from ``since`` (inclusive) to ``until`` (exclusive); None leaves an end open."""

    since: datetime | None = None
    until: datetime | None = None

    def admits(self, name: str) -> bool:
        """Tell whether a log file with this name may hold records of the span, judging by AWS's layout of names.

        A file holds events from at most ``DELIVERY_ALLOWANCE`` before its delivery. The folder of a day or an hour gives only
        that. A file whose name is in none of AWS's layouts may hold anything, whatever dates the user's own folders bear.
        """
        found = delivery(name)
        if found is None:
            return True
        # The minute in a file's name is that of its delivery give or take: an hour more costs nothing.
        delivered_before = max(found.end, found.begin + timedelta(hours=1))
        too_early = self.since is not None and delivered_before <= self.since
        too_late = self.until is not None and found.begin >= self.until + DELIVERY_ALLOWANCE
        return not (too_early or too_late)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One kind of storage that holds blobs.

    ``blobs(location, span, connection, most_bytes)`` lists the blobs of a location in the order of their names, without those
    whose names ``span.admits`` rejects. A stream that does not end within ``most_bytes`` cannot be listed.

    Raises (from ``blobs``):
        SourceError: the location cannot be listed; the message is one sentence that shows the location.
        NothingToReadError: it can be listed, but holds nothing, or nothing that may belong to the span.
    """

    schemes: tuple[str, ...]
    blobs: Callable[[str, Span, Connection, int], Iterator[Blob]]


@cache
def all_sources() -> dict[str, Source]:
    """Return every source by URL scheme."""
    sources = (cast("Source", source) for _, source in discover(__name__, "SOURCE"))
    return {scheme: source for source in sources for scheme in source.schemes}


def list_blobs(
    location: str, span: Span, connection: Connection = DEFAULT_CONNECTION, most_bytes: int = MOST_BYTES
) -> Iterator[Blob]:
    """List the blobs of any location, with the source that owns its scheme.

    Raises:
        ConfigurationError: no source owns the location's scheme.
        SourceError: see ``Source``.
        NothingToReadError: see ``Source``.
    """
    scheme = urlsplit(location).scheme if "://" in location else ""
    source = all_sources().get(scheme)
    if source is None:
        known = ", ".join(sorted(f"{name}://" for name in all_sources() if name))
        raise ConfigurationError(f"{location!r} has an unknown scheme: give a path, - (standard input) or a URL of {known}")
    return source.blobs(location, span, connection, most_bytes)
