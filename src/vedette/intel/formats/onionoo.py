"""ONIONOO: details documents of the Tor project's relay search.

Measured ``exit_addresses`` count. Advertised ``or_addresses`` count if nothing was measured, or if they are IPv6, which is
not measured. If flags are given, relays without the Exit flag are refused.
"""

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from vedette.intel import Refusal
from vedette.intel.formats import Item, ListFormat
from vedette.intel.text import Finder, category, date, shortened

_START = re.compile(rb"^(?:\xef\xbb\xbf)?\s*\{")
_RELAYS = re.compile(rb"\"relays_published\"\s*:|\"relays\"\s*:\s*\[")
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_ADVERTISED = re.compile(r"\[?([0-9a-fA-F:.]+?)\]?:\d+")


class _Relay(msgspec.Struct, gc=False):
    nickname: str = ""
    exit_addresses: list[str] = []
    or_addresses: list[str] = []
    flags: list[str] | None = None


class _Details(msgspec.Struct, gc=False):
    relays: list[_Relay] = []
    relays_published: str = ""


def sniff(_name: str, head: bytes) -> bool:
    """Tell whether the file is a details document."""
    return _START.match(head) is not None and _RELAYS.search(head) is not None


def parse(data: bytes) -> Iterator[Item | Refusal]:
    """Yield the exit addresses of each relay, with its nickname in the category."""
    try:
        details = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Details)
    except _UNREADABLE as error:
        yield Refusal(1, "", f"unreadable: not a details document ({error})")
        return
    finder = Finder(data)
    for relay in details.relays:
        line = finder.line(relay.nickname)
        if relay.flags is not None and "Exit" not in relay.flags:
            yield Refusal(line, shortened(relay.nickname), "not applicable: the relay is not an exit")
            continue
        advertised = [match.group(1) for text in relay.or_addresses if (match := _ADVERTISED.fullmatch(text))]
        if relay.exit_addresses:
            advertised = [address for address in advertised if ":" in address]
        for address in dict.fromkeys((*relay.exit_addresses, *advertised)):
            yield Item(line, address, category(f"exit {relay.nickname}".strip()))


def as_of(data: bytes) -> datetime | None:
    """Return the time at which the relays were published, or None if the document does not state it."""
    try:
        return date(msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Details).relays_published)
    except _UNREADABLE:
        return None


LIST_FORMAT = ListFormat(name="ONIONOO", sniff=sniff, parse=parse, as_of=as_of, example='{"relays": [{"exit_addresses": [ … ]}]}')
