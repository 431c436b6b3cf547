"""No record of a file counts twice and none is left out, however the file is called, touched, copied, grown or cut into spans."""

import gzip
import json
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commands import Ended, run
from notation import call
from stores import ACCOUNT

from vedette.store import Store

DAY = datetime(2026, 3, 14, tzinfo=UTC)
NAME = f"{ACCOUNT}_CloudTrail_us-east-1_20260314T%02d00Z_0123456789abcdef.json"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder with a list of bad addresses; only calls from there, and probes, are found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VEDETTE_BUNDLED_LISTS", "false")
    monkeypatch.setenv("VEDETTE_WORKERS", "1")
    types = ["Recon:IAMUser/MaliciousIPCaller.Custom", "Recon:EC2/PortProbeUnprotectedPort"]
    monkeypatch.setenv("VEDETTE_FINDING_TYPES", ",".join(types))
    Path("bad.txt").write_text("198.51.100.7\n")
    Path("logs").mkdir()
    return tmp_path


def scan(*arguments: str, store: str = "case.db") -> Ended:
    ended = run("scan", *arguments, "--custom-list", "bad.txt", "--scanner-list", "bad.txt", "--store", store, "--format", "csv")
    assert ended.status == 0, ended.err
    return ended


def counted(store: str = "case.db") -> int:
    """Return how many records the findings count."""
    with Store.open(f"sqlite:///{store}") as opened:
        return sum(finding.seen.count for finding in opened.findings(limit=None))


def records(hours: Sequence[float], first: int = 0) -> list[dict[str, object]]:
    times = [DAY + timedelta(hours=hour) for hour in hours]
    return [call(f"{time:%Y-%m-%dT%H:%M:%SZ} alice 198.51.100.7 ec2:DescribeVpcs", first + n) for n, time in enumerate(times)]


def lines(hours: Sequence[float], first: int = 0) -> str:
    return "".join(json.dumps(record) + "\n" for record in records(hours, first))


def archive(path: Path = Path("logs")) -> None:
    """Write two files of three calls each. Those of the second have no ids, by which they could be known again."""
    for number in range(2):
        some = [record | ({"eventID": None} if number else {}) for record in records([number, number + 0.1, number + 0.2])]
        (path / f"{number}.json.gz").write_bytes(gzip.compress(json.dumps({"Records": some}).encode(), mtime=0))


WAYS: dict[str, Callable[[], str]] = {
    "relative": lambda: "./logs",
    "absolute": lambda: str(Path("logs").resolve()),
    "upwards": lambda: "logs/../logs",
    "a pattern": lambda: "log*",
    "symlinked": lambda: _then("link", lambda: Path("link").symlink_to("logs")),
    "copied": lambda: _then("copy", lambda: shutil.copytree("logs", "copy")),
    "touched": lambda: _then("logs", lambda: [os.utime(path) for path in Path("logs").iterdir()]),
    "renamed": lambda: _then("logs", lambda: [path.rename(path.with_suffix(".bak")) for path in list(Path("logs").iterdir())]),
    "hard-linked": lambda: _then("hard", lambda: [Path("hard").mkdir(), Path("hard/1").hardlink_to("logs/1.json.bak")]),
    "moved": lambda: _then("moved", lambda: Path("logs").rename("moved")),
}


def _then(place: str, change: Callable[[], object]) -> str:
    change()
    return place


def test_the_same_files_under_another_path_change_nothing() -> None:
    archive()
    scan("logs")
    assert counted() == 6
    for way, change in WAYS.items():
        again = scan(change())
        assert (again.counts["records read"], again.counts["files read"][:3]) == ("0", "0 ("), way
        assert counted() == 6, way


def test_copies_within_one_scan_are_read_once() -> None:
    archive()
    shutil.copytree("logs", "copy")
    ended = scan("logs", "copy", str(Path("logs").resolve()))
    assert (counted(), ended.counts["files read"]) == (6, "2 (4 more are copies of them)")
    again = scan("logs", "copy", str(Path("logs").resolve()))
    assert (counted(), again.counts["files read"]) == (6, "0 (6 more were read before)")


def test_a_copy_whose_name_says_that_it_is_no_log_hides_none() -> None:
    archive()
    Path("logs/0_CloudTrail-Digest_us-east-1.json.gz").write_bytes(Path("logs/1.json.gz").read_bytes())
    ended = scan("logs")
    assert (counted(), ended.counts["files read"]) == (6, "3")
    assert scan("logs").counts["files read"] == "0 (3 more were read before)"


