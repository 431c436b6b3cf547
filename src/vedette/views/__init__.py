"""Named SQL views that detections and state tables share: one module a subject, each with the constant ``VIEWS``.

The engine provides the tables at the bottom:

``cloudtrail``        the slice's records, duplicates dropped (columns of ``schema.CLOUDTRAIL``)
``flows``             the slice's flow records, duplicates dropped (columns of ``schema.FLOWS``)
``address_facts``     a row for each distinct address of the slice, see ``intel.facts``
``address_matches``   a row for each list entry that covers one of them, with the time from and to which it counts
``api_facts``         a row for each distinct (event_source, event_name, read_only, request_attribute), see ``catalog``
``agent_facts``       a row for each distinct user agent, see ``agents``
``error_facts``       a row for each distinct error code: whether it is a denial
``inventory``         a row for each interface and address that the inventory knows, see ``inventory``
``expected_ports``    a row for each port that is meant to be public: instance (null: any), port
``<state>``           each state table after the fold of the slice, ``<state>_before`` before it

``$name`` stands for a number of the settings or of a detection's thresholds.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import cast

from vedette.registry import discover


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A named query. ``kept`` ones are computed once a slice, since several others read them."""

    name: str
    reads: tuple[str, ...]
    sql: str
    kept: bool = False


BASE_TABLES = frozenset(
    {
        "cloudtrail",
        "flows",
        "address_facts",
        "address_matches",
        "api_facts",
        "inventory",
        "expected_ports",
        "agent_facts",
        "error_facts",
    }
)

_PARAMETER = re.compile(r"\$([a-z_0-9]+)")


@cache
def all_views() -> dict[str, View]:
    """Return every view by name."""
    found = (view for _, value in discover(__name__, "VIEWS") for view in cast("tuple[View, ...]", value))
    return {view.name: view for view in found}


def fill(sql: str, numbers: Mapping[str, int | float]) -> str:
    """Put numbers in the place of ``$name``; a view cannot have parameters of its own on either engine.

    Raises:
        KeyError: a name that is neither a setting nor a threshold: a fault of the SQL, found by the catalogue test.
    """
    return _PARAMETER.sub(lambda match: repr(numbers[match.group(1)] + 0), sql)


def parameters(sql: str) -> set[str]:
    """Return the names of the parameters in a query."""
    return set(_PARAMETER.findall(sql))


def ordered(roots: Iterable[str], reads: Mapping[str, Iterable[str]]) -> list[str]:
    """Return ``roots`` and all that they build on, each after what it reads; ``reads`` says what a name reads.

    Names that ``reads`` does not know are tables at the bottom.
    """
    result: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in result:
            for below in reads.get(name, ()):
                visit(below)
            result[name] = None

    for root in sorted(roots):
        visit(root)
    return list(result)


def needed(roots: Iterable[str]) -> tuple[View, ...]:
    """Return the views that ``roots`` (names of views or tables) build on, each after those that it reads."""
    views = all_views()
    names = ordered(roots, {name: view.reads for name, view in views.items()})
    return tuple(views[name] for name in names if name in views)
