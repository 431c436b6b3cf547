"""Named SQL views that detections and state tables share: one module per subject, each with the constant ``VIEWS``.

The engine provides the tables at the bottom:

``cloudtrail``        the slice's records, duplicates dropped (columns of ``schema.CLOUDTRAIL``)
``flows``             the slice's flow records, duplicates dropped (columns of ``schema.FLOWS``)
``address_facts``     one row per distinct address of the slice, see ``intel.address_facts``
``address_matches``   one row per list entry that covers one of them, with the time from and to which it counts
``api_facts``         one row per distinct (event_source, event_name, read_only, request_attribute), see ``catalog``
``agent_facts``       one row per distinct user agent, see ``catalog.agents``
``error_facts``       one row per distinct error code: whether it is a denial
``inventory``         one row per interface and address that the inventory knows, see ``inventory``
``expected_ports``    one row per port that is meant to be public: instance (null: any), port
``<state>``           each state table after the fold of the slice, ``<state>_before`` before it

``$name`` stands for a threshold, a number of the settings or a number of the step.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import cast

from vedette.registry import discover
from vedette.sql.graph import ordered
from vedette.sql.threshold import Threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A named query.

    ``meaning`` is a sentence that says what one row is. ``reads`` names the views and tables that ``sql`` uses. ``thresholds``
    are the numbers that it, or views above it, use as ``$name``: where several views use one, it stands at the lowest. ``kept``
    views are computed once per slice, since several others read them.
    """

    name: str
    meaning: str
    reads: tuple[str, ...]
    sql: str
    thresholds: tuple[Threshold, ...] = ()
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


@cache
def all_views() -> dict[str, View]:
    """Return every view by name."""
    found = (view for _, value in discover(__name__, "VIEWS") for view in cast("tuple[View, ...]", value))
    return {view.name: view for view in found}


def needed(roots: Iterable[str]) -> tuple[View, ...]:
    """Return the views that ``roots`` (names of views or tables) build on, each after those that it reads."""
    views = all_views()
    names = ordered(roots, {name: view.reads for name, view in views.items()})
    return tuple(views[name] for name in names if name in views)
