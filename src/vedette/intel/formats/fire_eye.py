"""FIRE_EYE: 47 columns, of which ``ip``, ``cidr`` and ``domain`` matter; the malware family, or else the title, is the category.

A row may name an address and a network: both count. Columns are found by the header; as in the vendor's guide, blank lines and
any number of blanks around commas are allowed. Rows whose ``networkIdentifier`` calls the address a victim or benign are refused.
"""

import re
from collections.abc import Iterator

from vedette.intel import Refusal
from vedette.intel.formats import Item, ListFormat
from vedette.intel.rules import DOMAIN
from vedette.intel.text import category, rows, shortened

_HEADER = re.compile(rb"^(?:\xef\xbb\xbf)?\s*\"?reportId\"?\s*,\s*\"?title\"?\s*,", re.IGNORECASE)
# Positions of the columns (contract 3.3), for files without a header row.
_POSITIONS = {"title": 1, "cidr": 31, "domain": 32, "networkidentifier": 34, "ip": 35, "malwarefamily": 42}
_HARMLESS = frozenset({"victim", "benign", "legitimate", "whitelist", "whitelisted", "allowlisted"})


def sniff(_name: str, head: bytes) -> bool:
    """Tell whether the file begins with the header row."""
    return _HEADER.match(head) is not None


def parse(data: bytes) -> Iterator[Item | Refusal]:
    """Yield the address and the network of each row; refuse its domain."""
    positions = _POSITIONS
    for number, fields in rows(data):
        if fields[0].lower() == "reportid":
            positions = {name.lower(): position for position, name in enumerate(fields)}
        else:
            yield from _row(number, fields, positions)


def _row(number: int, fields: list[str], positions: dict[str, int]) -> Iterator[Item | Refusal]:
    def field(name: str) -> str:
        position = positions.get(name, len(fields))
        return fields[position] if position < len(fields) else ""

    if field("networkidentifier").lower() in _HARMLESS:
        shown = field("ip") or field("cidr") or field("domain")
        yield Refusal(number, shortened(shown), f"not applicable: the list calls it {field('networkidentifier').lower()}")
        return
    word = category(field("malwarefamily") or field("title"))
    if address := field("ip"):
        yield Item(number, address, word)
    if network := field("cidr"):
        yield Item(number, network, word)
    if domain := field("domain"):
        yield Refusal(number, shortened(domain), DOMAIN)
    if not (address or network or domain):
        yield Refusal(number, shortened(fields[0]), "not an address: the row has no ip, cidr or domain")


LIST_FORMAT = ListFormat(
    name="FIRE_EYE", sniff=sniff, parse=parse, example="4711, title, … , 203.0.113.0/24, , , Related, 203.0.113.7, …"
)
