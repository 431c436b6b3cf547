"""Read the commands of ``ipset save`` and ``ipset restore``: which entries they add, except, and remove again."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

from vedette.intel.formats import Exclusion, Item
from vedette.intel.rules import networks_of

_VERBS = {
    **dict.fromkeys(("add", "-A", "--add"), "add"),
    **dict.fromkeys(("del", "-D", "--del"), "del"),
    **dict.fromkeys(("flush", "-F", "--flush", "destroy", "-X", "--destroy"), "flush"),
    **dict.fromkeys(("create", "-N", "--create", "swap", "-W", "--swap", "rename", "-E", "--rename", "COMMIT"), "other"),
}
_OPTIONS = frozenset({"-exist", "-!", "--exist", "-quiet", "-q", "--quiet"})
_VALUED = frozenset({"timeout", "comment", "packets", "bytes", "skbmark", "skbprio", "skbqueue"})
_QUOTED = re.compile(r'"[^"]*"?')
_REMOVAL = re.compile(rb"(?:del|flush|destroy|-[DFX])\b")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_NOMATCH = "nomatch"


@dataclass(frozen=True, slots=True)
class Command:
    """One command: ``add``, ``del``, ``flush`` (or destroy) or ``other``, the set, the entry, and whether it is an exception."""

    verb: str
    name: str = ""
    entry: str = ""
    nomatch: bool = False


def command_of(line: str) -> Command | None:
    """Return the command in a line, None if the line is none."""
    words = line.split(maxsplit=2)
    if words[0] not in _VERBS and words[0] not in _OPTIONS:
        return None
    rest = [word for word in _QUOTED.sub('"', line).split() if word not in _OPTIONS]
    verb = _VERBS.get(rest[0]) if rest else None
    if verb is None:
        return None
    name, entry = (*rest[1:3], "", "")[:2]
    return Command(verb, name, entry, options_of(rest[3:]) == {_NOMATCH})


def is_exception(remark: str) -> bool:
    """Tell whether the text behind an entry is what ``ipset list`` writes there, and marks the entry as an exception."""
    return _NOMATCH in remark and options_of(_QUOTED.sub('"', remark).split()) == {_NOMATCH}


def options_of(words: Iterable[str]) -> set[str]:
    """Return the words that are neither an option with a value nor its value: {"nomatch"}, or a remark's words."""
    found: set[str] = set()
    waiting = iter(words)
    for word in waiting:
        if word in _VALUED:
            next(waiting, "")
        else:
            found.add(word)
    return found


@dataclass(slots=True)
class Removals:
    """The last line in which each entry, and each whole set, is removed: what was added before counts no more."""

    entries: dict[tuple[str, object], int] = field(default_factory=dict)
    sets: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, data: bytes, numbered: Iterable[tuple[int, str]]) -> "Removals":
        """Return the removals among the lines of a file, whose bytes are ``data``."""
        found = cls()
        if _REMOVAL.search(data) is None and not data.startswith(_UTF_16):  # as in nearly every file
            return found
        for number, line in numbered:
            command = command_of(line)
            if command is not None and command.verb == "del":
                found.entries[command.name, networks_of(command.entry)] = number
            elif command is not None and command.verb == "flush":
                found.sets[command.name] = number
        return found

    def after(self, number: int, command: Command) -> bool:
        """Tell whether the entry of a command in the given line is removed in a later line."""
        if not self.entries and not self.sets:
            return False
        ends = chain(
            (self.sets.get(name, 0) for name in (command.name, "")),
            (self.entries.get((command.name, networks_of(command.entry)), 0) if self.entries else 0,),
        )
        return max(ends) > number


def statement(number: int, command: Command) -> Item | Exclusion:
    """Return what an ``add`` states of its entry."""
    return Exclusion(number, command.entry) if command.nomatch else Item(number, command.entry)
