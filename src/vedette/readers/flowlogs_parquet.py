"""Read VPC Flow Logs in Parquet, one row group at a time; columns may have either spelling and any type.

Parquet is read from its end, so the bytes of the stream are spooled first: to memory if they are few, else to a file.
"""

import shutil
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, BinaryIO

import pyarrow as pa

from vedette.errors import ReadError, SourceError
from vedette.logs.blob import Blob, key_facts
from vedette.logs.flow.batch import FlowBatches, numbered
from vedette.logs.flow.fields import layout_of
from vedette.logs.flow.values import Converter
from vedette.readers import BATCH_ROWS, Limits, ReadCounts, Reader

if TYPE_CHECKING:
    from pyarrow import parquet

_MAGIC = b"PAR1"
_SPOOLED_BYTES = 128 << 20
_COPIED_BYTES = 1 << 20
_LEAST_ROW_BYTES = 8  # a file that claims more rows than fit into max_bytes is a run-length bomb
_DISTINCTIVE_COLUMNS = frozenset(("src_address", "dst_address", "packet_src_address", "interface_id"))
_ERRORS = (pa.ArrowException, OSError, ValueError, LookupError, TypeError)  # what pyarrow raises on damaged files


def sniff(name: str, head: bytes) -> bool:  # noqa: ARG001 - the columns are listed at the end: ``read`` skips other files
    """Tell whether a blob is a Parquet file."""
    return head.startswith(_MAGIC)


def read(blob: Blob, stream: BinaryIO, counts: ReadCounts, limits: Limits) -> Iterator[pa.RecordBatch]:
    """Yield the records of ``blob`` in batches of ``schema.FLOWS``, in the order of the file.

    Raises:
        ReadError: the blob is not a readable Parquet file, or it exceeds ``limits``.
        SourceError: its bytes cannot be spooled, for example because the disk is full.
    """
    counts.grows = False  # its last bytes say where its records are
    with SpooledTemporaryFile(max_size=_SPOOLED_BYTES) as spool:
        try:
            shutil.copyfileobj(stream, spool, _COPIED_BYTES)
        except OSError as error:
            raise SourceError(f"the bytes of a Parquet file cannot be spooled: {error}") from error
        file = _opened(spool, limits)
        names = _used_columns(file.schema_arrow)
        if _DISTINCTIVE_COLUMNS.isdisjoint(names):
            counts.skipped = "a Parquet file without the columns of flow logs"
            return
        yield from _read_groups(blob, file, names, counts)


def _opened(spool: IO[bytes], limits: Limits) -> "parquet.ParquetFile":
    from pyarrow import parquet  # noqa: PLC0415 - the import takes a third of a worker's start-up time

    try:
        file = parquet.ParquetFile(spool)
        metadata = file.metadata
        size = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
        texts = [item.name for item in file.schema_arrow if pa.types.is_string(item.type)]
        file = parquet.ParquetFile(spool, metadata=metadata, read_dictionary=texts)
    except _ERRORS as error:
        raise ReadError(f"not a readable Parquet file: {_sentence(error)}") from error
    if size > limits.max_bytes:
        raise ReadError(f"the Parquet file holds {size} bytes, more than {limits.max_bytes} (limit max_blob_bytes)")
    if size > limits.max_ratio * spool.tell() and size > limits.max_ratio * spool.seek(0, 2):
        raise ReadError(f"the Parquet file holds more than {limits.max_ratio} bytes for each stored byte (limit max_ratio)")
    if metadata.num_rows * _LEAST_ROW_BYTES > limits.max_bytes:
        raise ReadError(
            f"the Parquet file claims {metadata.num_rows} rows, more than {limits.max_bytes} bytes hold (limit max_blob_bytes)"
        )
    return file


def _used_columns(schema: pa.Schema) -> dict[str, str]:
    """Return the columns of ``schema.FLOWS`` that a file has, mapped to their names in the file."""
    columns = layout_of(schema.names).columns
    return {column: name for column, name in zip(columns, schema.names, strict=True) if column}


def _read_groups(blob: Blob, file: "parquet.ParquetFile", names: dict[str, str], counts: ReadCounts) -> Iterator[pa.RecordBatch]:
    converter = Converter(counts.nulled)
    batches = FlowBatches(
        object_name=blob.name,
        facts=key_facts(blob.name),
        nulled=counts.nulled,
        statuses=counts.statuses,
    )
    first = 0
    for group in range(file.metadata.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        done = 0
        parts = file.iter_batches(BATCH_ROWS, row_groups=[group], columns=list(names.values()), use_threads=False)
        while True:
            try:
                part = next(parts, None)
                if part is None:
                    break
                columns = converter.columns({column: part.column(name) for column, name in names.items()})
            except _ERRORS as error:
                counts.reject(f"row group {group}, from row {first + done}", _sentence(error), max(1, rows - done))
                break
            positions = numbered(first + done, part.num_rows)
            done += part.num_rows
            counts.records += part.num_rows
            yield from batches.cut(columns, positions, BATCH_ROWS)
        first += rows


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


READER = Reader(name="flowlogs_parquet", table="flows", sniff=sniff, read=read)
