"""The catalogue of queries agrees with itself: names, tables, numbers, cases; and each detection runs alone.

A mistake in ``reads`` or in a threshold shows only in a step that needs it. Here every query is parsed instead.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import flow_notation
import notation
import pytest
import sqlglot
import yaml
from scanning import lists_of, scan
from sqlglot import exp
from written_cases import CASES

from vedette.detections import Detection, all_detections
from vedette.engine.dialect import differing
from vedette.engine.plan import AMBIGUOUS, EVICTED, SILENCED
from vedette.registry import discover
from vedette.rules.thresholds import all_thresholds, setting_names, settings_in_sql
from vedette.settings import Settings
from vedette.sql.graph import parameters
from vedette.sql.scores import CODES, MITIGATIONS, PROFILES
from vedette.sql.steps import STEP_NUMBERS
from vedette.sql.threshold import Threshold, by_name
from vedette.state import SEEN, State, all_states, below
from vedette.views import BASE_TABLES, View, all_views

Node = View | State | Detection

SOURCE = Path(__file__).parents[1] / "src" / "vedette"
VIEWS, STATES, DETECTIONS = all_views(), all_states(), all_detections()
# Tables that SQL may read: whatever is made in a step, and what the engine provides.
TABLES = {*VIEWS, *STATES, *(f"{name}_before" for name in STATES), *BASE_TABLES}


def name_of(node: Node) -> str:
    return node.finding_type if isinstance(node, Detection) else node.name


def texts(node: Node) -> tuple[str, ...]:
    return (node.rows, node.fold) if isinstance(node, State) else (node.sql,)


def numbers(node: Node) -> set[str]:
    return {name for text in texts(node) for name in parameters(text)}


def nodes() -> Iterator[Node]:
    yield from VIEWS.values()
    yield from STATES.values()
    yield from DETECTIONS.values()


def each() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("node", [pytest.param(node, id=name_of(node)) for node in nodes()])


def tables_of(sql: str) -> set[str]:
    """Return the tables that a query uses, without those that it makes itself."""
    query = sqlglot.parse_one(re.sub(r"\$[a-z_0-9]+", "1", sql), read="duckdb")
    made = {part.alias for part in query.find_all(exp.CTE)}
    assert not made & TABLES, "a part of a query hides a table of the same name"
    return {table.name for table in query.find_all(exp.Table)} - made


@cache
def sources(*without: str) -> str:
    """Return the source of the program, without some files."""
    paths = (path for path in sorted(SOURCE.rglob("*.py")) if path.relative_to(SOURCE).as_posix() not in without)
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


# Names


def snake_case(finding_type: str) -> str:
    """``Recon:IAMUser/TorIPCaller`` is ``tor_ip_caller``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|\.", "_", finding_type.partition("/")[2])
    return words.lower()


@pytest.mark.parametrize("finding_type", DETECTIONS)
def test_the_file_of_a_detection_is_named_after_its_type(finding_type: str) -> None:
    modules = {detection.finding_type: name for name, detection in discover("vedette.detections", "DETECTION")}  # type: ignore[attr-defined]
    assert modules[finding_type] == snake_case(finding_type)


def test_the_file_of_a_state_is_named_after_its_table() -> None:
    assert {name: state.name for name, state in discover("vedette.state", "STATE")} == {name: name for name in STATES}  # type: ignore[attr-defined]


def test_no_two_tables_have_the_same_name() -> None:
    views = [view.name for _, module in discover("vedette.views", "VIEWS") for view in module]  # type: ignore[attr-defined]
    names = [*views, *STATES, *(f"{name}_before" for name in STATES), *BASE_TABLES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("node", [*VIEWS.values(), *STATES.values()], ids=name_of)
def test_a_sentence_says_what_one_row_is(node: View | State) -> None:
    assert re.fullmatch(r"One row (per|with) .*[^.]\.", node.meaning)


# Tables


@each()
def test_reads_names_the_tables_of_the_query(node: Node) -> None:
    text, *fold = texts(node)
    assert set(node.reads) == tables_of(text)
    assert len(node.reads) == len(set(node.reads))
    for folding in fold:
        # where no rows are remembered they are those of the slice, so both are read, or none
        assert tables_of(folding) == {f"{name_of(node)}_old", f"{name_of(node)}_rows"}


@each()
def test_only_tables_that_exist_are_read(node: Node) -> None:
    assert not set(node.reads) - TABLES


@each()
def test_no_query_says_what_differs_between_the_engines(node: Node) -> None:
    for text in texts(node):
        assert differing(re.sub(r"\$[a-z_0-9]+", "1", text)) == set(), "hash is for engine/duplicates.py alone"


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select hash(a) from t", {"hash"}),
        ("select a from t where HASH (a, b) > 1", {"hash"}),
        ("with x as (select count(distinct hash(a)) as n from t) select n from x", {"hash"}),
        ("select a from t join u on hash(t.a) = u.b", {"hash"}),
        ("select hash, a as hash from hash where 'hash(a)' = b", set()),
        ("select one_bit(a) from t", set()),
    ],
)
def test_what_differs_is_found_wherever_it_stands(sql: str, found: set[str]) -> None:
    assert differing(sql) == found


def test_only_the_search_for_duplicates_compares_hashes() -> None:
    said = re.compile(r"(?<![\w.])x?x?hash(?:64)?\(", re.IGNORECASE)
    found = {
        path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if said.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"engine/duplicates.py", "intel/entries.py"}  # the latter is Python's own hash


def test_no_view_is_an_orphan() -> None:
    counted = {name for counts in (SILENCED, AMBIGUOUS, EVICTED) for name in counts.values()}
    roots = {name for detection in DETECTIONS.values() for name in detection.reads}
    assert set(VIEWS) <= {node.name for node in below({*roots, *STATES, *counted})}


