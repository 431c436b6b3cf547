"""STIX2: bundles of STIX 2.0 and 2.1.

Addresses come from

- the patterns of indicators (``stix_patterns``), with ``valid_from`` and ``valid_until``,
- observed ``ipv4-addr`` and ``ipv6-addr`` objects to which an indicator (``based-on``) or an infrastructure (``consists-of``,
  ``communicates-with`` …) is related, directly or through observed data,
- all observed addresses, if the bundle has neither indicators nor infrastructure: then it is a plain list of addresses.

Other observed addresses are refused: an observed address is not necessarily malicious. Revoked and benign indicators are refused.
"""

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from vedette.intel import Refusal
from vedette.intel.formats import Item, ListFormat
from vedette.intel.stix_patterns import addresses_of
from vedette.intel.text import Finder, category, date, shortened

_START = re.compile(rb"^(?:\xef\xbb\xbf)?\s*\{")
_BUNDLE = re.compile(rb"\"bundle(?:--|\")|\"objects\"\s*:\s*\[")
_MOST_OBJECTS = 1_000_000
_MOST_PATTERN_TEXT = 10_000_000  # the grammar parses about 300 KB per second
_ADDRESS_TYPES = frozenset({"ipv4-addr", "ipv6-addr"})
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Observed(msgspec.Struct, gc=False):
    type: str = ""
    value: str = ""


class _Object(msgspec.Struct):
    """The fields that are used, of objects of any type."""

    type: str = ""
    id: str = ""
    name: str = ""
    value: str = ""
    pattern: str | None = None
    pattern_type: str = "stix"
    spec_version: str = ""
    valid_from: str = ""
    valid_until: str = ""
    modified: str = ""
    revoked: bool = False
    labels: list[str] = []
    indicator_types: list[str] = []
    source_ref: str = ""
    target_ref: str = ""
    object_refs: list[str] = []
    objects: dict[str, msgspec.Raw] = {}


class _Bundle(msgspec.Struct):
    objects: list[msgspec.Raw] = []
    spec_version: str = "2.1"


def sniff(_name: str, head: bytes) -> bool:
    """Tell whether the file is a JSON object that is a bundle."""
    return _START.match(head) is not None and _BUNDLE.search(head) is not None


def _read(data: bytes) -> tuple[list[_Object], str, list[Refusal]]:
    """Return the objects that can be read, the bundle's version, and refusals for the rest."""
    if data.count(b"{") > _MOST_OBJECTS:
        return [], "", [Refusal(1, "", f"unreadable: more than {_MOST_OBJECTS:,} objects")]
    try:
        bundle = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Bundle)
    except _UNREADABLE as error:
        return [], "", [Refusal(1, "", f"unreadable: not a STIX 2 bundle ({error})")]
    decoder, objects, refusals = msgspec.json.Decoder(_Object), [], []
    for number, raw in enumerate(bundle.objects):
        try:
            objects.append(decoder.decode(raw))
        except _UNREADABLE as error:
            refusals.append(Refusal(1, "", f"unreadable: object {number} of the bundle ({error})"))
    return objects, bundle.spec_version, refusals


def parse(data: bytes) -> Iterator[Item | Refusal]:
    """Yield the addresses of the bundle, with the name of their indicator or object as the category."""
    objects, version, refusals = _read(data)
    yield from refusals
    finder = Finder(data)
    implicated = _implicated(objects)
    pattern_text = 0
    for item in objects:
        if item.type == "indicator":
            pattern_text += len(item.pattern or "")
            line = finder.line(item.id)
            if pattern_text > _MOST_PATTERN_TEXT:
                yield Refusal(line, "", f"unreadable: more than {_MOST_PATTERN_TEXT:,} characters of patterns")
            else:
                yield from _indicator(item, line, version)
        elif item.type in _ADDRESS_TYPES or item.type == "observed-data":
            yield from _observed(item, finder.line(item.id), implicated)


def _indicator(item: _Object, line: int, bundle_version: str) -> Iterator[Item | Refusal]:
    text = shortened(item.pattern or item.id)
    if item.pattern is None or item.pattern_type != "stix":
        yield Refusal(line, text, "not applicable: the indicator has no STIX pattern")
    elif item.revoked:
        yield Refusal(line, text, "not applicable: the indicator is revoked")
    elif "benign" in item.indicator_types or "benign" in item.labels:
        yield Refusal(line, text, "not applicable: the indicator is benign")
    else:
        addresses, reasons = addresses_of(item.pattern, version=item.spec_version or bundle_version)
        for address in addresses:
            yield Item(line, address, category(item.name), date(item.valid_from), date(item.valid_until))
        for reason in reasons:
            yield Refusal(line, text, reason)


def _observed(item: _Object, line: int, implicated: frozenset[str] | None) -> Iterator[Item | Refusal]:
    """Yield the addresses of an observed object, or of the objects inside observed data (STIX 2.0), if implicated or None."""
    values = [item.value] if item.type in _ADDRESS_TYPES else _inner_values(item)
    for value in values:
        if implicated is None or item.id in implicated:
            yield Item(line, value, category(item.name))
        else:
            yield Refusal(line, shortened(value), "not applicable: the address was only observed; nothing marks it as a threat")


def _inner_values(item: _Object) -> list[str]:
    decoder, values = msgspec.json.Decoder(_Observed), []
    for raw in item.objects.values():
        try:
            inner = decoder.decode(raw)
        except _UNREADABLE:
            continue
        if inner.type in _ADDRESS_TYPES:
            values.append(inner.value)
    return values


def _implicated(objects: list[_Object]) -> frozenset[str] | None:
    """Return the IDs to which indicators and infrastructure are related, or None if the bundle has neither."""
    threats = {item.id for item in objects if item.type in {"indicator", "infrastructure"}}
    if not threats:
        return None
    relations = [item for item in objects if item.type == "relationship"]
    implicated = {item.target_ref for item in relations if item.source_ref in threats}
    for item in objects:
        if item.type == "observed-data" and item.id in implicated:
            implicated.update(item.object_refs)
    return frozenset(implicated)


def as_of(data: bytes) -> datetime | None:
    """Return the latest modification time of the bundle's objects, or None if no object states one."""
    times = [time for item in _read(data)[0] if item.modified and (time := date(item.modified))]
    return max(times, default=None)


LIST_FORMAT = ListFormat(
    name="STIX2",
    sniff=sniff,
    parse=parse,
    as_of=as_of,
    example="""{"type": "indicator", "pattern": "[ipv4-addr:value = '203.0.113.7']", …}""",
)
