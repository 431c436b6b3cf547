"""Open stored bytes as text: gzip of any number of members is recognised by its first bytes, all else passes unchanged.

Text before a damaged place is good and is returned first; the next read then raises an error that says what is wrong.
"""

import io
from collections.abc import Iterator
from typing import BinaryIO, Protocol, cast

from isal import igzip_lib, isal_zlib

from vedette.errors import ReadError, SourceError

GZIP_MAGIC = b"\x1f\x8b"

_DAMAGE = cast("type[Exception]", igzip_lib.IsalError)  # the stubs take the class for an instance
_GZIP_WINDOW = 31  # zlib's number for "a gzip wrapper around 32 KiB of window"
_STORED_BYTES = 1 << 20
_SLICE_BYTES = 4_096  # inflated at a time: after damage, at most this much is inflated again byte by byte
_STEP_BYTES = 1 << 17  # the most text that one step yields, even of a decompression bomb
_REPLAY_BYTES = 8 << 20  # how much of a member is kept to inflate it again


class Bounds(Protocol):
    """Limits at which inflating stops."""

    @property
    def max_bytes(self) -> int:
        """The most bytes of text that may come out."""

    @property
    def max_ratio(self) -> int:
        """The most bytes of text that may come out for each stored byte."""


class Rejoined(io.BufferedIOBase):
    """A stream that begins again with bytes that were already read from it."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        """Wrap ``stream``, of which ``head`` has been read."""
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to ``size`` bytes, or all that is left if it is negative or None; b"" at the end.

        Raises:
            ReadError: the wrapped stream raises it.
            SourceError: the stored bytes cannot be read.
        """
        everything = size is None or size < 0
        wanted = -1 if size is None else size
        head = self._head if everything else self._head[:wanted]
        self._head = self._head[len(head) :]
        if len(head) == wanted:
            return head
        if not head:
            return _read(self._stream, wanted)
        return head + self._tail(-1 if everything else wanted - len(head))

    def _tail(self, size: int) -> bytes:
        try:
            return _read(self._stream, size)
        except ReadError:  # the stream raises it again at the next read
            return b""


