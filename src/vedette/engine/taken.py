"""Leave out the records of a blob that were taken from it before, and write the receipt of what was taken."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vedette.logs.blob import Blob
from vedette.logs.read_counts import ReadCounts
from vedette.logs.receipt import ALWAYS, Receipt, Span, Taken, joined
from vedette.schema import IDENTITY, TIME_COLUMN

_HEX_DIGITS = 32


@dataclass(slots=True)
class Taking:
    """What is taken of one blob, whose batches are given in order. ``records`` counts those that it holds."""

    blob: Blob
    records: int = 0
    last: str = ""

    def new(self, table: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the records of a batch that were not taken before."""
        if not batch.num_rows:
            return batch
        first, self.records = self.records, self.records + batch.num_rows
        self.last = _identity(table, batch, batch.num_rows - 1)
        old = None
        for taken in self.blob.taken:
            count = _count(table, batch, first, taken)
            if count == batch.num_rows and taken.spans == ALWAYS:
                return batch.slice(batch.num_rows)
            inside = _within(batch[TIME_COLUMN[table]].slice(0, count), taken.spans)
            mask = pa.concat_arrays([inside, pa.repeat(pa.scalar(False), batch.num_rows - count)])  # noqa: FBT003 - Arrow's
            old = mask if old is None else pc.or_(old, mask)
        return batch if old is None or not pc.any(old).as_py() else batch.filter(pc.invert(old))

    def receipt(self, counts: ReadCounts, span: Span, left_out: int) -> Receipt:
        """Return the receipt of the whole blob, of which ``left_out`` records were not taken now or before.

        ``span`` is what was to be taken now.
        """
        before = [item for taken in self.blob.taken if taken.records is None for item in taken.spans]
        return Receipt(
            name=self.blob.name,
            version=self.blob.version,
            place=self.blob.place or self.blob.name,
            content=counts.content,
            records=self.records if counts.grows else None,
            last=self.last,
            spans=joined((span, *before)) if left_out else ALWAYS,
        )


def _count(table: str, batch: pa.RecordBatch, first: int, taken: Taken) -> int:
    """Return how many of the first records of a batch lie where records were taken before."""
    if taken.records is None:
        return batch.num_rows
    count = min(max(taken.records - first, 0), batch.num_rows)
    cut_off = count and count == taken.records - first and _identity(table, batch, count - 1) != taken.last
    return count - 1 if cut_off else count


def _identity(table: str, batch: pa.RecordBatch, row: int) -> str:
    names = (TIME_COLUMN[table], *IDENTITY[table])
    values = [batch.column(name)[row].as_py() for name in names]
    return sha256(json.dumps(values, default=str).encode()).hexdigest()[:_HEX_DIGITS]


def _within(times: "pa.Array[Any]", spans: Iterable[Span]) -> "pa.Array[Any]":
    """Tell of each time whether it lies in one of the spans; a record without a time is in none and in all, and is never kept."""
    microseconds = times.cast(pa.int64())
    found = pa.repeat(pa.scalar(False), len(times))  # noqa: FBT003 - Arrow's
    for since, until in spans:
        inside = pa.repeat(pa.scalar(True), len(times))  # noqa: FBT003
        if since is not None:
            inside = pc.and_(inside, pc.greater_equal(microseconds, pa.scalar(since)))
        if until is not None:
            inside = pc.and_(inside, pc.less(microseconds, pa.scalar(until)))
        found = pc.or_(found, inside)
    return found.fill_null(True)  # noqa: FBT003
