"""Makes blobs from bytes and reads them, for tests of readers."""

import io
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from vedette.logs.blob import Blob
from vedette.pipeline.reading import read_blob
from vedette.readers import BATCH_ROWS, Limits, ReadCounts
from vedette.schema import TABLES

KEY = (
    "AWSLogs/123456789012/vpcflowlogs/eu-west-1/2024/05/06/"
    "123456789012_vpcflowlogs_eu-west-1_fl-0123456789abcdef0_20240506T0710Z_1a2b3c4d.log.gz"
)


@dataclass(frozen=True, slots=True)
class Read:
    """What reading a blob gave: its batches, the tables they belong to, and the counts."""

    batches: list[pa.RecordBatch]
    tables: set[str]
    counts: ReadCounts

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows as dicts; slow for many."""
        return [row for batch in self.batches for row in batch.to_pylist()]

    def column(self, name: str) -> list[Any]:
        """Return the values of one column."""
        return [value for batch in self.batches for value in batch.column(name).to_pylist()]


def blob_of(data: bytes, name: str = "some.log") -> Blob:
    return Blob(name=name, version="1", size=len(data), opener=partial(io.BytesIO, data))


def read_bytes(data: bytes, name: str = "some.log", limits: Limits | None = None) -> Read:
    return read_one(blob_of(data, name), limits)


def read_one(blob: Blob, limits: Limits | None = None) -> Read:
    """Read a blob, and check what is true of all batches."""
    counts = ReadCounts()
    tables, batches = set(), []
    for table, batch in read_blob(blob, limits or Limits(), counts):
        batch.validate(full=True)
        assert batch.schema.equals(TABLES[table])
        assert 0 < batch.num_rows <= BATCH_ROWS
        tables.add(table)
        batches.append(batch)
    assert counts.records == sum(batch.num_rows for batch in batches)
    assert counts.bad >= len(counts.problems)
    return Read(batches, tables, counts)


def count_rows(blob: Blob) -> tuple[int, ReadCounts]:
    """Read a blob in another process."""
    counts = ReadCounts()
    return sum(batch.num_rows for _, batch in read_blob(blob, Limits(), counts)), counts
