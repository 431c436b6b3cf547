"""Readers turn blobs into Arrow batches.

To add a log format, write one module here with the constant ``READER``. A reader

- says by name and first bytes whether a blob is its own (``sniff``; exclusive: no two readers claim one blob),
- yields record batches in one of the two schemas of ``schema.py``, at most ``BATCH_ROWS`` rows each,
- never raises anything but ``ReadError`` on any bytes; bad records are counted in the ``Tally`` with place and reason,
- reads each blob in bounded memory: decompression stops at ``Limits``.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import BinaryIO, cast

import pyarrow as pa

from vedette.blob import Blob
from vedette.registry import discover

BATCH_ROWS = 65_536
SNIFF_BYTES = 4_096
KEPT_PROBLEMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where decompression and nesting bombs are stopped, per blob."""

    max_bytes: int = 4 << 30
    max_ratio: int = 1_100  # deflate cannot exceed 1032:1; logs compress 10 to 40:1
    max_record_bytes: int = 16 << 20


@dataclass(frozen=True, slots=True)
class Problem:
    """A bad record or file: where it is and what is wrong with it."""

    place: str
    reason: str


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was met while a blob was read; added up over blobs for the run report.

    ``records`` counts the records yielded; ``bad`` those that could not be used; ``nulled`` how often a field held an
    impossible value and became null, by column; ``statuses`` flow records by log status (NODATA, SKIPDATA);
    ``skipped`` is the reason when the blob is no log at all (digest, insight, image …), else "".
    """

    records: int = 0
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)
    nulled: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    skipped: str = ""

    def reject(self, place: str, reason: str, count: int = 1) -> None:
        """Count ``count`` bad records and keep the first few with their place and reason."""
        self.bad += count
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(Problem(place, reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One log format.

    ``sniff(name, head)`` gets the blob's name and its first decompressed bytes (up to ``SNIFF_BYTES``).
    ``read(blob, stream, tally, limits)`` gets the decompressed stream, positioned at its start.
    """

    name: str
    table: str
    sniff: Callable[[str, bytes], bool]
    read: Callable[[Blob, BinaryIO, Tally, Limits], Iterator[pa.RecordBatch]]


@cache
def all_readers() -> dict[str, Reader]:
    """Return every reader by name."""
    return {name: cast("Reader", reader) for name, reader in discover(__name__, "READER")}
