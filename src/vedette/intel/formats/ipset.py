"""IPSET: plain lists with comments, as published by most free feeds.

It covers ``.ipset``/``.netset`` files with ``#`` headers, ``ipset save`` output (``add SET ADDRESS``), lists with a remark on
each entry (``ADDRESS # scanner's name``, ``NETWORK ; SBL123``), a count after a tab, and ranges ``FIRST - LAST``. The remark
becomes the category. The date in the header is the date of the list.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from vedette.intel import Refusal
from vedette.intel.formats import Item, ListFormat
from vedette.intel.plain import first_word, is_plain, is_plain_list
from vedette.intel.text import category, date, lines

_HEADER_BYTES = 8_192
_DATED = re.compile(
    r"^[#;]+\s*(?:this file date|last[ -](?:update|updated|modified)|updated|generated(?: on)?|date)\s*:\s*(.+)$", re.IGNORECASE
)
_SPLIT = re.compile(r"\s*[#;]\s*|\s*//\s*|\s+")
_RANGE = re.compile(r"^([0-9a-fA-F:.]+)\s+-\s+([0-9a-fA-F:.]+)")
_COMMANDS_WITHOUT_ENTRY = ("create ", "flush ", "COMMIT")


def sniff(_name: str, head: bytes) -> bool:
    """Tell whether the file is a plain list of addresses with a comment or a remark on an entry."""
    return is_plain_list(head) and not is_plain(head)


def parse(data: bytes) -> Iterator[Item | Refusal]:
    """Yield the address of each line, with the remark as the category."""
    for number, line in lines(data):
        if line[0] in "#;" or line.startswith("//") or line.startswith(_COMMANDS_WITHOUT_ENTRY):
            continue
        text = _RANGE.sub(r"\1-\2", line)
        if text.startswith("add "):
            yield Item(number, first_word(text))
            continue
        parts = _SPLIT.split(text, maxsplit=1)
        yield Item(number, parts[0], category(parts[1].lstrip("#;/ \t")) if len(parts) > 1 else "")


def as_of(data: bytes) -> datetime | None:
    """Return the date in the header comments, or None if there is none."""
    for _, line in lines(data[:_HEADER_BYTES]):
        if line[0] not in "#;":
            break
        if match := _DATED.match(line):
            return date(match.group(1))
    return None


LIST_FORMAT = ListFormat(name="IPSET", sniff=sniff, parse=parse, as_of=as_of, example="203.0.113.7 # scan.example.net")
