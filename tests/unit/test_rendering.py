"""Findings as text: what people and spreadsheets see, and that text of an attacker does nothing there."""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.errors import ConfigurationError
from vedette.findings import Finding, Sample
from vedette.text import NARROWEST
from vedette.text.explanation import show
from vedette.text.findings import render
from vedette.text.safe import cell, clean
from vedette.text.spreadsheet import CSV_COLUMNS
from vedette.text.table import ONE_LINE

MakeFinding = Callable[[str], Finding]

NAMES = ("tor_ip_caller", "malicious_ip_caller", "malicious_ip_caller_custom", "own_egress")
HOSTILE = "\x1b[31m=1+1\x1b]0;owned\x07\r\n\u202etxt\u200b\x9b2J\x00"


@pytest.fixture(scope="module")
def findings(made_up_finding: MakeFinding) -> list[Finding]:
    return [made_up_finding(name) for name in NAMES]


def hostile(finding: Finding) -> Finding:
    """Put hostile text wherever a log can put text."""
    details = dict.fromkeys(("accessKeyId", "principalId", "userType", "userName"), HOSTILE)
    said = json.dumps({"object": HOSTILE, "position": 0, "eventId": HOSTILE, "api": HOSTILE, "userAgent": HOSTILE})
    (tally, *_) = finding.seen.tallies["apis"].values()
    seen = replace(
        finding.seen,
        resource={"accessKeyDetails": details},
        resource_key=HOSTILE,
        target=HOSTILE,
        region=HOSTILE,
        samples={"records": (Sample(finding.seen.first, said),)},
        tallies={name: {HOSTILE: tally} for name in ("apis", "errors", "regions")},
        evidence=frozenset(replace(item, list_name=HOSTILE) for item in finding.seen.evidence),
    )
    summary = replace(finding.summary, title=HOSTILE, description=HOSTILE, reasons=(HOSTILE,))
    return replace(finding, seen=seen, summary=summary)


def harmless(text: str) -> bool:
    return not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("width", [80, 200])
def test_table_golden(width: int, findings: list[Finding], golden: Callable[[str, str], None]) -> None:
    golden(f"table.{width}.txt", "".join(render(findings, "table", width)))


@pytest.mark.parametrize("name", NAMES)
def test_show_golden(name: str, made_up_finding: MakeFinding, golden: Callable[[str, str], None]) -> None:
    golden(f"{name}.show.txt", "".join(show(made_up_finding(name), 80)))


def test_csv_golden(findings: list[Finding], golden: Callable[[str, str], None]) -> None:
    golden("findings.csv", "".join(render(findings, "csv")))


@pytest.mark.parametrize("width", [20, NARROWEST, 100, ONE_LINE - 1, ONE_LINE, 200, 300])
def test_no_line_of_the_table_is_wider_than_the_terminal(width: int, findings: list[Finding]) -> None:
    lines = "".join(render([*findings, *map(hostile, findings)], "table", width)).splitlines()
    assert max(map(len, lines)) <= max(width, NARROWEST)
    assert len(lines) == (1 if width >= ONE_LINE else 2) * (1 + 2 * len(findings))


def test_the_longest_address_is_whole_at_80_columns(made_up_finding: MakeFinding) -> None:
    text = "".join(render([made_up_finding("malicious_ip_caller")], "table", 80))
    finding = made_up_finding("malicious_ip_caller")
    longest = replace(finding, seen=replace(finding.seen, target="2001:0db8:1234:5678:9abc:def0:1234:5678"))
    assert finding.seen.target in text
    assert longest.seen.target in "".join(render([longest], "table", 80))


def test_wide_characters_keep_the_columns(made_up_finding: MakeFinding) -> None:
    from rich.cells import cell_len  # noqa: PLC0415 - as the code under test

    finding = made_up_finding("tor_ip_caller")
    details = {"accessKeyDetails": {"userName": "管理者" * 30, "userType": "IAMUser"}}
    lines = "".join(render([replace(finding, seen=replace(finding.seen, resource=details))], "table", 80)).splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert "管理者" in lines[3]


def test_json_is_an_array_and_ndjson_a_document_a_line(findings: list[Finding]) -> None:
    array = json.loads("".join(render(findings, "json")))
    lines = [json.loads(line) for line in "".join(render(findings, "ndjson")).splitlines()]
    assert array == lines
    assert [document["id"] for document in lines] == [finding.id for finding in findings]


def test_a_document_format_is_an_output_format(findings: list[Finding]) -> None:
    (line, *_) = render(findings, "guardduty-api")
    assert set(json.loads(line)["service"]["additionalInfo"]) == {"value", "type"}


def test_no_findings_are_still_valid_output() -> None:
    assert json.loads("".join(render([], "json"))) == []
    assert "".join(render([], "ndjson")) == ""
    assert len("".join(render([], "csv")).splitlines()) == 1
    assert len("".join(render([], "table")).splitlines()) == 2


def test_findings_are_rendered_as_they_come(findings: list[Finding]) -> None:
    for name in ("table", "json", "ndjson", "csv"):
        pieces = render(iter([*findings, *findings]), name)
        next(pieces)
        assert next(pieces), name


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"'yaml' is not an output format: choose one of csv, guardduty, "):
        render([], "yaml")


@pytest.mark.parametrize("name", ["table", "csv", "json", "ndjson"])
def test_hostile_text_is_harmless(name: str, findings: list[Finding]) -> None:
    text = "".join(render(map(hostile, findings), name, 200))
    assert harmless(text)
    if name in {"json", "ndjson"}:
        assert text.isascii()


def test_hostile_text_is_harmless_in_full(findings: list[Finding]) -> None:
    assert all(harmless("".join(show(hostile(finding), width))) for finding in findings for width in (1, 80, 300))


def test_commands_to_copy_stay_quoted(made_up_finding: MakeFinding) -> None:
    finding = made_up_finding("tor_ip_caller")
    details = {"accessKeyDetails": {"userName": "a; rm -rf ~", "accessKeyId": "$(id)", "userType": "IAMUser"}}
    text = "".join(show(replace(finding, seen=replace(finding.seen, resource=details))))
    assert "--user-name 'a; rm -rf ~' --access-key-id '$(id)'" in text


def test_csv_cells_are_no_formulas(findings: list[Finding]) -> None:
    rows = list(csv.DictReader(io.StringIO("".join(render(map(hostile, findings), "csv")))))
    assert len(rows) == len(findings)
    assert tuple(rows[0]) == tuple(name for name, _ in CSV_COLUMNS)
    assert rows[0]["resource"] == "'=1+1 txt"
    assert not any(value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", " =1", "\x00=1", "\u202e=1", "\uff1d1"])
def test_formulas_get_an_apostrophe(text: str) -> None:
    assert cell(text).startswith("'")


def test_ordinary_text_is_left_alone() -> None:
    assert [cell(text) for text in ("alice", "a=b", "São Paulo", "管理者")] == ["alice", "a=b", "São Paulo", "管理者"]


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_cleaned_text_is_one_harmless_line(text: str) -> None:
    assert harmless(clean(text))
    assert len(clean(text).splitlines()) <= 1
    assert clean(clean(text)) == clean(text)
