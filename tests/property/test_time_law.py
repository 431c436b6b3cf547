"""The law of time: a record whose time cannot be right changes no finding, neither of its scan nor of a later one of the store.

What is compared is the bytes of the findings. The archive has a past that the later scan needs: a state that forgot it would
find less in calls, and more in flows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from discovery_cases import TODAY, call_of
from flow_notation import Log, lines_of
from flow_notation import blob as flow_blob
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from notation import blob
from scanning import Outcome, lists_of, scan

from vedette.logs.blob import Blob

pytest_plugins = ["sparks"]

LAWFUL = settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SHORT = {
    "discovery.history_days": 2,
    "discovery.history_active_days": 2,
    "discovery.history_reads": 2,
    "discovery.learning_days": 2,
}
TYPES = ("Recon:IAMUser/UserPermissions", "Recon:IAMUser/TorIPCaller")
TOR = "198.51.100.7"
FUTURE, EARLY, AFTER = "records from the future", "records long before the others", "records long after the others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """A record with such a time. ``counted`` is the line of the report that counts it, ``scanned`` in which scan it is.

    ``delivered`` is when its file was, by AWS's name for it; without that, it is the last of the other records' file or, if it is
    ``alone``, in a file without such a name.
    """

    time: datetime
    counted: str
    scanned: int = 0
    delivered: datetime | None = None
    alone: bool = False
    judged: bool = False

    @property
    def file(self) -> str:
        """The name of its file, "" if that is the others'."""
        if self.delivered:
            return f"123456789012_CloudTrail_us-east-1_{self.delivered:%Y%m%dT%H%MZ}_0123456789abcdef.json.gz"
        return f"{self.time:%m%d%H%M%S%f}.json.gz" if self.alone else ""

    def call(self, number: int) -> dict[str, Any]:
        """Return its record: one that is left out would be a finding of its own."""
        who = "ann 192.0.2.10 ec2:DescribeInstances" if self.judged else f"eve {TOR} iam:ListUsers agent=cli-kali"
        return call_of(f"-1d/09:00 {who}", 900 + number) | {"eventTime": self.time.replace(tzinfo=None).isoformat() + "Z"}


NAMED = TODAY - timedelta(days=3)
places = {"scanned": st.sampled_from((0, 1)), "alone": st.booleans()}


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[misc,arg-type]  # year, month, day and so on


def between(first: datetime, last: datetime) -> st.SearchStrategy[datetime]:
    return st.datetimes(first.replace(tzinfo=None), last.replace(tzinfo=None), timezones=st.just(UTC))


def dated(times: st.SearchStrategy[datetime], counted: str, *, judged: bool = False) -> st.SearchStrategy[Poison]:
    return st.builds(Poison, time=times, counted=st.just(counted), judged=st.just(judged), **places)


def named(times: st.SearchStrategy[datetime], counted: str) -> st.SearchStrategy[Poison]:
    return st.builds(Poison, time=times, counted=st.just(counted), delivered=st.just(NAMED))


poisons = st.one_of(
    dated(between(datetime.now(tz=UTC) + timedelta(days=3), utc(9999, 12, 31)), FUTURE),
    named(between(NAMED + timedelta(days=2), NAMED + timedelta(days=200)), FUTURE),
    dated(between(utc(1, 1, 1), utc(2013, 10, 31)), EARLY),
    named(between(NAMED - timedelta(days=3_000), NAMED - timedelta(days=31)), EARLY),
    dated(between(utc(2013, 11, 1), utc(2024, 1, 1)), EARLY, judged=True),
    dated(between(TODAY + timedelta(days=40), utc(2026, 11, 1)), AFTER, judged=True),
)
KINDS = [
    Poison(time=utc(2099, 1, 15), counted=FUTURE),
    Poison(time=NAMED + timedelta(days=60), counted=FUTURE, delivered=NAMED),
    Poison(time=utc(1970, 1, 1), counted=EARLY, alone=True),
    Poison(time=utc(2016, 1, 1), counted=EARLY, judged=True),
    Poison(time=TODAY + timedelta(days=100), counted=AFTER, judged=True),
]


def usual(*days: int) -> list[dict[str, Any]]:
    """Return what ann does every day."""
    return [
        call_of(f"-{day}d/09:{minute:02} ann 192.0.2.10 ec2:DescribeInstances", 100 * day + minute)
        for day in days
        for minute in range(3)
    ]


ATTACK = [
    call_of(f"-1d/12:0{number} ann {TOR} iam:{api} agent=cli-kali", number)
    for number, api in enumerate(("ListUsers", "ListRoles", "GetAccountAuthorizationDetails", "ListGroups", "ListPolicies"))
]


def delivered(records: Sequence[dict[str, Any]], name: str, played: Sequence[Poison]) -> list[Blob]:
    """Return records in a file, and those that are played with them there or in files of their own."""
    files: dict[str, list[dict[str, Any]]] = {name: [*records]}
    for number, poison in enumerate(played):
        files.setdefault(poison.file or name, []).append(poison.call(number))
    return [blob(some, file) for file, some in files.items()]


