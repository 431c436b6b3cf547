"""Cuts a JSON log of any size into pieces that a decoder takes whole: arrays of records, or lines.

A file of 600 MB must not lie in memory as text and as objects at once. Delivered files are one object with one array;
the text between two records (``},{"eventVersion":``) is learned from the first record and searched for from the end of
each piece. It may also occur inside a record: then the piece is no valid JSON, and the reader's slower way, which does
not depend on where a piece was cut, takes over.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO, Literal

from vedette.errors import ReadError

BLOCK_BYTES = 8 << 20
PIECE_BYTES = 512 << 10

Form = Literal["records", "array", "lines"]

_OPENING = re.compile(
    rb"""(?:\xef\xbb\xbf)?\s*+
        (?P<object>\{\s*+"(?:Records|Events)"\s*+:\s*+)?
        \[\s*+ (?P<first>\{\s*+"[^"\\\n]{1,64}"\s*+:)?""",
    re.VERBOSE,
)
_CUTS_TRIED = 16  # an occurrence within a record may lack the comma
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_EXPORT_TIME = re.compile(rb"(?m)^\d{4}-\d\d-\d\dT[\d:.]{8,15}Z[ \t]")  # CloudWatch's export to S3 puts it before each message
_OPEN: dict[Form, bytes] = {"records": b'{"Records":[', "array": b"[", "lines": b""}
_CLOSE: dict[Form, bytes] = {"records": b"]}", "array": b"]", "lines": b""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Text that is a complete document of its form if the log is well-formed.

    ``offset`` is where the text would start in the log: the opening bracket of a later piece is put there by us, as are
    the closing ones behind ``end``.
    """

    text: bytes
    end: int
    form: Form
    offset: int
    final: bool


@dataclass(slots=True)
class PieceReader:
    """Reads a decompressed stream piece by piece.

    ``failure`` is why the stream ended early, or "". The stream is read in blocks, as that is fastest; pieces are smaller,
    so that text and objects stay in the processor's cache until they are in columns.
    """

    stream: BinaryIO
    piece_bytes: int = PIECE_BYTES
    failure: str = ""
    _form: Form = "lines"
    _boundary: bytes = b"\n"
    _exported: bool = False
    _started: bool = False
    _ended: bool = False
    _block: bytes = b""
    _taken: int = 0
    _rest: bytes = b""
    _offset: int = 0

    def next(self) -> Piece | None:
        """Return the next piece, None behind the last.

        Raises:
            ReadError: the stream could not be read at all.
        """
        text = self._window()
        if not text:
            return None
        opening = b""
        if self._started:
            opening = _OPEN[self._form]
        else:
            self._start(text)
        if self._ended:
            end = cut = len(text)
            closing = b""
        else:
            end, cut = self._cut(text)
            closing = _CLOSE[self._form]
        self._rest = text[cut:]
        body = text if end == len(text) and not opening else b"".join((opening, memoryview(text)[:end]))
        if self._exported:
            body = _EXPORT_TIME.sub(b"", body)
        piece = Piece(
            text=body + closing,
            end=len(body),
            form=self._form,
            offset=self._offset - len(opening),
            final=self._ended,
        )
        self._offset += cut
        return piece

    def unread(self, rest: bytes) -> None:
        """Put the end of the last piece, which belongs to a value that was cut, before the next."""
        self._rest = rest + self._rest
        self._offset -= len(rest)

    def _window(self) -> bytes:
        """Return the rest and a piece of what follows; the longer a value that does not end, the more."""
        wanted = max(self.piece_bytes, len(self._rest))
        parts = [self._rest]
        while wanted > 0 and not self._ended:
            part = self._block[self._taken : self._taken + wanted]
            self._taken += len(part)
            wanted -= len(part)
            parts.append(part)
            if self._taken >= len(self._block):
                self._read_block()
        text = b"".join(parts)
        if self._started and self._form != "lines" and text[:1] in b", \t\r\n":
            stripped = text.lstrip(b", \t\r\n")
            self._offset += len(text) - len(stripped)
            text = stripped
        return text

    def _read_block(self) -> None:
        self._taken = 0
        try:
            self._block = self.stream.read(BLOCK_BYTES)
        except ReadError as error:
            if not self._started and not self._block:
                raise
            self.failure = str(error)
            self._block = b""
        self._ended = not self._block

    def _start(self, text: bytes) -> None:
        self._started = True
        if opening := _OPENING.match(text):
            self._form = "records" if opening["object"] else "array"
            self._boundary = opening["first"] or b"{"
        else:
            self._exported = _EXPORT_TIME.match(text) is not None

    def _cut(self, text: bytes) -> tuple[int, int]:
        """Return where to end the piece, and where the next begins: at the last record, or behind the last line."""
        cut = len(text)
        if self._form == "lines":
            end = text.rfind(b"\n") + 1 or cut
            return end, end
        for _ in range(_CUTS_TRIED):
            cut = text.rfind(self._boundary, 0, cut)
            if cut <= 0:
                break
            before = text[max(0, cut - 64) : cut]
            stripped = before.rstrip(b" \t\r\n")
            if stripped.endswith(b","):
                return cut - len(before) + len(stripped) - 1, cut
        return len(text), len(text)


def without_byte_order_mark(text: bytes) -> bytes:
    """Return ``text`` as a JSON decoder takes it."""
    return text.removeprefix(_BYTE_ORDER_MARK)
