"""Runs a command of ``vedette`` in a process of its own, in its own process group, and tells which processes are left of it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

# A shell in the background, or nohup, lets its children ignore signals: here they are as at a terminal.
START = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from vedette.cli import main
main()
"""
PATIENCE = 60.0
"""Seconds until a state of other processes that must come is taken for one that never comes."""


def start(
    *arguments: str, environment: Mapping[str, str] | None = None, stdin: int | IO[bytes] | None = None
) -> "subprocess.Popen[bytes]":
    """Start a command."""
    return subprocess.Popen(
        [sys.executable, "-c", START, *arguments],
        env={**os.environ, **(environment or {})},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def alive(group: int) -> list[int]:
    """Return the processes of a group, without those that have ended and wait for somebody to hear of it."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, _, its_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue  # it has just ended
        if int(its_group) == group and state not in {"Z", "X"}:
            found.append(int(entry.name))
    return found


def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it does not come to hold.
    """
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)
