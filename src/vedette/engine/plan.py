"""What both engines plan alike: in which order views are made and state tables folded, and up to which moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations

from vedette.detections import Detection
from vedette.rules import Rules
from vedette.schema import TABLES
from vedette.state import State
from vedette.state_files.generation import Part
from vedette.views import BASE_TABLES, View, all_views, ordered

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What trusted lists silenced (list_name, records), and how many records are ambiguous, and how many doors were
# too many to be remembered, by the table that they are from.
SILENCED = {"cloudtrail": "silenced_calls", "flows": "silenced_probes"}
AMBIGUOUS = {"flows": "ambiguous_flows"}
EVICTED = {"flows": "evicted_contacts"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The views and folds that rules need for records of some tables, each after what it reads, and the detections that see them.

    A view that names a state table sees it after its fold. ``tables`` are the record tables below, ``facts`` the other tables
    that the engine must provide.
    """

    tables: frozenset[str]
    facts: frozenset[str]
    plan: tuple[View | State, ...]
    detections: tuple[Detection, ...]

    @classmethod
    def of(cls, rules: Rules, present: Iterable[str] = tuple(TABLES)) -> "Order":
        """Work it out for slices that hold records of the tables in ``present``: what reads none of them is left out."""
        nodes: dict[str, View | State] = {**all_views(), **{state.name: state for state in rules.states}}
        reads = {name: node.reads for name, node in nodes.items()}
        wanted = set(present)

        def concerned(*roots: str) -> bool:
            return not wanted.isdisjoint(ordered(roots, reads))

        detections = tuple(item for item in rules.detections if concerned(*item.reads))
        roots = {name for detection in detections for name in detection.reads}
        looked_at = wanted & set(ordered(roots, reads))
        roots |= {name for counts in (SILENCED, AMBIGUOUS, EVICTED) for table, name in counts.items() if table in looked_at}
        roots |= {state.name for state in rules.states if concerned(state.name)}
        names = ordered(roots, reads)
        return cls(
            tables=frozenset(name for name in names if name in TABLES),
            facts=frozenset(name for name in names if name in BASE_TABLES - set(TABLES)),
            plan=tuple(nodes[name] for name in names if name in nodes),
            detections=detections,
        )

    def counting(self, counts: Mapping[str, str]) -> tuple[str, ...]:
        """Return the views of ``SILENCED`` and the like that this order makes."""
        made = {item.name for item in self.plan}
        return tuple(name for name in counts.values() if name in made)


def orders(rules: Rules) -> dict[frozenset[str], Order]:
    """Return the order for slices with records of each choice of tables."""
    choices = [frozenset(some) for size in range(len(TABLES) + 1) for some in combinations(TABLES, size)]
    return {choice: Order.of(rules, choice) for choice in choices}


def latest(folded_until: datetime | None, parts: Iterable[Part]) -> datetime:
    """Return the moment just after the newest record, or what was folded before if that is later."""
    newest = max((part.last_us + 1 for part in parts if part.last_us is not None), default=0)
    return max(folded_until or EPOCH, EPOCH + timedelta(microseconds=newest))


def microseconds(moment: datetime | None, none: int = 0) -> int:
    """Return the microseconds from 1970 to a moment, ``none`` where there is no moment."""
    return none if moment is None else (moment - EPOCH) // timedelta(microseconds=1)
