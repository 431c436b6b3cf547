"""Reads one blob, wherever it runs: opens it, inflates it, finds the reader that claims it, yields its batches."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, cast

from vedette.errors import ReadError
from vedette.logs.blob import Blob
from vedette.logs.content import Digested
from vedette.logs.inflate import GZIP_MAGIC, Rejoined, open_stream, read_up_to
from vedette.readers import SNIFF_BYTES, Limits, ReadCounts, Reader, all_readers

if TYPE_CHECKING:
    import pyarrow as pa

EMPTY = "is empty"
UNKNOWN = "is not a log of a known format"

_MAX_LAYERS = 2  # Firehose can compress what CloudWatch Logs has compressed already


def read_blob(blob: Blob, limits: Limits, counts: ReadCounts) -> Iterator[tuple[str, "pa.RecordBatch"]]:
    """Yield ``(table, batch)`` of each batch of ``blob``; count into ``counts`` what was met.

    A blob that holds no log yields nothing; ``counts.skipped`` says why.

    Raises:
        ReadError: the blob cannot be read at all; the message begins with its name.
        SourceError: the blob cannot be opened, or its place fails while it is read.
    """
    try:
        with closing(blob.open()) as opened:
            stored = Digested(opened)
            head, stream = _opened(cast("BinaryIO", stored), limits)
            reader = _claimed(blob.name, head, counts)
            if reader is not None:
                for batch in reader.read(blob, stream, counts, limits):
                    yield reader.table, batch
                if not counts.skipped:
                    counts.content = stored.content(limits.max_bytes)
    except ReadError as error:
        raise ReadError(f"{blob.name}: {error}") from error


def _opened(stored: BinaryIO, limits: Limits) -> tuple[bytes, BinaryIO]:
    """Return the first bytes of the text, and the text from its start."""
    stream = stored
    for _ in range(_MAX_LAYERS):
        stream = open_stream(stream, limits)
        head = read_up_to(stream, SNIFF_BYTES)
        stream = cast("BinaryIO", Rejoined(head, stream))
        if not head.startswith(GZIP_MAGIC):
            break
    return head, stream


def _claimed(name: str, head: bytes, counts: ReadCounts) -> Reader | None:
    if not head:
        counts.skipped = EMPTY
        return None
    claims = [reader for reader in all_readers().values() if reader.sniff(name, head)]
    if len(claims) > 1:
        raise ReadError(f"the readers {' and '.join(reader.name for reader in claims)} both claim it")
    if not claims:
        counts.skipped = UNKNOWN
        return None
    return claims[0]
