"""Law: every regular expression takes time in proportion to the text, whatever the text is.

Patterns are found in the source, so that a new one is covered by itself; each is given texts made from its own parse tree.
"""

import ast
import re
import time
from math import inf
from typing import TYPE_CHECKING

import pytest
from interrupting import GivenUpError, given_up_after
from pattern_attacks import Attacks
from patterns import places, sources

from vedette.exceptions.accepted import parse as accepted_behaviour
from vedette.logs.flow import text as flow_text
from vedette.sources.files import _Pattern

if TYPE_CHECKING:
    from collections.abc import Callable

LARGE = 16_384  # characters
STEP = 4  # a text is made so much longer at a time
QUICK_SECONDS = 0.001  # of CPU, for the large text: no quadratic pattern is done by then
GIVEN_UP_SECONDS = 1.0
WELL_MEASURED_SECONDS = 0.1
MANY_MODULES = 30
QUADRATIC = STEP**2
Compiled = re.Pattern[str] | re.Pattern[bytes]
_SQL_PATTERNS = re.compile(r"\bregexp_?\w*\s*\(|\brlike\b|\bsimilar to\b", re.IGNORECASE)


def seconds(pattern: Compiled, use: str, text: object, *, times: int = 1) -> float:
    """Return the least CPU time that a use of a pattern takes; infinite if it was given up."""
    call: Callable[..., object] = getattr(pattern, use)
    empty = b"" if isinstance(pattern.pattern, bytes) else ""
    arguments = (empty, text) if use in {"sub", "subn"} else (text,)
    taken = []
    try:
        with given_up_after(GIVEN_UP_SECONDS):
            for _ in range(times):
                started = time.thread_time()
                result = call(*arguments)
                if use == "finditer":
                    list(result)  # type: ignore[call-overload]
                taken.append(time.thread_time() - started)
    except GivenUpError:
        return inf
    return min(taken)


def growth(pattern: Compiled, use: str, small: str | bytes, large: str | bytes) -> float:
    """Return how many times as long the large text takes as the small one: the least that was measured, since others run too."""
    ratio = inf
    for _ in range(3):
        longer = seconds(pattern, use, large)
        times = 1 if longer > WELL_MEASURED_SECONDS else 3
        longer = min(longer, seconds(pattern, use, large, times=times))
        ratio = min(ratio, longer / seconds(pattern, use, small, times=times))
        if ratio < QUADRATIC / 2 or longer > WELL_MEASURED_SECONDS:
            break
    return ratio


def slow_text(pattern: Compiled, uses: frozenset[str], size: int = LARGE) -> str:
    """Return a text that takes a pattern more than linear time, with the use and how the time grows; "" if none does."""
    attacks = Attacks(pattern)
    for parts in attacks.texts():
        large, small = attacks.made(parts, size), attacks.made(parts, size // STEP)
        for use in uses:
            taken = seconds(pattern, use, large)
            if taken < QUICK_SECONDS:
                continue
            grown = growth(pattern, use, small, large) if taken < inf else inf
            if grown > QUADRATIC / 2:
                shown = f"{parts[0]!r} + {parts[1]!r}… + {parts[2]!r}… + {parts[3]!r}"
                return f"{use} of {shown}: {grown:.1f} times for {STEP} times the text"
    return ""


def _globs() -> list[tuple[Compiled, str]]:
    texts = ("*a*a*a*b", "**x**", "[a-z]*[0-9]*z", "?*?*?*!", "*" * 40 + "b", "*.log*.gz*")
    return [(matcher, "match") for text in texts for matcher in _Pattern((text,)).matchers]


def _acceptances() -> list[tuple[Compiled, str]]:
    entries = ("*a*a*a*b", "role/*-*-*-ci", "a**b** network", "*" * 40 + "b")
    return [(item.principal, "fullmatch") for item in accepted_behaviour(entries)]


def _flow_forms() -> list[tuple[Compiled, str]]:
    columns = tuple(flow_text.FLOWS.names)
    return [(re.compile(flow_text._pattern(column)), "fullmatch") for column in (*columns, "")]


def _secrets() -> list[tuple[Compiled, str]]:
    return [(re.compile(rf"(?<!\w){re.escape(secret)}(?!\w)"), "sub") for secret in ("aaa", "a.a", "   ")]


MADE = {
    "vedette.exceptions.accepted:_matching": _acceptances,
    "vedette.logs.flow.text:_form": _flow_forms,
    "vedette.urls:without": _secrets,
    "vedette.sources.files:__post_init__": _globs,
}


def test_every_pattern_takes_linear_time() -> None:
    found = list(places(MADE))
    assert len({place.where.partition(":")[0] for place in found}) > MANY_MODULES, "patterns were not found"
    slow = [
        f"{place.where}: {place.pattern.pattern!r}: {text}" for place in found if (text := slow_text(place.pattern, place.uses))
    ]
    assert not slow, "\n".join(["", *slow])


@pytest.mark.parametrize(
    ("text", "use"),
    [
        (r"(?:^|\s+)(?:#|;|//)", "split"),
        (r"\s+$", "search"),
        (r"\s*,\s*$", "sub"),
        (r"<a\b[^>]*?\btimestamp=", "search"),
        (r"(?:Simulate|Generate)[A-Za-z]*Polic", "search"),
        (r".*a.*b.*c", "fullmatch"),
        (r"(.*) - at (.*)`", "fullmatch"),
        (r"\d+\d+x", "match"),
        (r"[a-z]+-?[a-z]+!", "match"),
        (r"(?:[a-z]+\.)+com", "search"),
        (r"(?:a+)+b", "match"),
        (r"(?:a|b|ab)*c", "match"),
        (rb"^\s*\"?\s*id", "match"),
        (rb"\{[^}]*\}", "findall"),
        (r"x(?=.*y)", "finditer"),
        (r"(?:\"(?:[^\"\\]|\\.)*+\"){2}", "search"),
    ],
)
def test_a_pattern_that_takes_more_is_found(text: str | bytes, use: str) -> None:
    assert slow_text(re.compile(text), frozenset({use}), LARGE // STEP)


def test_no_query_has_a_regular_expression_of_its_own() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL_PATTERNS.search(node.value)
    ]
    assert not found, "Spark's regular expressions can take exponential time"
