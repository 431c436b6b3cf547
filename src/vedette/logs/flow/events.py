"""Find the messages in what CloudWatch Logs sends to subscribers, and in JSON that other log shippers make of flow records.

An envelope is one JSON document; a delivered file holds many in succession, with or without line endings between them.
From broken or unknown JSON only the messages are taken.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import BinaryIO

import msgspec

from vedette.errors import ReadError
from vedette.logs.inflate import resume

BLOCK_BYTES = 1 << 20

_OPENING = re.compile(rb'\{\s*"(?:messageType|owner|logGroup|logStream|subscriptionFilters|logEvents|policyLevel)"\s*:')
_MESSAGE = re.compile(rb'"(?:@?message|body)"\s*:\s*"((?:[^"\\]|\\.)*+)"')
_LONGEST_MESSAGE = 64 << 10
_INTERFACE = re.compile(r"(?:^|/)(eni-[0-9a-zA-Z]+)(?:[-/.]|$)")
_ERRORS = (ValueError, RecursionError)  # msgspec's are ValueErrors


class Event(msgspec.Struct, gc=False):
    """A message, its time (milliseconds since 1970), and its fields if the subscription's filter pattern names them."""

    message: str = ""
    timestamp: int | None = None
    extracted: dict[str, str | None] | None = msgspec.field(default=None, name="extractedFields")


class _Envelope(msgspec.Struct, gc=False):
    events: list[Event] = msgspec.field(name="logEvents")
    kind: str = msgspec.field(default="DATA_MESSAGE", name="messageType")
    owner: str | None = None
    stream: str | None = msgspec.field(default=None, name="logStream")


_decoder = msgspec.json.Decoder(_Envelope)
_text = msgspec.json.Decoder(str)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Events delivered together, with the account and the interface that their envelope names."""

    events: list[Event]
    owner: str | None = None
    interface_id: str | None = None


@dataclass(slots=True)
class EventReader:
    """Reads the deliveries of one decompressed stream.

    ``reject`` is called with the place and the reason of each broken envelope. ``failure`` is the reason why the stream ended
    early, or ""; there, ``resume`` goes on behind the damage.
    """

    stream: BinaryIO
    max_envelope_bytes: int
    reject: Callable[[str, str], None]
    failure: str = ""
    _offset: int = 0
    _begun: bool = False
    _ended: bool = False
    _rest: bytes = field(default=b"")

    def deliveries(self) -> Iterator[Delivery]:
        """Yield the deliveries of the stream, in order.

        Raises:
            ReadError: the stream could not be read at all.
        """
        while not self._ended:
            block = self._read()
            text = self._rest + block
            starts = [match.start() for match in _OPENING.finditer(text)]
            if not starts:
                yield from self._unknown(text)
                continue
            if starts[0]:
                yield from self._messages(text[: starts[0]])
            if not block:
                starts.append(len(text))
            for start, end in pairwise(starts):
                yield from self._envelope(text[start:end], self._offset + start)
            self._leave(text, starts[-1])
            if len(self._rest) > self.max_envelope_bytes:
                yield from self._messages(self._rest)
                self.reject(f"byte {self._offset}", f"an envelope of more than {self.max_envelope_bytes} bytes")
                self._leave(self._rest, len(self._rest))

    @property
    def offset(self) -> int:
        """The byte at which what was not read yet begins."""
        return self._offset

    def resume(self) -> bool:
        """Go on behind the damage at which the stream failed; return False if nothing that can be read follows."""
        if not self.failure or not resume(self.stream):
            return False
        self._leave(self._rest, len(self._rest))
        self.failure, self._ended = "", False
        return True

    def _read(self) -> bytes:
        try:
            block = self.stream.read(max(BLOCK_BYTES, len(self._rest)))
        except ReadError as error:
            if not self._begun:
                raise
            self.failure = str(error)
            block = b""
        self._begun = True
        self._ended = not block
        return block

    def _leave(self, text: bytes, used: int) -> None:
        self._rest = text[used:]
        self._offset += used

    def _envelope(self, text: bytes, offset: int) -> Iterator[Delivery]:
        try:
            envelope = _decoder.decode(text[: text.rfind(b"}") + 1])
        except _ERRORS as error:
            yield from self._messages(text)
            if not (self._ended and self.failure):  # the failure of the stream already reports a cut-off envelope
                self.reject(f"byte {offset}", f"a broken envelope ({error}); its messages were used")
            return
        if envelope.kind != "CONTROL_MESSAGE":
            yield Delivery(envelope.events, envelope.owner, interface_in(envelope.stream or ""))

    def _unknown(self, text: bytes) -> Iterator[Delivery]:
        """Yield the messages of text without an envelope; keep its end, which may hold half a message, for the next call."""
        used = 0
        for match in _MESSAGE.finditer(text):
            used = match.end()
        yield from self._messages(text[:used])
        self._leave(text, len(text) if self._ended else max(used, len(text) - _LONGEST_MESSAGE))

    def _messages(self, text: bytes) -> Iterator[Delivery]:
        if events := [Event(message) for message in messages_in(text)]:
            yield Delivery(events)


def messages_in(text: bytes) -> Iterator[str]:
    """Yield the strings under a key for messages (``message``, ``@message``, ``body``), anywhere in whole or partial JSON."""
    for match in _MESSAGE.finditer(text):
        try:
            yield _text.decode(b'"' + match.group(1) + b'"')
        except _ERRORS:
            yield match.group(1).decode("utf-8", "replace")


def interface_in(name: str) -> str | None:
    """Return the interface ID in the name of a log stream or in the key of its export, or None if there is none."""
    match = _INTERFACE.search(name)
    return match.group(1) if match else None
