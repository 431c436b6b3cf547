"""List formats: how a threat list's file is read.

To add one, write a module here with the constant ``LIST_FORMAT``. A list format

- says by name and first bytes whether a file is its own (``sniff``; exclusive: no two formats claim one file),
- yields an ``Item`` for whatever stands where an address should, and a ``Refusal`` for what it knows to be none; the rules
  that hold for every list (strict addresses, special ranges, breadth, duplicates) are applied afterwards, in ``intel.rules``,
- never raises: a file that cannot be read at all is one refusal; memory stays proportional to the file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import NamedTuple, cast

from vedette.intel import Refusal
from vedette.registry import discover

SNIFF_BYTES = 4_096


class Item(NamedTuple):
    """What a list says at one place, unchecked: ``text`` is an address, a network, or a range ``first-last``."""

    line: int
    text: str
    category: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None


def undated(_data: bytes) -> datetime | None:
    """Return None: the format has no place for a date."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFormat:
    """One list format.

    ``sniff(name, head)`` gets the file's name and its first decompressed bytes (up to ``SNIFF_BYTES``). ``parse(data)`` gets
    all decompressed bytes. ``as_of(data)`` returns the date that the file states for itself, None where it states none.
    ``example`` is one line for the documentation and for error messages.
    """

    name: str
    sniff: Callable[[str, bytes], bool]
    parse: Callable[[bytes], Iterator[Item | Refusal]]
    as_of: Callable[[bytes], datetime | None] = undated
    example: str = ""


@cache
def all_list_formats() -> dict[str, ListFormat]:
    """Return every list format by name."""
    formats = (cast("ListFormat", value) for _, value in discover(__name__, "LIST_FORMAT"))
    return {item.name: item for item in formats}
