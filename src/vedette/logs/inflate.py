"""Open stored bytes as text: gzip of any number of members is recognised by its first bytes, all else passes unchanged.

Text before a damaged place is good and is returned first; the next read then raises an error that says what is wrong. Who can
do without the text in between then asks to ``resume`` with the next whole member.
"""

import io
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Protocol, cast

from vedette.errors import ReadError, SourceError
from vedette.logs.gzip_member import DAMAGE, MAGIC, SLICE_BYTES, Found, Member, MemberSearch

_STORED_BYTES = 1 << 20
_LOOKED_AHEAD_BYTES = 1 << 20
# Where a member is cut off and another follows, both are inflated as one until that fails, after 64 KiB at the latest, as a rule.
_STEPS_HELD = 20
_STEP_BYTES = 1 << 17  # the most text that one step yields, even of a decompression bomb


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

    def resume(self) -> bool:
        """Let the wrapped stream ``resume``."""
        return resume(self._stream)

    @property
    def is_whole(self) -> bool:
        """Whether the wrapped stream ``is_whole``."""
        return is_whole(self._stream)

    @property
    def holds_gzip(self) -> bool | None:
        """Whether the text of the wrapped stream is gzip data itself."""
        return self._stream.holds_gzip if isinstance(self._stream, Inflated | Rejoined) else None

    @holds_gzip.setter
    def holds_gzip(self, value: bool | None) -> None:
        if isinstance(self._stream, Inflated | Rejoined):
            self._stream.holds_gzip = value

    def _tail(self, size: int) -> bytes:
        try:
            return _read(self._stream, size)
        except ReadError:  # the stream raises it again at the next read
            return b""


