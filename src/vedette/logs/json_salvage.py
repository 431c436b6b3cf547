"""Find the records in JSON that is broken or wrapped, in one pass over the bytes.

Used only if a decoder refused a document, or if a value is a wrapper of unknown shape around records. A tokenizer with a
stack of open brackets marks each object by its keys; objects whose keys name an event are leaves, whatever surrounds
them. After an error (a missing brace, an unclosed string, garbage, nesting beyond ``MAX_DEPTH``) the open brackets are
abandoned, and reading continues at the next text that looks like the start of an object. Where a record was abandoned, what
looks like a record may be a part of it, which its caller chose: it is left out if what follows belongs to the torn record.
Time is linear in the input.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

MAX_DEPTH = 256
NAMING = frozenset((b'"eventName"', b'"eventSource"', b'"CloudTrailEvent"'))
CONTEXT = frozenset((b'"eventVersion"', b'"eventTime"', b'"userIdentity"', b'"eventID"', b'"awsRegion"', b'"insightDetails"'))
MESSAGE = b'"message"'
_HOLDING = frozenset((b'"Records"', b'"Events"', b'"logEvents"'))  # members of what holds records, never of a record
# Members of a record, with which a record that seemed to be at its end goes on.
_MEMBERS = NAMING | CONTEXT
_MEMBERS |= {
    b'"%s"' % name
    for name in (
        b"sourceIPAddress userAgent errorCode errorMessage requestParameters responseElements additionalEventData requestID"
        b" readOnly resources eventType apiVersion managementEvent recipientAccountId serviceEventDetails sharedEventID"
        b" vpcEndpointId vpcEndpointAccountId eventCategory"
        b" addendum sessionCredentialFromConsole eventContext edgeDeviceDetails tlsDetails"
    ).split()
}

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
_NEXT_KEY = re.compile(rb'[\s,]*+("[^"\\\n]{1,64}")\s*+:')
_START_CUT_OFF = re.compile(rb'\{\s*+(?:"[^"\\\n]{0,64}+(?:"\s*+)?)?\Z')
_WORD = re.compile(rb"[\w.+-]+")
_BLANKS = b" \t"
_LONGEST_WORD = 64
_LONGEST_REMAINS = 256 << 10  # no record of CloudTrail is larger
_FOUND_BEFORE = -1


@dataclass(slots=True)
class Torn:
    """A record that was abandoned: how many of its objects are open, and the telling keys that it had until then.

    As long as these are none, it may also have been a wrapper, and no object counts. ``arrays`` is true after the end of an
    array that may have been its own, or the one around it.
    """

    objects: int
    keys: frozenset[bytes]
    arrays: bool = False


@dataclass(slots=True)
class _Frame:
    """An open bracket: its offset, its kind, how many leaves were found before it, and which telling keys it holds.

    ``origin`` is where its key begins if it is the value of one, else its own offset: from there it can be read again.
    ``line`` is how its line begins, up to its first key, None if it does not begin a line. ``around`` is true if it holds
    records, or one was abandoned inside it: what keys are left of that do not make a record of the whole.
    """

    start: int
    is_object: bool
    leaves: int
    origin: int
    line: bytes | None = None
    named: bool = False
    context: bool = False
    has_message: bool = False
    around: bool = False
    keys: frozenset[bytes] = frozenset()


@dataclass(slots=True)
class Salvage:
    """One pass over a text: the records found, the parts abandoned, and how much of the text is used up.

    The text of the log begins at ``begin``; before it are brackets that were opened in earlier text, or ``outer`` is all of them.
    ``leaves`` are the spans of records; ``problems`` are offsets, each with a reason; text from ``used`` on belongs to a value
    that continues after the text, and ``outer`` are the brackets open there (true for an object): passed to the next pass,
    they are open before its text. ``cut_off`` means that the last problem is the end of the text. ``lost`` is true while
    reading is amid the remains of a broken value, and ``torn`` is the record, if any, that these may be of; both are passed on.
    """

    begin: int = 0
    lost: bool = False
    torn: Torn | None = None
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
    _last_text: tuple[int, int] = (0, 0)
    _resumed: int = -1
    _doubtful: int = 0
    _doubtful_from: int = 0
    _torn_before: Torn | None = None

    def scan(self, text: bytes, *, final: bool) -> None:
        """Read ``text``; unless it is ``final``, leave a value that is cut off by its end to the next pass."""
        self._stack = [_Frame(0, is_object, _FOUND_BEFORE, 0) for is_object in self.outer]
        self._open_objects = sum(self.outer)
        position = self.begin if self.outer else 0
        while match := _TOKEN.match(text, position):
            kind = match.lastgroup or "junk"
            start = match.start("text" if kind == "colon" else kind)
            if kind == "junk" and (self._stack or not final) and _may_go_on(text, start):
                break
            if not final and match.end() == len(text) and kind in {"text", "word"}:
                break  # it may continue, or be a key
            position = self._token(kind, match, start)
        self._end(text, position, final=final)

    def _token(self, kind: str, match: re.Match[bytes], start: int) -> int:
        """Take the token of a match, and return where to go on."""
        text, end = match.string, match.end()
        if kind in {"text", "colon"}:
            self._last_text = match.span("text")
        if kind == "close":
            if text[start] == ord("}") or not self._is_misplaced(text, end):
                self._close(text[start] == ord("}"), start, end)
        elif kind == "open":
            line = self._line(text, match.start(), start)
            if line is not None and self._events_open:
                self._begin_line(line, start)
            elif line is not None and not self._stack and text[match.start() : start].endswith(b"\n"):
                self.torn = None  # what begins a line without being indented is no part of anything
            self._open(text[start] == ord("{"), start, line)
            if len(self._stack) > MAX_DEPTH:
                return self._resume(text, start, f"nested deeper than {MAX_DEPTH} levels")
        elif kind == "colon" and (not self._stack or self._stack[-1].is_object):
            self._key(match.group("text"), start)
        elif kind in {"junk", "colon"}:
            return self._resume(text, start, "not JSON")
        else:
            self._value(start)
        return end

    def _key(self, key: bytes, start: int) -> None:
        self._expects_value = True
        self._last_key = start
        if not self._stack:
            self._report_stray_text(start)
            if self.torn and (key in NAMING or key in CONTEXT):
                self._go_on_with_torn(key)
            return
        frame = self._stack[-1]
        if frame.around or key in _HOLDING:
            frame.around = True
            if key in NAMING:
                self._report_stray_text(start)
            return
        if key in NAMING or key in CONTEXT:
            frame.keys |= {key}
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

    def _go_on_with_torn(self, key: bytes) -> None:
        """Take ``key`` for one of the torn record's, unless that had it already: then it is of another record."""
        if self.torn is None:
            return
        if key in self.torn.keys:
            self.torn = None
        else:
            self.torn.keys |= {key}
            self.torn.objects = self.torn.objects or 1
            del self.leaves[self._doubtful :]

    def _line(self, text: bytes, end: int, start: int) -> bytes | None:
        """Return how the line of the opening bracket at ``start`` begins; None if another token, which ends at ``end``, does."""
        if b"\n" not in text[end:start] and end != self.begin:
            return None
        first = _START.match(text, start)
        return text[max(end, text.rfind(b"\n", end, start) + 1) : first.end()] if first else None

    def _begin_line(self, line: bytes, start: int) -> None:
        """Abandon a record that began a line like this one: a line of its own within a record is indented."""
        for at, frame in enumerate(self._stack):
            if frame.line == line:
                self._abandon(start, "a bracket is not closed", down_to=at)
                self.lost = False
                self.torn = None
                self._expects_value = False
                return

    def _open(self, is_object: bool, start: int, line: bytes | None = None) -> None:
        if self._stack and self._stack[-1].is_object and not self._expects_value:
            self._abandon(start, "a bracket is not closed")
            self.lost = False
        if not self._stack and self.torn and len(self.leaves) <= self._doubtful:
            self._torn_before, self._doubtful_from = replace(self.torn), start
        origin = self._last_key if self._expects_value else start
        self._expects_value = False
        self._stack.append(_Frame(start, is_object, len(self.leaves) if start >= self.begin else _FOUND_BEFORE, origin, line))
        self._open_objects += is_object

    def _is_misplaced(self, text: bytes, end: int) -> bool:
        """Tell whether the closing bracket before ``end`` would end the array around a record that goes on after it."""
        if not self._stack or not self._stack[-1].is_object or self._open_objects == len(self._stack):
            return False
        following = _NEXT_KEY.match(text, end)
        if following is None or following.group(1) not in _MEMBERS:
            return False
        array = max(at for at, frame in enumerate(self._stack) if not frame.is_object)
        return not any(frame.named or frame.context for frame in self._stack[:array])

    def _close(self, is_object: bool, start: int, end: int) -> None:
        self._expects_value = False
        if not (self._open_objects if is_object else len(self._stack) - self._open_objects):
            self._close_torn(is_object)
            return
        if self._stack[-1].is_object and not is_object:
            arrays = [at for at, frame in enumerate(self._stack) if not frame.is_object]
            self._abandon(start, "a bracket is not closed", down_to=arrays[-1] + 1)
            self.torn = None
        while self._stack[-1].is_object != is_object:
            self._pop()
        frame = self._pop()
        if is_object:
            self._finish(frame, end)

    def _close_torn(self, is_object: bool) -> None:
        """Take a closing bracket for that of an abandoned one: what was found meanwhile was inside the torn record."""
        if self.torn is None:
            return
        if not is_object:
            self.torn.arrays |= len(self.leaves) > self._doubtful
        elif self.torn.arrays:
            self.torn = None
        elif self.torn.objects:
            del self.leaves[self._doubtful :]
            self.torn.objects -= 1
            if not self.torn.objects:
                self.torn = None

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

    def _abandon(self, start: int, reason: str, *, down_to: int = 0) -> None:
        """Give up the open brackets but for the first ``down_to``, and remember the record among them."""
        event = next((at for at, frame in enumerate(self._stack) if frame.named or frame.context), None)
        if event is not None and event >= down_to:
            objects = sum(frame.is_object for frame in self._stack[event:])
            self.torn = Torn(objects, self._stack[event].keys)
        elif self._stack and self._stack[-1].is_object and not down_to:
            self.torn = Torn(0, frozenset())
        self._doubtful = len(self.leaves)
        while len(self._stack) > down_to:
            self._pop()
        for frame in self._stack:
            frame.around = True
        if not self.lost:
            self.problems.append((start, reason))

    def _resume(self, text: bytes, start: int, reason: str) -> int:
        self._abandon(start, reason)
        self.lost = True
        self._expects_value = False
        begin, end = self._last_text
        swallowed = text.rfind(b"{", begin, end)  # where a quote too many or too few has turned strings inside out
        following = swallowed > self._resumed and _START.match(text, swallowed)
        following = following or _START.search(text, start + 1) or _START_CUT_OFF.search(text, start + 1)
        self._resumed = following.start() if following else len(text)
        return self._resumed

    def _end(self, text: bytes, position: int, *, final: bool) -> None:
        pending = next((frame for frame in self._stack if frame.leaves == len(self.leaves)), None)
        if not final:
            # A key whose value has not been read yet is read again together with it, and a line with what it is indented by.
            self.used = pending.origin if pending else self._last_key if self._expects_value else position
            while self.used > self.begin and text[self.used - 1] in _BLANKS:
                self.used -= 1
            whole = self._stack.index(pending) if pending else len(self._stack)
            self.outer = tuple(frame.is_object for frame in self._stack[:whole])
            self._hold_back(len(text))
        else:
            self.used = len(text)
            self.cut_off = bool(self._stack)
            if self._stack:
                self.problems.append((pending.start if pending else len(text), "the text ends before its brackets are closed"))

    def _hold_back(self, length: int) -> None:
        """Leave records that may be parts of a torn one to the next pass, unless too much has followed for that."""
        if self.torn is None or len(self.leaves) <= self._doubtful:
            return
        if length - self._doubtful_from > _LONGEST_REMAINS:
            self.torn = None
            return
        del self.leaves[self._doubtful :]
        self.used = self._doubtful_from
        self.problems = [(start, reason) for start, reason in self.problems if start <= self.used]
        self.outer, self.lost, self.torn = (), True, self._torn_before


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
