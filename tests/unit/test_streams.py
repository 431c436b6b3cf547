"""Standard streams that are full, closed or narrow: one sentence, the right status, and no finding is lost without a word."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run
from notation import calls
from patience import HUNG

from vedette.errors import ReaderGoneError
from vedette.terminal.streams import Descriptor

FULL = "standard output cannot be written (No space left on device)"
CLOSED = "standard output is closed"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a log of one finding."""
    folder = tmp_path_factory.mktemp("streams")
    lines = ["12:00 zoë 198.51.100.7 ec2:DescribeInstances"]
    (folder / "log.json.gz").write_bytes(gzip.compress(json.dumps({"Records": calls(lines)}).encode()))
    (folder / "bad.txt").write_text("198.51.100.7\n")
    (folder / "vedette.toml").write_text(
        'bundled_lists = false\ncustom_lists = ["bad.txt"]\nfinding_types = ["Recon:IAMUser/MaliciousIPCaller.Custom"]\n'
    )
    return folder


@pytest.fixture(scope="module")
def scanned(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Scan into a store, and print on a full disk."""
    return vedette(folder, "scan log.json.gz --store case.db --run-report report.json > /dev/full")


def vedette(folder: Path, command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command by a shell, with whatever it redirects."""
    start = f"{sys.executable} -m vedette {command}"
    return subprocess.run(
        ["bash", "-c", start],
        cwd=folder,
        env={**os.environ, "TERM": "dumb", **environment},
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=HUNG,
    )


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("settings > /dev/full", 9, f"vedette: {FULL}\n"),
        ("settings >&-", 9, f"vedette: {CLOSED}\n"),
        ("settings >&- 2>&-", 9, ""),
        ("settings >/dev/full 2>/dev/full", 9, ""),
        ("settings <&- >&- 2>&-", 9, ""),
        ("settings 2>&-", 0, ""),
        ("scan - <&-", 3, "vedette: standard input is closed\n"),
        ("scan none 2>&-", 3, ""),
        ("explain nothing 2>/dev/full", 2, ""),
        ("scan --help > /dev/full", 9, f"vedette: {FULL}\n"),
    ],
)
def test_a_stream_that_fails_is_one_sentence_and_a_status(folder: Path, command: str, status: int, said: str) -> None:
    ended = vedette(folder, command)
    assert (ended.returncode, ended.stderr) == (status, said)


@pytest.mark.usefixtures("scanned")
def test_a_reader_that_has_ended_is_no_error_to_speak_of(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    start = [sys.executable, "-m", "vedette", "findings", "list", "--store", "case.db"]
    ended = subprocess.run(start, cwd=folder, stdout=writer, stderr=subprocess.PIPE, timeout=HUNG, check=False)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_findings_that_cannot_be_printed_are_in_the_store(
    folder: Path, scanned: "subprocess.CompletedProcess[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    where = "the findings are in the store: vedette findings list --store case.db"
    assert (scanned.returncode, scanned.stderr.splitlines()[-1]) == (9, f"vedette: {FULL}; {where}")
    assert json.loads((folder / "report.json").read_text())["findings"]
    assert "records read: 1 (cloudtrail 1)" in scanned.stderr
    monkeypatch.chdir(folder)
    assert len(run("findings", "list", "--store", "case.db").out.splitlines()) == 1


def test_findings_without_a_store_are_not_lost_without_a_word(folder: Path) -> None:
    ended = vedette(folder, "scan log.json.gz -q >&-")
    advice = "1 finding lost: scan again with --store FILE, which keeps them, or --output FILE"
    assert (ended.returncode, ended.stderr) == (9, f"vedette: {CLOSED}; {advice}\n")


def test_findings_and_report_are_not_written_over_each_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    ended = run("scan", "log.json.gz", "--output", "same", "--run-report", "./same")
    assert (ended.status, ended.err) == (
        2,
        "vedette: --run-report same: what is meant for --output same goes there; give another file\n",
    )


def test_closed_descriptors_do_not_become_the_stores(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert vedette(folder, "scan log.json.gz --store closed.db <&- >&- 2>&-").returncode == 9
    monkeypatch.chdir(folder)
    assert len(run("findings", "list", "--store", "closed.db").out.splitlines()) == 1


@pytest.mark.usefixtures("scanned")
def test_what_the_encoding_lacks_is_replaced(folder: Path) -> None:
    ended = vedette(folder, "findings list --store case.db --format table", PYTHONIOENCODING="ascii:strict", LC_ALL="C")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "  zo?" in ended.stdout


def test_an_output_that_does_not_block_is_waited_for() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    content = b"x" * (1 << 20)
    start = [sys.executable, "-c", "import sys; sys.exit(len(sys.stdin.buffer.read()) != 1 << 20)"]
    with subprocess.Popen(start, stdin=reader) as process:
        os.close(reader)
        stream, written = Descriptor(writer, silent=False), 0
        try:
            while written < len(content):
                written += stream.write(content[written:])
        finally:
            os.close(writer)
        assert process.wait(HUNG) == 0


def test_after_a_failure_nothing_more_is_said() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = Descriptor(writer, silent=False)
    with pytest.raises(ReaderGoneError):
        stream.write(b"x")
    assert stream.write(b"xy") == 2
    os.close(writer)
