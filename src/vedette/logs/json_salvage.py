"""Find the records in JSON that is broken or wrapped, in one pass over the bytes.

Used only if a decoder refused a document, or if a value is a wrapper of unknown shape around records. A tokenizer with a
stack of open brackets marks each object by its keys; objects whose keys name an event are leaves, whatever surrounds
them. After an error (a missing brace, an unclosed string, garbage, nesting beyond ``MAX_DEPTH``) the open brackets are
abandoned, and reading continues at the next text that looks like the start of an object. Time is linear in the input.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_DEPTH = 256
NAMING = frozenset((b'"eventName"', b'"eventSource"', b'"CloudTrailEvent"'))
CONTEXT = frozenset((b'"eventVersion"', b'"eventTime"', b'"userIdentity"', b'"eventID"', b'"awsRegion"', b'"insightDetails"'))
MESSAGE = b'"message"'

_TOKEN = re.compile(
    rb"""[\s,\xef\xbb\xbf]*+(?:
        (?P<text>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+") (?P<colon>\s*+:)?
      | (?P<open>[{\[])
      | (?P<close>[}\]])
      | (?P<word>-?\d[\d.eE+-]*+ | true | false | null)
      | (?P<junk>[^\s,])
    )""",
    re.VERBOSE | re.DOTALL,
)
_START = re.compile(rb'\{\s*+(?:"[^"\\\n]{1,64}"\s*+:)')
_WORD = re.compile(rb"[\w.+-]+")
_LONGEST_WORD = 64
_FOUND_BEFORE = -1


@dataclass(slots=True)
class _Frame:
    """An open bracket: its offset, its kind, how many leaves were found before it, and which telling keys it holds.

    ``origin`` is where its key begins if it is the value of one, else its own offset: from there it can be read again.
    """

    start: int
    is_object: bool
    leaves: int
    origin: int
    named: bool = False
    context: bool = False
    has_message: bool = False


@dataclass(slots=True)
class Salvage:
    """One pass over a text: the records found, the parts abandoned, and how much of the text is used up.

    The text of the log begins at ``begin``; before it are brackets that were opened in earlier text.
    ``leaves`` are the spans of records; ``problems`` are offsets, each with a reason; text from ``used`` on belongs to a value
    that continues after the text, and ``outer`` are the brackets open there (true for an object): passed to the next pass,
    they are open before its text. ``cut_off`` means that the last problem is the end of the text. ``lost`` is true while
    reading is amid the remains of a broken value.
    """

    begin: int = 0
    lost: bool = False
    outer: tuple[bool, ...] = ()
    leaves: list[tuple[int, int]] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    used: int = 0
    cut_off: bool = False
    _stack: list[_Frame] = field(default_factory=list)
    _open_objects: int = 0
    _events_open: int = 0
    _expects_value: bool = False
    _last_key: int = 0

    def scan(self, text: bytes, *, final: bool) -> None:
        """Read ``text``; unless it is ``final``, leave a value that is cut off by its end to the next pass."""
        self._stack = [_Frame(0, is_object, _FOUND_BEFORE, 0) for is_object in self.outer]
        self._open_objects = sum(self.outer)
        position = 0
        while match := _TOKEN.match(text, position):
            kind = match.lastgroup
            start = match.start("text" if kind == "colon" else kind or 0)
            if kind == "junk" and (self._stack or not final) and _may_go_on(text, start):
                break
            if not final and match.end() == len(text) and kind in {"text", "word"}:
                break  # it may continue, or be a key
            position = match.end()
            if kind == "close":
                self._close(text[start] == ord("}"), start, position)
            elif kind == "open":
                self._open(text[start] == ord("{"), start)
                if len(self._stack) > MAX_DEPTH:
                    position = self._resume(text, start, f"nested deeper than {MAX_DEPTH} levels")
            elif kind == "colon" and (not self._stack or self._stack[-1].is_object):
                self._key(match.group("text"), start)
            elif kind in {"junk", "colon"}:
                position = self._resume(text, start, "not JSON")
            else:
                self._value(start)
        self._end(len(text), position, final=final)

    def _key(self, key: bytes, start: int) -> None:
        self._expects_value = True
        self._last_key = start
        if not self._stack:
            self._report_stray_text(start)
            return
        frame = self._stack[-1]
        if key in NAMING or key in CONTEXT:
            if not (frame.named or frame.context):
                self._events_open += 1
            if key in NAMING:
                frame.named = True
            else:
                frame.context = True
        elif key == MESSAGE:
            frame.has_message = True

    def _value(self, start: int) -> None:
        self._expects_value = False
        if not self._stack:
            self._report_stray_text(start)

    def _report_stray_text(self, start: int) -> None:
        if not self.lost:
            self.problems.append((start, "text between records"))
            self.lost = True

    def _open(self, is_object: bool, start: int) -> None:
        if self._stack and self._stack[-1].is_object and not self._expects_value:
            self._abandon(start, "a bracket is not closed")
            self.lost = False
        origin = self._last_key if self._expects_value else start
        self._expects_value = False
        self._stack.append(_Frame(start, is_object, len(self.leaves) if start >= self.begin else _FOUND_BEFORE, origin))
        self._open_objects += is_object

    def _close(self, is_object: bool, start: int, end: int) -> None:
        self._expects_value = False
        if not (self._open_objects if is_object else len(self._stack) - self._open_objects):
            return  # closes a bracket that was abandoned
        if self._stack[-1].is_object and not is_object:
            self._abandon(start, "a bracket is not closed", down_to_array=True)
        while self._stack[-1].is_object != is_object:
            self._pop()
        frame = self._pop()
        if is_object:
            self._finish(frame, end)

    def _pop(self) -> _Frame:
        frame = self._stack.pop()
        self._open_objects -= frame.is_object
        if frame.named or frame.context:
            self._events_open -= 1
        return frame

    def _finish(self, frame: _Frame, end: int) -> None:
        found = len(self.leaves) > frame.leaves
        if self._events_open:
            return  # part of a record
        if frame.named or (not found and (frame.context or frame.has_message)):
            del self.leaves[frame.leaves :]  # inner objects that looked like records
            self.leaves.append((frame.start, end))
            self.lost = False
        elif not found and self._is_among_records():
            self.problems.append((frame.start, "an object without eventName and eventSource"))

    def _is_among_records(self) -> bool:
        """Tell whether the object that was just closed is at the top level or in an array that holds records."""
        if not self._stack:
            return True
        around = self._stack[-1]
        return not around.is_object and len(self.leaves) > around.leaves

    def _abandon(self, start: int, reason: str, *, down_to_array: bool = False) -> None:
        while self._stack and not (down_to_array and not self._stack[-1].is_object):
            self._pop()
        if not self.lost:
            self.problems.append((start, reason))

    def _resume(self, text: bytes, start: int, reason: str) -> int:
        self._abandon(start, reason)
        self.lost = True
        self._expects_value = False
        following = _START.search(text, start + 1)
        return following.start() if following else len(text)

    def _end(self, length: int, position: int, *, final: bool) -> None:
        pending = next((frame for frame in self._stack if frame.leaves == len(self.leaves)), None)
        if not final:
            # A key whose value has not been read yet is read again together with it.
            self.used = pending.origin if pending else self._last_key if self._expects_value else position
            whole = self._stack.index(pending) if pending else len(self._stack)
            self.outer = tuple(frame.is_object for frame in self._stack[:whole])
        else:
            self.used = length
            self.cut_off = bool(self._stack)
            if self._stack:
                self.problems.append((pending.start if pending else length, "the text ends before its brackets are closed"))


def _may_go_on(text: bytes, start: int) -> bool:
    """Tell whether the junk at ``start`` may be a string or a word that is cut off by the end of the text."""
    if text[start] == ord('"'):
        return text.find(b"\n", start) < 0
    return len(text) - start < _LONGEST_WORD and _WORD.fullmatch(text, start) is not None


def leaves_of(text: bytes) -> Iterator[bytes]:
    """Yield the JSON text of each record inside one well-formed value of any shape."""
    salvage = Salvage()
    salvage.scan(text, final=True)
    for start, end in salvage.leaves:
        yield text[start:end]
