"""Bound the work of parsing STIX 2 patterns before the grammar sees them.

The lexer of the grammar goes back where a string or a comment does not end, and reads the rest of the pattern again from each
later quote; its parser looks ahead over open brackets. So what does not end or nests too deeply is refused here, in one pass, and
the tokens of all patterns of a bundle are counted, because they, not characters, are what parsing costs.
"""

import re
from dataclasses import dataclass

MOST_TOKENS = 3_000_000  # of all patterns of a bundle; the grammar takes 10 to 20 microseconds for each
MOST_NESTED = 100
_TOKENS_OF_A_PATTERN = 5  # what a pattern costs besides its tokens
# A literal such as t'…' counts as a word and a string, and a character beyond ASCII as a token: it costs the lexer as much.
_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\r\n]++)
    | '(?:[^'\\]|\\['\\])*+(?:'|(?P<endless_string>))
    | /\*(?:[^*]|\*(?!/))*+(?:\*/|(?P<endless_comment>))
    | //[^\r\n]*+
    | (?P<opening>[(\[])
    | (?P<closing>[)\]])
    | [A-Za-z_0-9-]++
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_ENDLESS = {"endless_string": "string", "endless_comment": "comment"}


class UnreadableError(Exception):
    """The text is not a pattern, or not one that is parsed."""


@dataclass(slots=True)
class Allowance:
    """How many tokens may still be parsed."""

    tokens: int = MOST_TOKENS

    def take(self, pattern: str) -> None:
        """Take the tokens of a pattern off the allowance; once it is too small, it is used up.

        Raises:
            UnreadableError: the grammar must not see the pattern, because that would take too long.
        """
        needed = _TOKENS_OF_A_PATTERN + _tokens(pattern)
        self.tokens = self.tokens - needed if needed <= self.tokens else 0
        if not self.tokens:
            raise UnreadableError(f"more than {MOST_TOKENS:,} words and signs in the patterns of the list")


def _tokens(pattern: str) -> int:
    """Return how many tokens a pattern has, in time that is proportional to its length."""
    count = depth = 0
    for token in _TOKEN.finditer(pattern):
        kind = token.lastgroup or ""
        if kind in _ENDLESS:
            what = _ENDLESS[kind]
            raise UnreadableError(f"not a STIX pattern (the {what} at character {token.start() + 1} does not end)")
        if kind == "opening":
            depth += 1
            if depth > MOST_NESTED:
                raise UnreadableError("the pattern is nested too deeply")
        elif kind == "closing":
            depth -= 1
        count += kind != "blank"
    return count + (0 if pattern.isascii() else len(pattern) - len(pattern.encode("ascii", "ignore")))
