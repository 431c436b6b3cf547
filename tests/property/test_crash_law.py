"""kill -9 before a commit on Spark, and a run again: the store is as if nothing had happened."""

import gzip
import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from engines import needs_spark
from notation import call
from patience import HUNG

from vedette.findings import Finding
from vedette.store import Store, state_folder

SCRIPT = Path(__file__).parents[1] / "support" / "crashing.py"
START = datetime(2026, 3, 14, tzinfo=UTC)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight hourly files of eight calls each, so that a slice of twenty ends between files."""
    folder = tmp_path_factory.mktemp("logs")
    for hour in range(8):
        lines = [
            f"{START + timedelta(hours=hour, minutes=7 * number):%Y-%m-%dT%H:%M:%SZ} {who} {address} ec2:DescribeInstances"
            for number, (who, address) in enumerate(
                [("alice", "198.51.100.7"), ("bob", "198.51.100.9"), ("carol", "203.0.113.1"), ("role:A/b", "198.51.100.7")] * 2
            )
        ]
        records = [call(line, number + 100 * hour) for number, line in enumerate(lines)]
        delivered = START + timedelta(hours=hour + 1)
        name = f"123456789012_CloudTrail_us-east-1_{delivered:%Y%m%dT%H%MZ}_{hour:016}.json.gz"
        (folder / name).write_bytes(gzip.compress(json.dumps({"Records": records}).encode(), mtime=0))
    return folder


def run(store: Path, logs: Path, commit: int, moment: str, engine: str = "duckdb") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), f"sqlite:///{store}", str(logs), str(commit), moment, engine]
    return subprocess.run(command, capture_output=True, text=True, timeout=HUNG, check=False)


def world(store: Path) -> tuple[list[Finding], tuple[object, ...], set[str]]:
    """The findings, what was folded up to when, and the files that lie in the state folder."""
    with Store.open(f"sqlite:///{store}", create=False) as opened:
        findings = sorted(opened.findings(limit=None), key=lambda finding: finding.id)
        generation = opened.generation()
    assert generation is not None
    folder = state_folder(f"sqlite:///{store}")
    assert folder is not None
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in {".arrow", ".parquet"}}
    assert files == generation.files()
    rows = {name: sum(part.rows for part in parts) for name, parts in generation.states.items()}
    return findings, (generation.watermark, rows, generation.pending), files


@needs_spark
@pytest.mark.xdist_group("spark")
def test_a_killed_run_on_spark_goes_on_where_it_stopped(tmp_path: Path, logs: Path) -> None:
    """Before a commit the executors have left files; what is after it is the store's, and tested with DuckDB."""
    assert run(tmp_path / "clean.db", logs, 0, "never").returncode == 0
    killed = run(tmp_path / "s.db", logs, 2, "before", "spark")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = run(tmp_path / "s.db", logs, 0, "never", "spark")
    assert again.returncode == 0, again.stderr
    findings, (watermark, _, pending), _ = world(tmp_path / "clean.db")
    found, (resumed, _, waiting), _ = world(tmp_path / "s.db")
    assert found == findings
    assert (resumed, waiting) == (watermark, pending)
