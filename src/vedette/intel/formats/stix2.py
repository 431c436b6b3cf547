"""STIX2: bundles of STIX 2.0 and 2.1.

Addresses come from

- the patterns of indicators (``stix_patterns``), with ``valid_from`` and ``valid_until``,
- observed ``ipv4-addr`` and ``ipv6-addr`` objects to which an indicator (``based-on``) or an infrastructure (``consists-of``,
  ``communicates-with`` …) is related, directly or through observed data,
- all observed addresses, if the bundle has neither indicators nor infrastructure: then it is a plain list of addresses.

Other observed addresses are refused: an observed address is not necessarily malicious. What is revoked, benign or not meant for
detection accuses nobody, neither by its pattern nor by its relationships; of several versions of an object, the newest counts.
An observed address is valid as long as what accuses it (``stix_objects``).
"""

import re
from collections.abc import Collection, Iterator
from datetime import datetime

import msgspec

from vedette.intel import Refusal
from vedette.intel.entries import OPEN, Validity
from vedette.intel.formats import Item, ListFormat
from vedette.intel.stix_objects import StixObject, accused, has_accusers, superseded, why_not, withdrawn
from vedette.intel.stix_patterns import addresses_of
from vedette.intel.stix_tokens import Allowance
from vedette.intel.text import Finder, category, date, shortened

_START = re.compile(rb"^(?:\xef\xbb\xbf)?\s*\{")
_BUNDLE = re.compile(rb"\"bundle(?:--|\")|\"objects\"\s*:\s*\[")
_MOST_OBJECTS = 1_000_000
_MOST_PATTERN_TEXT = 10_000_000
_ADDRESS_TYPES = frozenset({"ipv4-addr", "ipv6-addr"})
_LISTED = _ADDRESS_TYPES | {"indicator", "observed-data"}
_ONLY_OBSERVED = "not applicable: the address was only observed; nothing marks it as a threat"
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Observed(msgspec.Struct, gc=False):
    type: str = ""
    value: str = ""


class _Bundle(msgspec.Struct):
    objects: list[msgspec.Raw] = []
    spec_version: object = "2.1"


def sniff(_name: str, head: bytes) -> bool:
    """Tell whether the file is a JSON object that is a bundle."""
    return _START.match(head) is not None and _BUNDLE.search(head) is not None


def _read(data: bytes) -> tuple[list[StixObject], str, list[Refusal]]:
    """Return the objects that can be read, the bundle's version, and refusals for the rest."""
    if data.count(b"{") > _MOST_OBJECTS:
        return [], "", [Refusal(1, "", f"unreadable: more than {_MOST_OBJECTS:,} objects")]
    try:
        bundle = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Bundle)
    except _UNREADABLE as error:
        return [], "", [Refusal(1, "", f"unreadable: not a STIX 2 bundle ({error})")]
    decoder, objects, refusals = msgspec.json.Decoder(StixObject), [], []
    for number, raw in enumerate(bundle.objects):
        try:
            objects.append(decoder.decode(raw))
        except _UNREADABLE as error:
            refusals.append(Refusal(1, "", f"unreadable: object {number} of the bundle ({error})"))
    return objects, str(bundle.spec_version), refusals


def parse(data: bytes) -> Iterator[Item | Refusal]:
    """Yield the addresses of the bundle, with the name of their indicator or object as the category."""
    objects, version, refusals = _read(data)
    yield from refusals
    finder, observations = Finder(data), _Observations(objects)
    pattern_text, allowance = 0, Allowance()
    for item in objects:
        if item.type not in _LISTED:
            continue
        line = finder.line(item.id)
        if id(item) in observations.old:
            text = shortened(item.pattern or item.value or item.id)
            yield Refusal(line, text, "not applicable: the bundle has a newer version of it")
        elif item.type == "indicator":
            pattern_text += len(item.pattern or "")
            if pattern_text > _MOST_PATTERN_TEXT:
                yield Refusal(line, "", f"unreadable: more than {_MOST_PATTERN_TEXT:,} characters of patterns")
            else:
                yield from _indicator(item, line, version, allowance)
        else:
            yield from observations.items(item, line)


def _indicator(item: StixObject, line: int, bundle_version: str, allowance: Allowance) -> Iterator[Item | Refusal]:
    text = shortened(item.pattern or item.id)
    if item.pattern is None or item.pattern_type != "stix":
        yield Refusal(line, text, "not applicable: the indicator has no STIX pattern")
    elif reason := why_not(item):
        yield Refusal(line, text, reason)
    else:
        addresses, reasons = addresses_of(item.pattern, allowance, version=item.spec_version or bundle_version)
        for address in addresses:
            yield Item(line, address, category(item.name), date(item.valid_from), date(item.valid_until))
        for reason in reasons:
            yield Refusal(line, text, reason)


class _Observations:
    """What the rest of the bundle says of its observed addresses."""

    def __init__(self, objects: list[StixObject]) -> None:
        self.old = superseded(objects)
        live = [item for item in objects if id(item) not in self.old and not why_not(item)]
        self._is_plain_list = not has_accusers(objects)
        self._accused = accused(live)
        self._withdrawn = withdrawn(objects, live)

    def items(self, item: StixObject, line: int) -> Iterator[Item | Refusal]:
        """Yield the addresses of an observed object, or of the objects inside observed data (STIX 2.0)."""
        validities = self._validities(item)
        reason = why_not(item) or ("" if validities else _ONLY_OBSERVED)
        for value in [item.value] if item.is_address else _inner_values(item):
            if reason:
                yield Refusal(line, shortened(value), reason)
                continue
            for begin, end in validities:
                yield Item(line, value, category(item.name), begin, end)

    def _validities(self, item: StixObject) -> Collection[Validity]:
        if self._is_plain_list:
            return () if item.id in self._withdrawn else (OPEN,)
        return self._accused.get(item.id, ())


def _inner_values(item: StixObject) -> list[str]:
    decoder, values = msgspec.json.Decoder(_Observed), []
    for raw in item.objects.values():
        try:
            inner = decoder.decode(raw)
        except _UNREADABLE:
            continue
        if inner.type in _ADDRESS_TYPES:
            values.append(inner.value)
    return values


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
