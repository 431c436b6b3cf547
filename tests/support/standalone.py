"""A standalone Spark cluster on the loopback interface: a master and workers, as processes that end with the block."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from patience import HUNG

_CLASS = Path(str(files("pyspark"))) / "bin" / "spark-class"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster: its master's URL and the process ids of its workers."""

    master: str
    workers: tuple[int, ...]

    def executors(self) -> list[int]:
        """Return the process ids of the executors that run now."""
        return [pid for worker in self.workers for pid in _children(worker) if "CoarseGrainedExecutorBackend" in _command(pid)]


@contextmanager
def cluster(folder: Path, workers: int, *, cores: int = 1, memory: str = "1g") -> Iterator[Cluster]:
    """Run a master and some workers, and end them."""
    port = _free_port()
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_NO_DAEMONIZE": "1", "PYSPARK_PYTHON": sys.executable}
    master = f"spark://127.0.0.1:{port}"
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        log = (folder / f"{len(running)}.log").open("wb")
        command = [str(_CLASS), *arguments]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
        running.append(process)
        return process

    try:
        start("org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0")
        _wait(folder / "0.log", "Starting Spark master")
        pids = []
        for number in range(1, workers + 1):
            worker = start(
                "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--webui-port", "0",
                "--cores", str(cores), "--memory", memory, "--work-dir", str(folder / f"work{number}"), master,
            )  # fmt: skip
            _wait(folder / f"{number}.log", "Successfully registered with master")
            pids.append(worker.pid)
        yield Cluster(master, tuple(pids))
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            process.wait(timeout=HUNG)


def _wait(log: Path, text: str) -> None:
    until = time.monotonic() + HUNG
    while time.monotonic() < until:
        if text in log.read_text(errors="replace"):
            return
        time.sleep(0.1)
    raise TimeoutError(f"{log.name} never said {text!r}:\n{log.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            match = re.match(r"\d+ \(.*\) \S (\d+)", stat)
            if match and int(match.group(1)) == parent:
                found.append(int(entry.name))
    return found


def _command(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
