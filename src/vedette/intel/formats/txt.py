"""TXT: one address or network per line, as GuardDuty accepts it; comment lines and trailing comments are skipped.

A line that begins with ``!`` excepts its addresses from the larger networks of the list, as in tables of pf.
"""

import re
from collections.abc import Iterator

from vedette.intel import Refusal
from vedette.intel.formats import Exclusion, Item, ListFormat
from vedette.intel.plain import is_plain, is_plain_list
from vedette.intel.text import decoded

_COMMENT = re.compile(r"(?<!\S)(?:#|;|//)")


def sniff(_name: str, head: bytes) -> bool:
    """Tell whether each line is one address, network or domain, without any comment."""
    return is_plain_list(head) and is_plain(head)


def parse(data: bytes) -> Iterator[Item | Exclusion | Refusal]:
    """Yield the text of each line, without comments, and the exceptions."""
    for number, line in enumerate(decoded(data), 1):
        text = line.strip()
        if "#" in text or ";" in text or "//" in text:
            text = _COMMENT.split(text, maxsplit=1)[0].rstrip()
        if text.startswith("!"):
            yield Exclusion(number, text.lstrip("! \t"))
        elif text:
            yield Item(number, text)


LIST_FORMAT = ListFormat(name="TXT", sniff=sniff, parse=parse, example="203.0.113.0/24")
