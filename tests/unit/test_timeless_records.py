"""Records without a usable time: no slice can hold them, so each counts as bad, with its place, and none takes others along."""

import json
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from commands import run
from notation import blob, calls
from scanning import lists_of, scan

from vedette.logs.blob import Blob
from vedette.logs.read_counts import KEPT_PROBLEMS

pytest_plugins = ["sparks"]

TOR = lists_of({"tor": ["198.51.100.7"]})
LINE = "12:00 alice 198.51.100.7 ec2:DescribeVpcs"
UNUSABLE = (
    *("yesterday", "", "2026-02-30T00:00:00Z", "2026-03-05T12:00:00+25:00", "292277-01-01T00:00:00Z", "-0001-01-01T00:00:00Z"),
    *("2026-03-05T24:61:00Z", "1772712000", 5, None, [], {}),
)
REASON = "no usable time (event_time)"
FLOW = "2 123456789012 eni-1 203.0.113.9 10.0.0.1 40000 22 6 1 40 {start} {end} REJECT OK"


def records_of(times: tuple[object, ...]) -> list[dict[str, object]]:
    """Return a good call and, after each, one of every given time."""
    made: list[dict[str, object]] = []
    for number, time in enumerate(times):
        good, bad = calls([LINE.replace("12:00", f"12:{number % 60:02}"), LINE])
        good["eventID"], bad["eventID"] = f"good-{number}", f"bad-{number}"
        made += [good, bad | {"eventTime": time}]
    return made


def flows(*lines: str) -> Blob:
    data = "\n".join(lines).encode() + b"\n"
    return Blob(name="flows.log", version=sha256(data).hexdigest(), size=len(data), opener=lambda: BytesIO(data))


@pytest.mark.parametrize("engine", ["duckdb", "spark"], indirect=True)
def test_each_counts_as_bad_with_its_place(engine: str) -> None:
    outcome = scan([blob(records_of(UNUSABLE))], TOR, engine=engine)
    report = outcome.report
    assert (report.records["cloudtrail"], report.bad, report.flawed) == (len(UNUSABLE), len(UNUSABLE), True)
    assert report.nulled["event_time"] == len(UNUSABLE)
    (named,) = report.files
    assert named == ("one.json.gz", tuple(f"record {2 * number + 1}: {REASON}" for number in range(len(UNUSABLE))))
    assert [finding.seen.count for finding in outcome.findings] == [len(UNUSABLE)]


@pytest.mark.parametrize("time", UNUSABLE)
def test_one_alone_counts_as_bad(time: object) -> None:
    report = scan([blob(calls([LINE])), blob([calls([LINE])[0] | {"eventTime": time}], "two.json.gz")], TOR).report
    assert (report.records["cloudtrail"], report.bad, report.files) == (1, 1, [("two.json.gz", (f"record 0: {REASON}",))])


def test_a_record_that_lacks_the_field_is_bad() -> None:
    record = calls([LINE])[0]
    del record["eventTime"]
    report = scan([blob([record])], TOR).report
    assert (report.records["cloudtrail"], report.bad) == (0, 1)


def test_all_are_counted_and_the_first_named() -> None:
    report = scan([blob(records_of(("never",) * 5_000))], TOR).report
    assert (report.records["cloudtrail"], report.bad) == (5_000, 5_000)
    ((_, reasons),) = report.files
    assert reasons == tuple(f"record {2 * number + 1}: {REASON}" for number in range(KEPT_PROBLEMS))


def test_flow_records_count_too() -> None:
    good = FLOW.format(start=1772712000, end=1772712060)
    report = scan([flows(good, FLOW.format(start="-", end="-"), good.replace("40000", "40001"))]).report
    assert (report.records["flows"], report.bad) == (2, 1)
    assert report.files == [("flows.log", ("record 1: no usable time (start_time)",))]
    known = scan([flows(good, FLOW.format(start="-", end=1772712060))]).report
    assert (known.records["flows"], known.bad) == (2, 0)


def test_one_that_was_counted_is_not_counted_again(tmp_path: Path) -> None:
    log, store = tmp_path / "calls.json", f"sqlite:///{tmp_path}/s.db"
    lines = [json.dumps(record) + "\n" for record in records_of(("never", "never"))]
    bad = []
    for text in ("".join(lines[:2]), "".join(lines), "".join(lines)):
        log.write_text(text)
        ended = run("scan", str(log), "--store", store)
        bad.append(ended.counts["records bad"])
    assert bad == ["1", "1", "0"]


@pytest.mark.parametrize("time", ["never", "2026-02-30T00:00:00Z"])
def test_a_strict_scan_tells(time: str, tmp_path: Path) -> None:
    log = tmp_path / "calls.json"
    log.write_text(json.dumps({"Records": records_of((time,))}))
    ended = run("scan", str(log), "--strict")
    assert ended.status == 11
    assert ended.counts["records bad"] == "1"
    assert ended.counts["bad file"].endswith(f"calls.json: record 1: {REASON}")
