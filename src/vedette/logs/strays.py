"""Count records whose time is out of place, and keep the first of them: when they are dated, and the file that holds them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from vedette.epoch import moment

KEPT_STRAYS = 20


@dataclass(frozen=True, slots=True, order=True)
class Stray:
    """The first such record of a file: its time, and the name of the file."""

    time: datetime
    file: str


@dataclass(slots=True)
class Strays:
    """How many records are out of place, and the first ``KEPT_STRAYS`` of them, one of a file, in order of time.

    Adding up in any order gives the same.
    """

    count: int = 0
    first: list[Stray] = field(default_factory=list)

    def add(self, count: int, first_us: int, file: str) -> None:
        """Add the records of a file, the first of them at a time in microseconds since 1970 (shown as year 1 to 9999)."""
        self.count += count
        self._keep([Stray(moment(first_us), file)])

    def update(self, other: "Strays") -> None:
        """Add what was counted elsewhere."""
        self.count += other.count
        self._keep(other.first)

    def _keep(self, more: Iterable[Stray]) -> None:
        earliest: dict[str, Stray] = {}
        for stray in sorted((*self.first, *more)):
            earliest.setdefault(stray.file, stray)
        self.first = list(earliest.values())[:KEPT_STRAYS]
