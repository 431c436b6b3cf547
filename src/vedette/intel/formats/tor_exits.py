"""TOR_EXITS: the Tor project's document of measured exit addresses (lines ``ExitNode``, ``Published``, ``ExitAddress`` …).

A relay may exit from another address than it advertises: only ``ExitAddress`` lines count. Their time is that of the last test,
which does not tell since when the address has been an exit: it does not limit the validity.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from vedette.intel import Refusal
from vedette.intel.formats import Item, ListFormat
from vedette.intel.text import date, lines, shortened

_NODE = re.compile(rb"^(?:\xef\xbb\xbf)?\s*ExitNode [0-9A-Fa-f]{40}\b")
_OTHER = frozenset({"ExitNode", "Published", "LastStatus"})


def sniff(_name: str, head: bytes) -> bool:
    """Tell whether the file begins with an exit node."""
    return _NODE.match(head) is not None


def parse(data: bytes) -> Iterator[Item | Refusal]:
    """Yield each measured exit address."""
    for number, line in lines(data):
        word, _, rest = line.partition(" ")
        if word == "ExitAddress":
            yield Item(number, rest.partition(" ")[0], "exit")
        elif word not in _OTHER:
            yield Refusal(number, shortened(line), "not an address: not a line of an exit-address document")


def as_of(data: bytes) -> datetime | None:
    """Return the time of the latest test of an address, or None if there is none."""
    tests = (line for _, line in lines(data) if line.startswith("ExitAddress "))
    return max((time for line in tests if (time := date(line))), default=None)


LIST_FORMAT = ListFormat(
    name="TOR_EXITS", sniff=sniff, parse=parse, as_of=as_of, example="ExitAddress 203.0.113.7 2024-02-27 09:00:00"
)
