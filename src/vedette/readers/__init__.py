"""Read blobs into Arrow batches, with one reader per log format.

To add a log format, write one module here with the constant ``READER``. A reader

- decides by a blob's name and first bytes whether it reads that blob (``sniff``; no two readers may claim the same blob),
- yields record batches in one of the two schemas of ``schema.py``, of at most ``BATCH_ROWS`` rows each,
- raises nothing but ``ReadError``, whatever the bytes; bad records are counted in the ``ReadCounts`` with place and reason,
- reads each blob in bounded memory: decompression stops at ``Limits``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, cast

import pyarrow as pa

from vedette.logs.blob import Blob
from vedette.logs.read_counts import Limits, Problem, ReadCounts
from vedette.registry import discover

__all__ = ["BATCH_ROWS", "SNIFF_BYTES", "Limits", "Problem", "ReadCounts", "Reader", "all_readers"]

BATCH_ROWS = 65_536
SNIFF_BYTES = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The reader of one log format, whose records go to the table ``table``.

    ``sniff(name, head)`` gets the blob's name and its first decompressed bytes (up to ``SNIFF_BYTES``).
    ``read(blob, stream, counts, limits)`` gets the decompressed stream, positioned at its start.
    """

    name: str
    table: str
    sniff: Callable[[str, bytes], bool]
    read: Callable[[Blob, BinaryIO, ReadCounts, Limits], Iterator[pa.RecordBatch]]


@cache
def all_readers() -> dict[str, Reader]:
    """Return every reader by name."""
    return {name: cast("Reader", reader) for name, reader in discover(__name__, "READER")}
