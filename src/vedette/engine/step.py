"""The script of a step: the same for every engine, over its port."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from vedette.detections import Detection
from vedette.engine import Knowledge, StepResult
from vedette.engine.duplicates import REPEATABLE, drop_duplicates
from vedette.engine.fact_tables import ADDRESSES_OF_SLICE, FACT_TABLES, addresses_of, expected_ports, inventory_table
from vedette.engine.fold import fold
from vedette.engine.plan import AMBIGUOUS, EVICTED, SILENCED, StepPlan, latest, step_numbers, step_plans
from vedette.engine.port import Port
from vedette.engine.spool import taken
from vedette.epoch import microseconds
from vedette.findings import Sighting
from vedette.rules import Rules
from vedette.schema import TABLES, TIME_COLUMN
from vedette.sql.graph import fill
from vedette.state import State
from vedette.state_files.generation import Generation, Part

_COUNTS = """
select '{table}' as name, count(*) as records, count(case when microseconds({time}) < {before} then 1 end) as late from {table}
"""


class Script:
    """Runs the steps of some rules on one port: opens a slice, drops duplicates, makes views, folds states, asks detections."""

    def __init__(self, port: Port, rules: Rules, knowledge: Knowledge) -> None:
        self._port = port
        self._states = rules.states
        self._plans = step_plans(rules)
        self._numbers = rules.numbers
        self._known = {"inventory": inventory_table(knowledge), "expected_ports": expected_ports(knowledge)}

    @property
    def tables(self) -> frozenset[str]:
        """The record tables that the rules read."""
        return self._plans[frozenset(TABLES)].tables

    def step(self, generation: Generation, until: datetime | None) -> StepResult:
        """Run the detections over what is pending before ``until`` and fold it; see ``Engine.step``."""
        until_us = None if until is None else microseconds(until)
        touched, remaining = taken(generation.pending, until_us)
        plan = self._plans[frozenset(part.table for part in touched)]
        reached = until or latest(generation.watermark, touched)
        with self._port.working():
            self._open_slice(touched, until_us)
            self._open_states(generation)
            late, duplicates = self._count_and_drop(touched, generation.watermark)
            self._make_facts(plan)
            states = self._make_views(plan, generation, reached)
            return StepResult(
                generation=replace(
                    generation,
                    number=generation.number + 1,
                    # Late records are folded as of their own time: what is newer than they are is not forgotten.
                    watermark=max(reached, generation.watermark or reached),
                    states=states,
                    pending=tuple(remaining),
                ),
                sightings=tuple(sighting for detection in plan.detections for sighting in self._seen(detection)),
                late=late,
                duplicates=duplicates,
                ambiguous=self._counted(plan.counting(AMBIGUOUS)),
                evicted=self._counted(plan.counting(EVICTED)),
                silenced=self._silenced(plan.counting(SILENCED)),
            )

    def _open_slice(self, touched: Sequence[Part], until_us: int | None) -> None:
        for table in TABLES:
            self._port.load(f"{table}_read", table, [part for part in touched if part.table == table], until_us)
            self._port.view(table, f"select * from {table}_read")

    def _open_states(self, generation: Generation) -> None:
        """Make each state table as it was, under its own name and under ``<name>_before`` for who must not see the fold."""
        for state in self._states:
            self._port.open(f"{state.name}_before", state, generation.states.get(state.name, ()))
            self._port.view(state.name, f"select * from {state.name}_before")

    def _count_and_drop(self, touched: Iterable[Part], folded_until: datetime | None) -> tuple[int, int]:
        """Drop duplicates; return how many records are older than what was folded before, and how many were dropped."""
        before = -1 if folded_until is None else microseconds(folded_until)
        tables = sorted({part.table for part in touched})
        if not tables:
            return 0, 0
        counts = [_COUNTS.format(table=name, time=TIME_COLUMN[name], before=before) for name in tables]
        late = duplicates = 0
        for row in list(self._port.rows(" union all ".join(counts))):
            late += row["late"]
            if row["records"]:
                duplicates += drop_duplicates(self._port, row["name"], late=row["late"] > 0)
        return late, duplicates

    def _make_facts(self, plan: StepPlan) -> None:
        """Make the tables about the distinct values of the slice that the plan reads, and those of what is always known."""
        wanted = [facts for facts in FACT_TABLES if facts.name in plan.facts]
        if any(ADDRESSES_OF_SLICE in facts.distinct for facts in wanted):
            self._port.keep(ADDRESSES_OF_SLICE, addresses_of(plan.tables))
        for facts in wanted:
            self._port.look_up(facts)
        for name, rows in self._known.items():
            if name in plan.facts:
                self._port.register(name, rows)

    def _make_views(self, plan: StepPlan, generation: Generation, reached: datetime) -> dict[str, tuple[Part, ...]]:
        """Make views and fold states in the plan's order; return the parts of all state tables afterwards."""
        numbers = {**self._numbers, **step_numbers(reached, generation.number + 1)}
        states = dict(generation.states)
        for item in plan.views_and_folds:
            if isinstance(item, State):
                states[item.name] = fold(self._port, item, generation, reached, numbers)
            elif item.kept:
                self._port.keep(item.name, fill(item.sql, numbers))
            else:
                self._port.view(item.name, fill(item.sql, numbers))
        return states

    def _seen(self, detection: Detection) -> Iterator[Sighting]:
        return map(detection.sighting, self._port.rows(fill(detection.sql, self._numbers)))

    def _counted(self, views: Iterable[str]) -> int:
        return sum(int(row["records"]) for view in views for row in self._port.rows(f"select records from {view}"))

    def _silenced(self, views: Iterable[str]) -> Counter[str]:
        counts: Counter[str] = Counter()
        for view in views:
            for row in self._port.rows(f"select list_name, records from {view}"):
                counts[row["list_name"]] += int(row["records"])
        return counts


def needed_columns(rules: Rules) -> dict[str, pa.Schema]:
    """Return the columns of each record table that a query of the steps names."""
    plan = step_plans(rules)[frozenset(TABLES)]
    texts = [item.rows if isinstance(item, State) else item.sql for item in plan.views_and_folds]
    texts += [detection.sql for detection in rules.detections]
    texts += [addresses_of(TABLES), *(facts.distinct for facts in FACT_TABLES)]
    texts += [*(repeatable.queries() for repeatable in REPEATABLE.values()), *TIME_COLUMN.values()]
    words = set(re.findall(r"\w+", " ".join(texts)))
    return {table: pa.schema([field for field in schema if field.name in words]) for table, schema in TABLES.items()}
