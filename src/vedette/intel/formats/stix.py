"""STIX: STIX 1.x XML packages with CybOX address objects.

Every ``Address_Value`` of the package counts, whether in observables, indicators or courses of action. A range is
written with the condition InclusiveBetween as ``first##comma##last``; Equals may list several values. Other conditions
and negated indicators and observables are refused: an address alone does not satisfy them. An indicator's title is the
category, its Valid_Time_Position the validity. The XML is read as a stream; document types, entities and external references are
forbidden.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, cast
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from vedette.intel import Refusal
from vedette.intel.formats import SNIFF_BYTES, Item, ListFormat
from vedette.intel.rules import DOMAIN
from vedette.intel.text import category, date, shortened

_ROOT = re.compile(rb"<(?:[\w.-]+:)?STIX_Package\b")
_TIMESTAMP = re.compile(rb"<(?:[\w.-]+:)?STIX_Package\b[^<>]*?\btimestamp\s*=\s*[\"']([^\"'>]{1,40})[\"']", re.DOTALL)
_CHUNK = 1 << 16
_DEEPEST = 200
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_ADDRESS_CATEGORIES = frozenset({"", "ipv4-addr", "ipv6-addr", "ipv4-net", "ipv6-net", "cidr"})
_KEPT_TEXT = frozenset({"Address_Value", "Value", "Title", "Start_Time", "End_Time"})


class _Position(Protocol):
    """The attribute of an expat parser that gives the current line number."""

    CurrentLineNumber: int


class _TooDeepError(Exception):
    """The document is nested deeper than any STIX package."""


@dataclass(slots=True)
class _Indicator:
    """An open indicator: what it states about its addresses, and the addresses found so far as (line, text)."""

    depth: int
    negated: bool = False
    title: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    found: list[tuple[int, str]] = field(default_factory=list)


class _Target:
    """Collects items in ``ready`` while expat reports elements; no part of the document is kept."""

    def __init__(self) -> None:
        self.ready: list[Item | Refusal] = []
        self._position: _Position
        self._path: list[str] = []
        self._indicators: list[_Indicator] = []
        self._negated_at = 0
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
        if len(self._path) > _DEEPEST:
            raise _TooDeepError(f"elements nest deeper than {_DEEPEST}")
        if attributes.get("negate") == "true" and not self._negated_at:
            self._negated_at = len(self._path)
        if name == "Indicator":
            self._indicators.append(_Indicator(len(self._path)))
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
        parent = self._path[-2] if depth > 1 else ""
        if self._text is not None and name in _KEPT_TEXT:
            self._close_text(name, parent, "".join(self._text).strip())
            self._text = None
        if self._indicators and self._indicators[-1].depth == depth:
            self._close_indicator(self._indicators.pop())
        if self._negated_at == depth:
            self._negated_at = 0
        self._path.pop()

    def close(self) -> None:
        """Do nothing: at the end of a well-formed document, nothing is left open."""

    def _close_text(self, name: str, parent: str, text: str) -> None:
        indicator = self._indicators[-1] if self._indicators else None
        if name == "Address_Value":
            self._address(text)
        elif name == "Value" and self._object_type == "DomainNameObjectType":
            self.ready.append(Refusal(self._started, shortened(text), DOMAIN))
        elif indicator and name == "Title" and parent == "Indicator":
            indicator.title = category(text)
        elif indicator and name == "Start_Time":
            indicator.valid_from = date(text)
        elif indicator and name == "End_Time":
            indicator.valid_to = date(text)

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
        if self._negated_at:
            self._refuse(text, "not applicable: the indicator or observable is negated")
        elif self._address_category not in _ADDRESS_CATEGORIES:
            self._refuse(text, f"not an address: an address object of category {shortened(self._address_category, 40)!r}")
        elif condition == "InclusiveBetween" and len(values) == len(("first", "last")):
            self._take([f"{values[0]}-{values[1]}"])
        elif condition == "Equals":
            self._take(values)
        else:
            self._refuse(text, f"not applicable: the condition {shortened(condition, 40)} with {len(values)} values")

    def _refuse(self, text: str, reason: str) -> None:
        self.ready.append(Refusal(self._started, shortened(text), reason))

    def _take(self, values: list[str]) -> None:
        if self._indicators:
            self._indicators[-1].found.extend((self._started, value) for value in values)
        else:
            self.ready.extend(Item(self._started, value) for value in values)

    def _close_indicator(self, indicator: _Indicator) -> None:
        for line, value in indicator.found:
            self.ready.append(Item(line, value, indicator.title, indicator.valid_from, indicator.valid_to))


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
    try:
        for position in range(0, len(data), _CHUNK):
            parser.feed(data[position : position + _CHUNK])
            yield from target.ready
            target.ready.clear()
        parser.close()
    except (ParseError, DefusedXmlException, _TooDeepError, ValueError, LookupError) as error:
        yield from target.ready
        yield Refusal(expat.CurrentLineNumber, "", f"unreadable: not well-formed STIX ({_why(error)})")
        return
    yield from target.ready


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
