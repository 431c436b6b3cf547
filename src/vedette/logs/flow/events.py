"""Finds the messages in what CloudWatch Logs sends to subscribers, and in JSON that other shippers make of flow records.

An envelope is one JSON document; a delivered file holds many, one behind the other, with or without line ends between them.
From broken or unknown JSON the messages alone are taken.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import BinaryIO

import msgspec

from vedette.errors import ReadError

BLOCK_BYTES = 1 << 20

_OPENING = re.compile(rb'\{\s*"(?:messageType|owner|logGroup|logStream|subscriptionFilters|logEvents|policyLevel)"\s*:')
_MESSAGE = re.compile(rb'"(?:@?message|body)"\s*:\s*"((?:[^"\\]|\\.)*+)"')
_LONGEST_MESSAGE = 64 << 10
_INTERFACE = re.compile(r"(?:^|/)(eni-[0-9a-zA-Z]+)(?:[-/.]|$)")
_ERRORS = (ValueError, RecursionError)  # msgspec's are ValueErrors


class Event(msgspec.Struct, gc=False):
    """A message, when it was logged (milliseconds since 1970), and its fields where the subscription's pattern names them."""

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
    """Events that came together, with the account and the interface that their envelope names."""

    events: list[Event]
    owner: str | None = None
    interface_id: str | None = None


@dataclass(slots=True)
class EventReader:
    """Reads the deliveries of one decompressed stream; ``failure`` is why the stream ended early, or ""."""

    stream: BinaryIO
    max_envelope_bytes: int
    reject: Callable[[str, str], None]
    failure: str = ""
    _offset: int = 0
    _begun: bool = False
    _ended: bool = False
    _rest: bytes = field(default=b"")

    def deliveries(self) -> Iterator[Delivery]:
        """Yield what the stream holds.

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
            if not (self._ended and self.failure):  # the failure of the stream says it
                self.reject(f"byte {offset}", f"a broken envelope ({error}); its messages were used")
            return
        if envelope.kind != "CONTROL_MESSAGE":
            yield Delivery(envelope.events, envelope.owner, interface_in(envelope.stream or ""))

    def _unknown(self, text: bytes) -> Iterator[Delivery]:
        """Take the messages of text without an envelope; leave the end, which may hold half of one, to the next time."""
        used = 0
        for match in _MESSAGE.finditer(text):
            used = match.end()
        yield from self._messages(text[:used])
        self._leave(text, len(text) if self._ended else max(used, len(text) - _LONGEST_MESSAGE))

    def _messages(self, text: bytes) -> Iterator[Delivery]:
        if events := [Event(message) for message in messages_in(text)]:
            yield Delivery(events)


def messages_in(text: bytes) -> Iterator[str]:
    """Yield the texts that stand under a key for messages, anywhere in JSON or parts of it."""
    for match in _MESSAGE.finditer(text):
        try:
            yield _text.decode(b'"' + match.group(1) + b'"')
        except _ERRORS:
            yield match.group(1).decode("utf-8", "replace")


def interface_in(name: str) -> str | None:
    """Return the interface that a log stream, or the key of its export, is named after."""
    match = _INTERFACE.search(name)
    return match.group(1) if match else None
