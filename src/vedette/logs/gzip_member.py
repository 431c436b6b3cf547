"""Inflate one member of gzip data, to the last byte of text before damage, and find the next whole member behind it.

isal inflates, fast; zlib does it again where isal has failed, because it gives each byte of text as soon as its bits are there,
and its state can be copied.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, cast

from isal import igzip_lib, isal_zlib

MAGIC = b"\x1f\x8b\x08"

DAMAGE = (cast("type[Exception]", igzip_lib.IsalError), zlib.error)  # the stubs take the class for an instance
SLICE_BYTES = 4_096  # inflated at a time

_GZIP_WINDOW = 31  # zlib's number for "a gzip wrapper around 32 KiB of window"
_KEPT_BYTES = 8 << 20  # how much of a member is kept to inflate it again; from there on, zlib inflates it
_LONGEST_FOUND = 32 << 20  # stored bytes of a member that is found behind damage: it is looked through before it is used
_VAIN_BYTES = 1 << 30  # how much text is looked through in vain
_ENDINGS = ("incorrect data check", "incorrect length check")  # what zlib says when only the checksum or the length is wrong


class _State(Protocol):
    """What inflates: isal's object or zlib's."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes: ...


class Member:
    """One member that is being inflated; ``kept`` are its stored bytes, or the last of them.

    ``rest`` are the bytes that were given but not used yet. ``head`` are the first bytes of the text, and ``text_bytes`` is the
    length of what was returned. ``is_whole`` tells, after ``rest_of_text``, whether that is all.
    """

    __slots__ = ("_before", "_before_bytes", "head", "is_whole", "kept", "rest", "state", "text_bytes")

    def __init__(self) -> None:
        """Begin a member."""
        self.kept = bytearray()
        self.rest = b""
        self.text_bytes = 0
        self.is_whole = False
        self.state = cast("_State", isal_zlib.decompressobj(wbits=_GZIP_WINDOW))
        self._before: zlib._Decompress | None = None  # the state before the bytes that are kept; None at the start of the member
        self._before_bytes = 0  # the length of the text that was returned until then
        self.head = b""

    def inflate(self, stored: bytes, most: int) -> bytes:
        """Return up to ``most`` bytes of the text of ``rest`` or, if that is used up, of the next stored bytes.

        Raises:
            DAMAGE: the data are damaged. ``rest_of_text`` returns what text there is before that.
        """
        if stored:
            if len(self.kept) > _KEPT_BYTES and (late := self._make_room()):
                self.kept += stored
                self.rest = stored
                return late
            self.kept += stored
        text = self.state.decompress(stored or self.rest, most)
        self.rest = self.state.unconsumed_tail
        if not self.text_bytes:
            self.head = text[: len(MAGIC)]
        self.text_bytes += len(text)
        return text

    def take_back(self, most: int) -> int:
        """Take back up to ``most`` bytes of the text that was returned last, and return how many; those bytes come out again."""
        taken = min(most, self.text_bytes - self._before_bytes)
        self.text_bytes -= taken
        return taken

    def intruders(self) -> Iterator[tuple[int, bool]]:
        """Yield where in ``kept`` another member may begin: this one may have been cut off there, and the other inflated with it.

        Together with each place, whether it inflates to itself: then it may as well be text that was stored as it is.
        """
        state, done, is_sound = _copied(self._before), 0, True
        at = self.kept.find(MAGIC, 1)
        while at >= 0:
            is_text = False
            try:
                while is_sound and done < at:
                    part = bytes(self.kept[done : min(at, done + SLICE_BYTES)])
                    done += len(part)
                    state.decompress(part)
                is_text = is_sound and state.copy().decompress(bytes(self.kept[at : at + len(MAGIC)])) == MAGIC
            except zlib.error:
                is_sound = False
            yield at, is_text
            at = self.kept.find(MAGIC, at + 1)

    def rest_of_text(self, end: int) -> bytes:
        """Return the text of the first ``end`` bytes of ``kept`` that has not been returned yet, after damage or at the end."""
        new, state = _New(self.text_bytes - self._before_bytes), _copied(self._before)
        sound, stored = state, b""
        try:
            for stored in self._slices(end):
                sound = state.copy()
                new.add(state.decompress(stored))
            self.is_whole = state.eof or _is_at_end(state)
        except zlib.error as error:
            self.is_whole = str(error).endswith(_ENDINGS)
            for text in _before_damage(sound, stored):
                new.add(text)
        return self._returned(new)

    def _make_room(self) -> bytes:
        """Let go of the kept bytes, of which all text was returned but for what this returns, and go on with zlib."""
        new, state = _New(self.text_bytes - self._before_bytes), _copied(self._before)
        try:
            for stored in self._slices(len(self.kept)):
                new.add(state.decompress(stored))
        except zlib.error:  # a header that isal does not mind; should it be damaged, the last slice is lost
            return b""
        late = self._returned(new)
        self.state = state
        self._before, self._before_bytes = state.copy(), self.text_bytes
        self.kept.clear()
        return late

    def _slices(self, end: int) -> Iterator[bytes]:
        return (bytes(self.kept[at : min(at + SLICE_BYTES, end)]) for at in range(0, end, SLICE_BYTES))

    def _returned(self, new: "_New") -> bytes:
        text = b"".join(new.texts)
        self.text_bytes += len(text)
        return text


