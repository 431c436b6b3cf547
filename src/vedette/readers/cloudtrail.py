"""Read CloudTrail: delivered files, and the same records from EventBridge, CloudWatch Logs, LookupEvents or a log shipper.

There are three paths, each taken only if the one before fails: decode a whole piece into typed records; decode value by
value, opening wrappers and leaving out fields of a wrong type; scan the bytes for records in broken JSON.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import BinaryIO

import msgspec
import pyarrow as pa

from vedette.logs.blob import Blob, key_facts
from vedette.logs.cloudtrail.batch import BatchBuilder
from vedette.logs.cloudtrail.record import Envelope, Record, rescue
from vedette.logs.json_pieces import PIECE_BYTES, Form, Piece, PieceReader
from vedette.logs.json_salvage import Salvage, Torn, leaves_of
from vedette.readers import BATCH_ROWS, Limits, ReadCounts, Reader

_SIDE_FILE = re.compile(r"(?:^|[/_])CloudTrail-(Digest|Insight)(?:[/_]|$)")
_JSON_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\d{4}-\d\d-\d\dT[\d:.]{8,15}Z[ \t]+)?[{\[]")
# Only the first match counts: text that a caller controls (user agent, tags) comes later, and must not be able to hide a log.
_DIGEST = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"awsAccountId"\s*:\s*"\d*"\s*,\s*"digest')
_SERVICE = re.compile(rb'\\?"eventSource\\?"\s*:\s*\\?"(aws:)?')  # S3 event notifications look alike, from aws:s3
_RECORDS = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"Records"\s*:\s*\[')
_SIGN = re.compile(rb'\\?"(?:CloudTrailEvent|eventVersion|userIdentity)\\?"\s*:')
_NAME = re.compile(rb'\\?"event(?:Name|Source)\\?"\s*:')
_COMPANION = re.compile(rb'\\?"(?:eventTime|eventID|awsRegion|sourceIPAddress|recipientAccountId)\\?"\s*:')
_BRACKETS: dict[Form, tuple[bool, ...]] = {"records": (True, False), "array": (False,), "lines": ()}  # open between two records
_INSIGHT = "AwsCloudTrailInsight"
_MAX_WRAPPERS = 4
_HOPELESS = 4  # broken text is given up after this many times the longest record's size without a record
_BATCH_TEXT_BYTES = 32 << 20  # bounds the memory used if records are large
_ERRORS = (ValueError, RecursionError)  # msgspec's and UnicodeDecodeError are ValueErrors


class _Records(msgspec.Struct, gc=False):
    records: list[Record] = msgspec.field(name="Records")


class _Elements(msgspec.Struct, gc=False):
    records: list[msgspec.Raw] = msgspec.field(default_factory=list, name="Records")
    events: list[msgspec.Raw] = msgspec.field(default_factory=list, name="Events")


_record = msgspec.json.Decoder(Record)
_record_list = msgspec.json.Decoder(list[Record])
_records = msgspec.json.Decoder(_Records)
_envelope = msgspec.json.Decoder(Envelope)
_raw = msgspec.json.Decoder(msgspec.Raw)
_raw_list = msgspec.json.Decoder(list[msgspec.Raw])
_elements = msgspec.json.Decoder(_Elements)


def sniff(name: str, head: bytes) -> bool:
    """Tell whether a blob holds CloudTrail records, or is a digest or Insights file (which ``read`` skips)."""
    if _SIDE_FILE.search(name):
        return True
    service = _SERVICE.search(head)
    if not _JSON_START.match(head) or (service and service.group(1)):
        return False
    if _SIGN.search(head) or _DIGEST.match(head) or _RECORDS.match(head):
        return True
    return bool(_NAME.search(head) and _COMPANION.search(head))


def read(blob: Blob, stream: BinaryIO, counts: ReadCounts, limits: Limits) -> Iterator[pa.RecordBatch]:
    """Yield the records of ``blob`` in batches of ``schema.CLOUDTRAIL``, in the order of the file.

    Raises:
        ReadError: the stream fails before any byte is read.
    """
    if side := _SIDE_FILE.search(blob.name):
        counts.skipped = f"a CloudTrail {side.group(1).lower()} file contains no records of API calls"
        return
    builder = BatchBuilder(blob.name, key_facts(blob.name), counts.nulled)
    reading = _Reading(counts, limits)
    pieces = PieceReader(stream)
    gathered = 0
    while not reading.hopeless and (piece := pieces.next() or reading.behind_damage(pieces)):
        if reading.position == 0 and _DIGEST.match(piece.text):
            counts.skipped = "a CloudTrail digest file contains no records of API calls"
            return
        records, positions = reading.records_of(piece, pieces)
        counts.records += len(records)
        for start in range(0, len(records), BATCH_ROWS):
            some = records[start : start + BATCH_ROWS]
            if builder.rows + len(some) > BATCH_ROWS:
                yield builder.finish()
            builder.add(some, positions[start : start + BATCH_ROWS])
        gathered += len(piece.text)
        if builder.rows and gathered > _BATCH_TEXT_BYTES:
            yield builder.finish()
            gathered = 0
    if builder.rows:
        yield builder.finish()
    if pieces.failure:
        counts.reject("end of file", pieces.failure)
    if reading.insights and not counts.records and not counts.bad:
        counts.skipped = "CloudTrail Insights events are not records of API calls"


@dataclass(slots=True)
class _Reading:
    """The state of reading one blob; ``position`` is the index of the next record, good or bad."""

    counts: ReadCounts
    limits: Limits
    position: int = 0
    insights: int = 0
    lost: bool = False
    torn: Torn | None = None
    outer: tuple[bool, ...] = ()
    hopeless: bool = False
    _fruitless: int = 0
    _good: list[Record] = field(default_factory=list)
    _positions: list[int] = field(default_factory=list)

    def records_of(self, piece: Piece, pieces: PieceReader) -> tuple[list[Record], Sequence[int]]:
        """Return the records of one piece and their positions in the blob."""
        # A piece grows beyond the usual size only for a long value: then the length of each value is checked.
        long = len(piece.text) > max(PIECE_BYTES, self.limits.max_record_bytes)
        amid = self.lost or self.torn is not None or bool(self.outer)
        records = None if amid or long else _decode(piece)
        if records is not None:
            first = self.position
            self.position += len(records)
            return records, range(first, self.position)
        self._good, self._positions = [], []
        elements = None if amid else _decode_elements(piece)
        if elements is None:
            self._salvage(piece, pieces)
        else:
            for element in elements:
                self._take(bytes(element), f"record {self.position}")
        return self._good, self._positions

    def behind_damage(self, pieces: PieceReader) -> Piece | None:
        """Return the first piece behind the damage at which the log has failed, and report that; None if nothing follows."""
        while failure := pieces.failure:
            if not pieces.resume():
                return None
            self.counts.reject(f"byte {pieces.offset}", failure)
            self.lost, self.torn, self.outer = False, None, ()
            if piece := pieces.next():
                return piece
        return None

    def _salvage(self, piece: Piece, pieces: PieceReader) -> None:
        text = piece.text if piece.end == len(piece.text) else piece.text[: piece.end]
        salvage = Salvage(begin=piece.begin, lost=self.lost, torn=self.torn, outer=self.outer)
        salvage.scan(text, final=piece.final)
        self.lost, self.torn = salvage.lost, salvage.torn
        self.outer = () if salvage.outer == _BRACKETS[piece.form] else salvage.outer
        problems = salvage.problems
        if salvage.cut_off and pieces.failure:
            problems.pop()  # the failure of the stream is reported already
        found: list[tuple[int, int | str]] = sorted([*salvage.leaves, *problems], key=itemgetter(0))
        start_of_text = piece.offset - piece.begin
        for start, what in found:
            if isinstance(what, str):
                self._reject(f"byte {start_of_text + start}", what)
            else:
                self._take(text[start:what], f"byte {start_of_text + start}")
        used = max(salvage.used, piece.begin)
        self._fruitless = 0 if salvage.leaves else self._fruitless + used - piece.begin
        if self._fruitless > _HOPELESS * self.limits.max_record_bytes:
            self._reject(f"byte {start_of_text + used}", f"no record in {self._fruitless} bytes: the rest is not read")
            self.hopeless = True
        rest = text[used:]
        if len(rest) > self.limits.max_record_bytes:
            self._reject(f"byte {start_of_text + used}", self._too_long())
            self.lost = True
        elif rest:
            pieces.unread(rest)

    def _take(self, element: bytes, place: str, depth: int = 0) -> None:
        """Keep the record or the records that one value holds, opening wrappers; reject the value if it holds none."""
        if depth > _MAX_WRAPPERS or len(element) > self.limits.max_record_bytes:
            self._reject(place, "wrapped too often" if depth > _MAX_WRAPPERS else self._too_long())
            return
        try:
            record = _record.decode(element)
        except _ERRORS:
            record = None
        if record and record.is_event():
            self._keep(record)
        elif record and record.event_type == _INSIGHT:
            self.insights += 1
            self.position += 1
        elif (inner := _unwrap(element)) is not None:
            for text in inner:
                self._take(text, place, depth + 1)
        elif rescued := rescue(element):
            self.counts.nulled.update(rescued[1])
            self._keep(rescued[0])
        elif leaves := [leaf for leaf in leaves_of(element) if len(leaf) < len(element)]:
            for text in leaves:
                self._take(text, place, depth + 1)
        else:
            self._reject(place, "not a CloudTrail record: neither eventName nor eventSource" if _is_json(element) else "not JSON")

    def _too_long(self) -> str:
        return f"a record of more than {self.limits.max_record_bytes} bytes (limit max_record_bytes)"

    def _keep(self, record: Record) -> None:
        self._good.append(record)
        self._positions.append(self.position)
        self.position += 1

    def _reject(self, place: str, reason: str) -> None:
        self.counts.reject(place, reason)
        self.position += 1


def _decode(piece: Piece) -> list[Record] | None:
    """Return the records of a piece that holds nothing else, or None for any other piece."""
    try:
        if piece.form == "records":
            records = _records.decode(piece.text).records
        elif piece.form == "array":
            records = _record_list.decode(piece.text)
        else:
            records = _record.decode_lines(piece.text)
    except _ERRORS:
        return None
    # A record with an eventSource but no eventName is rare enough for the slower path.
    return None if None in [r.event_name for r in records] else records


def _decode_elements(piece: Piece) -> list[msgspec.Raw] | None:
    """Return the values of a well-formed piece, or None for a broken one."""
    text = piece.text
    try:
        if piece.form == "records":
            document = _elements.decode(text)
            return document.records + document.events
        if piece.form == "array":
            return _raw_list.decode(text)
    except _ERRORS:
        pass
    try:
        return _raw.decode_lines(text)
    except _ERRORS:
        return None


def _is_json(element: bytes) -> bool:
    try:
        _raw.decode(element)
    except _ERRORS:
        return False
    return True


def _unwrap(element: bytes) -> list[bytes] | None:
    """Return the JSON texts inside a wrapper of a known form, or None for anything else."""
    try:
        envelope = _envelope.decode(element)
    except _ERRORS:
        return None
    if envelope.lookup is not None:
        return [envelope.lookup.encode()]
    if envelope.log_events is not None:
        control = envelope.message_type == "CONTROL_MESSAGE"
        return [] if control else [event.message.encode() for event in envelope.log_events]
    if envelope.records is not None or envelope.events is not None:
        return [bytes(raw) for raw in (envelope.records or []) + (envelope.events or [])]
    for inner in (bytes(envelope.detail), bytes(envelope.data)):
        if inner.startswith((b"{", b"[")):
            return [inner]
    return None if envelope.message is None else [envelope.message.encode()]


READER = Reader(name="cloudtrail", table="cloudtrail", sniff=sniff, read=read)
