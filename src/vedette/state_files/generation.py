"""A generation: which files of remembered tables and waiting records are the present state, and up to where it was folded.

The store holds the newest one. Writing it is what makes its files count: files that it does not name are left over from a step
that did not finish. No I/O here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import msgspec

from vedette.errors import StoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of a state table, or of records that wait for their time.

    ``path`` is relative to the state folder, with forward slashes. ``day`` is its partition, a number of days or hours since
    1970-01-01, None for a table that is kept whole. ``first_us`` and ``last_us`` are the event times of its rows in microseconds
    since 1970, None where it has none. ``bins`` counts its rows by five minutes of event time: (number of the bin since 1970,
    rows), in order.
    """

    path: str
    table: str
    day: int | None
    rows: int
    first_us: int | None = None
    last_us: int | None = None
    bins: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """The state after a step: its number, the parts of each state table by name, and the parts that wait.

    ``watermark`` is the event time up to which records were folded, None before the first. ``counts`` are running totals by name.
    """

    number: int
    watermark: datetime | None = None
    states: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    pending: tuple[Part, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def files(self) -> set[str]:
        """Return the paths that are in use, relative to the state folder; every other file there may be swept."""
        return {part.path for parts in (*self.states.values(), self.pending) for part in parts}

    def to_json(self) -> str:
        """Write it as JSON, always the same text for the same generation; the watermark is written in UTC.

        Raises:
            ValueError: the watermark has no time zone; that is a fault of the code.
        """
        watermark = self.watermark
        if watermark is not None and watermark.tzinfo is None:
            raise ValueError(f"generation {self.number}: the watermark {watermark} has no time zone")
        normal = replace(self, watermark=None if watermark is None else watermark.astimezone(UTC))
        return msgspec.json.encode(normal, order="deterministic").decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Generation":
        """Read what ``to_json`` wrote.

        Raises:
            StoreError: the text is no generation.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except (msgspec.MsgspecError, UnicodeError) as error:
            shown = text[:60] if isinstance(text, str) else text[:60].decode(errors="replace")
            raise StoreError(f"{shown!r} is no generation ({error})") from error
