"""Every case of ``tests/cases`` about calls: alone on DuckDB (what is expected is all that is found), all at once on Spark."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from caller_types import CALLERS
from engines import needs_spark
from notation import blob, calls, key_of
from scanning import Outcome, lists_of, scan
from written_cases import cases, type_of

from vedette.findings import Finding

pytest_plugins = ["sparks"]


def types_of(stems: Iterable[str]) -> tuple[str, ...]:
    """Return the types that cases are about, and those of listed callers, of which one wins over the others."""
    return tuple(sorted({*CALLERS, *map(type_of, stems)}))


def run(stem: str, case: Mapping[str, Any]) -> Outcome:
    records = calls(case["calls"])
    half = len(records) // 2
    return scan(
        [blob(records[half:], "b.json.gz"), blob(records[:half], "a.json.gz")] if half else [blob(records)],
        lists_of(case["lists"]),
        own_networks=tuple(case.get("own", ())),
        finding_types=types_of([stem]),
        **case.get("settings", {}),
    )


def seen(finding: Finding, wanted: Mapping[str, Any]) -> dict[str, object]:
    """Say of a finding what a case says."""
    told: dict[str, object] = {
        "type": finding.seen.finding_type,
        "address": finding.seen.target,
        "count": finding.seen.count,
        "severity": finding.summary.severity,
        "apis": {api: tally.count for api, tally in finding.seen.tallies["apis"].items()},
    }
    if "key" in wanted:
        told["key"] = finding.seen.resource_key
    if "lists" in wanted:
        told["lists"] = sorted({item.list_name for item in finding.seen.evidence})
    if "region" in wanted:
        told["region"] = finding.seen.region
    return told


@pytest.mark.parametrize(("stem", "case"), cases("calls"))
def test_case(stem: str, case: Mapping[str, Any]) -> None:
    # What else calls of that kind raise, first calls of an archive for example, is for the cases of those types to say.
    expected = [{"type": type_of(stem), **item} for item in case["expect"]]
    outcome = run(stem, case)
    for item in expected:
        if "key" in item:
            item["key"] = key_of(item["key"]) if item["key"] != "root" else "root:123456789012"
    order = lambda item: (item["type"], item.get("key", ""), item["address"])  # noqa: E731
    expected.sort(key=order)
    findings = sorted(outcome.findings, key=lambda item: (item.seen.finding_type, item.seen.resource_key, item.seen.target))
    assert len(findings) == len(expected), [seen(finding, {"key": ""}) for finding in findings]
    assert [seen(finding, wanted) for finding, wanted in zip(findings, expected, strict=True)] == expected
    assert dict(outcome.report.silenced) == case.get("silenced", {})


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Gives the addresses of one case to nobody else, so that all cases can be scanned in one step."""

    number: int

    def own(self, text: str) -> str:
        """Replace the documentation networks in a text by those of this case."""
        text = re.sub(r"\b(198\.51|203\.0)\.(?:100|113)\.", rf"\g<1>.{self.number}.", text)
        return re.sub("2001:db8:", f"2a{self.number:02x}:db8:", text, flags=re.IGNORECASE)

    def all_own(self, texts: Sequence[str]) -> list[str]:
        """Do the same for some texts."""
        return [self.own(text) for text in texts]


@needs_spark
@pytest.mark.xdist_group("spark")
@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("switched", [False, True], ids=["default settings", "settings of the cases"])
def test_all_cases_at_once_are_the_same_on_spark(*, switched: bool) -> None:
    every = [parameter.values[1] for parameter in cases("calls")]
    settings = {name: value for case in every for name, value in case.get("settings", {}).items()} if switched else {}
    chosen = [case for case in every if switched or "settings" not in case]
    types = types_of(parameter.values[0] for parameter in cases("calls"))
    records, own = [], list[str]()
    lists: dict[str, list[str]] = {}
    for number, case in enumerate(chosen, 1):
        place = Neighbourhood(number)
        records += calls(place.all_own(case["calls"]))
        own += place.all_own(case.get("own", ()))
        for label, lines in case["lists"].items():
            lists.setdefault(label, []).extend(place.all_own(lines))
    half = len(records) // 2
    blobs = [blob(records[half:], "b.json.gz"), blob(records[:half], "a.json.gz")]

    def found(engine: str) -> Outcome:
        return scan(blobs, lists_of(lists), own_networks=tuple(own), engine=engine, finding_types=types, **settings)

    one, other = found("duckdb"), found("spark")
    assert other.text == one.text
    assert (other.report.silenced, other.report.duplicates) == (one.report.silenced, one.report.duplicates)
    if not switched:
        assert len(one.findings) == sum(len(case["expect"]) for case in chosen) > 20
