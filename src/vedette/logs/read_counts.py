"""Count what is found while a blob is read, and define the limits at which reading stops."""

from collections import Counter
from dataclasses import dataclass, field

from vedette.logs.receipt import Content

KEPT_PROBLEMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits per blob that stop decompression bombs and oversized records."""

    max_bytes: int = 4 << 30
    max_ratio: int = 1_100  # deflate cannot exceed 1032:1; logs compress 10 to 40:1
    max_record_bytes: int = 16 << 20


@dataclass(frozen=True, slots=True)
class Problem:
    """A bad record or file: its place and what is wrong with it."""

    place: str
    reason: str


@dataclass(slots=True, kw_only=True)
class ReadCounts:
    """Counts of what was found while a blob was read; the run report adds them up over all blobs.

    ``records`` counts the records yielded; ``bad`` those that could not be used; ``nulled``, per column, how often a field held
    an impossible value and became null; ``statuses`` flow records per log status (NODATA, SKIPDATA);
    ``skipped`` is the reason if the blob is not a log at all (digest, insight, image …), else "". ``content`` are the bytes that
    were read, if they are known. ``grows`` is false if more bytes at the end make another blob of this one (Parquet).
    """

    records: int = 0
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)
    nulled: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    skipped: str = ""
    content: Content | None = None
    grows: bool = True

    def reject(self, place: str, reason: str, count: int = 1) -> None:
        """Count ``count`` bad records; of the first ``KEPT_PROBLEMS`` calls, keep the place and reason."""
        self.bad += count
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(Problem(place, reason))