def test_the_same_bytes_in_the_folders_of_two_accounts_are_two_logs() -> None:
    """Records that lack an account are those of the folder's: here the bytes do not say everything."""
    header = "srcaddr dstaddr srcport dstport protocol action start end"
    flow = "198.51.100.7 10.0.0.5 40000 22 6 ACCEPT 1773446400 1773446460\n"
    for account in ("111122223333", ACCOUNT):
        place = Path(f"logs/AWSLogs/{account}/vpcflowlogs/us-east-1/2026/03/14")
        place.mkdir(parents=True)
        (place / "flows.log").write_text(f"{header}\n{flow}")
    assert scan("logs").counts["records read"] == "2 (flows 2)"
    assert scan("logs").counts["records read"] == "0"


def test_of_a_grown_file_only_what_is_new_is_taken() -> None:
    log = Path("logs/calls.json")
    log.write_text(lines([0, 1, 2]))
    scan("logs")
    with log.open("a") as file:
        file.write(lines([2.1, 2.2], 3))
    grown = scan("logs")
    assert (counted(), grown.counts["records read"], grown.counts["files grown"][:1]) == (5, "2 (cloudtrail 2)", "1")
    with log.open("a") as file:
        file.write(lines([3], 5))
    shutil.copy(log, "elsewhere.json")  # grown and called otherwise
    scan("elsewhere.json")
    assert counted() == 6
    assert scan("logs").counts["records read"] == "0"


def test_of_compressed_text_that_grows_by_members_only_what_is_new_is_taken() -> None:
    log = Path("logs/calls.json.gz")
    for number in range(3):
        with log.open("ab") as file:
            file.write(gzip.compress(lines([number], number).encode()))
        assert scan("logs").counts["records read"] == "1 (cloudtrail 1)"
    assert counted() == 3


FLOW = f"2 {ACCOUNT} eni-0a1b2c3d 198.51.100.7 10.0.0.5 4000%d 22 6 3 180 177344640%d 177344646%d ACCEPT OK"


@pytest.mark.parametrize(("cut", "taken"), [(1, 1), (2, 1), (9, 2)], ids=["its end", "within its last word", "within a field"])
def test_a_flow_record_without_its_end_is_taken_once(cut: int, taken: int) -> None:
    """A line without its end may be whole. It is taken, and again only if it turns out to be another record."""
    whole = "".join(FLOW % (number, number, number) + "\n" for number in range(3))
    log = Path("logs/flows.log")
    log.write_text(whole[:-cut])
    scan("logs")
    log.write_text(whole + FLOW % (3, 3, 3) + "\n")
    assert scan("logs").counts["records read"] == f"{taken} (flows {taken})"


def test_a_file_that_holds_something_else_is_a_new_one() -> None:
    log = Path("logs/calls.json")
    log.write_text(lines([0, 1]))
    scan("logs")
    log.write_text(lines([2], 7) + lines([0], 8))
    changed = scan("logs")
    assert (counted(), changed.counts["records read"]) == (4, "2 (cloudtrail 2)")
    assert "file changed: logs/calls.json: not what was read there before" in changed.err


@pytest.mark.parametrize("end", ["--since", "--until"])
def test_what_lay_outside_a_span_is_found_later(end: str) -> None:
    Path("logs/calls.json").write_text(lines(range(10)))
    shutil.copy("logs/calls.json", "copy.json")
    first = scan("logs", end, "2026-03-14T04:00:00Z")
    assert counted() == (6 if end == "--since" else 4)
    assert first.counts["records outside the span"] in {"4", "6"}
    scan("copy.json", "--since", "2026-03-14T02:00:00Z", "--until", "2026-03-14T05:00:00Z")  # the same bytes
    assert counted() == (8 if end == "--since" else 5)
    everything = scan("logs")
    assert counted() == 10
    assert scan("logs").counts["records read"] == scan("copy.json").counts["records read"] == "0"
    with Store.open("sqlite:///case.db") as store:
        (finding,) = store.findings(limit=None)
    assert (finding.seen.first.time, finding.seen.last.time) == (DAY, DAY + timedelta(hours=9))
    assert everything.counts["files read"].startswith("1")


def test_a_span_that_left_nothing_out_needs_no_second_reading() -> None:
    Path("logs/calls.json").write_text(lines([0, 1]))
    scan("logs", "--since", "2026-03-01")
    assert scan("logs").counts["files read"] == "0 (1 more were read before)"


def test_a_file_read_for_a_span_that_has_grown_since_is_taken_whole_in_the_end() -> None:
    log = Path("logs/calls.json")
    log.write_text(lines(range(4)))
    scan("logs", "--since", "2026-03-14T02:00:00Z")
    with log.open("a") as file:
        file.write(lines(range(4), 4))
    scan("logs", "--until", "2026-03-14T03:00:00Z")
    assert counted() == 7
    scan("logs")
    assert counted() == 8