def scans(played: Sequence[Poison], types: Sequence[str] = TYPES, engine: str = "duckdb") -> Iterator[Outcome]:
    """Scan a past, and then two days with an attack, into one store."""
    with TemporaryDirectory() as folder:
        for number, records in enumerate((usual(6, 5, 4, 3), [*usual(2, 1), *ATTACK])):
            here = [poison for poison in played if poison.scanned == number]
            yield scan(
                delivered(records, f"{number}.json.gz", here),
                lists_of({"tor": [TOR]}),
                store=f"sqlite:///{folder}/case.db",
                engine=engine,
                thresholds=SHORT,
                finding_types=types,
            )


@pytest.fixture(scope="module")
def clean() -> list[Outcome]:
    return list(scans(()))


def check_law(clean: Sequence[Outcome], found: Sequence[Outcome], played: Sequence[Poison]) -> None:
    assert [outcome.text for outcome in found] == [outcome.text for outcome in clean]
    for number, (outcome, without) in enumerate(zip(found, clean, strict=True)):
        lines = dict(line.split(": ", 1) for line in outcome.report.lines())
        for label in (FUTURE, EARLY, AFTER):
            here = [poison for poison in played if (poison.scanned, poison.counted) == (number, label)]
            assert lines.get(label, "0").partition(",")[0] == str(len(here))
            if here:
                first = min(here, key=lambda poison: poison.time)
                assert f"{first.time.date()} in {first.file or f'{number}.json.gz'}" in lines[label]
        assert outcome.report.flawed == any(poison.scanned == number for poison in played)
        assert (outcome.report.first_record, outcome.report.last_record, outcome.report.baseline_days) == (
            without.report.first_record,
            without.report.last_record,
            without.report.baseline_days,
        )


@LAWFUL
@given(played=st.lists(poisons, min_size=1, max_size=3, unique_by=lambda poison: (poison.time, poison.file)))
@example(played=KINDS)
def test_a_record_with_an_impossible_time_changes_no_finding(clean: Sequence[Outcome], played: list[Poison]) -> None:
    assert {finding.seen.finding_type for finding in clean[1].findings} == set(TYPES)
    check_law(clean, list(scans(played)), played)


@pytest.mark.xdist_group("spark")
@pytest.mark.usefixtures("spark")
def test_nor_does_it_on_spark() -> None:
    """The executors read, and sort out, as other processes do; a step of the discovery types would take minutes."""
    clean = list(scans((), TYPES[1:]))
    assert [finding.seen.count for finding in clean[1].findings] == [5]
    check_law(clean, list(scans(KINDS, TYPES[1:], "spark")), KINDS)


PAST = ["-1/10:00 10.0.0.9 > 192.0.2.7 20101-20105 established"]
SCANS = ["12:00 10.0.0.9 > 192.0.2.7 20001-20025 refused", "12:30 10.0.0.9 > 192.0.2.8 20001-20025 refused"]
DAY_BEFORE = utc(2026, 3, 13, 10)
# Start and end of such records, and how many of them are counted as what.
FLOW_POISONS: dict[str, tuple[tuple[tuple[datetime, datetime], ...], str]] = {
    "start or end in the future": (((utc(2099, 1, 15), utc(2099, 1, 15)), (DAY_BEFORE, utc(2099, 1, 15))), FUTURE),
    "start in 1970, before there were flow logs, or years before the others": (
        ((utc(1970, 1, 1), utc(1970, 1, 1)), (utc(2014, 6, 1), DAY_BEFORE), (utc(2016, 1, 1), utc(2016, 1, 1))),
        EARLY,
    ),
    "months after all others": (((utc(2026, 9, 1), utc(2026, 9, 1)),), AFTER),
    "end before they start, or months later": (
        ((DAY_BEFORE, utc(1970, 1, 1)), (DAY_BEFORE, utc(2026, 9, 1))),
        "values not usable",
    ),
}


def flow_scans(played: Sequence[tuple[datetime, datetime]]) -> Iterator[Outcome]:
    log = Log(version=5)
    with TemporaryDirectory() as folder:
        for number, lines in enumerate((lines_of(PAST, log), lines_of(SCANS, log))):
            for ends in played if number == 0 else ():
                fields = lines_of(["-1/10:00 10.0.0.9 > 192.0.2.9 20101 established"], log)[0].split(" ")
                fields[10:12] = (f"{moment.timestamp():.0f}" for moment in ends)
                lines.append(" ".join(fields))
            yield scan(
                [flow_blob(lines, log, f"{number}.log")],
                store=f"sqlite:///{folder}/case.db",
                finding_types=("Recon:EC2/Portscan",),
            )


@pytest.fixture(scope="module")
def clean_flows() -> list[Outcome]:
    return list(flow_scans(()))


@pytest.mark.parametrize("poison", FLOW_POISONS)
def test_flow_records_with_impossible_times_change_no_finding(clean_flows: Sequence[Outcome], poison: str) -> None:
    assert [[finding.seen.target for finding in outcome.findings] for outcome in clean_flows] == [[], ["192.0.2.8"]]
    played, label = FLOW_POISONS[poison]
    found = list(flow_scans(played))
    assert [outcome.text for outcome in found] == [outcome.text for outcome in clean_flows]
    lines = dict(line.partition(":")[::2] for line in found[0].report.lines())
    assert lines[label].strip() == f"(end_time {len(played)})" or lines[label].startswith(f" {len(played)}, ")
    assert found[0].report.last_record is not None
    assert (found[0].report.last_record.year, found[0].report.last_record.month) == (2026, 3)
