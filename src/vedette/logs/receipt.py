"""Define the receipt: what is remembered of a blob that was read, so that none of its records is taken twice or left out.

A blob is known again by its bytes, whatever its name: by all of them, or by its beginning, if it has grown since.
"""

from collections.abc import Iterable
from dataclasses import dataclass

# A part of event time, from its first microsecond since 1970 to the one after its last; None leaves an end open.
Span = tuple[int | None, int | None]

ALWAYS: tuple[Span, ...] = ((None, None),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Stored bytes: how many, their SHA-256, and the digest of their beginning (``content.head``)."""

    size: int
    digest: str
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Records that were taken from a blob before: of its first ``records`` (None: of all) those of ``spans``.

    ``last`` is the digest of the last of these records. If it was cut off when it was read, the blob has another one there now.
    """

    records: int | None = None
    last: str = ""
    spans: tuple[Span, ...] = ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What is remembered of a blob: its name and version, what was read, and which of its records were taken.

    ``place`` is its path with links resolved, or its name where it is no file of this machine. ``content`` is None if it was
    no log. ``records`` is how many it held, None if a blob that begins with these bytes need not begin with these records;
    ``last`` is the digest of the last record. The records of ``spans`` were taken.
    """

    name: str
    version: str
    place: str = ""
    content: Content | None = None
    records: int | None = None
    last: str = ""
    spans: tuple[Span, ...] = ALWAYS


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return spans in order, those that meet made one."""
    result: list[Span] = []
    for since, until in sorted(spans, key=lambda span: (span[0] is not None, span[0] or 0)):
        if since is not None and until is not None and since >= until:
            continue
        if result and (result[-1][1] is None or since is None or since <= result[-1][1]):
            first, last = result.pop()
            result.append((first, None if last is None or until is None else max(last, until)))
        else:
            result.append((since, until))
    return tuple(result)


def covers(spans: Iterable[Span], wanted: Span) -> bool:
    """Tell whether spans hold every moment of another."""
    whole = joined(spans)
    return joined((*whole, wanted)) == whole
