"""Define the generation: the list of files that make up the current state, and the event time that the state has reached.

The store holds the newest generation. Committing it there makes its files valid; files that it does not name are left over from
a step that did not finish. No I/O here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import msgspec

from vedette.errors import StoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of a state table, or of pending records: read already, but newer than the watermark.

    ``path`` is relative to the state folder, with forward slashes. ``day`` is its partition, a number of days or hours since
    1970-01-01, or None for a table that is kept whole. ``first_us`` and ``last_us`` are the first and last event time of its rows
    in microseconds since 1970, or None if it has none. ``bins`` counts its rows per five minutes of event time, as pairs of bin
    number since 1970 and rows, in ascending order.
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
    """The state after a step: its number, the parts of each state table by name, and the parts of pending records.

    ``watermark`` is the event time up to which records are part of the state, None before the first step. ``counts`` are running
    totals by name.
    """

    number: int
    watermark: datetime | None = None
    states: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    pending: tuple[Part, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def files(self) -> set[str]:
        """Return the paths in use, relative to the state folder; every other file there may be removed."""
        return {part.path for parts in (*self.states.values(), self.pending) for part in parts}

    def to_json(self) -> str:
        """Return the generation as JSON with the watermark in UTC; equal generations give equal text.

        Raises:
            ValueError: the watermark has no time zone, which is a programming error.
        """
        watermark = self.watermark
        if watermark is not None and watermark.tzinfo is None:
            raise ValueError(f"generation {self.number}: the watermark {watermark} has no time zone")
        normal = replace(self, watermark=None if watermark is None else watermark.astimezone(UTC))
        return msgspec.json.encode(normal, order="deterministic").decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Generation":
        """Return the generation that ``to_json`` wrote as this text.

        Raises:
            StoreError: the text is not a generation.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            shown = text[:60] if isinstance(text, str) else text[:60].decode(errors="replace")
            raise StoreError(f"{shown!r} is not a generation ({error})") from error
