"""Read VPC Flow Logs that went through CloudWatch Logs: exports to S3, subscription envelopes, JSON of other log shippers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO, cast

import pyarrow as pa

from vedette.logs.blob import Blob, KeyFacts, key_facts
from vedette.logs.flow.batch import FlowBatches
from vedette.logs.flow.events import Delivery, Event, EventReader, interface_in, messages_in
from vedette.logs.flow.fields import (
    DEFAULT,
    EVENT_MILLISECONDS,
    EVENT_TIME,
    PATTERN_NAMES,
    Layout,
    first_lines,
    header_layout,
    inferred_layout,
    is_default_record,
)
from vedette.logs.flow.text import FlowParser, parse_lines
from vedette.logs.inflate import Rejoined, read_up_to
from vedette.logs.lines import LineReader
from vedette.readers import BATCH_ROWS, SNIFF_BYTES, Limits, ReadCounts, Reader

_EXPORTED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z[ \t]+(?P<message>[^\s{\[].*)")
_JSON_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*[{\[]")
_CLOUDTRAIL = re.compile(rb'\\?"(?:event(?:Version|Name|Source)|userIdentity|CloudTrailEvent|Records|digestS3Bucket)\\?"\s*:')
_EXTRACTED = re.compile(rb'"extractedFields"\s*:\s*\{([^{}]*)')
_KEY = re.compile(rb'"([^"\\]+)"\s*:')
_GROUP_BYTES = 4 << 20
_MOST_FIELDS = 100  # of a record in a custom format: AWS has some sixty fields


def sniff(name: str, head: bytes) -> bool:  # noqa: ARG001 - the first messages are enough
    """Tell whether a blob holds flow records as messages of CloudWatch Logs."""
    if not _JSON_START.match(head):
        messages = list(_exported_messages(head))
        return bool(messages and messages[0]) and _exported_layout(head) is not None
    if _CLOUDTRAIL.search(head):
        return False
    if any(map(_message_layout, messages_in(head))):
        return True
    named = (_KEY.findall(match.group(1)) for match in _EXTRACTED.finditer(head))
    return any(_named_layout([key.decode("utf-8", "replace") for key in keys]) for keys in named)


def read(blob: Blob, stream: BinaryIO, counts: ReadCounts, limits: Limits) -> Iterator[pa.RecordBatch]:
    """Yield the records of ``blob`` in batches of ``schema.FLOWS``, in the order of the file.

    Raises:
        ReadError: the stream fails before any byte is read.
    """
    head = read_up_to(stream, SNIFF_BYTES)
    stream = cast("BinaryIO", Rejoined(head, stream))
    facts = key_facts(blob.name)
    if _JSON_START.match(head):
        yield from _read_events(_Gathering(blob.name, facts, counts), stream, limits)
        return
    parser = FlowParser(_timed_layout(head) or DEFAULT.preceded_by(EVENT_TIME), counts.reject, counts.nulled)
    batches = FlowBatches(
        object_name=blob.name,
        facts=facts,
        nulled=counts.nulled,
        statuses=counts.statuses,
        interface_id=interface_in(blob.name),
    )
    for rows in parse_lines(LineReader(stream, limits.max_record_bytes), parser, BATCH_ROWS, _timed_layout):
        counts.records += len(rows.positions)
        yield from batches.cut(rows.columns, rows.positions, BATCH_ROWS)


def _read_events(gathering: "_Gathering", stream: BinaryIO, limits: Limits) -> Iterator[pa.RecordBatch]:
    counts = gathering.counts
    events = EventReader(stream, limits.max_record_bytes, counts.reject)
    go_on = True
    while go_on:
        for delivery in events.deliveries():
            yield from gathering.add(delivery)
        failure = events.failure
        go_on = events.resume()
        if failure:
            counts.reject(f"byte {events.offset}" if go_on else "end of file", failure)
    yield from gathering.flush()


@dataclass(frozen=True, slots=True)
class _Group:
    """What events must share to be parsed together: their layout, and the owner and interface that the records do not name."""

    layout: Layout
    owner: str | None
    interface_id: str | None


@dataclass(slots=True)
class _Gathering:
    """Gathers the events of many deliveries, so that they are parsed together."""

    object_name: str
    facts: KeyFacts
    counts: ReadCounts
    _parser: FlowParser = field(init=False)
    _custom: dict[int, Layout] = field(default_factory=dict)  # by the number of fields, of which formats differ
    _group: _Group | None = None
    _lines: list[bytes] = field(default_factory=list)
    _bytes: int = 0

    def __post_init__(self) -> None:
        self._parser = FlowParser(DEFAULT, self.counts.reject, self.counts.nulled, unit="event")

    def add(self, delivery: Delivery) -> Iterator[pa.RecordBatch]:
        """Add the events of one delivery; yield the batches that are complete."""
        for event in delivery.events:
            layout, text = self._read(event)
            if layout is None:
                yield from self.flush()
                self._parser.skip(f"not a flow record: {event.message[:80]!r}")
                continue
            group = _Group(
                layout,
                None if "account_id" in layout.columns else delivery.owner,
                None if "interface_id" in layout.columns else delivery.interface_id,
            )
            if group != self._group or self._bytes > _GROUP_BYTES:
                yield from self.flush()
                self._group = group
            moment = "-" if event.timestamp is None or event.timestamp < 0 else event.timestamp
            line = f"{moment} {text}\n".encode("utf-8", "replace")
            self._lines.append(line)
            self._bytes += len(line)

    def flush(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of all events gathered so far."""
        if self._group is None or not self._lines:
            return
        text = b"".join(self._lines)
        self._lines, self._bytes = [], 0
        self._parser.layout = self._group.layout.preceded_by(EVENT_MILLISECONDS)
        batches = FlowBatches(
            object_name=self.object_name,
            facts=replace(self.facts, account_id=self._group.owner or self.facts.account_id),
            nulled=self.counts.nulled,
            statuses=self.counts.statuses,
            interface_id=self._group.interface_id,
        )
        for rows in self._parser.parse(text):
            self.counts.records += len(rows.positions)
            yield from batches.cut(rows.columns, rows.positions, BATCH_ROWS)

    def _read(self, event: Event) -> tuple[Layout | None, str]:
        """Return the layout of an event (None if it is unknown), and its record as one line."""
        text = " ".join(event.message.split())
        if is_default_record(text.encode("utf-8", "replace")):
            return DEFAULT, text
        if event.extracted and (layout := _named_layout(event.extracted)) is not None:
            return layout, " ".join(map(_one_word, event.extracted.values()))
        values = text.split()
        layout = self._custom.get(len(values))
        if layout is None and len(values) <= _MOST_FIELDS and (layout := inferred_layout(values)) is not None:
            self._custom[len(values)] = layout
        return layout, text