def test_no_state_is_an_orphan() -> None:
    read = {name.removesuffix("_before") for node in nodes() for name in node.reads}
    elsewhere = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("baseline", "cli", "engine", "exposure", "pipeline")
        for path in (SOURCE / folder).rglob("*.py")
    )
    asked = {name for name in STATES if f'"{name}"' in elsewhere}
    assert set(STATES) - read - asked - {SEEN} == set()


# Numbers


def owners() -> dict[str, list[Node]]:
    """Return where each threshold stands, by its name."""
    found: dict[str, list[Node]] = {}
    for node in nodes():
        for threshold in node.thresholds:
            found.setdefault(threshold.name, []).append(node)
    return found


@each()
def test_the_numbers_of_a_query_are_thresholds_settings_or_of_the_step(node: Node) -> None:
    reachable = [*below(node.reads), node]
    thresholds = {threshold.name for item in reachable for threshold in item.thresholds}
    known = thresholds | set(settings_in_sql()) | (set() if isinstance(node, Detection) else STEP_NUMBERS.keys())
    assert not numbers(node) - known


def test_no_two_thresholds_have_the_same_name() -> None:
    assert all_thresholds()
    one, other = Threshold("ports", 20, "Ports of one host."), Threshold("ports", 20, "Ports of one host.")
    assert by_name([one, one]) == {"ports": one}
    with pytest.raises(ValueError, match="two thresholds are called 'ports'"):
        by_name([one, other])


def test_no_threshold_is_called_like_a_setting_or_a_number_of_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        VIEWS, "made_up", View(name="made_up", meaning="", reads=(), sql="", thresholds=(Threshold("step", 1, ""),))
    )
    with pytest.raises(ValueError, match="called like a setting or a number of the step: step"):
        all_thresholds.__wrapped__()


@pytest.mark.parametrize("name", sorted(all_thresholds()))
def test_a_threshold_stands_once_and_lowest(name: str) -> None:
    standing = owners()[name]
    users = [node for node in nodes() if name in numbers(node)]
    if isinstance(standing[0], Detection):
        groups = {node.group or node.finding_type for node in standing if isinstance(node, Detection)}
        assert len(groups) == 1
        assert set(map(name_of, users)) <= set(map(name_of, standing))
    else:
        (owner,) = standing
        assert all(owner in below([name_of(user)]) or owner in below(user.reads) for user in users)


def test_no_threshold_is_an_orphan() -> None:
    used = {name for node in nodes() for name in numbers(node)}
    summaries = "\n".join(path.read_text(encoding="utf-8") for path in (SOURCE / "families").rglob("*.py"))
    used |= {name for name in all_thresholds() if re.search(rf"""thresholds\[["']{name}["']\]""", summaries)}
    assert not all_thresholds().keys() - used
    assert {threshold.name for threshold in setting_names().values()} == all_thresholds().keys()  # each can be set


def test_points_are_named_by_their_codes() -> None:
    assert {"g1", "root", "b1_few", "e6"} <= all_thresholds().keys()
    assert {code for code in (*CODES, *MITIGATIONS) if code != "r1"} <= all_thresholds().keys()
    assert all_thresholds()["needed"].default == PROFILES["balanced"]


def test_meanings_are_sentences() -> None:
    for threshold in all_thresholds().values():
        assert threshold.meaning.endswith(".")
        assert set(re.findall(r"{([a-z0-9_]+)}", threshold.meaning)) <= all_thresholds().keys()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_no_setting_is_an_orphan(name: str) -> None:
    assert re.search(rf"""(settings\.|["'$]){name}\b""", sources("settings/model.py"))


# Cases


def cases_of(stem: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load((CASES / f"{stem}.yaml").read_text(encoding="utf-8")))


@pytest.mark.parametrize("finding_type", DETECTIONS)
def test_every_type_has_a_hit_and_a_near_miss(finding_type: str) -> None:
    cases = cases_of(snake_case(finding_type))
    assert any(case.get("expect") for case in cases)
    assert any(not case.get("expect") for case in cases)


# Alone

LISTS = {"tor": ["198.51.100.7"], "custom": ["198.51.100.8"], "malicious": ["198.51.100.9"], "scanner": ["203.0.113.0/27"]}
CALLS = (
    "12:00 root 198.51.100.7 ec2:DescribeSecurityGroups",
    "12:01 root 198.51.100.7 s3:GetBucketPolicy",
    "12:02 root 198.51.100.7 iam:ListUsers",
    "12:03 alice 198.51.100.8 ec2:DescribeInstances",
    "12:04 bob 198.51.100.9 ec2:DescribeInstances",
)
FLOWS = ("12:00 10.0.0.9 > 192.0.2.7 501-530 refused", "12:05 203.0.113.7 > 10.0.0.9 22 established")


def found(finding_types: Iterable[str]) -> dict[str, str]:
    """Scan a small log of calls and one of flows; return the identities of findings, with their types."""
    log = flow_notation.Log()
    blobs = [
        notation.blob(notation.calls(CALLS)),
        flow_notation.blob(flow_notation.lines_of(FLOWS, log), log),
    ]
    outcome = scan(blobs, lists_of(LISTS), finding_types=tuple(finding_types))
    return {finding.id: finding.seen.finding_type for finding in outcome.findings}


@pytest.fixture(scope="module")
def everything() -> dict[str, str]:
    return found(())


@pytest.mark.parametrize("finding_type", DETECTIONS)
def test_a_detection_chosen_alone_finds_what_it_finds_among_others(finding_type: str, everything: dict[str, str]) -> None:
    wanted = {identity: kind for identity, kind in everything.items() if kind == finding_type}
    assert wanted
    assert found([finding_type]) == wanted
