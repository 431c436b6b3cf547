"""What both engines plan alike: in which order views are made and state tables folded, and up to which moment."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vedette.engine import Rules
from vedette.generation import Part
from vedette.schema import TABLES
from vedette.state import State
from vedette.views import View, all_views, ordered

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SILENCED = "silenced"
AMBIGUOUS = "ambiguous_flows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The views and folds that rules need, each after what it reads, and the record tables below them.

    A view that names a state table sees it after its fold.
    """

    tables: frozenset[str]
    plan: tuple[View | State, ...]

    @classmethod
    def of(cls, rules: Rules) -> "Order":
        """Work it out."""
        nodes: dict[str, View | State] = {**all_views(), **{state.name: state for state in rules.states}}
        roots = {name for detection in rules.detections for name in detection.reads} | {SILENCED, AMBIGUOUS}
        names = ordered(roots | {state.name for state in rules.states}, {name: node.reads for name, node in nodes.items()})
        return cls(
            tables=frozenset(name for name in names if name in TABLES),
            plan=tuple(nodes[name] for name in names if name in nodes),
        )


def latest(folded_until: datetime | None, parts: Iterable[Part]) -> datetime:
    """Return the moment just after the newest record, or what was folded before if that is later."""
    newest = max((part.last_us + 1 for part in parts if part.last_us is not None), default=0)
    return max(folded_until or EPOCH, EPOCH + timedelta(microseconds=newest))


def microseconds(moment: datetime | None, none: int = 0) -> int:
    """Return the microseconds from 1970 to a moment, ``none`` where there is no moment."""
    return none if moment is None else (moment - EPOCH) // timedelta(microseconds=1)
