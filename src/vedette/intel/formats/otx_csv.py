"""OTX_CSV: three columns, Indicator type, Indicator, Description, as Open Threat Exchange exports them.

Where the columns ``is_active`` and ``expiration`` of its interface follow, inactive indicators are refused, and others end.
"""

import re
from collections.abc import Iterator

from vedette.intel import Refusal
from vedette.intel.formats import Item, ListFormat
from vedette.intel.rules import DOMAIN
from vedette.intel.text import category, date, rows, shortened

_HEADER = re.compile(rb"^(?:\xef\xbb\xbf)?\s*\"?indicator type\"?\s*,\s*\"?indicator\"?\s*,", re.IGNORECASE)
_INDICATOR, _DESCRIPTION = 1, 2
_ADDRESSES = frozenset({"ipv4", "ipv6", "cidr"})
_INACTIVE = frozenset({"0", "false", "no"})
_ENDLESS = frozenset({"", "none", "null", "never"})
_DOMAINS = frozenset({"domain", "domain name", "hostname"})


def sniff(_name: str, head: bytes) -> bool:
    """Tell whether the file begins with the header row."""
    return _HEADER.match(head) is not None


def parse(data: bytes) -> Iterator[Item | Refusal]:
    """Yield the indicators that are addresses, with the description as the category; refuse all others."""
    names: dict[str, int] = {}
    for number, fields in rows(data):
        kind = fields[0].lower()
        if kind == "indicator type":
            names = {name.lower(): position for position, name in enumerate(fields)}
        elif len(fields) <= _INDICATOR:
            yield Refusal(number, shortened(fields[0]), "not an address: the row has fewer than two columns")
        elif kind in _ADDRESSES:
            yield _address(number, fields, names)
        elif kind in _DOMAINS:
            yield Refusal(number, shortened(fields[_INDICATOR]), DOMAIN)
        else:
            yield Refusal(
                number, shortened(fields[_INDICATOR]), f"not an address: an indicator of type {shortened(fields[0], 40)!r}"
            )


def _address(number: int, fields: list[str], names: dict[str, int]) -> Item | Refusal:
    def field(name: str, otherwise: int = -1) -> str:
        position = names.get(name, otherwise)
        return fields[position] if 0 <= position < len(fields) else ""

    text, expiration = fields[_INDICATOR], field("expiration")
    end = date(expiration)
    if field("is_active").lower() in _INACTIVE:
        return Refusal(number, shortened(text), "not applicable: the list says that the indicator is not active")
    if expiration.lower() not in _ENDLESS and end is None:
        return Refusal(number, shortened(text), f"unreadable: {shortened(expiration, 40)!r} is no date of expiration")
    return Item(number, text, category(field("description", _DESCRIPTION)), None, end)


LIST_FORMAT = ListFormat(name="OTX_CSV", sniff=sniff, parse=parse, example="IPv4, 203.0.113.7, description")
