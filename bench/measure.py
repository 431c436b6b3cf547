"""Run a command in a process of its own, and measure its seconds and the peak memory of it and its children."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_SAMPLE_SECONDS = 0.02
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The cost and output of a run.

    ``peak_bytes`` is the highest sampled sum of the resident memory of all its processes, ``private_bytes`` that of what the
    system cannot take back (without mapped files, which it drops when memory is short).
    """

    seconds: float
    peak_bytes: int
    private_bytes: int
    output: str


def run(arguments: Sequence[str]) -> Measured:
    """Run ``python ARGUMENTS`` in the project's folder.

    Raises:
        SystemExit: the command failed, so there is nothing to measure.
    """
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = [0, 0]
    watcher = threading.Thread(target=_watch, args=(process, peak), daemon=True)
    watcher.start()
    output, errors = process.communicate()
    seconds = time.perf_counter() - started
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed: {errors[-2000:]}")
    return Measured(seconds=seconds, peak_bytes=peak[0], private_bytes=peak[1], output=output)


def _watch(process: "subprocess.Popen[str]", peak: list[int]) -> None:
    while process.poll() is None:
        resident, mapped = map(sum, zip(*map(_memory, _tree(process.pid)), strict=True))
        peak[:] = max(peak[0], resident), max(peak[1], resident - mapped)
        time.sleep(_SAMPLE_SECONDS)


def _tree(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
    wanted = [root]
    for parent in wanted:  # grows during the iteration
        wanted += [child for child, of in parents.items() if of == parent]
    return wanted


def _memory(pid: int) -> tuple[int, int]:
    """Return the resident bytes of a process, and how many of them are of mapped files."""
    try:
        _, resident, mapped, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    except (OSError, ValueError):
        return 0, 0
    return int(resident) * _PAGE_BYTES, int(mapped) * _PAGE_BYTES