class Inflated(io.BufferedIOBase):
    """The text of stored gzip bytes, which may be the text of another such stream.

    ``is_whole`` tells, once reading has failed, whether no text is missing before that: only what follows is damaged.
    ``holds_gzip`` is whether the text is gzip data itself, None until that is known.
    """

    def __init__(self, stored: BinaryIO, bounds: Bounds) -> None:
        """Inflate ``stored``, which is positioned at the start of a member, as far as ``bounds`` allow."""
        self.is_whole = False
        self.holds_gzip: bool | None = None
        if isinstance(stored, Inflated | Rejoined):
            stored.holds_gzip = True
        self._stored = stored
        self._slices = _slices(stored)
        self._held: deque[bytes] = deque()  # text that may yet turn out to be no text of its member
        self._again: list[bytes] = []
        self._bounds = bounds
        self._member: Member | None = Member()
        self._search = MemberSearch()
        self._behind = bytearray()  # stored bytes behind damage, and a whole member that was found in them
        self._found: Found | None = None
        self._cut = 0  # where that begins in the bytes of the damaged one
        self._stored_bytes = 0
        self._stored_failure = ""
        self._is_reported = True
        self._text_bytes = 0
        self._rest = b""
        self._failure = ""
        self._ended = False
        self._is_last = False

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

    def resume(self) -> bool:
        """Go on, after reading has failed, with the next whole member; return False if there is none.

        Where the stored bytes turn out to be damaged before that, the next read fails again.
        """
        if not self._failure or self._is_last:
            return False
        stored, found = self._behind, self._found
        self._behind, self._found, self._member = bytearray(), None, None
        if found is None:
            found = self._search.find(stored, self._next_slice)
        if found is not None:
            start = found.start
            self._failure, self._ended, self.is_whole = "", False, False
            if found.head != MAGIC and self._must_hold_gzip(stored, found):
                # A member of the layer inside, which was stored as it is: it is text of this layer.
                self._rest, start = self._bounded(bytes(stored[start : found.end])), found.end
            self._again += [*_sliced(bytes(stored[start:]))][::-1]
            return True
        self._is_last = self._is_reported
        if not self._is_reported:
            self._fail(self._because_of_stored(), is_whole=False)
        return not self._is_last

    def _must_hold_gzip(self, stored: bytearray, found: Found) -> bool:
        """Tell whether the text is gzip data itself; where none was seen yet, by what comes next."""
        if self.holds_gzip is not None:
            return self.holds_gzip
        while len(stored) - found.end < _LOOKED_AHEAD_BYTES and (more := self._next_slice()):
            stored += more
        return self._search.holds_gzip(stored, found.end)

    def _step(self) -> bytes:
        """Return the text of the next slice or of a part of it; record the end or a failure."""
        member, stored = self._member, b""
        if member is None or not member.rest:
            stored = self._again.pop() if self._again else self._next_slice()
            if not stored:
                return self._end()
            if member is None:
                stored = stored.lstrip(b"\0")
                if not stored:
                    return b""
                self._member = member = Member()
        try:
            text = member.inflate(stored, _STEP_BYTES)
        except DAMAGE as error:
            return self._damaged(member, str(error))
        self._held.append(text)
        if not member.state.eof:
            return self._held.popleft() if len(self._held) > _STEPS_HELD else b""
        self._member = None
        if unused := member.state.unused_data:
            self._again.append(unused)
        return self._all_held()

    def _damaged(self, member: Member, error: str) -> bytes:
        """Record that a member is damaged, and return the text before that."""
        text = self._rest_of_text(member)
        trailing = self._text_bytes > 0 and not member.text_bytes
        what = "are followed by something else" if trailing else "are damaged"
        reason = f"the gzip data {what} after {self._text_bytes + len(text)} bytes of text ({error})"
        self._fail(reason, is_whole=trailing or member.is_whole)
        return text

    def _rest_of_text(self, member: Member) -> bytes:
        """Return the text of a member that cannot be inflated on, up to where the next whole one begins."""
        held = self._all_held()
        before = held[: len(held) - member.take_back(len(held))]
        if self._found_among(member.intruders(), member):
            return before + member.rest_of_text(self._cut)
        self._behind = member.kept[1 - len(MAGIC) :]
        return before + member.rest_of_text(len(member.kept))

    def _all_held(self) -> bytes:
        text = b"".join(self._held)
        self._held.clear()
        return text

    def _found_among(self, intruders: Iterator[tuple[int, bool]], member: Member) -> bool:
        """Tell whether a whole member begins at one of some places in another, and keep it for ``resume``."""
        more = bytearray()  # stored bytes that are not the member's
        for at, is_text in intruders:
            # Where text is gzip data stored as it is, that is a member of the layer inside, unless it holds gzip data itself.
            if is_text and (self.holds_gzip or member.head == MAGIC) and self._search.head_at(at, member.kept) != MAGIC:
                continue
            stored = member.kept[at:] + more
            self._search.spend(len(stored) // 16)  # for the copy
            length = len(stored)
            found = self._search.whole_at(0, stored, self._next_slice)
            if found:
                self._behind, self._found, self._cut = stored, found, at
                return True
            more += stored[length:]
        self._again += [*_sliced(bytes(more))][::-1]
        return False

    def _end(self) -> bytes:
        """Record how the stored bytes have ended, and return the last of the text."""
        text, is_whole = b"", True
        if self._member is not None:
            text = self._rest_of_text(self._member)
            is_whole = self._member.is_whole
        self._ended = True
        if not self._is_reported:
            self._fail(self._because_of_stored(len(text)), is_whole=is_whole)
        elif self._member is not None:
            self._fail(f"the gzip data are cut off after {self._text_bytes + len(text)} bytes of text", is_whole=is_whole)
        return text

    def _next_slice(self) -> bytes:
        """Return stored bytes, b"" at their end or where they fail."""
        if self._again:
            return self._again.pop()
        if self._stored_failure and self._is_reported:
            if not resume(self._stored):
                return b""
            self._stored_failure = ""
            self._slices = _slices(self._stored)
        try:
            stored = next(self._slices, b"")
        except ReadError as error:  # of the layer around this one
            self._stored_failure, self._is_reported = str(error), False
            return b""
        self._stored_bytes += len(stored)
        return stored

    def _because_of_stored(self, more: int = 0) -> str:
        self._is_reported = True
        return (
            f"the gzip data end after {self._text_bytes + more} bytes of text: in the layer around them, {self._stored_failure}"
        )

    def _bounded(self, text: bytes) -> bytes:
        """Count ``text`` and return it, cut off at the limit if one is reached."""
        bounds = self._bounds
        by_ratio = bounds.max_ratio * self._stored_bytes
        allowed = min(bounds.max_bytes, by_ratio) - self._text_bytes
        if len(text) > allowed:
            text = text[: max(0, allowed)]
            self._is_last = True
            self._fail(
                f"the gzip data hold more than {bounds.max_ratio} bytes of text for each stored byte (limit max_ratio)"
                if by_ratio < bounds.max_bytes
                else f"the gzip data hold more than {bounds.max_bytes} bytes of text (limit max_blob_bytes)",
                is_whole=False,
            )
        self._text_bytes += len(text)
        return text

    def _fail(self, reason: str, *, is_whole: bool) -> None:
        self._failure = reason
        self.is_whole = is_whole
        self._ended = True


def open_stream(stored: BinaryIO, bounds: Bounds) -> BinaryIO:
    """Return the text of ``stored`` as a stream: inflated if it begins like gzip, unchanged otherwise.

    ``read`` of the returned stream raises ``ReadError`` if the gzip data are damaged, cut off or beyond ``bounds``, after it
    has returned all text before that. The caller remains responsible for closing ``stored``.

    Raises:
        SourceError: the stored bytes cannot be read.
    """
    head = read_up_to(stored, len(MAGIC))
    whole = cast("BinaryIO", Rejoined(head, stored))
    return cast("BinaryIO", Inflated(whole, bounds)) if is_like_gzip(head) else whole


def is_like_gzip(head: bytes) -> bool:
    """Tell whether bytes begin as gzip does; one of the first three may be damaged."""
    return head[:2] == MAGIC[:2] or sum(a == b for a, b in zip(head, MAGIC, strict=False)) == len(MAGIC) - 1


def resume(stream: BinaryIO) -> bool:
    """Go on with a stream of ``open_stream`` behind the damage that its last read reported; return False if that was the end."""
    return isinstance(stream, Inflated | Rejoined) and stream.resume()


def is_whole(stream: BinaryIO) -> bool:
    """Tell whether a stream of which the last read failed has returned all text before the damage, none of it cut off."""
    return isinstance(stream, Inflated | Rejoined) and stream.is_whole


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
        yield from _sliced(block)


def _sliced(block: bytes) -> Iterator[bytes]:
    return (block[at : at + SLICE_BYTES] for at in range(0, len(block), SLICE_BYTES))
