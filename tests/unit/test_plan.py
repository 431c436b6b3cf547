"""In which order views and folds are made, for which records at all, and how long state is kept."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from flow_notation import Log, blob, lines_of

from vedette.detections import all_detections
from vedette.engine.plan import AMBIGUOUS, SILENCED, StepPlan, step_numbers, step_plans
from vedette.epoch import EPOCH
from vedette.pipeline import composition
from vedette.pipeline.knowledge import gather
from vedette.rules import Rules, choice
from vedette.settings import load
from vedette.sql.graph import ordered
from vedette.sql.steps import STEP_NUMBERS
from vedette.state import State, all_states
from vedette.store import Store
from vedette.views import all_views, needed


def rules() -> Rules:
    return choice.rules(load(None, {}))


def test_what_is_read_comes_before_whoever_reads_it() -> None:
    reads = {"a": ("b", "c"), "b": ("d",), "c": ("d",), "d": ("table",), "other": ("table",)}
    assert ordered(["a"], reads) == ["table", "d", "b", "c", "a"]
    assert ordered(["c", "b"], reads) == ["table", "d", "b", "c"]
    assert ordered([], reads) == []


def test_a_view_needs_what_it_builds_on_and_nothing_else() -> None:
    names = [view.name for view in needed(["flow_contacts"])]
    assert names[-1] == "flow_contacts"
    assert names.index("flow_sides") < names.index("opened_flows")
    assert "calls" not in names
    assert "judged_probes" not in names


@pytest.mark.parametrize(
    ("present", "detections", "without"),
    [
        (("flows",), {"Recon:EC2/Portscan", "Recon:EC2/PortProbeUnprotectedPort"}, {"calls", "caller_activity", "api_facts"}),
        (("cloudtrail",), None, {"flow_sides", "attempts", "contact_hours", "scanner_flows", "exposed_ports"}),
        ((), set(), {"calls", "flow_sides", "contact_hours", "caller_activity"}),
    ],
)
def test_a_slice_plans_only_what_its_records_concern(
    present: tuple[str, ...], detections: set[str] | None, without: set[str]
) -> None:
    plan = StepPlan.of(rules(), present)
    if detections is None:
        detections = {name for name in all_detections() if "IAMUser" in name}
    assert {item.finding_type for item in plan.detections} == detections
    assert not without & {item.name for item in plan.views_and_folds}
    assert plan.counting(SILENCED) == tuple(view for table, view in SILENCED.items() if table in present)
    assert plan.counting(AMBIGUOUS) == tuple(view for table, view in AMBIGUOUS.items() if table in present)


def test_all_records_need_everything_each_after_what_it_reads() -> None:
    chosen = rules()
    plan = step_plans(chosen)[frozenset({"cloudtrail", "flows"})]
    assert plan.tables == {"cloudtrail", "flows"}
    assert {item.finding_type for item in plan.detections} == set(all_detections())
    assert {item.name for item in plan.views_and_folds if isinstance(item, State)} == set(all_states())
    places = {item.name: place for place, item in enumerate(plan.views_and_folds)}
    for item in plan.views_and_folds:
        assert all(places[name] < places[item.name] for name in item.reads if name in places), item.name
    assert set(places) <= all_views().keys() | all_states().keys()


def test_a_step_gives_the_numbers_that_it_promises() -> None:
    assert step_numbers(EPOCH + timedelta(microseconds=7), 3) == {"watermark_us": 7, "step": 3}
    assert step_numbers(EPOCH, 1).keys() == STEP_NUMBERS.keys()


def test_state_is_kept_by_the_day_or_the_hour() -> None:
    days = State(name="x", meaning="One row.", schema=pa.schema([]), reads=(), rows="", fold="", keep_days=8)
    hours = State(name="x", meaning="One row.", schema=pa.schema([]), reads=(), rows="", fold="", keep_days=8, partition="hour")
    assert (days.oldest(20_526), hours.oldest(20_526)) == (20_518, 20_518 * 24)


def test_hours_are_partitions_that_are_carried_over_and_forgotten() -> None:
    chosen = load(None, {"workers": 1, "bundled_lists": False})
    log = Log()
    parts = []
    with Store.ephemeral() as store, composition.pipeline(chosen, store, gather(chosen, store)) as running:
        for time in ("12:00", "14:00", "9/14:00"):
            flows = blob(lines_of([f"{time} 10.0.0.9 > 192.0.2.7 501-505 refused"], log), log, f"{time[0]}{time[-5:-3]}.log")
            running.bulk([flows])
            generation = store.generation()
            assert generation is not None
            parts.append({part.day: part.path for part in generation.states["contact_hours"]})
    first, second, third = (int((datetime(2026, 3, 14, 12, tzinfo=UTC) + gap - EPOCH) / timedelta(hours=1)) for gap in GAPS)
    assert [sorted(numbers) for numbers in parts] == [[first], [first, second], [third]]
    assert parts[1][first] == parts[0][first]


GAPS = (timedelta(0), timedelta(hours=2), timedelta(days=9, hours=2))
