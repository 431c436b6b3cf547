"""What both engines plan alike: which views are made when, and up to which moment a step folds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vedette.engine import Rules
from vedette.generation import Part
from vedette.schema import TABLES
from vedette.views import View, needed, tables_below

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SILENCED = "silenced_calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The views that rules need, those that folds read apart from those that see the state tables after the fold.

    ``tables`` are the record tables below them.
    """

    tables: frozenset[str]
    before: tuple[View, ...]
    after: tuple[View, ...]

    @classmethod
    def of(cls, rules: Rules) -> "Order":
        """Work it out."""
        roots = {name for detection in rules.detections for name in detection.reads} | {SILENCED}
        roots |= {name for state in rules.states for name in state.reads}
        remembered = {state.name for state in rules.states}
        views = needed(roots)
        before = tuple(view for view in views if not tables_below({view.name}) & remembered)
        after = tuple(view for view in views if view not in before)
        return cls(tables=frozenset(tables_below(roots) & set(TABLES)), before=before, after=after)


def latest(folded_until: datetime | None, parts: Iterable[Part]) -> datetime:
    """Return the moment just after the newest record, or what was folded before if that is later."""
    newest = max((part.last_us + 1 for part in parts if part.last_us is not None), default=0)
    return max(folded_until or EPOCH, EPOCH + timedelta(microseconds=newest))


def microseconds(moment: datetime | None, none: int = 0) -> int:
    """Return the microseconds from 1970 to a moment, ``none`` where there is no moment."""
    return none if moment is None else (moment - EPOCH) // timedelta(microseconds=1)
