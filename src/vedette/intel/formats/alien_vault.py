"""ALIEN_VAULT: eight fields joined by ``#``: address, reliability, risk, type, country, city, position, number."""

import re
from collections.abc import Iterator

from vedette.intel import Refusal
from vedette.intel.formats import Item, ListFormat
from vedette.intel.text import category, lines, shortened

_FIELDS = 8
_FIRST_LINE = re.compile(r"[^#\s]+(?:#[^#]*){7}")


def sniff(_name: str, head: bytes) -> bool:
    """Tell whether the first line has eight fields."""
    first = next((line for _, line in lines(head)), "")
    return _FIRST_LINE.fullmatch(first) is not None


def parse(data: bytes) -> Iterator[Item | Refusal]:
    """Yield the address of each line, with its type as the category."""
    for number, line in lines(data):
        fields = [field.strip() for field in line.split("#", _FIELDS)]
        if len(fields) != _FIELDS:
            yield Refusal(
                number, shortened(line), f"not an address: the line has {len(fields)} fields joined by #, not {_FIELDS}"
            )
        else:
            yield Item(number, fields[0], category(fields[3]))


LIST_FORMAT = ListFormat(name="ALIEN_VAULT", sniff=sniff, parse=parse, example="203.0.113.7#4#2#Scanning Host#DE##51.0,9.0#3")
