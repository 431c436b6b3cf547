"""Records with times that cannot be right: which they are, what is said of them, and how a store that took one is repaired."""

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from commands import run
from discovery_cases import call_of
from notation import blob, call
from scanning import Outcome, lists_of, scan

from vedette.engine.plausible import EARLIEST, Sieve
from vedette.logs.blob import Blob
from vedette.logs.strays import KEPT_STRAYS, Stray, Strays
from vedette.pipeline import composition
from vedette.pipeline.knowledge import gather
from vedette.pipeline.run import Pipeline
from vedette.pipeline.slices import Apart, apart
from vedette.schema import CLOUDTRAIL, FLOWS
from vedette.settings import load
from vedette.sql.time import BIN, DAY
from vedette.state_files.generation import Generation, Part
from vedette.store import Store

CLOCK = datetime(2026, 11, 27, 4, tzinfo=UTC)
LATENESS = timedelta(minutes=20)
DELIVERED = datetime(2026, 3, 5, 12, tzinfo=UTC)
FILE = f"123456789012_CloudTrail_us-east-1_{DELIVERED:%Y%m%dT%H%MZ}_0123456789abcdef.json.gz"
FOLDER = "AWSLogs/123456789012/CloudTrail/us-east-1/2026/03/05/"
SECOND = timedelta(seconds=1)
TOR = lists_of({"tor": ["198.51.100.7"]})
CLOCK_LIMIT = CLOCK + LATENESS + timedelta(days=1)
FILE_LIMIT = DELIVERED + timedelta(minutes=1) + LATENESS + timedelta(days=1)
FOLDER_LIMIT = datetime(2026, 3, 6, tzinfo=UTC) + LATENESS + timedelta(days=1)


@pytest.fixture(autouse=True)
def no_bundled_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEDETTE_BUNDLED_LISTS", "false")