class Inflated(io.BufferedIOBase):
    """The text of stored gzip bytes."""

    def __init__(self, stored: BinaryIO, bounds: Bounds) -> None:
        """Inflate ``stored``, which is positioned at the start of a member, as far as ``bounds`` allow."""
        self._slices = _slices(stored)
        self._bounds = bounds
        self._state = isal_zlib.decompressobj(wbits=_GZIP_WINDOW)
        self._input = b""
        self._replay: bytearray | None = bytearray()
        self._stored_bytes = 0
        self._text_bytes = 0
        self._member_bytes = 0
        self._within_member = True
        self._rest = b""
        self._failure = ""
        self._ended = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to ``size`` bytes of text, or all that is left if it is negative or None; b"" at the end.

        Raises:
            ReadError: the gzip data are damaged, cut off or a bomb; raised once all text before that has been returned.
            SourceError: the stored bytes cannot be read.
        """
        everything = size is None or size < 0
        wanted = 0 if size is None else size
        parts, length = [self._rest], len(self._rest)
        while (everything or length < wanted) and not self._ended:
            part = self._bounded(self._step())
            parts.append(part)
            length += len(part)
        if self._failure and not length and wanted:
            raise ReadError(self._failure)
        self._rest = b""
        if not everything and length > wanted:
            last = parts.pop()
            keep = len(last) - (length - wanted)
            parts.append(last[:keep])
            self._rest = last[keep:]
        return b"".join(parts)

    def _step(self) -> bytes:
        """Return the text of the next slice or of a part of it; record the end or a failure."""
        if not self._input:
            self._input = next(self._slices, b"")
            self._stored_bytes += len(self._input)
            if not self._input:
                self._ended = True
                if self._within_member:
                    self._fail(f"the gzip data are cut off after {self._text_bytes} bytes of text")
                return b""
            if not self._within_member and not self._next_member():
                return b""
            self._remember(self._input)
        try:
            text = self._state.decompress(self._input, _STEP_BYTES)
        except _DAMAGE as error:
            text = self._recovered()
            trailing = self._text_bytes > 0 and self._member_bytes + len(text) == 0
            what = "are followed by something else" if trailing else "are damaged"
            self._fail(f"the gzip data {what} after {self._text_bytes + len(text)} bytes of text ({error})")
            return text
        self._member_bytes += len(text)
        if self._state.eof:
            self._input = self._state.unused_data
            self._within_member = False
            if self._input and self._next_member():
                self._remember(self._input)
        else:
            self._input = self._state.unconsumed_tail
        return text

    def _next_member(self) -> bool:
        """Begin the next member and return True; return False if only zero padding is left of the input."""
        self._input = self._input.lstrip(b"\0")
        if not self._input:
            return False
        self._state = isal_zlib.decompressobj(wbits=_GZIP_WINDOW)
        self._within_member = True
        self._member_bytes = 0
        self._replay = bytearray()
        return True

    def _remember(self, stored: bytes) -> None:
        if self._replay is None:
            return
        if len(self._replay) > _REPLAY_BYTES:
            self._replay = None
        else:
            self._replay += stored

    def _recovered(self) -> bytes:
        """Inflate the member again, the last slice byte by byte, and return the text that has not been returned yet."""
        stored = bytes(self._replay or b"")
        again = isal_zlib.decompressobj(wbits=_GZIP_WINDOW)
        whole = max(0, len(stored) - _SLICE_BYTES)
        found: list[bytes] = []
        length = 0
        try:
            for start, end in [*_spans(0, whole, _SLICE_BYTES), *_spans(whole, len(stored), 1)]:
                text = again.decompress(stored[start:end])
                length += len(text)
                if length > self._member_bytes:
                    found.append(text[-(length - self._member_bytes) :])
        except _DAMAGE:
            pass
        return b"".join(found)

    def _bounded(self, text: bytes) -> bytes:
        """Count ``text`` and return it, cut off at the limit if one is reached."""
        bounds = self._bounds
        by_ratio = bounds.max_ratio * self._stored_bytes
        allowed = min(bounds.max_bytes, by_ratio) - self._text_bytes
        if len(text) > allowed:
            text = text[: max(0, allowed)]
            self._fail(
                f"the gzip data hold more than {bounds.max_ratio} bytes of text for each stored byte (limit max_ratio)"
                if by_ratio < bounds.max_bytes
                else f"the gzip data hold more than {bounds.max_bytes} bytes of text (limit max_bytes)"
            )
        self._text_bytes += len(text)
        return text

    def _fail(self, reason: str) -> None:
        self._failure = reason
        self._ended = True


def open_stream(stored: BinaryIO, bounds: Bounds) -> BinaryIO:
    """Return the text of ``stored`` as a stream: inflated if it begins like gzip, unchanged otherwise.

    ``read`` of the returned stream raises ``ReadError`` if the gzip data are damaged, cut off or beyond ``bounds``, after it
    has returned all text before that. The caller remains responsible for closing ``stored``.

    Raises:
        SourceError: the stored bytes cannot be read.
    """
    head = read_up_to(stored, len(GZIP_MAGIC))
    whole = cast("BinaryIO", Rejoined(head, stored))
    return cast("BinaryIO", Inflated(whole, bounds)) if head == GZIP_MAGIC else whole


def read_up_to(stream: BinaryIO, size: int) -> bytes:
    """Return the next ``size`` bytes, or fewer only at the end or before a failure.

    Raises:
        ReadError: the stream fails before the first of these bytes.
        SourceError: the stored bytes cannot be read.
    """
    parts: list[bytes] = []
    wanted = size
    while wanted > 0:
        try:
            part = _read(stream, wanted)
        except ReadError:
            if not parts:
                raise
            break  # the next read raises it again
        if not part:
            break
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)


def _read(stream: BinaryIO, size: int) -> bytes:
    try:
        return stream.read(size)
    except OSError as error:
        raise SourceError(f"reading failed: {error}") from error


def _slices(stored: BinaryIO) -> Iterator[bytes]:
    while block := _read(stored, _STORED_BYTES):
        for start, end in _spans(0, len(block), _SLICE_BYTES):
            yield block[start:end]


def _spans(start: int, end: int, step: int) -> Iterator[tuple[int, int]]:
    return ((at, min(at + step, end)) for at in range(start, end, step))
