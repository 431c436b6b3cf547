"""Read VPC Flow Logs as text: with a header line in any format, or without one in the default format."""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from vedette.logs.blob import Blob, key_facts
from vedette.logs.flow.batch import FlowBatches
from vedette.logs.flow.fields import DEFAULT, first_lines, header_layout, is_default_record
from vedette.logs.flow.text import FlowParser, parse_lines
from vedette.logs.lines import LineReader
from vedette.readers import BATCH_ROWS, Limits, ReadCounts, Reader

_OTHER_FORMATS = (b"{", b"[", b"PAR1")  # beginnings of formats that may contain such lines


def sniff(name: str, head: bytes) -> bool:  # noqa: ARG001 - the first lines are enough
    """Tell whether a text begins with a header line of flow logs, or with records of the default format."""
    lines = list(first_lines(head))
    if not lines or lines[0].startswith(_OTHER_FORMATS):
        return False
    if header_layout(lines[0]) is not None or is_default_record(lines[0]):
        return True
    return sum(map(is_default_record, lines)) * 2 >= len(lines)


def read(blob: Blob, stream: BinaryIO, counts: ReadCounts, limits: Limits) -> Iterator[pa.RecordBatch]:
    """Yield the records of ``blob`` in batches of ``schema.FLOWS``, in the order of the file.

    Raises:
        ReadError: the stream fails before any byte is read.
    """
    parser = FlowParser(DEFAULT, counts.reject, counts.nulled)
    batches = FlowBatches(
        object_name=blob.name,
        facts=key_facts(blob.name),
        nulled=counts.nulled,
        statuses=counts.statuses,
    )
    for rows in parse_lines(LineReader(stream, limits.max_record_bytes), parser, BATCH_ROWS):
        counts.records += len(rows.positions)
        yield from batches.cut(rows.columns, rows.positions, BATCH_ROWS)


READER = Reader(name="flowlogs_text", table="flows", sniff=sniff, read=read)