def batch_of(table: str, times: Sequence[datetime | None], ends: Sequence[datetime | None] = ()) -> pa.RecordBatch:
    schema = {"cloudtrail": CLOUDTRAIL, "flows": FLOWS}[table]
    given = {"event_time": times, "start_time": times, "end_time": ends or times}
    columns = [pa.array(given.get(field.name, [None] * len(times)), field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def sieve(name: str) -> Sieve:
    return Sieve(name=name, clock=CLOCK, lateness=LATENESS, nulled=Counter())


@pytest.mark.parametrize(
    ("name", "table", "first", "last"),
    [
        ("any.json", "cloudtrail", EARLIEST["cloudtrail"], CLOCK_LIMIT),
        ("any.log", "flows", EARLIEST["flows"], CLOCK_LIMIT),
        (FILE, "cloudtrail", DELIVERED - timedelta(days=30), FILE_LIMIT),
        (f"{FOLDER}{FILE}", "cloudtrail", DELIVERED - timedelta(days=30), FILE_LIMIT),
        (f"{FOLDER}renamed.json", "cloudtrail", EARLIEST["cloudtrail"], FOLDER_LIMIT),
        ("evidence/2020/01/01/any.json", "cloudtrail", EARLIEST["cloudtrail"], CLOCK_LIMIT),
        (f"x_{FILE}", "cloudtrail", EARLIEST["cloudtrail"], CLOCK_LIMIT),
        (FILE.replace("20260305T1200Z", "20990305T1200Z"), "cloudtrail", EARLIEST["cloudtrail"], CLOCK_LIMIT),
        (FILE.replace("20260305T1200Z", "19990305T1200Z"), "cloudtrail", EARLIEST["cloudtrail"], CLOCK_LIMIT),
    ],
)
def test_a_time_is_plausible_between_the_log_and_the_clock(name: str, table: str, first: datetime, last: datetime) -> None:
    """A file's name bounds it further where it is AWS's and the clock agrees with it."""
    tried = sieve(name)
    times = [first - SECOND, first, None, last, last + SECOND, datetime(9999, 12, 31, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)]
    kept = tried.plausible(table, batch_of(table, times))
    assert kept.column(kept.schema.get_field_index("event_time" if table == "cloudtrail" else "start_time")).to_pylist() == [
        first,
        None,
        last,
    ]
    assert (tried.future, tried.early) == (Strays(2, [Stray(last + SECOND, name)]), Strays(2, [Stray(times[-1], name)]))  # type: ignore[arg-type]
    assert not tried.waits


@pytest.mark.parametrize(
    ("name", "waits"), [("any.json", True), (FILE, False), (FILE.replace("20260305T1200Z", "20261127T1200Z"), True)]
)
def test_a_file_waits_for_the_clock_only(name: str, waits: bool) -> None:
    tried = sieve(name)
    assert not tried.waits
    tried.plausible("cloudtrail", batch_of("cloudtrail", [CLOCK_LIMIT + timedelta(days=1)]))
    assert tried.waits == waits


def test_an_end_that_cannot_be_true_becomes_the_start() -> None:
    start, day = DELIVERED, timedelta(days=1)
    ends = [start - SECOND, start, None, start + day, start + day + SECOND, CLOCK_LIMIT + SECOND]
    tried = sieve("any.log")
    kept = tried.plausible("flows", batch_of("flows", [start] * 6, ends))
    assert kept["end_time"].to_pylist() == [start, start, None, start + day, start]
    assert (tried.nulled, tried.future) == ({"end_time": 2}, Strays(1, [Stray(CLOCK_LIMIT + SECOND, "any.log")]))


def test_strays_add_up_in_any_order() -> None:
    some = [
        (2, (DELIVERED - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) - n, f"{n % 30}.json") for n in range(60)
    ]
    forth, back = Strays(), Strays()
    for given, strays in ((some, forth), (some[::-1], back)):
        for one in given:
            other = Strays()
            other.add(*one)
            strays.update(other)
    assert forth == back
    assert (forth.count, len(forth.first), forth.first) == (120, KEPT_STRAYS, sorted(forth.first))
    forth.add(1, 2**62, "beyond the calendar")
    assert forth.first[0].file == "29.json"


def waiting(*days: tuple[int, int]) -> list[Part]:
    return [
        Part(
            path=f"{day}.arrow",
            table="flows",
            day=None,
            rows=rows,
            first_us=day * DAY,
            last_us=day * DAY,
            bins=((day * DAY // BIN, rows),),
        )
        for day, rows in days
    ]


def at(day: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)


END = 17_000 * DAY + BIN


@pytest.mark.parametrize(
    ("pending", "safe", "folded_until", "expected"),
    [
        (((17_000, 1), (20_000, 9)), None, None, Apart(END, 20_000 * DAY)),
        (((16_000, 1), (17_000, 2), (20_000, 9)), None, None, Apart(END, 20_000 * DAY)),
        (((17_000, 4), (20_000, 9)), None, None, None),  # too many
        (((17_000, 4), (20_000, 396)), None, None, Apart(END, 20_000 * DAY)),  # one in a hundred
        (((17_000, 1), (17_364, 9)), None, None, None),
        (((17_000, 1), (17_366, 9)), None, None, Apart(END, 17_366 * DAY)),
        (((17_000, 1), (20_000, 1)), None, None, None),  # nobody can tell which is which
        (((0, 4), (20_000, 9)), None, None, Apart(BIN, 20_000 * DAY)),  # there were no such logs then
        (((0, 4), (17_000, 4), (20_000, 9)), None, None, Apart(BIN, 17_000 * DAY)),
        (((0, 9), (20_000, 9)), None, None, None),  # captures of those days, and some that err
        (((0, 9),), None, None, None),
        (((0, 9),), None, at(20_000), Apart(BIN, 20_000 * DAY)),
        (((17_000, 3),), None, None, None),
        (((17_000, 3),), None, at(20_000), Apart(END, 20_000 * DAY)),  # the store holds the others
        (((17_000, 3), (20_001, 1)), None, at(20_000), Apart(END, 20_001 * DAY)),
        (((17_000, 3), (20_001, 1)), None, at(16_990), None),  # newer than the store's newest
        (((17_000, 3),), at(20_000), None, Apart(END, 20_000 * DAY)),  # what is still to be read follows
        (((17_000, 3), (20_000, 9)), at(17_100), None, None),  # … and may stand between
        (((17_000, 4), (20_000, 999)), at(20_000), None, None),  # one in a hundred of how many?
        ((), None, at(20_000), None),
    ],
)
def test_few_records_stand_apart_a_year_before_the_others(
    pending: Iterable[tuple[int, int]], safe: datetime | None, folded_until: datetime | None, expected: Apart | None
) -> None:
    parts = waiting(*pending)
    assert apart(parts, safe, folded_until, sum(part.rows for part in parts)) == expected


def day_file(day: int) -> Blob:
    lines = [f"2026-03-{day:02}T{hour:02}:00:00Z alice 192.0.2.10 ec2:DescribeInstances" for hour in range(0, 24, 4)]
    return blob([call(line, 100 * day + number) for number, line in enumerate(lines)], f"{day:02}.json.gz")


def generation(store: str) -> Generation:
    with Store.open(store, create=False) as opened:
        found = opened.generation()
    assert found is not None
    return found


@pytest.mark.parametrize("slice_events", [0, 9])
def test_the_watermark_never_goes_back(tmp_path: Path, slice_events: int) -> None:
    """Late records are counted as such by what was folded before, however many steps they take."""
    store = f"sqlite:///{tmp_path}/case.db"
    late, reached = [], []
    for days in ((15,), (1, 2, 3), (8,), (15, 16)):
        outcome = scan([day_file(day) for day in days], TOR, store=store, slice_events=slice_events)
        late.append(outcome.report.late)
        reached.append(generation(store).watermark)
    assert late == [0, 18, 6, 0]
    first, last = (datetime(2026, 3, day, 20, 0, 0, 1, tzinfo=UTC) for day in (15, 16))
    assert reached == [first, first, first, last]


def test_the_report_names_them_and_strict_fails(tmp_path: Path) -> None:
    records = [call(f"2026-03-14T12:0{number}:00Z alice 192.0.2.10 ec2:DescribeInstances", number) for number in range(6)]
    strange = [records[0] | {"eventTime": time} for time in ("2099-01-15T00:00:00Z", "2150-01-01T00:00:00Z")]
    old = [records[0] | {"eventTime": time} for time in ("1970-01-01T00:00:00Z", "2016-01-01T00:00:00Z")]
    for name, some in {"a.json": records, "b.json": strange, "c.json": old}.items():
        (tmp_path / name).write_text(json.dumps({"Records": some}), encoding="utf-8")
    given = ("scan", str(tmp_path), "--strict", "--output", str(tmp_path / "out.ndjson"), "--run-report", "-")
    ended = run(*given)
    assert ended.status == 11
    assert ended.counts["records from the future"] == f"2, 2099-01-15 in {tmp_path}/b.json"
    assert ended.counts["records long before the others"] == f"2, 1970-01-01 in {tmp_path}/c.json"
    assert ended.counts["time covered"] == "2026-03-14 12:00:00 to 2026-03-14 12:05:00 UTC"
    report = json.loads(ended.out)
    assert report["from_future"] == {
        "count": 2,
        "first": [{"time": "2099-01-15T00:00:00+00:00", "file": f"{tmp_path}/b.json"}],
    }
    assert report["long_before"]["count"] == 2
    assert report["records"] == {"cloudtrail": 10}
    assert "values not usable" not in ended.counts


def running_at(clock: datetime, store: str, blobs: Sequence[Blob]) -> Pipeline:
    """Read blobs into a store on a machine whose clock says so."""
    chosen = load(None, {"workers": 1, "bundled_lists": False, "store": store})
    with Store.open(store) as opened, composition.pipeline(chosen, opened, gather(chosen, opened)) as running:
        running.plan = replace(running.plan, clock=clock)
        running.bulk(blobs)
    return running


def test_a_file_of_the_future_is_read_when_its_time_has_come(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/case.db"
    blobs = [day_file(14), day_file(15)]
    wrong = running_at(datetime(2026, 3, 13, tzinfo=UTC), store, blobs).report
    assert (wrong.from_future.count, wrong.records["cloudtrail"]) == (11, 12)  # the day of slack ends in the first of them
    right = running_at(CLOCK, store, blobs).report
    assert (right.from_future.count, right.known, right.records["cloudtrail"]) == (0, 1, 6)


def test_few_records_long_after_the_others_are_judged_but_move_nothing(tmp_path: Path) -> None:
    """A store must not forget months for one record; the fourth shows that nobody was wrong."""
    store = f"sqlite:///{tmp_path}/case.db"
    scan([day_file(14)], store=store)
    before = generation(store)
    later = [call(f"2026-08-0{day}T12:00:00Z mallory 198.51.100.7 ec2:DescribeInstances", day) for day in range(1, 5)]
    for number, record in enumerate(later[:3]):
        outcome = scan([blob([record], f"{number}.json.gz")], lists_of({"tor": ["198.51.100.7"]}), store=store)
        assert [finding.seen.count for finding in outcome.findings] == [number + 1]
        assert f"records long after the others: 1, 2026-08-0{number + 1}" in "\n".join(outcome.report.lines())
        after = generation(store)
        assert (after.watermark, after.states, after.pending) == (before.watermark, before.states, ())
        assert outcome.report.flawed
    outcome = scan([blob([later[3]], "last.json.gz")], lists_of({"tor": ["198.51.100.7"]}), store=store)
    assert [finding.seen.count for finding in outcome.findings] == [4]
    assert not outcome.report.flawed
    moved = generation(store).watermark
    assert moved is not None
    assert moved.date().isoformat() == "2026-08-04"


# A store that a record of 2099 has poisoned, as one could when the clock was not asked.

SHORT = {
    "discovery.history_days": 2,
    "discovery.history_active_days": 2,
    "discovery.history_reads": 2,
    "discovery.learning_days": 2,
}
FAR = datetime(2100, 1, 1, tzinfo=UTC)
POISON = call_of("-3d/12:00 ann 192.0.2.10 ec2:DescribeInstances", 999) | {"eventTime": "2099-01-15T00:00:00Z"}
POISONS = [POISON | {"eventID": f"00000000-0000-4000-a000-{number:012}"} for number in range(4)]  # one alone no longer does it
PAST = [
    call_of(f"-{day}d/09:{minute:02} ann 192.0.2.10 ec2:DescribeInstances", 100 * day + minute)
    for day in (6, 5, 4, 3)
    for minute in range(3)
]
ATTACK = [
    call_of(f"-1d/12:0{number} ann 198.51.100.7 iam:{api} agent=cli-kali", number)
    for number, api in enumerate(("ListUsers", "ListRoles", "GetAccountAuthorizationDetails", "ListGroups", "ListPolicies"))
]


def attacked(store: str) -> Outcome:
    return scan([blob(ATTACK, "attack.json.gz")], store=store, thresholds=SHORT)


def test_a_poisoned_store_is_recognised_and_repaired(tmp_path: Path) -> None:
    poisoned = tmp_path / "my case.db"  # commands are shown as a shell needs them
    repair = ["vedette", "baseline", "repair", "--store", str(poisoned)]
    running_at(FAR, f"sqlite:///{poisoned}", [blob(PAST, "past.json.gz"), blob(POISONS, "poison.json.gz")])
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "past.json").write_text(json.dumps({"Records": [*PAST, POISON]}), encoding="utf-8")
    refused = run("scan", str(logs), "--store", str(poisoned))
    assert (refused.status, refused.out) == (6, "")
    assert "reaches to 2099-01-15 00:00, which is in the future" in refused.err
    assert shlex.join(repair) in refused.err
    assert "clock" in refused.err
    shown = run("baseline", "show", "--store", str(poisoned))
    assert (shown.status, shown.err.rstrip().endswith(shlex.join(repair)), "2099-01-15" in shown.out) == (0, True, True)
    carried = str(tmp_path / "carried.zip")
    assert run("baseline", "export", carried, "--store", str(poisoned)).status == 0
    of_future = run("baseline", "import", carried, "--store", str(tmp_path / "other.db"))
    assert (of_future.status, "holds the day 2099-01-15, which is in the future" in of_future.err) == (2, True)
    assert run("baseline", "import", carried, "--merge", "--store", str(poisoned)).status == 6

    before = generation(f"sqlite:///{poisoned}")
    repaired = run("baseline", "repair", "--store", str(poisoned))
    assert repaired.status == 0
    assert "principal_days 1" in repaired.counts["removed"]
    after = generation(f"sqlite:///{poisoned}")
    assert (after.number, after.watermark) == (before.number + 1, None)
    state = Path(f"{poisoned}.state")
    assert {
        path.relative_to(state).as_posix() for path in state.rglob("*.*") if path.suffix in {".parquet", ".arrow"}
    } == after.files()

    commands = [line for line in repaired.err.splitlines() if line.startswith("vedette ")]
    assert len(commands) == 3
    for command in commands:
        words = [{"LOGS": str(logs), "new.db": str(tmp_path / "new.db")}.get(word, word) for word in shlex.split(command)[1:]]
        ended = run(*(str(tmp_path / word) if word.endswith(".zip") else word for word in words))
        assert ended.status == 0, ended.err
    healthy = f"sqlite:///{tmp_path}/healthy.db"
    scan([blob(PAST, "past.json.gz")], store=healthy, thresholds=SHORT)
    expected = attacked(healthy)
    assert "Recon:IAMUser/UserPermissions" in {finding.seen.finding_type for finding in expected.findings}
    assert attacked(f"sqlite:///{poisoned}").text == expected.text


def test_a_healthy_store_has_nothing_to_repair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "case.db"
    scan([day_file(14)], store=f"sqlite:///{store}")
    before = generation(f"sqlite:///{store}")
    ended = run("baseline", "repair", "--store", str(store))
    assert (ended.status, "nothing to repair" in ended.err) == (0, True)
    assert generation(f"sqlite:///{store}") == before
    monkeypatch.setattr("vedette.clock.now", lambda: datetime(2001, 1, 1, tzinfo=UTC))  # an empty battery
    ended = run("baseline", "repair", "--store", str(store))
    assert (ended.status, "set the clock" in ended.err) == (6, True)
    assert generation(f"sqlite:///{store}") == before
    assert run("baseline", "repair", "--store", str(store), "--trust-clock").status == 0
    assert not any(generation(f"sqlite:///{store}").states.values())


def test_a_repair_keeps_what_waits(tmp_path: Path) -> None:
    """Records that were read and wait for their slice have receipts: what is plausible among them must not be lost."""
    store = f"sqlite:///{tmp_path}/case.db"
    records = [call(f"2026-03-14T12:0{number}:00Z alice 198.51.100.7 ec2:DescribeInstances", number) for number in range(6)]
    chosen = load(None, {"workers": 1, "bundled_lists": False, "store": store})
    with Store.open(store) as opened, composition.pipeline(chosen, opened, gather(chosen, opened)) as running:
        (reading,) = running.engine.read([blob([*records, POISON])], replace(running.plan, clock=FAR))
        opened.commit(findings=(), receipts=(), generation=Generation(number=1, pending=reading.parts))
    assert run("scan", "--store", f"{tmp_path}/case.db", __file__).status == 6
    ended = run("baseline", "repair", "--store", f"{tmp_path}/case.db")
    assert (ended.counts["removed"], ended.counts["kept"]) == ("pending 1", "pending 6")
    found = scan([], TOR, store=store).findings
    assert [finding.seen.count for finding in found] == [6]
