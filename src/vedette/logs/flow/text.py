"""Parse lines of flow records: a block of whole lines at a time as CSV, line by line only if a block contains a broken line.

In such a block, a regular expression matches the good lines; the others are repaired field by field, or rejected, and the
result is again parsed as CSV. Header lines may occur anywhere, as in files that were concatenated. What a line gives depends on
nothing but the line and its layout: whatever the CSV parser accepts in a sound block, the repair reads in the same way.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pyarrow as pa
from pyarrow import csv

from vedette.logs.flow.batch import TEXT, TIME, Column, numbered, pc
from vedette.logs.flow.fields import BYTE_ORDER_MARK, COUNTED_AS, DEFAULT, EVENT_MILLISECONDS, EVENT_TIME, Layout, header_layout
from vedette.logs.lines import LineReader
from vedette.logs.moments import moment
from vedette.schema import FLOWS

MAX_BLOCK_BYTES = 8 << 20

_FIELD_BYTES = 8  # the average length of a field with the space after it
_EXCERPT_BYTES = 80
_LONGEST_HEAD = 4_096  # of text in which a layout is recognised
_INTEGER = re.compile(rb"(?P<sign>[+-]?)0*+(?P<digits>\d{0,19})(?<=\d)")
_HEXADECIMAL = re.compile(rb"0[xX](?P<digits>[0-9a-fA-F]{1,16})")  # Arrow reads it as the bits of the number, and so must we
_DIGITS: dict[pa.DataType, bytes] = {pa.int32(): rb"(?:-|\d{1,9})", pa.int64(): rb"(?:-|\d{1,18})"}
_DAY = (
    rb"(?:20\d\d-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))"
    rb"|20(?:[02468][048]|[13579][26])-02-29)"
)
_ISO = rb"(?:-|" + _DAY + rb"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z)"  # others are repaired, one by one
_MARKS = re.compile(rb"(?:\xef\xbb\xbf)*+")
# First fields that cannot have lost their beginning.
_WHOLE = {
    "version": re.compile(rb"[1-9]\d? "),
    "account_id": re.compile(rb"\d{12} "),
    "interface_id": re.compile(rb"eni-"),
    "instance_id": re.compile(rb"i-"),
    "vpc_id": re.compile(rb"vpc-"),
    "subnet_id": re.compile(rb"subnet-"),
    EVENT_TIME: re.compile(rb"20\d\d-\d\d-\d\dT"),
}
_ENDS = {"action": frozenset((b"ACCEPT", b"REJECT")), "log_status": frozenset((b"OK", b"NODATA", b"SKIPDATA"))}
_LIMITS: dict[pa.DataType, int] = {pa.int32(): 2**31, pa.int64(): 2**63}
_NO_HEADER = rb"(?!(?:[A-Za-z][A-Za-z0-9_-]*+[ \r]?)++\n)"
_TIME_NUMBERS = frozenset(("start_time", "end_time", EVENT_MILLISECONDS))


@dataclass(frozen=True, slots=True)
class Rows:
    """Parsed records: the columns of the layout, and the index of each record in its blob."""

    columns: dict[str, Column]
    positions: Column


@dataclass(slots=True)
class FlowParser:
    """Parses the blocks of one blob in order.

    ``reject`` is called with the place (``unit`` and its number, from 1) and the reason for each record that cannot be used;
    impossible fields become null and are counted in ``nulled`` by column.
    """

    layout: Layout
    reject: Callable[[str, str], None]
    nulled: Counter[str]
    unit: str = "line"
    line: int = 1
    position: int = 0
    _text: list[bytes] = field(default_factory=list)
    _positions: list[int] = field(default_factory=list)

    def block_bytes(self, rows: int) -> int:
        """Return roughly how many bytes ``rows`` records take, at most ``MAX_BLOCK_BYTES``."""
        return min(MAX_BLOCK_BYTES, rows * _FIELD_BYTES * len(self.layout.columns))

    def parse(self, text: bytes) -> Iterator[Rows]:
        """Yield the records of a block of whole lines, which end with LF, CRLF or, as for the CSV parser, CR."""
        if self.line == 1:
            end = text.find(b"\n") + 1
            if b"\r" in text[:end]:
                text = _with_plain_ends(text)
                end = text.find(b"\n") + 1
            if (layout := header_layout(text[:end])) is not None:
                self.layout = layout
                self.line += 1
                text = text[end:]
        if not text:
            return
        form = _form(self.layout)
        columns = form.read(text) if form.detects_faults and b"\0" not in text and not text.startswith(BYTE_ORDER_MARK) else None
        if columns is None:
            yield from self._repaired(_with_plain_ends(text))
            return
        rows = len(next(iter(columns.values())))
        yield Rows(columns, numbered(self.position, rows))
        self.line += rows
        self.position += rows

    def ends_whole(self, line: bytes) -> bool:
        """Tell whether a line that damage follows has its end: its last field, as other lines have it, is one of few values."""
        columns = self.layout.columns
        known = self.line > 1 or columns[-len(DEFAULT.columns) :] == DEFAULT.columns
        values = _ENDS.get(columns[-1], frozenset()) if known else frozenset()
        return line.rpartition(b" ")[2].strip() in values

    def without_torn(self, text: bytes) -> bytes:
        """Return a block without its first line, unless this is whole: behind damage, it may lack its beginning."""
        end = text.find(b"\n") + 1
        line = text[:end].strip()
        whole = _WHOLE.get(self.layout.columns[0])
        if not line or header_layout(line) is not None or (whole and whole.match(line)):
            return text
        self.skip("a line behind damage, which may lack its beginning")
        return text[end:]

    def skip(self, reason: str) -> None:
        """Reject the next record without parsing it."""
        self.reject(f"{self.unit} {self.line}", reason)
        self.line += 1
        self.position += 1

    def _repaired(self, text: bytes) -> Iterator[Rows]:
        at = 0
        form = _form(self.layout)
        while at < len(text):
            end = form.good_lines(text, at)
            self._keep(text[at:end])
            if end == len(text):
                break
            at = text.find(b"\n", end) + 1 or len(text)
            line = _unmarked(text[end:at].strip(b"\n\0"))
            bare = line.strip()
            if bare[:1].isalpha() and (layout := header_layout(bare)) is not None:
                if layout != self.layout:
                    yield from self._flushed()
                    self.layout = layout
                    form = _form(layout)
                self.line += 1
            elif bare or b"\0" in text[end:at]:
                self._repair(line, form)
            else:
                self.line += 1
        yield from self._flushed()

    def _keep(self, lines: bytes) -> None:
        if lines:
            self._text.append(lines)
            count = lines.count(b"\n")
            self._positions += range(self.position, self.position + count)
            self.line += count
            self.position += count

    def _repair(self, line: bytes, form: "_Form") -> None:
        columns = self.layout.columns
        # As AWS writes it, with an empty field between two blanks; otherwise with any whitespace between fields.
        fields = line.split(b" ", len(columns))  # limited: a line may hold millions of fields
        if len(fields) != len(columns):
            fields = line.split(None, len(columns))
        if len(fields) != len(columns):
            shown = line.strip()[:_EXCERPT_BYTES].decode("utf-8", "replace")
            count = len(fields) if len(fields) < len(columns) else "more"
            self.skip(f"{count} fields where the format has {len(columns)}: {shown!r}")
            return
        fields[0] = _unmarked(fields[0])
        for at, is_good in enumerate(form.good_fields):
            if not is_good(fields[at]):
                fields[at] = self._repaired_field(columns[at], fields[at])
        self._text.append(b" ".join(fields) + b"\n")
        self._positions.append(self.position)
        self.line += 1
        self.position += 1

    def _repaired_field(self, column: str, value: bytes) -> bytes:
        """Return a field that the CSV parser accepts: that which means the same or, if it means nothing, "-"."""
        if not column or not value:
            return b"-"
        kind = _kind(column)
        if kind == TEXT and _is_text(value):
            return value
        bare = value.strip(b" \t")
        if bare in {b"", b"-"}:
            return b"-"
        if kind in _LIMITS and (number := _integer(bare, _LIMITS[kind])) is not None:
            return b"%d" % number
        if kind == TIME and (when := moment(bare.decode("utf-8", "replace"))) is not None:
            return f"{when:%Y-%m-%dT%H:%M:%S.%fZ}".rjust(27, "0").encode()
        self.nulled[COUNTED_AS.get(column, column)] += 1
        return b"-"

    def _flushed(self) -> Iterator[Rows]:
        if not self._text:
            return
        columns = _form(self.layout).read(b"".join(self._text))
        positions = pa.array(self._positions, pa.int64())
        self._text, self._positions = [], []
        if columns is None:  # not known to happen
            self.reject(f"before {self.unit} {self.line}", f"{len(positions)} records that cannot be parsed")
        else:
            yield Rows(columns, positions)


def parse_lines(
    lines: LineReader, parser: FlowParser, rows: int, recognise: Callable[[bytes], Layout | None] = lambda _: None
) -> Iterator[Rows]:
    """Yield the records of a stream, about ``rows`` at a time; broken lines and an early end of the stream are rejected.

    ``recognise`` tells the layout of lines that follow damage, None if it is as before: damage may have changed what was seen.

    Raises:
        ReadError: the stream could not be read at all.
    """
    go_on = True
    while go_on:
        while block := lines.next(parser.block_bytes(rows)):
            is_usable = not block.is_cut_off or parser.ends_whole(block.text)
            if block.overlong:
                parser.skip(f"a line of more than {lines.max_line_bytes} bytes")
            elif is_usable and block.is_torn:
                parser.layout = recognise(block.text[:_LONGEST_HEAD]) or parser.layout
                yield from parser.parse(parser.without_torn(block.text))
            elif is_usable:
                yield from parser.parse(block.text)
            del block  # the next one takes its memory
        failure = lines.failure
        go_on = lines.resume()
        if failure:
            parser.reject(f"before line {parser.line}" if go_on else "end of file", failure)


@dataclass(frozen=True, slots=True)
class _Form:
    """How lines of one layout are parsed.

    ``good`` matches a run of well-formed lines, ``good_fields`` one field each. ``detects_faults`` is false if the CSV parser
    would accept a header line as a record.
    """

    names: list[str]
    options: csv.ConvertOptions
    good: re.Pattern[bytes]
    good_fields: list[Callable[[bytes], object]]
    detects_faults: bool

    def read(self, text: bytes) -> dict[str, Column] | None:
        """Return the columns of well-formed lines, or None if a line is broken or begins with a byte order mark."""
        source: Any = pa.BufferReader(text)  # avoids a copy; the stubs do not allow it
        try:
            table = csv.read_csv(
                source,
                read_options=csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=self.names),
                parse_options=csv.ParseOptions(delimiter=" ", quote_char=False, escape_char=False, ignore_empty_lines=False),
                convert_options=self.options,
            )
        except pa.ArrowInvalid:
            return None
        columns = {name: _filled(table.column(name).combine_chunks()) for name in table.column_names}
        first = columns.get(self.names[0])
        return None if first is not None and _is_marked(first) else columns

    def good_lines(self, text: bytes, start: int) -> int:
        """Return the end of the run of good lines that begins at ``start``; ``start`` itself if the first is broken."""
        match = self.good.match(text, start)
        return match.end() if match else start


@lru_cache(maxsize=64)
def _form(layout: Layout) -> _Form:
    names = [column or f"unused {at}" for at, column in enumerate(layout.columns)]
    types = {column: _kind(column) for column in layout.columns if column}
    numbers = any(kind in _LIMITS for kind in types.values())
    patterns = [_pattern(column) for column in layout.columns]
    return _Form(
        names=names,
        options=csv.ConvertOptions(
            include_columns=list(types),
            column_types=types,
            null_values=["-"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
        good=re.compile(rb"(?:" + (b"" if numbers else _NO_HEADER) + rb" ".join(patterns) + rb"\r?\n)*+"),
        good_fields=[re.compile(pattern).fullmatch for pattern in patterns],
        detects_faults=len(names) > 1 and numbers,
    )


def _kind(column: str) -> pa.DataType:
    """Return the Arrow type as which a column is parsed."""
    if column == EVENT_TIME:
        return TIME
    return pa.int64() if column in _TIME_NUMBERS else FLOWS.field(column).type


def _pattern(column: str) -> bytes:
    if not column:
        return rb"[^ \t\r\n\0]++"
    kind = _kind(column)
    if kind == TIME:
        return _ISO
    return _DIGITS.get(kind, rb"[!-~]++")


def _is_text(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in value


def _filled(column: Column) -> Column:
    """Return a column with null for the empty texts in it."""
    if column.type != TEXT or pc.min(pc.binary_length(column.dictionary)).as_py() != 0:
        return column
    empty = pc.index(column.dictionary, "").as_py()
    indices = pc.if_else(pc.equal(column.indices, empty), pa.scalar(None, pa.int32()), column.indices)
    return pa.DictionaryArray.from_arrays(indices, column.dictionary)


def _with_plain_ends(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text


def _is_marked(column: Column) -> bool:
    """Tell whether a text of a column, which is the first of its line, begins with a byte order mark."""
    return bool(column.type == TEXT and pc.any(pc.starts_with(column.dictionary, BYTE_ORDER_MARK.decode())).as_py())


def _unmarked(text: bytes) -> bytes:
    """Return a text without the byte order marks that it begins with, as a line does where files were joined."""
    marks = _MARKS.match(text)
    return text[marks.end() :] if marks else text


def _integer(text: bytes, limit: int) -> int | None:
    """Return the number that the CSV parser reads, and beyond that, one with a plus sign; None if it is not below ``limit``."""
    if match := _HEXADECIMAL.fullmatch(text):
        number = int(match["digits"], 16)
        if number >= 2 * limit:
            return None
        return number - 2 * limit if number >= limit else number
    if match := _INTEGER.fullmatch(text):
        number = int(match["sign"] + (match["digits"] or b"0"))
        return number if -limit <= number < limit else None
    return None
