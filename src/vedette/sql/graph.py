"""The graph of queries: which numbers a query uses, and in which order queries are made."""

import re
from collections.abc import Iterable, Mapping

_SMALL = 1 << 15  # products of a few such numbers fit into the 32 bits in which engines compute with plain numbers
_PARAMETER = re.compile(r"\$([a-z_0-9]+)")


def fill(sql: str, numbers: Mapping[str, int | float]) -> str:
    """Return the query with numbers in the place of ``$name``: neither engine has views with parameters.

    Raises:
        KeyError: a name that is not a number of the rules or of the step: a fault of the SQL, found by the catalogue test.
    """
    return _PARAMETER.sub(lambda match: _literal(numbers[match.group(1)] + 0), sql)


def _literal(number: float) -> str:
    return f"cast({number} as bigint)" if isinstance(number, int) and abs(number) >= _SMALL else repr(number)


def parameters(sql: str) -> set[str]:
    """Return the names of the parameters in a query."""
    return set(_PARAMETER.findall(sql))


def ordered(roots: Iterable[str], reads: Mapping[str, Iterable[str]]) -> list[str]:
    """Return ``roots`` and everything that they build on, each after what it reads; ``reads`` says what a name reads.

    Names that ``reads`` does not know are tables at the bottom. Where names read one another in a circle, each is returned once.
    """
    visited: set[str] = set()
    result: list[str] = []

    def visit(name: str) -> None:
        if name in visited:
            return
        visited.add(name)
        for below in reads.get(name, ()):
            visit(below)
        result.append(name)

    for root in sorted(roots):
        visit(root)
    return result
