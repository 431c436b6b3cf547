"""Parse the files of threat lists, with one module per list format.

To add one, write a module here with the constant ``LIST_FORMAT``. A list format

- decides by a file's name and first bytes whether it parses that file (``sniff``; no two formats may claim the same file),
- yields an ``Item`` for any text in the place of an address, an ``Exclusion`` for one that the list excepts from a larger
  network, and a ``Refusal`` for text that it knows not to be one; the rules for all lists (strict addresses, special ranges,
  breadth, exclusions, duplicates) are applied afterwards, by ``intel.lists``,
- never raises: a file that cannot be read at all is one refusal; memory stays proportional to the file.

The documentation shows the first paragraph of each module's docstring after the colon.
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
    """One unchecked statement of a list: ``text`` should be an address, a network, or a range ``first-last``."""

    line: int
    text: str
    category: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None


class Exclusion(NamedTuple):
    """One unchecked statement of a list that addresses are *not* on it, although a network of the list may cover them."""

    line: int
    text: str


def undated(_data: bytes) -> datetime | None:
    """Return None, for formats that cannot state a date."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFormat:
    """One list format.

    ``sniff(name, head)`` gets the file's name and its first decompressed bytes (up to ``SNIFF_BYTES``). ``parse(data)`` gets
    all decompressed bytes. ``as_of(data)`` returns the date that the file states for itself, None if it states none.
    ``example`` is one line for the documentation and for error messages.
    """

    name: str
    sniff: Callable[[str, bytes], bool]
    parse: Callable[[bytes], Iterator[Item | Exclusion | Refusal]]
    as_of: Callable[[bytes], datetime | None] = undated
    example: str = ""


@cache
def all_list_formats() -> dict[str, ListFormat]:
    """Return every list format by name."""
    formats = (cast("ListFormat", value) for _, value in discover(__name__, "LIST_FORMAT"))
    return {item.name: item for item in formats}
