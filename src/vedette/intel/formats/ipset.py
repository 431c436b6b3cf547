"""IPSET: plain lists with comments, as published by most free feeds.

It covers ``.ipset``/``.netset`` files with ``#`` headers, ``ipset save`` output (``add SET ADDRESS``), lists with a remark on
each entry (``ADDRESS # scanner's name``, ``NETWORK ; SBL123``), a count after a tab, and ranges ``FIRST - LAST``. The remark
becomes the category, and decides nothing. The date in the header is the date of the list.

Exceptions are taken out of the networks that contain them: ``add SET ADDRESS nomatch``, ``ADDRESS nomatch`` (as ``ipset list``
writes), ``!ADDRESS`` (as in tables of pf). What a later command deletes, flushes or destroys is not on the list.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from vedette.intel import Refusal
from vedette.intel.formats import Exclusion, Item, ListFormat
from vedette.intel.ipset_commands import Removals, command_of, is_exception, statement
from vedette.intel.plain import is_plain, is_plain_list
from vedette.intel.text import category, date, lines, shortened

_HEADER_BYTES = 8_192
_REMOVED = "not applicable: a later command removes it"
_DATED = re.compile(
    r"^[#;]+\s*(?:this file date|last[ -](?:update|updated|modified)|updated|generated(?: on)?|date)\s*:\s*(.+)$", re.IGNORECASE
)
_COMMENT = re.compile(r"[#;]|//")
_SPLIT = re.compile(r"\s*[#;]\s*|\s*//\s*|\s+")
_RANGE = re.compile(r"^([0-9a-fA-F:.]+)\s*[-\u2013]\s*([0-9a-fA-F]*[.:][0-9a-fA-F:.]*)(?![^\s#;])")
_PREFIX = re.compile(r"^([0-9a-fA-F:.]+)\s*/\s*(\d{1,3})(?![^\s#;])")


def sniff(_name: str, head: bytes) -> bool:
    """Tell whether the file is a plain list of addresses with a comment or a remark on an entry."""
    return is_plain_list(head) and not is_plain(head)


def parse(data: bytes) -> Iterator[Item | Exclusion | Refusal]:
    """Yield the address of each line, with the remark as the category, and the exceptions."""
    removals = Removals.of(data, lines(data))
    for number, line in lines(data):
        if line[0] in "#;" or line.startswith("//"):
            continue
        command = command_of(line)
        if command is None:
            yield _entry(number, line)
        elif command.verb == "add":
            removed = removals.after(number, command)
            yield Refusal(number, shortened(line), _REMOVED) if removed else statement(number, command)


def _entry(number: int, line: str) -> Item | Exclusion | Refusal:
    """Return what a line that is no command states: an address or range, and a remark."""
    negated = line.startswith("!")
    text = _PREFIX.sub(r"\1/\2", _RANGE.sub(r"\1-\2", line.lstrip("! \t") if negated else line))
    parts = _SPLIT.split(text, maxsplit=1)
    words = _COMMENT.split(text[len(parts[0]) :], maxsplit=1)[0]
    if negated and words.strip():
        return Refusal(number, shortened(line), "not an address: neither an exception nor a comment")
    if negated or is_exception(words):
        return Exclusion(number, parts[0])
    return Item(number, parts[0], category(parts[1].lstrip("#;/ \t")) if len(parts) > 1 else "")


def as_of(data: bytes) -> datetime | None:
    """Return the date in the header comments, or None if there is none."""
    for _, line in lines(data[:_HEADER_BYTES]):
        if line[0] not in "#;":
            break
        if match := _DATED.match(line):
            return date(match.group(1))
    return None


LIST_FORMAT = ListFormat(name="IPSET", sniff=sniff, parse=parse, as_of=as_of, example="203.0.113.7 # scan.example.net")
