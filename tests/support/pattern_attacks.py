"""Writes, from a regular expression's own parse tree, the texts on which it would take more than linear time.

Such a text is a beginning that the expression accepts, one or two long runs of what one of its repeats accepts (or of the
beginning itself, for a search that starts again at each place), and an end that it does not accept.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Node = Any  # of a parse tree, which has no types
Parts = tuple[str, str, str, str]

_ALPHABET = [chr(number) for number in range(256)]
_ENDS = ("", "\0", "!", "\n")
_MANY = 20  # a repeat of more than that many may be a long run


class Attacks:
    """The texts for one pattern: ``texts`` yields functions from a number of repetitions to a text."""

    def __init__(self, pattern: re.Pattern[str] | re.Pattern[bytes]) -> None:
        self._pattern = pattern
        text = pattern.pattern
        self._flags = pattern.flags
        self._tree = parser.parse(text, pattern.flags & ~re.DEBUG)
        self._words: dict[str, None] = {}  # what a repeat accepts
        self._beginnings: dict[str, None] = {"": None}
        self._walk(self._tree, "")

    def texts(self) -> Iterator[Parts]:
        """Yield beginning, first run, second run and end."""
        words = list(self._words)
        for beginning in self._beginnings:
            for end in _ENDS:
                yield from ((beginning, word, "", end) for word in words)
        restarts = [beginning for beginning in self._beginnings if beginning and beginning not in self._words]
        yield from (("", beginning, "", end) for beginning in restarts for end in ("", "\0"))
        for first, second in pairwise(words):
            yield ("", first, second, "\0")

    def made(self, parts: Parts, size: int) -> str | bytes:
        """Return a text of about ``size`` characters, of the kind that the pattern reads."""
        beginning, first, second, end = parts
        runs = (
            first * (size // len(first))
            if not second
            else first * (size // 2 // len(first)) + second * (size // 2 // len(second))
        )
        text = beginning + runs + end
        return text.encode("latin-1", "replace") if isinstance(self._pattern.pattern, bytes) else text

    def _walk(self, items: Node, before: str) -> str:
        """Collect the words of repeats and what stands before them; return an example of the items."""
        example = ""
        for operation, argument in items:
            if operation in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
                least, most, body = argument
                inner = self._walk(body, before + example)
                if most > _MANY:
                    self._beginnings[before + example] = None
                    for word in self._accepted(body, inner):
                        self._words[word] = None
                example += inner * max(least, 1 if inner and len(inner) < _MANY else 0)
            else:
                example += self._one(operation, argument, before + example)
        return example

    def _one(self, operation: Node, argument: Node, before: str) -> str:
        example = ""
        match operation:
            case codes.SUBPATTERN:
                example = self._walk(argument[3], before)
            case codes.ATOMIC_GROUP:
                example = self._walk(argument, before)
            case codes.BRANCH:
                example, *_ = [self._walk(branch, before) for branch in argument[1]]
            case codes.ASSERT | codes.ASSERT_NOT:
                self._walk(argument[1], before)
            case codes.LITERAL | codes.ANY | codes.NOT_LITERAL | codes.IN:
                example = next(iter(self._characters(operation, argument)), "")
        return example

    def _accepted(self, body: Node, inner: str) -> Iterator[str]:
        """Yield what a repeat accepts: an example, and one character for each way the rest of the pattern sees it."""
        if inner:
            yield inner
        if len(body) == 1 and body[0][0] is codes.SUBPATTERN:
            yield from self._accepted(body[0][1][3], inner)
        elif len(body) == 1 and body[0][0] is codes.BRANCH:
            for branch in body[0][1][1]:
                yield from self._accepted(branch, self._walk(branch, ""))
        elif len(body) and body[-1][0] in (codes.ANY, codes.NOT_LITERAL, codes.IN):
            found: dict[tuple[bool, ...], str] = {}
            for character in self._characters(*body[-1]):
                found.setdefault(self._seen_as(character), character)
            yield from (inner[:-1] + character for character in found.values())

    def _characters(self, operation: Node, argument: Node) -> list[str]:
        """Return the characters that one item accepts, those that are easy to read first."""
        single = parser.SubPattern(parser.State(), [(operation, argument)])
        return [character for character in sorted(_ALPHABET, key=_ugliness) if _accepts(single[0], character, self._flags)]

    def _seen_as(self, character: str) -> tuple[bool, ...]:
        return tuple(_accepts(item, character, self._flags) for item in _singles(self._tree))


def _ugliness(character: str) -> tuple[bool, bool, str]:
    return (not character.isascii(), not character.isalnum(), character)


def _singles(items: Node) -> Iterator[tuple[Node, Node]]:
    """Yield every item that accepts one character."""
    for operation, argument in items:
        if operation in (codes.ANY, codes.NOT_LITERAL, codes.IN, codes.LITERAL):
            yield operation, argument
        elif isinstance(argument, tuple | list | parser.SubPattern):
            for inner in _parts(argument):
                yield from _singles(inner)


def _parts(argument: Node) -> Iterator[Node]:
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, tuple | list):
        for item in argument:
            yield from _parts(item)


def _accepts(item: tuple[Node, Node], character: str, flags: int) -> bool:
    operation, argument = item
    match operation:
        case codes.LITERAL:
            return ord(character) == argument
        case codes.NOT_LITERAL:
            return ord(character) != argument
        case codes.ANY:
            return character != "\n" or bool(flags & re.DOTALL)
        case _:
            return _in_set(argument, ord(character))


def _in_set(members: Node, number: int) -> bool:
    negated = members[0][0] is codes.NEGATE
    found = any(
        (kind is codes.LITERAL and number == value)
        or (kind is codes.RANGE and value[0] <= number <= value[1])
        or (kind is codes.CATEGORY and _in_category(value, chr(number)))
        for kind, value in members
    )
    return found != negated


def _in_category(category: Node, character: str) -> bool:
    name = str(category).removeprefix("CATEGORY_")
    kind = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[name.removeprefix("NOT_")]
    return (re.fullmatch(kind, character) is not None) != name.startswith("NOT_")
