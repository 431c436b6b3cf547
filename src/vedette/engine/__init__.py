"""Engines read blobs into a spool and run the detections' SQL over slices of it.

An engine does two things. ``read`` turns blobs into pending parts (files of records that wait for their slice). ``step`` takes
what is pending before a moment, folds it into the state and returns what the detections saw. A crash leaves neither half done:
files are always new ones, and count only once the generation that names them is committed.

``step.Script`` is what both engines do in a step; an engine adapts its database to ``port.Port``.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

import pyarrow as pa

from vedette.clock import now
from vedette.epoch import microseconds
from vedette.findings import Sighting
from vedette.intel import ThreatList
from vedette.inventory import Inventory
from vedette.logs.blob import Blob
from vedette.logs.read_counts import Limits, ReadCounts
from vedette.logs.receipt import Receipt, Span
from vedette.logs.strays import Strays
from vedette.network.geo import Geo
from vedette.state_files.generation import Generation, Part
from vedette.state_files.location import StateLocation

# How a blob is read (``pipeline.reading.read_blob``); picklable. Yields names of tables with batches.
ReadBlob = Callable[[Blob, Limits, ReadCounts], Iterator[tuple[str, pa.RecordBatch]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPlan:
    """How blobs are read and where their records wait.

    ``tables`` are those that are kept; records of others are only counted. ``processes`` is how many read in parallel; 1 reads in
    this process. Records before ``since`` or at and after ``until`` are counted as outside and left out.
    A file of the spool is closed once it holds ``part_rows`` records.

    ``clock`` is the moment of the run, the same wherever it reads, ``lateness`` how much older than its delivery a record may be:
    records that are later than both allow are counted as from the future and left out (``engine.plausible``).
    """

    read: ReadBlob
    limits: Limits
    place: StateLocation
    tables: frozenset[str]
    processes: int
    since: datetime | None = None
    until: datetime | None = None
    part_rows: int = 262_144
    clock: datetime = field(default_factory=now)
    lateness: timedelta = timedelta(minutes=20)

    @property
    def span(self) -> Span:
        """The same span in microseconds since 1970."""
        since, until = (None if time is None else microseconds(time) for time in (self.since, self.until))
        return since, until


@dataclass(slots=True, kw_only=True)
class Reading:
    """The result of reading some blobs.

    ``receipts`` are those of blobs that were read, ``missed`` the names of blobs that another run must read (they could not be
    opened, or are wholly from the future), ``files`` the names of blobs that had problems, each with its reasons. Records of the
    ``future``, and those that are too ``early`` for their log, were left out.
    """

    parts: tuple[Part, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    missed: tuple[str, ...] = ()
    blobs: int = 0
    stored_bytes: int = 0
    records: Counter[str] = field(default_factory=Counter)
    bad: int = 0
    outside: int = 0
    future: Strays = field(default_factory=Strays)
    early: Strays = field(default_factory=Strays)
    nulled: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    files: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What the detections know beside the logs: lists, locations, the user's own networks, the AWS environment.

    ``public_ports`` are meant to answer the internet, on every instance.
    """

    lists: tuple[ThreatList, ...] = ()
    geo: Geo | None = None
    own_networks: tuple[str, ...] = ()
    inventory: Inventory | None = None
    public_ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What the detections saw in a step, and the generation after it.

    ``late`` counts records older than what was folded before, ``duplicates`` those that were dropped as copies, ``silenced``
    records that a trusted list kept from being findings (by the name of the list), ``ambiguous`` flow records that do not show
    who opened the conversation, ``evicted`` contacts that were too many to be remembered.
    """

    generation: Generation
    sightings: tuple[Sighting, ...]
    late: int = 0
    duplicates: int = 0
    ambiguous: int = 0
    evicted: int = 0
    silenced: Mapping[str, int] = field(default_factory=dict)


class Engine(Protocol):
    """An engine. One step is a pure function: (state, slice, knowledge) → (sightings, state').

    ``usual_slice`` is how many records of each table fill a step best.
    """

    usual_slice: ClassVar[Mapping[str, int]]

    @property
    def tables(self) -> frozenset[str]:
        """The record tables that the rules read; records of others need not be kept."""

    def read(self, blobs: Iterable[Blob], plan: ReadPlan) -> Iterator[Reading]:
        """Read blobs into pending parts, a ``Reading`` per group of them, in the order in which groups are done.

        Raises:
            EngineError: the processes that read died.
        """

    def step(self, generation: Generation, until: datetime | None) -> StepResult:
        """Run the detections over what is pending before ``until`` (exclusive; None takes all) and fold it.

        Raises:
            EngineError: the engine failed; the generation that was given is still whole.
        """

    def close(self) -> None:
        """Release files and processes."""