class _New:
    """What is new in text of which the first ``known`` bytes were returned before."""

    def __init__(self, known: int) -> None:
        self.texts: list[bytes] = []
        self._known = known

    def add(self, text: bytes) -> None:
        """Add the next part of the text."""
        new = text[self._known :]
        self._known -= min(self._known, len(text))
        if new:
            self.texts.append(new)


def _copied(state: "zlib._Decompress | None") -> "zlib._Decompress":
    return zlib.decompressobj(_GZIP_WINDOW) if state is None else state.copy()


def _before_damage(state: "zlib._Decompress", stored: bytes) -> Iterator[bytes]:
    """Yield the text of ``stored`` up to the damage in it, which is searched for by halves."""
    while len(stored) > 1:
        half = len(stored) // 2
        trial = state.copy()
        try:
            text = trial.decompress(stored[:half])
        except zlib.error:
            stored = stored[:half]
        else:
            yield text
            state, stored = trial, stored[half:]
    try:
        while text := state.decompress(stored, 1):
            yield text
            stored = state.unconsumed_tail
    except zlib.error:
        return


def _is_at_end(state: "zlib._Decompress") -> bool:
    """Tell whether the text is complete, and only the checksum or the length behind it is not."""
    for guess in (bytes(8), b"\xff" * 8):  # no text ends with both
        try:
            state.copy().decompress(guess)
        except zlib.error as error:
            if not str(error).endswith(_ENDINGS):
                return False
        else:
            return False
    return True


@dataclass(frozen=True, slots=True)
class Found:
    """A whole member in stored bytes: where it begins and ends, and the first bytes of its text."""

    start: int
    end: int
    head: bytes


class MemberSearch:
    """Finds whole members in stored bytes behind damage: only those whose checksum and length are right count."""

    def __init__(self) -> None:
        """Begin to search; time is limited over all searches."""
        self._vain = 0

    def spend(self, amount: int) -> None:
        """Count work on a search like so many bytes of text looked through."""
        self._vain += amount

    def find(self, stored: bytearray, more: Callable[[], bytes]) -> Found | None:
        """Return the next whole member, None if there is none.

        Stored bytes are added from ``more``, which returns b"" at the end, as far as they are needed, and dropped where nothing
        begins; where this returns None, all are.
        """
        at = 0
        while self._vain <= _VAIN_BYTES:
            at = stored.find(MAGIC, at)
            if at >= 0:
                if found := self.whole_at(at, stored, more):
                    return found
                at += 1
                continue
            del stored[: max(0, len(stored) - len(MAGIC) + 1)]
            at = 0
            if not (block := more()):
                break
            stored += block
        stored.clear()
        return None

    def holds_gzip(self, stored: bytearray, start: int) -> bool:
        """Tell whether a whole member that is in ``stored``, after ``start``, is one of gzip data."""
        while self._vain <= _VAIN_BYTES and (start := stored.find(MAGIC, start)) >= 0:
            found = self.whole_at(start, stored, bytes)
            if found and found.head == MAGIC:
                return True
            if found:
                self.spend(8 * (found.end - start))  # for looking at what will be read again
            start = found.end if found else start + 1
        return False

    def head_at(self, start: int, stored: bytearray) -> bytes:
        """Return the first bytes of the text of the member that begins at ``start``, as far as they are in ``stored``."""
        try:
            return zlib.decompressobj(_GZIP_WINDOW).decompress(bytes(stored[start : start + SLICE_BYTES]), len(MAGIC))
        except zlib.error:
            return b""

    def whole_at(self, start: int, stored: bytearray, more: Callable[[], bytes]) -> Found | None:
        """Return the member that begins at ``start``, None if it is not whole."""
        state = zlib.decompressobj(_GZIP_WINDOW)
        at, looked, head = start, self._vain, b""
        try:
            while not state.eof and at - start <= _LONGEST_FOUND and looked <= _VAIN_BYTES:
                if at == len(stored):
                    if not (block := more()):
                        break
                    stored += block
                part = bytes(stored[at : at + SLICE_BYTES])
                text = state.decompress(part)
                head += text[: len(MAGIC) - len(head)]
                at += len(part)
                looked += len(part) + len(text)
        except zlib.error:
            pass
        if state.eof:
            return Found(start, at - len(state.unused_data), head)
        self._vain = looked + SLICE_BYTES
        return None
