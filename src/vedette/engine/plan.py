"""What a step is planned from: the order of views and folds, the numbers that it gives to SQL, and the time it reaches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from vedette.detections import Detection, Number
from vedette.epoch import EPOCH, microseconds, moment
from vedette.rules import Rules
from vedette.schema import TABLES
from vedette.sql.graph import ordered
from vedette.state import BEFORE, State, all_states
from vedette.state_files.generation import Part
from vedette.views import BASE_TABLES, View, all_views

# Views that count, by the table that they count records of: records that a trusted list silenced (list_name, records), records
# of which nobody can tell who opened the conversation, and contacts that were too many to be remembered (records).
SILENCED = {"cloudtrail": "silenced_calls", "flows": "silenced_probes"}
AMBIGUOUS = {"flows": "ambiguous_flows"}
EVICTED = {"flows": "evicted_contacts"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """What a step does for records of some tables: views and folds, each after what it reads, and the detections that read them.

    A view that names a state table sees it after its fold. ``tables`` are the record tables that are read, ``facts`` the other
    tables that the engine must provide.
    """

    tables: frozenset[str]
    facts: frozenset[str]
    views_and_folds: tuple[View | State, ...]
    detections: tuple[Detection, ...]

    @classmethod
    def of(cls, rules: Rules, present: Iterable[str] = tuple(TABLES)) -> "StepPlan":
        """Plan for slices that hold records of the tables in ``present``; leave out what reads none of them."""
        nodes: dict[str, View | State] = {**all_views(), **{state.name: state for state in rules.states}}
        reads = {name: node.reads for name, node in nodes.items()}
        wanted = set(present)

        def concerned(*roots: str) -> bool:
            return not wanted.isdisjoint(ordered(roots, reads))

        detections = tuple(item for item in rules.detections if concerned(*item.reads))
        roots = {name for detection in detections for name in detection.reads}
        examined = wanted & set(ordered(roots, reads))
        forgotten = all_states().keys() - {state.name for state in rules.states}
        roots |= {
            name
            for counts in (SILENCED, AMBIGUOUS, EVICTED)
            for table, name in counts.items()
            # what a table would hold that is not remembered need not be counted either
            if table in examined and forgotten.isdisjoint(table.removesuffix(BEFORE) for table in ordered([name], reads))
        }
        roots |= {state.name for state in rules.states if concerned(state.name)}
        names = ordered(roots, reads)
        return cls(
            tables=frozenset(name for name in names if name in TABLES),
            facts=frozenset(name for name in names if name in BASE_TABLES - set(TABLES)),
            views_and_folds=tuple(nodes[name] for name in names if name in nodes),
            detections=detections,
        )

    def counting(self, counts: Mapping[str, str]) -> tuple[str, ...]:
        """Return the views of ``SILENCED`` and the like that this plan makes."""
        made = {item.name for item in self.views_and_folds}
        return tuple(name for name in counts.values() if name in made)


def step_plans(rules: Rules) -> dict[frozenset[str], StepPlan]:
    """Return the plan for slices with records of each choice of tables."""
    choices = [frozenset(some) for size in range(len(TABLES) + 1) for some in combinations(TABLES, size)]
    return {choice: StepPlan.of(rules, choice) for choice in choices}


def step_numbers(watermark: datetime, number: int) -> dict[str, Number]:
    """Return the values of ``STEP_NUMBERS`` for a step that reaches a watermark."""
    return {"watermark_us": microseconds(watermark), "step": number}


def latest(folded_until: datetime | None, parts: Iterable[Part]) -> datetime:
    """Return the moment just after the newest record, or the moment up to which was folded before if that is later."""
    newest = max((part.last_us + 1 for part in parts if part.last_us is not None), default=0)
    return max(folded_until or EPOCH, moment(newest))
