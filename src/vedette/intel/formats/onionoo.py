"""ONIONOO: details documents of the Tor project's relay search.

Measured ``exit_addresses`` count. Advertised ``or_addresses`` count if nothing was measured, or if they are IPv6, which is
not measured. If flags are given, relays without the Exit flag are refused, and so are relays of which nothing was measured and
whose exit policy rejects every port. A relay that does not run any more counts until it was last seen.
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


_EVERY_PORT = "1-65535"


class _Policy(msgspec.Struct, gc=False):
    reject: list[str] = []


class _Relay(msgspec.Struct, gc=False):
    nickname: str = ""
    exit_addresses: list[str] = []
    or_addresses: list[str] = []
    flags: list[str] | None = None
    running: bool = True
    last_seen: str = ""
    exit_policy_summary: _Policy = msgspec.field(default_factory=_Policy)
    exit_policy_v6_summary: _Policy | None = None


class _Details(msgspec.Struct, gc=False):
    relays: list[msgspec.Raw] = []
    relays_published: object = ""


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
    finder, decoder = Finder(data), msgspec.json.Decoder(_Relay)
    for number, raw in enumerate(details.relays):
        try:
            relay = decoder.decode(raw)
        except _UNREADABLE as error:
            yield Refusal(finder.last, "", f"unreadable: relay {number} of the document ({error})")
            continue
        line = finder.line(relay.nickname)
        end = None if relay.running else date(relay.last_seen)
        if reason := _why_not(relay, end):
            yield Refusal(line, shortened(relay.nickname), f"not applicable: {reason}")
            continue
        for address in _exits(relay):
            yield Item(line, address, category(f"exit {relay.nickname}".strip()), None, end)


def _why_not(relay: _Relay, end: datetime | None) -> str:
    """Return why a relay is not an exit, "" if it is one; ``end`` is when one that does not run was last seen."""
    if relay.flags is not None and "Exit" not in relay.flags:
        return "the relay is not an exit"
    policies = [policy for policy in (relay.exit_policy_summary, relay.exit_policy_v6_summary) if policy is not None]
    if not relay.exit_addresses and all(_EVERY_PORT in policy.reject for policy in policies):
        return "the relay lets nothing exit"
    return "the relay does not run" if not relay.running and end is None else ""


def _exits(relay: _Relay) -> Iterator[str]:
    """Yield the addresses of an exit, each once."""
    advertised = [match.group(1) for text in relay.or_addresses if (match := _ADVERTISED.fullmatch(text))]
    if relay.exit_addresses:
        advertised = [address for address in advertised if ":" in address]
    yield from dict.fromkeys((*relay.exit_addresses, *advertised))


def as_of(data: bytes) -> datetime | None:
    """Return the time at which the relays were published, or None if the document does not state it."""
    try:
        published = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Details).relays_published
    except _UNREADABLE:
        return None
    return date(published) if isinstance(published, str) else None


LIST_FORMAT = ListFormat(name="ONIONOO", sniff=sniff, parse=parse, as_of=as_of, example='{"relays": [{"exit_addresses": [ … ]}]}')
