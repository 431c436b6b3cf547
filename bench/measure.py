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
    """The cost and output of a run. ``peak_bytes`` is the highest sampled sum of the resident memory of all its processes."""

    seconds: float
    peak_bytes: int
    output: str


def run(arguments: Sequence[str]) -> Measured:
    """Run ``python ARGUMENTS`` in the project's folder.

    Raises:
        SystemExit: the command failed, so there is nothing to measure.
    """
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process, peak), daemon=True)
    watcher.start()
    output, errors = process.communicate()
    seconds = time.perf_counter() - started
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed: {errors[-2000:]}")
    return Measured(seconds=seconds, peak_bytes=peak[0], output=output)


def _watch(process: "subprocess.Popen[str]", peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(_resident_bytes, _tree(process.pid))))
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


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0
