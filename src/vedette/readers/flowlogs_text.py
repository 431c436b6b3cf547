"""VPC Flow Logs as text: with a header line in any format, or without one in the default format."""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from vedette.blob import Blob, key_facts
from vedette.flow_batch import FlowBatches
from vedette.flow_fields import DEFAULT, first_lines, header_layout, is_default_record
from vedette.flow_text import FlowParser
from vedette.linelog import LineReader
from vedette.readers import BATCH_ROWS, Limits, Reader, Tally


def sniff(name: str, head: bytes) -> bool:  # noqa: ARG001 - what the first lines say is enough
    """Tell whether a text begins with a header line of flow logs, or with records of the default format."""
    lines = list(first_lines(head))
    if not lines:
        return False
    if header_layout(lines[0]) is not None or is_default_record(lines[0]):
        return True
    return sum(map(is_default_record, lines)) * 2 >= len(lines)


def read(blob: Blob, stream: BinaryIO, tally: Tally, limits: Limits) -> Iterator[pa.RecordBatch]:
    """Yield the records of ``blob`` in batches of ``schema.FLOWS``, in their order.

    Raises:
        ReadError: the stream gave nothing but an error.
    """
    lines = LineReader(stream, limits.max_record_bytes)
    parser = FlowParser(DEFAULT, tally.reject, tally.nulled)
    batches = FlowBatches(
        object_name=blob.name, facts=key_facts(blob.name), nulled=tally.nulled, statuses=tally.statuses
    )
    while block := lines.next(parser.block_bytes(BATCH_ROWS)):
        if block.overlong:
            parser.skip(f"a line of more than {limits.max_record_bytes} bytes")
            continue
        for rows in parser.parse(block.text):
            tally.records += len(rows.positions)
            yield from batches.cut(rows.columns, rows.positions, BATCH_ROWS)
    if lines.failure:
        tally.reject("end of file", lines.failure)


READER = Reader(name="flowlogs_text", table="flows", sniff=sniff, read=read)
