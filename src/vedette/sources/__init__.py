"""Sources list blobs.

To add one, write a module here with the constant ``SOURCE``. A source owns one or more URL schemes ("" is a plain path).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import cast
from urllib.parse import urlsplit

from vedette.blob import Blob
from vedette.errors import ConfigurationError
from vedette.registry import discover


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span of event time, from (inclusive) to (exclusive); None leaves an end open."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One kind of place that holds blobs.

    ``blobs(location, span)`` lists the blobs of a location in order of their names, left out those whose key says that
    they cannot hold records of the span.

    Raises (from ``blobs``):
        SourceError: the location cannot be listed; one sentence that shows it.
        NothingToReadError: it can, and holds nothing.
    """

    schemes: tuple[str, ...]
    blobs: Callable[[str, Span], Iterator[Blob]]


@cache
def all_sources() -> dict[str, Source]:
    """Return every source by URL scheme."""
    sources = (cast("Source", source) for _, source in discover(__name__, "SOURCE"))
    return {scheme: source for source in sources for scheme in source.schemes}


def list_blobs(location: str, span: Span) -> Iterator[Blob]:
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
    return source.blobs(location, span)
