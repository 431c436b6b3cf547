"""OTX_CSV: three columns, Indicator type, Indicator, Description, as Open Threat Exchange exports them."""

import re
from collections.abc import Iterator

from vedette.intel import Refusal
from vedette.intel.formats import Item, ListFormat
from vedette.intel.rules import DOMAIN
from vedette.intel.text import category, rows, shortened

_HEADER = re.compile(rb"^(?:\xef\xbb\xbf)?\s*\"?indicator type\"?\s*,\s*\"?indicator\"?\s*,", re.IGNORECASE)
_INDICATOR, _DESCRIPTION = 1, 2
_ADDRESSES = frozenset({"ipv4", "ipv6", "cidr"})
_DOMAINS = frozenset({"domain", "domain name", "hostname"})


def sniff(_name: str, head: bytes) -> bool:
    """Tell whether the file begins with the header row."""
    return _HEADER.match(head) is not None


def parse(data: bytes) -> Iterator[Item | Refusal]:
    """Yield the indicators that are addresses, with the description as the category; refuse all others."""
    for number, fields in rows(data):
        kind = fields[0].lower()
        if kind == "indicator type":
            continue
        if len(fields) <= _INDICATOR:
            yield Refusal(number, shortened(fields[0]), "not an address: the row has fewer than two columns")
        elif kind in _ADDRESSES:
            yield Item(number, fields[_INDICATOR], category(fields[_DESCRIPTION]) if len(fields) > _DESCRIPTION else "")
        elif kind in _DOMAINS:
            yield Refusal(number, shortened(fields[_INDICATOR]), DOMAIN)
        else:
            yield Refusal(
                number, shortened(fields[_INDICATOR]), f"not an address: an indicator of type {shortened(fields[0], 40)!r}"
            )


LIST_FORMAT = ListFormat(name="OTX_CSV", sniff=sniff, parse=parse, example="IPv4, 203.0.113.7, description")
