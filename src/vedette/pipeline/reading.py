"""Reads one blob, wherever it runs: opens it, inflates it, finds the reader that claims it, yields its batches."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, cast

from vedette.errors import ReadError
from vedette.logs.blob import Blob
from vedette.logs.content import Digested
from vedette.logs.inflate import Inflated, Rejoined, is_like_gzip, open_stream, read_up_to, resume
from vedette.readers import SNIFF_BYTES, Limits, ReadCounts, Reader, all_readers

if TYPE_CHECKING:
    import pyarrow as pa

EMPTY = "is empty"
UNKNOWN = "is not a log of a known format"

_BLOCK_BYTES = 64 << 10
_LOOKED_THROUGH_BLOCKS = 16
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
            reader, stream = _opened(blob.name, cast("BinaryIO", stored), limits, counts)
            if reader is not None:
                for batch in reader.read(blob, stream, counts, limits):
                    yield reader.table, batch
                if not counts.skipped:
                    counts.content = stored.content(limits.max_bytes)
    except ReadError as error:
        raise ReadError(f"{blob.name}: {error}") from error


def _opened(name: str, stored: BinaryIO, limits: Limits, counts: ReadCounts) -> tuple[Reader | None, BinaryIO]:
    """Return the reader of a text, and the text from its start, or from the first place behind damage where it is recognised."""
    stream, layers = open_stream(stored, limits), 1
    while True:
        head = _head(stream, counts)
        if is_like_gzip(head) and layers < _MAX_LAYERS:
            stream, layers = open_stream(cast("BinaryIO", Rejoined(head, stream)), limits), layers + 1
            continue
        if (reader := _claimed(name, head)) is not None:
            if isinstance(stream, Inflated):
                stream.holds_gzip = False
            return reader, cast("BinaryIO", Rejoined(head, stream))
        failure = _failure(stream) if isinstance(stream, Inflated) else ""
        if not failure or not resume(stream):
            break
        counts.reject("start of file", failure)
    if layers == 1 and name.endswith(".gz") and not isinstance(stream, Inflated):
        return _opened_behind(name, cast("BinaryIO", Rejoined(head, stream)), limits, counts)
    counts.skipped = EMPTY if not head else f"{UNKNOWN}: {failure}" if failure else UNKNOWN
    return None, stream


def _opened_behind(name: str, stored: BinaryIO, limits: Limits, counts: ReadCounts) -> tuple[Reader | None, BinaryIO]:
    """Return the same for what is named as gzip data, but does not begin so: their start may be lost."""
    inflated = cast("BinaryIO", Inflated(stored, limits))
    try:
        head = _head(inflated, counts)
    except ReadError:
        counts.skipped = UNKNOWN
        return None, stored
    return _opened(f"{name}, behind its start", cast("BinaryIO", Rejoined(head, inflated)), limits, counts)


def _head(stream: BinaryIO, counts: ReadCounts) -> bytes:
    """Return the first bytes of a text, behind damage if it begins with that; raise what was wrong if nothing follows."""
    first: ReadError | None = None
    while True:
        try:
            return read_up_to(stream, SNIFF_BYTES)
        except ReadError as error:
            first = first or error
            if not resume(stream):
                raise first from error
            counts.reject("start of file", str(error))


def _claimed(name: str, head: bytes) -> Reader | None:
    claims = [reader for reader in all_readers().values() if reader.sniff(name, head)] if head else []
    if len(claims) > 1:
        raise ReadError(f"the readers {' and '.join(reader.name for reader in claims)} both claim it")
    return claims[0] if claims else None


def _failure(stream: BinaryIO) -> str:
    """Return why a text that is not recognised cannot be read on, "" if it ends, or goes on for long."""
    try:
        for _ in range(_LOOKED_THROUGH_BLOCKS):
            if not stream.read(_BLOCK_BYTES):
                break
    except ReadError as error:
        return str(error)
    return ""
