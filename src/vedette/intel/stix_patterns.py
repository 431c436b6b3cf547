"""Find the addresses that are sufficient by themselves to satisfy a STIX 2 pattern.

``[ipv4-addr:value = '203.0.113.7' OR ipv6-addr:value ISSUBSET '2001:db8::/32']`` names two. Alternatives are united. A comparison
that is joined by AND to something other than ports, protocols and types of the same traffic needs more than an address, and so
do FOLLOWEDBY and observations joined by AND: these are refused. Qualifiers (WITHIN, REPEATS, START) only say when and how often
something was observed, so they are ignored.
"""

import re
from collections.abc import Iterator
from typing import Any

from vedette.intel.rules import DOMAIN
from vedette.intel.stix_tokens import Allowance, UnreadableError
from vedette.intel.text import shortened

LONGEST_PATTERN = 65_536
_ADDRESS_PATHS = frozenset(
    {
        "ipv4-addr:value",
        "ipv6-addr:value",
        "network-traffic:src_ref.value",
        "network-traffic:dst_ref.value",
    }
)
_COMPANION = re.compile(r"network-traffic:(?:(?:src|dst)_port|protocols\[(?:\*|\d+)\]|(?:src|dst)_ref\.type)")
_ADDRESS = r"(?:ipv[46]-addr:value|network-traffic:(?:src|dst)_ref\.value)"
# most indicators are a single comparison, which can be read without the grammar
_SIMPLE = re.compile(rf"\s*\[\s*{_ADDRESS}\s*(?:=|ISSUBSET)\s*'([0-9a-fA-F:./]+)'\s*\]\s*")
_DOMAIN_PATH = "domain-name:value"
_NEEDS_MORE = "not applicable: the pattern needs more than one address"

# Parse trees come from generated code without types; Any does not leave this module.
Node = Any


def addresses_of(pattern: str, allowance: Allowance, *, version: str = "2.1") -> tuple[list[str], list[str]]:
    """Return the addresses and networks that satisfy a pattern, and the reasons why other parts of it are refused.

    What parsing costs is taken off the ``allowance``, which the patterns of a list share.
    """
    if match := _SIMPLE.fullmatch(pattern):
        return [match.group(1)], []
    if len(pattern) > LONGEST_PATTERN:
        return [], [f"unreadable: the pattern is longer than {LONGEST_PATTERN:,} characters"]
    try:
        allowance.take(pattern)
        return _alternatives([_tree(pattern, version)])
    except RecursionError:
        return [], ["unreadable: the pattern is nested too deeply"]
    except UnreadableError as error:
        return [], [f"unreadable: {error}"]


class _Root:
    """A visitor that returns the tree that it visits."""

    def visit(self, tree: Node) -> Node:
        return tree


def _tree(pattern: str, version: str) -> Node:
    # the grammar takes 40 ms to import, and most lists do not need it
    from stix2patterns.exceptions import ParseException  # type: ignore[import-untyped]  # noqa: PLC0415  # ships no types

    if version == "2.0":
        from stix2patterns.v20.pattern import Pattern  # type: ignore[import-untyped]  # noqa: PLC0415  # ships no types
    else:
        from stix2patterns.v21.pattern import Pattern  # type: ignore[import-untyped]  # noqa: PLC0415  # ships no types
    try:
        return Pattern(pattern).visit(_Root())
    except ParseException as error:
        raise UnreadableError(f"not a STIX pattern ({shortened(str(error))})") from error


def _alternatives(nodes: list[Node]) -> tuple[list[str], list[str]]:
    """Return the addresses and refusals of the nodes, and of everything that is joined by OR below them."""
    addresses: list[str] = []
    refusals: list[str] = []
    waiting = nodes[::-1]
    while waiting:
        node = waiting.pop()
        name = type(node).__name__
        words = set(_words(node))
        if name.startswith("PropTest") and name != "PropTestParenContext":
            found, refused = _comparison(node, name)
        elif "AND" in words and name.startswith("Comparison"):
            found, refused = _conjunction(node)
        elif "AND" in words or "FOLLOWEDBY" in words:
            found, refused = [], [_NEEDS_MORE]
        else:
            waiting.extend(reversed(_parts(node)))
            continue
        addresses += found
        refusals += refused
    return addresses, refusals


def _conjunction(node: Node) -> tuple[list[str], list[str]]:
    """Return the addresses of the only part that names any; refuse the node if another part needs more than an address."""
    parts: list[Node] = []
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if type(part).__name__ == "ComparisonExpressionAndContext":
            waiting.extend(_parts(part))
        else:
            parts.append(part)
    conditions = [part for part in parts if not _is_companion(part)]
    if len(conditions) != 1:
        return [], [_NEEDS_MORE]
    return _alternatives(conditions)


def _is_companion(node: Node) -> bool:
    return type(node).__name__ != "PropTestParenContext" and _COMPANION.fullmatch(node.objectPath().getText()) is not None


def _comparison(node: Node, name: str) -> tuple[list[str], list[str]]:
    path = node.objectPath().getText()
    if path not in _ADDRESS_PATHS:
        return [], [DOMAIN if path == _DOMAIN_PATH else f"not an address: a comparison of {shortened(path, 60)}"]
    if node.NOT():
        return [], ["not applicable: the comparison is negated"]
    if name == "PropTestEqualContext" and node.EQ():
        return [_unquoted(node.primitiveLiteral().getText())], []
    if name == "PropTestIsSubsetContext":
        return [_unquoted(node.StringLiteral().getText())], []
    if name == "PropTestSetContext":
        return [_unquoted(part.getText()) for part in _parts(node.setLiteral())], []
    return [], ["not applicable: only =, IN and ISSUBSET name addresses"]


def _children(node: Node) -> list[Node]:
    return list(getattr(node, "children", None) or [])


def _words(node: Node) -> Iterator[str]:
    return (child.getText() for child in _children(node) if type(child).__name__ == "TerminalNodeImpl")


def _parts(node: Node) -> list[Node]:
    """Return the rule contexts below a node, without qualifiers."""
    names = ((child, type(child).__name__) for child in _children(node))
    return [child for child, name in names if name.endswith("Context") and "Qualifier" not in name]


def _unquoted(literal: str) -> str:
    return re.sub(r"\\(.)", r"\1", literal.strip("'")) if literal.startswith("'") else literal
