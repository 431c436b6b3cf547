"""Cut a JSON log of any size into pieces that a decoder can decode on their own: arrays of records, or lines.

A file of 600 MB must not be in memory as text and as objects at the same time. A delivered file is one object with one array;
the text at which a record begins (``{"eventVersion":``) is learned from the first record and searched for from the end of
each piece. It may also occur inside a record: then the piece is not valid JSON, and the reader's slower path takes over. This
gives back what it could not use, and gets it again with all that followed it in the log.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO, Literal

from vedette.errors import ReadError
from vedette.logs.inflate import resume

PIECE_BYTES = 512 << 10

Form = Literal["records", "array", "lines"]

_OPENING = re.compile(
    rb"""\s*+
        (?P<object>\{\s*+"(?:Records|Events)"\s*+:\s*+)?
        \[\s*+ (?P<first>\{\s*+"[^"\\\n]{1,64}"\s*+:)?""",
    re.VERBOSE,
)
_LINE_OF_RECORDS = re.compile(rb"[^\n]*\}\s*\]\s*\}[ \r]*\n\s*\{")  # one whole delivered file per line
_FORM_BYTES = 4 << 10  # enough to tell the form
_CUTS_TRIED = 16  # an occurrence inside a record may not follow a comma
_SEPARATORS = b", \t\r\n"
_BLANKS = b" \t"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_EXPORT_TIME = re.compile(rb"(?m)^\d{4}-\d\d-\d\dT[\d:.]{8,15}Z[ \t]")  # CloudWatch's export to S3 prefixes it to each message
_OPEN: dict[Form, bytes] = {"records": b'{"Records":[', "array": b"[", "lines": b""}
_CLOSE: dict[Form, bytes] = {"records": b"]}", "array": b"]", "lines": b""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Text that is a complete document of its form, provided that the log is well-formed.

    Only ``text[begin:end]`` comes from the log, where it begins at byte ``offset``; the opening brackets before it (in all
    pieces but the first) and the closing brackets after it (in all but the last) are added.
    """

    text: bytes
    begin: int
    end: int
    form: Form
    offset: int
    final: bool


@dataclass(slots=True)
class PieceReader:
    """Reads a decompressed stream piece by piece.

    ``failure`` is the reason why the stream ended early, or ""; there, ``resume`` goes on behind the damage. Pieces are small,
    so that text and objects stay in the processor's cache until they are in columns; one block is read ahead, so that the last
    piece is known to be the last.
    """

    stream: BinaryIO
    piece_bytes: int = PIECE_BYTES
    failure: str = ""
    _form: Form = "lines"
    _boundary: bytes = b"\n"
    _exported: bool = False
    _begun: bool = False
    _started: bool = False
    _ended: bool = False
    _block: bytes = b""
    _rest: bytes = b""
    _between: bytes = b""
    _origin: int = 0
    _offset: int = 0

    def next(self) -> Piece | None:
        """Return the next piece, or None after the last.

        Raises:
            ReadError: the stream could not be read at all.
        """
        text, begin = self._window()
        if begin == len(text):
            return None
        end = cut = len(text)
        if not self._ended:
            end, cut = self._cut(text)
        self._rest, self._between = text[cut:], text[end:cut]
        body = text if end == len(text) else text[:end]
        if self._exported:
            body = _EXPORT_TIME.sub(_blank, body)
        closing = b"" if self._ended else _CLOSE[self._form]
        piece = Piece(
            text=body + closing if closing else body,
            begin=begin,
            end=len(body),
            form=self._form,
            offset=self._offset,
            final=self._ended,
        )
        self._offset += cut - begin
        return piece

    @property
    def offset(self) -> int:
        """The byte at which the next piece begins."""
        return self._offset

    def unread(self, rest: bytes) -> None:
        """Give back ``rest``, the end of the last piece that belongs to a value cut in two; the next piece begins with it."""
        self._rest = rest + self._between + self._rest
        self._offset -= len(rest) + len(self._between)
        self._started = self._offset > self._origin  # at its start, the log has opening brackets of its own

    def resume(self) -> bool:
        """Go on behind the damage at which the stream failed, as with another log; return False if nothing follows."""
        if not self.failure or not resume(self.stream):
            return False
        self.failure = ""
        self._form, self._boundary, self._exported = "lines", b"\n", False
        self._block = self._rest = self._between = b""
        self._started = self._ended = False
        self._origin = self._offset
        return True

    def _window(self) -> tuple[bytes, int]:
        """Return the text for the next piece, and where the text of the log begins in it (after the added brackets).

        At least as much is read as was left over: a value longer than a piece thus doubles the window until it fits.
        """
        opening = b""
        if self._started:
            opening = _OPEN[self._form]
            self._skip_separators()
        wanted = max(self.piece_bytes, len(self._rest), 0 if self._started else _FORM_BYTES)
        parts = [opening, self._rest]
        while wanted > 0 and not self._ended:
            parts.append(self._block)
            wanted -= len(self._block)
            self._read_block()
        text = b"".join(parts)
        if not self._started:
            text = self._start(text)
        return text, len(opening)

    def _skip_separators(self) -> None:
        """Drop commas and lines at the start of the rest, where it lies between two records; keep how the first is indented."""
        if self._form == "lines":
            return
        while not self._ended or self._rest:
            stripped = self._rest.lstrip(_SEPARATORS)
            separators = self._rest[: len(self._rest) - len(stripped)]
            dropped = len(separators.rstrip(_BLANKS) if stripped else separators)
            self._offset += dropped
            self._rest = self._rest[dropped:]
            if stripped or self._ended:
                return
            self._rest = self._block
            self._read_block()

    def _read_block(self) -> None:
        try:
            self._block = self.stream.read(self.piece_bytes)
        except ReadError as error:
            if not self._begun:
                raise
            self.failure = str(error)
            self._block = b""
        self._begun = True
        self._ended = not self._block

    def _start(self, text: bytes) -> bytes:
        """Determine the form from the start of the text, and return the text without its byte order mark."""
        if text.startswith(_BYTE_ORDER_MARK):
            self._offset += len(_BYTE_ORDER_MARK)
            self._origin = self._offset
            text = text[len(_BYTE_ORDER_MARK) :]
        self._started = True
        opening = _OPENING.match(text)
        if opening and not _LINE_OF_RECORDS.match(text):
            self._form = "records" if opening["object"] else "array"
            self._boundary = opening["first"] or b"{"
        else:
            self._exported = _EXPORT_TIME.match(text) is not None
        return text

    def _cut(self, text: bytes) -> tuple[int, int]:
        """Return where to end the piece, and where the next begins: at the last record, or after the last line."""
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


def _blank(match: re.Match[bytes]) -> bytes:
    """Return as many blanks as the match is long: what follows it keeps its place."""
    return b" " * (match.end() - match.start())
