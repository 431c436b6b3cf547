"""However a command ends, its processes and temporary files go with it, and the status tells why it ended."""

import gzip
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path
from time import sleep

import pytest
from commands import run
from notation import calls
from patience import HUNG
from processes import PATIENCE, alive, start, until

from vedette.logs.processes import context, follow_parent, kill_workers
from vedette.terminal.ending import Ending

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}
READING = 5  # processes: the command, what starts others for it (two), and two that read


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an archive that takes much longer to read than to interrupt: the same calls after more and more blanks."""
    folder = tmp_path_factory.mktemp("archive")
    minutes = (f"{number // 60 % 24:02}:{number % 60:02}" for number in count())
    lines = [f"{next(minutes)} alice 203.0.113.{number % 250} ec2:DescribeInstances" for number in range(3_000)]
    file = gzip.compress(json.dumps({"Records": calls(lines)}).encode(), 1)
    for number in range(150):
        (folder / f"{number}.json.gz").write_bytes(gzip.compress(b" " * number) + file)
    return folder


@pytest.fixture
def reading(archive: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a scan whose processes read."""
    environment = {"TMPDIR": str(tmp_path), "VEDETTE_BUNDLED_LISTS": "false"}
    process = start("scan", str(archive), "--workers", "2", environment=environment)
    until(lambda: len(alive(process.pid)) >= READING)
    yield process
    for left in alive(process.pid):
        os.kill(left, signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_leaves_nothing(reading: "subprocess.Popen[bytes]", tmp_path: Path, number: signal.Signals) -> None:
    send = os.kill if number == signal.SIGTERM else os.killpg  # a terminal sends to all processes
    send(reading.pid, number)
    send(reading.pid, number)  # who presses twice wants it no less
    _, errors = reading.communicate(timeout=PATIENCE)
    assert (reading.returncode, errors.decode()) == (128 + number, f"vedette: {WORDS[number]}\n")
    assert alive(reading.pid) == []
    assert list(tmp_path.iterdir()) == []


def test_who_is_killed_takes_the_readers_along(reading: "subprocess.Popen[bytes]") -> None:
    reading.kill()
    until(lambda: alive(reading.pid) == [])


def test_waiting_for_standard_input_ends_as_well(tmp_path: Path) -> None:
    process = start("scan", "-", environment={"TMPDIR": str(tmp_path)}, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"{")
    process.stdin.flush()
    until(lambda: list(tmp_path.iterdir()))
    process.terminate()
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors.decode().splitlines()[-1]) == (143, "vedette: terminated")
    assert list(tmp_path.iterdir()) == []


def test_a_command_gives_the_signals_back() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    assert run("--version").status == 0
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Ending(is_last=False) as ending:
            signal.raise_signal(signal.SIGHUP)
        assert (ending.status, signal.getsignal(signal.SIGHUP)) == (0, signal.SIG_IGN)
    finally:
        signal.signal(signal.SIGHUP, before)


def _interrupted(steps: list[str]) -> None:
    try:
        signal.raise_signal(signal.SIGTERM)
        steps.append("went on")
    finally:
        signal.raise_signal(signal.SIGINT)
        steps.append("cleaned up")


def test_cleaning_up_is_not_interrupted() -> None:
    steps: list[str] = []
    with Ending(is_last=False) as ending, pytest.raises(KeyboardInterrupt):
        _interrupted(steps)
    assert (steps, ending.status, ending.word) == (["cleaned up"], 143, "terminated")


class _Closing:
    """Something whose destructor is at work when a signal comes."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def _closing() -> None:
    _Closing()
    for _ in range(1_000):
        sleep(0.01)


def test_a_signal_within_a_destructor_is_not_lost() -> None:
    with Ending(is_last=False) as ending, pytest.raises(KeyboardInterrupt):
        _closing()
    assert ending.status == 143


def test_a_pool_is_given_up_at_once() -> None:
    pool = ProcessPoolExecutor(2, mp_context=context(), initializer=follow_parent)
    waiting = [pool.submit(sleep, HUNG) for _ in range(6)]
    until(lambda: any(item.running() for item in waiting))
    kill_workers(pool)
    pool.shutdown(wait=True, cancel_futures=True)
    assert all(item.done() for item in waiting)
