"""STIX: STIX 1.x XML packages with CybOX address objects.

Every ``Address_Value`` of the package counts, whether in observables, indicators or courses of action. A range is
written with the condition InclusiveBetween as ``first##comma##last``; Equals may list several values. Other conditions, negated
indicators and observables, and those joined by AND are refused: an address alone does not satisfy them. Spoofed addresses,
those of victims, and indicators that the package calls benign or has no confidence in are refused too. An indicator's title is
the category, its Valid_Time_Position the validity, also of the observables to which it refers (``stix_package``). The XML is read
as a stream; document types, entities and external references are forbidden.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from vedette.intel import Refusal
from vedette.intel.formats import SNIFF_BYTES, Item, ListFormat
from vedette.intel.rules import DOMAIN
from vedette.intel.stix_package import Indicator, Place, resolved
from vedette.intel.text import category, date, shortened

_ROOT = re.compile(rb"<(?:[\w.-]+:)?STIX_Package\b")
_TIMESTAMP = re.compile(rb"<(?:[\w.-]+:)?STIX_Package\b[^<>]*?\btimestamp\s*=\s*[\"']([^\"'>]{1,40})[\"']", re.DOTALL)
_CHUNK = 1 << 16
_DEEPEST = 200
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_ADDRESS_CATEGORIES = frozenset({"", "ipv4-addr", "ipv6-addr", "ipv4-net", "ipv6-net", "cidr"})
_KEPT_TEXT = frozenset({"Address_Value", "Value", "Title", "Type", "Start_Time", "End_Time"})
_PARTS = {"Observable_Composition": "Observable", "Composite_Indicator_Expression": "Indicator"}
_VICTIMS = frozenset({"Victim", "Victim_Targeting", "Affected_Assets"})
_HARMLESS = frozenset({"benign", "false positive", "false-positive", "whitelist", "whitelisted"})
_TRUE = frozenset({"true", "1"})
_NEGATED = "not applicable: the indicator or observable is negated"
_NEEDS_MORE = "not applicable: the pattern needs more than one address"


class _Position(Protocol):
    """The attribute of an expat parser that gives the current line number."""

    CurrentLineNumber: int


class _TooDeepError(Exception):
    """The document is nested deeper than any STIX package."""


@dataclass(slots=True)
class _Conjunction:
    """An open composition by AND: where it began, among the elements and among the places, and how many parts it has."""

    depth: int
    begin: int
    part: str
    parts: int = 0


class _Target:
    """Collects places and other refusals while expat reports elements; no other part of the document is kept."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.ready: list[Refusal] = []
        self._position: _Position
        self._path: list[str] = []
        self._indicators: list[tuple[int, Indicator]] = []
        self._observables: list[tuple[int, str]] = []
        self._conjunctions: list[_Conjunction] = []
        self._blocked: tuple[int, str] = (0, "")  # the depth of the outermost element in which nothing counts, and why
        self._address_category = ""
        self._object_type = ""
        self._attributes: dict[str, str] = {}
        self._started = 0
        self._text: list[str] | None = None

    def follow(self, position: _Position) -> None:
        """Take line numbers from the given parser."""
        self._position = position

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        self._path.append(name)
        depth = len(self._path)
        if depth > _DEEPEST:
            raise _TooDeepError(f"elements nest deeper than {_DEEPEST}")
        self._block(name, attributes)
        if self._conjunctions and self._conjunctions[-1].depth == depth - 1 and name == self._conjunctions[-1].part:
            self._conjunctions[-1].parts += 1
        if name in _PARTS and attributes.get("operator", "").upper() == "AND":
            self._conjunctions.append(_Conjunction(depth, len(self.places), _PARTS[name]))
        elif name == "Indicator":
            self._indicators.append((depth, Indicator()))
        elif name == "Observable":
            self._start_observable(attributes)
        elif name == "Valid_Time_Position" and self._indicators:
            self._indicators[-1][1].positions.append([None, None])
        elif name == "Properties":
            self._address_category = attributes.get("category", "")
            self._object_type = attributes.get(_TYPE, "").rpartition(":")[2]
            self._refuse_other_objects()
        if name in _KEPT_TEXT:
            self._attributes, self._started, self._text = attributes, self._position.CurrentLineNumber, []

    def data(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def end(self, tag: str) -> None:
        name = tag.rpartition("}")[2]
        depth = len(self._path)
        if self._text is not None and name in _KEPT_TEXT:
            self._close_text(name, self._path[-2] if depth > 1 else "", "".join(self._text).strip())
            self._text = None
        if self._conjunctions and self._conjunctions[-1].depth == depth:
            self._close_conjunction(self._conjunctions.pop())
        for opened in (self._indicators, self._observables):
            if opened and opened[-1][0] == depth:
                opened.pop()
        if self._blocked[0] == depth:
            self._blocked = (0, "")
        self._path.pop()

    def close(self) -> None:
        """Do nothing: at the end of a well-formed document, nothing is left open."""

    def _block(self, name: str, attributes: dict[str, str]) -> None:
        """Remember that nothing counts in the element that begins, if it is negated, a victim's or spoofed."""
        reason = ""
        if attributes.get("negate") in _TRUE:
            reason = _NEGATED
        elif name in _VICTIMS:
            reason = "not applicable: the address is a victim's"
        elif attributes.get("is_spoofed") in _TRUE:
            reason = "not applicable: the address is spoofed"
        if reason and not self._blocked[0]:
            self._blocked = (len(self._path), reason)

    def _start_observable(self, attributes: dict[str, str]) -> None:
        if target := attributes.get("idref"):
            self._add(Place(self._position.CurrentLineNumber, target=target))
        self._observables.append((len(self._path), attributes.get("id", "")))

    def _close_conjunction(self, conjunction: _Conjunction) -> None:
        if conjunction.parts > 1:
            for place in self.places[conjunction.begin :]:
                place.reason = place.reason or _NEEDS_MORE

    def _close_text(self, name: str, parent: str, text: str) -> None:
        indicator = self._indicators[-1][1] if self._indicators else None
        if name == "Address_Value":
            self._address(text)
        elif name == "Value" and self._object_type == "DomainNameObjectType" and parent != "Confidence":
            self.ready.append(Refusal(self._started, shortened(text), DOMAIN))
        elif indicator is not None and parent == "Valid_Time_Position":
            time = date(text)
            indicator.positions[-1][name == "End_Time"] = time
            if time is None:
                indicator.reason = indicator.reason or f"unreadable: {name} {shortened(text, 40)!r} is not a date"
        elif indicator is not None and parent == "Indicator":
            if name == "Title":
                indicator.title = category(text)
            elif name == "Type" and text.lower() in _HARMLESS:
                indicator.reason = f"not applicable: the indicator is {text.lower()}"
        elif indicator is not None and parent == "Confidence" and self._path[-3:-2] == ["Indicator"] and text.lower() == "none":
            indicator.reason = "not applicable: the list has no confidence in the indicator"

    def _refuse_other_objects(self) -> None:
        if self._object_type not in {"", "AddressObjectType", "DomainNameObjectType"}:
            self.ready.append(
                Refusal(
                    self._position.CurrentLineNumber, "", f"not an address: an object of type {shortened(self._object_type, 40)}"
                )
            )

    def _address(self, text: str) -> None:
        condition = self._attributes.get("condition", "Equals")
        values = [value.strip() for value in text.split(self._attributes.get("delimiter") or "##comma##")]
        applied = self._attributes.get("apply_condition", "ANY").upper()
        if self._blocked[0]:
            self._refuse(text, self._blocked[1])
        elif self._address_category not in _ADDRESS_CATEGORIES:
            self._refuse(text, f"not an address: an address object of category {shortened(self._address_category, 40)!r}")
        elif applied == "NONE" or (applied == "ALL" and condition == "Equals" and len(values) > 1):
            self._refuse(text, f"not applicable: the condition {shortened(condition, 40)} applies to {applied} of the values")
        elif condition == "InclusiveBetween" and len(values) == len(("first", "last")):
            self._take([f"{values[0]}-{values[1]}"])
        elif condition == "Equals":
            self._take(values)
        else:
            self._refuse(text, f"not applicable: the condition {shortened(condition, 40)} with {len(values)} values")

    def _refuse(self, text: str, reason: str) -> None:
        self.ready.append(Refusal(self._started, shortened(text), reason))

    def _take(self, values: list[str]) -> None:
        for value in values:
            self._add(Place(self._started, text=value))

    def _add(self, place: Place) -> None:
        place.indicator = self._indicators[-1][1] if self._indicators else None
        place.observables = tuple(name for _, name in self._observables if name)
        place.reason = self._blocked[1]
        self.places.append(place)


def sniff(_name: str, head: bytes) -> bool:
    """Tell whether the file is XML whose root is a STIX package."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and _ROOT.search(head) is not None


def parse(data: bytes) -> Iterator[Item | Refusal]:
    """Yield the addresses of the package, up to the first place that is not well-formed."""
    target = _Target()
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    # the pure Python parser on which defusedxml is based keeps the expat parser in this attribute
    expat = cast("_Position", vars(parser)["parser"])
    target.follow(expat)
    unreadable = None
    try:
        for position in range(0, len(data), _CHUNK):
            parser.feed(data[position : position + _CHUNK])
            yield from target.ready
            target.ready.clear()
        parser.close()
    except (ParseError, DefusedXmlException, _TooDeepError, ValueError, LookupError) as error:
        unreadable = Refusal(expat.CurrentLineNumber, "", f"unreadable: not well-formed STIX ({_why(error)})")
    yield from target.ready
    yield from resolved(target.places)
    if unreadable is not None:
        yield unreadable


def _why(error: Exception) -> str:
    if isinstance(error, DefusedXmlException):
        return "document types, entities and external references are forbidden"
    return shortened(str(error))


def as_of(data: bytes) -> datetime | None:
    """Return the package's timestamp, or None if it has none."""
    match = _TIMESTAMP.search(data[:SNIFF_BYTES])
    return date(match.group(1).decode("utf-8", "replace")) if match else None


LIST_FORMAT = ListFormat(
    name="STIX",
    sniff=sniff,
    parse=parse,
    as_of=as_of,
    example='<A:Address_Value condition="InclusiveBetween">203.0.113.7##comma##203.0.113.9</A:Address_Value>',
)
