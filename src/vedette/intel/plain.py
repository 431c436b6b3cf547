"""Recognise plain lists of addresses (formats TXT and IPSET), and tell them apart."""

import re
from collections.abc import Iterator

from vedette.intel.formats import SNIFF_BYTES
from vedette.intel.ipset_commands import command_of
from vedette.intel.rules import DOMAIN, is_listable, networks_of
from vedette.intel.text import lines

_SAMPLED_LINES = 10
_COMMENT = ("#", ";", "//")
_ALIEN_VAULT = re.compile(r"[^#\s]+(?:#[^#]*){7}")  # eight fields separated by #


def is_plain_list(head: bytes) -> bool:
    """Tell whether some of the first lines, without comments, begin with an address, or all of them with a domain."""
    contents = [line for line in _head_lines(head) if not line.startswith(_COMMENT)][:_SAMPLED_LINES]
    if not contents:
        return any(True for _ in _head_lines(head))
    if any(_ALIEN_VAULT.fullmatch(line) for line in contents):
        return False
    first_words = [first_word(line) for line in contents]
    if any(is_listable(word) for word in first_words):
        return not contents[0].startswith(("{", "[", "<")) and "," not in contents[0]
    return all(networks_of(word) == DOMAIN for word in first_words)


def is_plain(head: bytes) -> bool:
    """Tell whether no line of a plain list is a comment or holds more than one word."""
    return not any(line.startswith(_COMMENT) or len(line.split(maxsplit=1)) > 1 for line in _head_lines(head))


def first_word(line: str) -> str:
    """Return the address of a line: the first word, behind a ``!`` too, or the entry of a command ``add SET ADDRESS``."""
    if (command := command_of(line)) is not None:
        return command.entry
    return next(iter(line.lstrip("! \t").split(maxsplit=1)), line).rstrip("-\u2013")  # "FIRST- LAST"


def _head_lines(head: bytes) -> Iterator[str]:
    """Yield the whole lines of the beginning of a file, without the last if the file continues: it may be cut off."""
    found = [line for _, line in lines(head)]
    cut_off = len(head) >= SNIFF_BYTES and len(found) > 1
    yield from found[:-1] if cut_off else found
