"""What a run does beside finding: second runs, late records, spans, own addresses, faults."""

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from flow_notation import Log, lines_of
from flow_notation import blob as flow_blob
from notation import blob, call, calls
from patience import HUNG
from scanning import WITHOUT_DISCOVERY, lists_of, scan

from vedette.engine import Engine, Knowledge, Reading, ReadPlan
from vedette.engine.spool import load as load_part
from vedette.engine.spool import read_blobs
from vedette.errors import EngineError, SourceError, StoreError
from vedette.logs.blob import Blob
from vedette.logs.read_counts import Limits, ReadCounts
from vedette.pipeline import composition
from vedette.pipeline.reading import read_blob
from vedette.settings import load
from vedette.sources import Span, list_blobs
from vedette.state_files.location import Folder
from vedette.store import Store
from vedette.text.report import RunReport

TOR = lists_of({"tor": ["198.51.100.7"]})
DAY = datetime(2026, 3, 14, tzinfo=UTC)


def files(folder: Path, hours: int, calls_an_hour: int = 6) -> Path:
    """Write delivered files, one an hour, half of the calls from a Tor exit."""
    for hour in range(hours):
        lines = [
            f"{DAY + timedelta(hours=hour, seconds=second):%Y-%m-%dT%H:%M:%SZ} alice {address} ec2:DescribeInstances"
            for second, address in enumerate(["198.51.100.7", "203.0.113.1"] * (calls_an_hour // 2))
        ]
        name = f"123456789012_CloudTrail_us-east-1_{DAY + timedelta(hours=hour + 1):%Y%m%dT%H%MZ}_{hour:016}.json.gz"
        text = json.dumps({"Records": [call(line, 100 * hour + number) for number, line in enumerate(lines)]})
        (folder / name).write_bytes(gzip.compress(text.encode(), mtime=0))
    return folder


def test_processes_read_what_one_reads(tmp_path: Path) -> None:
    folder = str(files(tmp_path, 30))
    alone = scan(list_blobs(folder, Span()), TOR)
    shared = scan(list_blobs(folder, Span()), TOR, workers=2, slice_events=50)
    assert [finding.seen.count for finding in alone.findings] == [90]
    assert shared.text == alone.text
    assert shared.report.records == alone.report.records
    assert shared.report.slices > 2


def test_what_is_read_ahead_outlives_the_steps_meanwhile(tmp_path: Path) -> None:
    class Ahead:
        """An engine whose reading is always one group ahead of what it gives, as processes are."""

        def __init__(self, engine: Engine) -> None:
            self.step, self.close, self.tables, self._read = engine.step, engine.close, engine.tables, engine.read
            self.usual_slice = engine.usual_slice

        def read(self, blobs: Iterable[Blob], plan: ReadPlan) -> Iterator[Reading]:
            waiting: list[Reading] = []
            for item in blobs:
                waiting += self._read([item], plan)
                yield from waiting[:-1]
                waiting = waiting[-1:]
            yield from waiting

    chosen = load(None, {"workers": 1, "bundled_lists": False, "slice_events": 5, "finding_types": WITHOUT_DISCOVERY})
    with Store.ephemeral() as store, composition.pipeline(chosen, store, Knowledge(lists=TOR)) as running:
        running.engine = Ahead(running.engine)
        report = running.bulk(list_blobs(str(files(tmp_path, 30)), Span()))
        (finding,) = store.findings()
    assert finding.seen.count == 90
    assert report.slices > 10


@pytest.mark.parametrize(("tables", "slices"), [("cloudtrail", 3), ("flows", 3), ("both", 5)])
def test_records_of_two_tables_fill_a_slice_together(tables: str, slices: int) -> None:
    times = [f"{10 + number // 12}:{number % 12 * 5:02}" for number in range(24)]
    log = Log()
    given = {
        "cloudtrail": blob(calls([f"{time} alice 203.0.113.1 ec2:DescribeVpcs" for time in times])),
        "flows": flow_blob(lines_of([f"{time} 10.0.0.9 > 192.0.2.1-4 443 filtered every=0" for time in times], log), log),
    }
    chosen = load(None, {"workers": 1, "bundled_lists": False, "finding_types": WITHOUT_DISCOVERY})
    with Store.ephemeral() as store, composition.pipeline(chosen, store, Knowledge(lists=TOR)) as running:
        running.slicing = replace(running.slicing, largest={"cloudtrail": 10, "flows": 40})
        report = running.bulk([item for name, item in given.items() if tables in {name, "both"}])
    assert report.slices == slices


def test_a_late_record_updates_its_finding(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/s.db"
    first = scan(
        [blob(calls(["12:00 alice 198.51.100.7 ec2:DescribeVpcs", "15:00 bob 203.0.113.1 ec2:DescribeVpcs"]))], TOR, store=store
    )
    late = blob(calls(["11:00 alice 198.51.100.7 iam:ListUsers"]), "late.json.gz")
    second = scan([late], TOR, store=store)
    assert second.report.late == 1
    assert [(finding.id, finding.seen.count) for finding in second.findings] == [(first.findings[0].id, 2)]
    assert second.findings[0].seen.first.time == datetime(2026, 3, 14, 11, tzinfo=UTC)


def test_an_event_that_was_folded_is_known_when_it_comes_again(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/s.db"
    records = calls(["12:00 alice 198.51.100.7 ec2:DescribeVpcs", "12:01 alice 198.51.100.7 ec2:DescribeVpcs"])
    scan([blob(records, "a.json.gz")], TOR, store=store)
    again = scan([blob(records[1:], "b.json.gz")], TOR, store=store)
    assert again.report.duplicates == 1
    assert again.findings == ()
    with Store.open(store) as opened:
        assert [finding.seen.count for finding in opened.findings()] == [2]


def test_records_outside_the_span_are_counted_and_left_out() -> None:
    records = calls([f"{hour}:00 alice 198.51.100.7 ec2:DescribeVpcs" for hour in (10, 11, 12, 13)])
    span = Span(since=DAY + timedelta(hours=11), until=DAY + timedelta(hours=13))
    chosen = load(None, {"workers": 1, "bundled_lists": False, "finding_types": WITHOUT_DISCOVERY})
    with Store.ephemeral() as store, composition.pipeline(chosen, store, Knowledge(lists=TOR), span=span) as running:
        report = running.bulk([blob(records)])
        (finding,) = store.findings()
    assert (report.records["cloudtrail"], report.outside) == (4, 2)
    assert (finding.seen.count, finding.seen.first.time) == (2, DAY + timedelta(hours=11))


def test_a_record_without_a_time_is_counted_and_stops_nothing() -> None:
    records = calls(["12:00 alice 198.51.100.7 ec2:DescribeVpcs", "12:01 alice 198.51.100.7 ec2:DescribeVpcs"])
    records[1]["eventTime"] = "yesterday"
    outcome = scan([blob(records)], TOR)
    assert (outcome.report.nulled["event_time"], outcome.report.records["cloudtrail"], outcome.report.bad) == (1, 1, 1)
    assert [finding.seen.count for finding in outcome.findings] == [1]


def busy_address(days: int, principals: int) -> list[dict[str, object]]:
    """Calls of many principals through one address on many days, and of one more on the day after."""
    lines = [
        f"{DAY + timedelta(days=day, minutes=number):%Y-%m-%dT%H:%M:%SZ} user{number} 198.51.100.7 ec2:DescribeVpcs"
        for day in range(days)
        for number in range(principals)
    ]
    return calls([*lines, f"{DAY + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ} stranger 198.51.100.7 ec2:DescribeVpcs"])


@pytest.mark.parametrize(
    ("days", "principals", "learned"),
    [(10, 5, True), (9, 5, False), (10, 4, False)],
    ids=["busy", "too few days", "too few users"],
)
@pytest.mark.parametrize("slice_events", [7, 1_000_000])
def test_an_address_that_many_use_is_learned_as_the_accounts_own(
    days: int, principals: int, slice_events: int, *, learned: bool
) -> None:
    outcome = scan([blob(busy_address(days, principals))], TOR, slice_events=slice_events)
    last = [finding for finding in outcome.findings if finding.seen.last.time >= DAY + timedelta(days=days)]
    assert [finding.summary.severity for finding in last] == [2.0 if learned else 5.0]
    assert (last[0].seen.resource_key == "own-egress") is learned
    switched_off = scan([blob(busy_address(days, principals))], TOR, learn_own_egress=False)
    assert {finding.summary.severity for finding in switched_off.findings} == {5.0}


def vanish() -> Blob:
    def gone() -> object:
        raise SourceError("gone.json.gz: there is no such object")

    return Blob(name="gone.json.gz", version="1", size=10, opener=gone)  # type: ignore[arg-type]


def test_a_blob_that_vanished_is_reported_and_tried_again(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/s.db"
    good = blob(calls(["12:00 alice 198.51.100.7 ec2:DescribeVpcs"]))
    outcome = scan([good, vanish()], TOR, store=store)
    assert [finding.seen.count for finding in outcome.findings] == [1]
    assert outcome.report.unreadable == 1
    assert ("gone.json.gz", ("gone.json.gz: there is no such object",)) in outcome.report.files
    again = scan([good, vanish()], TOR, store=store)
    assert (again.report.known, again.report.unreadable) == (1, 1)


def test_a_million_broken_files_are_counted_and_the_first_named() -> None:
    report = RunReport()
    for start in range(0, 3_000, 300):
        report.name_files([(f"{number}.json", ("byte 0: not JSON",)) for number in range(start, start + 300)])
    assert (report.flawed_files, len(report.files), report.files[-1][0]) == (3_000, 1_000, "999.json")
    named = [line for line in report.lines() if line.startswith("bad file: ")]
    assert len(named) == 21
    assert named[-1] == "bad file: 2980 more; --run-report FILE names up to 1000"


def half(blob: Blob, _limits: Limits, counts: ReadCounts) -> Iterator[tuple[str, pa.RecordBatch]]:
    for table, batch in read_blob(blob, Limits(), counts):
        yield table, batch
        if "broken" in blob.name:
            raise SourceError(f"{blob.name}: the connection broke")


@pytest.mark.parametrize("part_rows", [1, 3, 100])
def test_half_a_blob_leaves_nothing_behind(tmp_path: Path, part_rows: int) -> None:
    plan = ReadPlan(
        read=half,
        limits=Limits(),
        place=Folder(tmp_path),
        tables=frozenset({"cloudtrail"}),
        processes=1,
        part_rows=part_rows,
    )
    lines = [f"12:0{minute} alice 198.51.100.7 ec2:DescribeVpcs" for minute in range(2)]
    blobs = [blob(calls(lines), f"{name}.json.gz") for name in ("first", "broken", "last")]
    (reading,) = read_blobs(blobs, plan)
    objects = [name for part in reading.parts for name in load_part(Folder(tmp_path), part, None)["object"].to_pylist()]
    assert objects == ["first.json.gz"] * 2 + ["last.json.gz"] * 2
    assert (reading.records["cloudtrail"], reading.missed) == (4, ("broken.json.gz",))
    assert {path.name for path in (tmp_path / "spool").iterdir()} == {Path(part.path).name for part in reading.parts}


def die(_blob: Blob, _limits: Limits, _tally: ReadCounts) -> Iterator[tuple[str, pa.RecordBatch]]:
    os.kill(os.getpid(), signal.SIGKILL)
    return iter(())


def test_a_killed_reading_process_is_one_clear_error(tmp_path: Path) -> None:
    plan = ReadPlan(read=die, limits=Limits(), place=Folder(tmp_path / "state"), tables=frozenset({"cloudtrail"}), processes=2)
    blobs = list(list_blobs(str(files(tmp_path, 1)), Span())) * 1_100  # more than one group
    with pytest.raises(EngineError, match="a process that reads logs died"):
        list(read_blobs(blobs, plan))


def test_two_writers_at_once_are_refused(tmp_path: Path) -> None:
    chosen = load(None, {"workers": 1, "store": f"sqlite:///{tmp_path}/s.db"})
    with (
        Store.open(chosen.store) as store,
        composition.pipeline(chosen, store, Knowledge()),
        pytest.raises(StoreError, match="another vedette process is writing"),
        composition.pipeline(chosen, store, Knowledge()),
    ):
        pass


def test_a_full_disk_is_one_clear_error_and_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/s.db"
    scan([blob(calls(["12:00 alice 198.51.100.7 ec2:DescribeVpcs"]))], TOR, store=store)
    before = world(tmp_path, store)
    folder = tmp_path / "logs"
    folder.mkdir()
    script = (
        "import resource, sys; sys.path.insert(0, sys.argv[1])\n"
        "from scanning import WITHOUT_DISCOVERY, lists_of, scan\n"
        "from vedette.sources import Span, list_blobs\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))\n"
        "scan(list_blobs(sys.argv[2], Span()), lists_of({'tor': ['198.51.100.7']}), store=sys.argv[3])\n"
    )
    support = str(Path(__file__).parents[1] / "support")
    command = [sys.executable, "-c", script, support, str(files(folder, 24, 600)), store]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HUNG, check=False)
    assert done.returncode != 0
    assert "EngineError" in done.stderr.splitlines()[-1]
    assert "cannot be written" in done.stderr.splitlines()[-1]
    assert world(tmp_path, store) == before
    assert [finding.seen.count for finding in scan(list_blobs(str(folder), Span()), TOR, store=store).findings] == [7_201]


def world(folder: Path, store: str) -> tuple[object, object]:
    """The findings, and the generation with all of whose files present."""
    with Store.open(store) as opened:
        generation = opened.generation()
        assert generation is not None
        assert all((folder / "s.db.state" / name).is_file() for name in generation.files())
        return opened.findings(), generation


def test_the_report_that_is_stored_is_the_one_that_is_shown(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/s.db"
    first = blob(calls(["12:00 alice 198.51.100.7 ec2:DescribeVpcs", "12:01 alice 198.51.100.8 ec2:DescribeVpcs"]))
    for number, given in enumerate((first, blob(calls(["12:30 alice 198.51.100.7 ec2:DescribeVpcs"]), "late.json.gz"))):
        shown = scan([given], TOR, store=store, slice_events=1).report
        with Store.open(store) as opened:
            stored = opened.reports(limit=1)[0].content
        assert stored == {**json.loads(json.dumps(shown.document())), "next_step": stored["next_step"]}, number
        assert stored["findings"] == {"Recon:IAMUser/TorIPCaller": 1}
        assert [item["name"] for item in stored["lists"]] == ["tor"]
        assert len(stored["blind_spots"]) > 1
        assert len(stored["learning"]) == 2
