"""The notation of the cases of this folder: what it means, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from text_tables import NotationError, parse
from view_tables import columns, connect, difference, divided, query, read_case, together

FOLDER = Path(__file__).parent
CASE = {"name": "a case", "why": "a reason", "given": {"undecided": "source\n1"}, "expect": "verdict\n5"}


def rows(text: str) -> list[dict[str, str | None]]:
    return parse(text)[1]


def test_cells() -> None:
    assert rows("a | b | c\n1 |  | ''\n\n2 | x y | z") == [{"a": "1", "b": None, "c": ""}, {"a": "2", "b": "x y", "c": "z"}]
    assert parse("nothing") == ([], [])


def test_ranges_go_in_step() -> None:
    assert rows("port | address | name\n9..11 | 10.0.0.1..10.0.0.3 | x") == [
        {"port": "9", "address": "10.0.0.1", "name": "x"},
        {"port": "10", "address": "10.0.0.2", "name": "x"},
        {"port": "11", "address": "10.0.0.3", "name": "x"},
    ]
    assert [row["day"] for row in rows("day\n9d..11d")] == ["9", "10", "11"]


def test_times_are_spread_over_a_range() -> None:
    assert [row["us"] for row in rows("port | us\n1..3 | 00:00..00:01")] == ["0", "30000000", "60000000"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a | b\n1", "'1' has 1 cells, 'a | b' has 2"),
        ("a | b\n1..3 | 1..4", "ranges of different lengths: '1..3 | 1..4'"),
        ("us\n12:00..13:00", "times are spread over a range of something else: '12:00..13:00'"),
        ("a\nx..y", "'x..y' is not a range"),
        ("a | b\n1..2 | 12:00..13:00", "'12:00..13:00' is not a range"),
    ],
)
def test_a_table_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("view", "document", "changed", "message"),
    [
        ("paired_flow", {}, {}, "view 'paired_flow' is not known (did you mean 'paired_flows'?)"),
        ("paired_flows", {"case": []}, {}, "member 'case' is not known (did you mean 'cases'?)"),
        ("paired_flows", {}, {"expected": ""}, "member 'expected' is not known (did you mean 'expect'?)"),
        ("paired_flows", {"usual": {"flows": {}}}, {}, "table 'flows' is not known"),
        ("paired_flows", {}, {"given": {"decided": "nothing"}}, "table 'decided' is not known (did you mean 'undecided'?)"),
        ("paired_flows", {}, {"given": {"undecided": "sorce\n1"}}, "column 'sorce' is not known (did you mean 'source'?)"),
        ("paired_flows", {"usual": {"undecided": {"sorce": 1}}}, {}, "column 'sorce' is not known (did you mean 'source'?)"),
        ("paired_flows", {}, {"expect": "verdikt\n1"}, "column 'verdikt' is not known (did you mean 'verdict'?)"),
        ("paired_flows", {}, {"numbers": {"fast_ports": 1}}, "number 'fast_ports' is not known"),
        ("paired_flows", {}, {"expect": "verdict\nfive"}, "'five' is not a value of type int32"),
        ("paired_flows", {}, {"given": {"undecided": "ipv6\nno"}}, "'no' is not a value of type bool"),
        ("paired_flows", {}, {"given": {"undecided": "source.port\n1"}}, "field of source 'port' is not known"),
        (
            "so_far",
            {},
            {"given": {"recent_calls": "marks\nnew_network"}},
            "mark 'new_network' is not known (did you mean 'network_new'?)",
        ),
    ],
)
def test_a_case_that_cannot_be_read(view: str, document: dict[str, Any], changed: dict[str, Any], message: str) -> None:
    with pytest.raises(NotationError) as caught:
        read_case(view, document, {**CASE, **changed})
    assert str(caught.value) == f"{view}: a case: {message}"


def test_a_case_says_why() -> None:
    with pytest.raises(NotationError, match="paired_flows: a case: lacks why"):
        read_case("paired_flows", {}, {name: value for name, value in CASE.items() if name != "why"})


def test_rows_that_differ_are_shown() -> None:
    case = read_case("so_far", {}, {"name": "x", "why": "y", "given": {}, "expect": "number | marks\n1 | attack\n2 |"})
    assert difference(case, [["2", None], ["1", "256"]]) == ""
    assert difference(case, [["1", "256"], ["1", "256"], ["2", "0"]]) == "  number | marks\n- 2 | \n+ 1 | attack\n+ 2 | none"


def test_the_example_of_the_readme() -> None:
    document = yaml.safe_load((FOLDER / "README.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0])
    with connect() as connection:
        for item in document["cases"]:
            case = read_case("own_egress", document, item)
            assert difference(case, [row[0] for row in connection.sql(query(case, "duckdb")).fetchall()]) == ""


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_file_of_cases(path: Path) -> None:
    """Names are unique, and where the file says that rows of different cases never meet, they do not."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    names = [item["name"] for item in document["cases"]]
    assert len(names) == len(set(names))
    if "apart" not in document:
        return
    cases = [case for item in document["cases"] if not (case := read_case(path.stem, document, item)).numbers]
    whole = together(cases)
    with connect() as connection:
        each = divided(cases, whole, [row[0] for row in connection.sql(query(whole, "duckdb")).fetchall()])
    assert [difference(case, found) for case, found in zip(cases, each, strict=True)] == [""] * len(cases)


def test_every_column_of_the_graph_has_a_type_that_both_engines_have() -> None:
    assert {str(field.type) for schema in columns().values() for field in schema if not field.type.num_fields} <= {
        *("bool", "double", "int8", "int32", "int64", "string", "timestamp[us, tz=UTC]"),
    }