def _exported_messages(head: bytes) -> Iterator[str]:
    """Yield the message of each line of an export, "" for a line that does not have its form."""
    for line in first_lines(head):
        match = _EXPORTED.fullmatch(line)
        yield match["message"].decode("utf-8", "replace") if match else ""


def _exported_layout(head: bytes) -> Layout | None:
    """Return the layout of an export, None if it cannot be told.

    A record with an impossible value may look like one of a custom format: the first must not decide about all others. Nor may a
    line without its end, which may be cut off.
    """
    found = [layout for layout in map(_message_layout, _exported_messages(head)) if layout]
    if DEFAULT in found:
        return DEFAULT
    return found[0] if found and b"\n" in head else None


def _timed_layout(head: bytes) -> Layout | None:
    layout = _exported_layout(head)
    return layout and layout.preceded_by(EVENT_TIME)


def _message_layout(message: str) -> Layout | None:
    values = message.split()
    return DEFAULT if is_default_record(" ".join(values).encode("utf-8", "replace")) else inferred_layout(values)


def _named_layout(names: Sequence[str] | dict[str, str | None]) -> Layout | None:
    """Return the layout of extracted fields, or None if their names are not those of flow logs."""
    named = " ".join(PATTERN_NAMES.get(name, name.replace(" ", "?")) for name in names)
    return header_layout(named.encode("utf-8", "replace"))


def _one_word(value: str | None) -> str:
    return "_".join(value.split()) if value and not value.isspace() else "-"


READER = Reader(name="flowlogs_cloudwatch", table="flows", sniff=sniff, read=read)
