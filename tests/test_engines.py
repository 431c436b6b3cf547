"""Two engines, one truth: the same bytes on the simulated account and on public logs; and what Spark alone must stand."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from caller_types import CALLERS
from engines import needs_spark
from ground_truth import PROBE, SCAN, expected, found, scanned
from notation import blob, calls
from patience import HUNG
from scanning import lists_of, scan
from standalone import cluster

from vedette.simulate import all_scenarios
from vedette.simulate.world import simulate
from vedette.sources import Span, list_blobs

pytest_plugins = ["sparks"]
pytestmark = pytest.mark.xdist_group("spark")


@pytest.mark.usefixtures("spark")
def test_the_simulated_account(tmp_path: Path) -> None:
    """Of flow records of version 5; those of version 2 are in the cases and the law of cutting."""
    simulate(sorted(all_scenarios()), tmp_path / "out", seed=3, flow_version=5)
    # Spark takes half a minute per slice for all types: many slices are cut for the types of listed callers alone.
    outcome = scanned(tmp_path / "out", engine="spark", slice_events=120_000, finding_types=(*CALLERS, SCAN, PROBE))
    assert outcome.report.slices > 1
    assert found(outcome) == expected(tmp_path / "out")
    one = scanned(tmp_path / "out", finding_types=(*CALLERS, SCAN, PROBE))
    assert outcome.text == one.text
    assert (outcome.report.ambiguous, outcome.report.silenced) == (one.report.ambiguous, one.report.silenced)


def calls_only() -> list[str]:
    """The scenarios of API calls, which are quick to play over days and to cut into many slices."""
    scenarios = all_scenarios().items()
    return sorted(name for name, item in scenarios if not item.quiet and set(item.findings) <= set(CALLERS))


@pytest.mark.usefixtures("spark")
def test_calls_of_days_in_many_slices(tmp_path: Path) -> None:
    simulate(calls_only(), tmp_path / "out", seed=3, days=2)
    shutil.rmtree(tmp_path / "out" / "AWSLogs" / "123456789012" / "vpcflowlogs")
    outcome = scanned(tmp_path / "out", engine="spark", slice_events=1_500, finding_types=CALLERS)
    assert outcome.report.slices > 1
    assert outcome.text == scanned(tmp_path / "out", finding_types=CALLERS).text
    assert {finding.seen.finding_type for finding in outcome.findings} == set(CALLERS)


@pytest.mark.usefixtures("spark")
def test_a_step_leaves_nothing_behind_in_the_session() -> None:
    """Views hold their plans, and these all that they have computed: a driver would fill up step by step."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.getOrCreate()
    before = session.sql("show tables").collect()
    outcome = scan(
        [blob(calls(["12:00 alice 198.51.100.7 ec2:DescribeVpcs"]))], lists_of({"tor": ["198.51.100.7"]}), engine="spark"
    )
    assert len(outcome.findings) == 1
    assert session.sql("show tables").collect() == before
    assert session.sparkContext._jsc.getPersistentRDDs().size() == 0


@pytest.mark.corpus
@pytest.mark.usefixtures("spark")
def test_all_public_trails(corpus: Path) -> None:
    folder = str(corpus / "cloudtrail")
    networks = [f"{number}.0.0.0/8" for number in range(1, 224)]
    everybody = lists_of({"custom": networks, "tor": networks[::2], "malicious": networks[::3]})
    one = scan(list_blobs(folder, Span()), everybody, emit_all_types=True, finding_types=CALLERS)
    other = scan(list_blobs(folder, Span()), everybody, emit_all_types=True, engine="spark", finding_types=CALLERS)
    assert {finding.seen.finding_type for finding in one.findings} == set(CALLERS)
    assert other.text == one.text
    assert (other.report.records, other.report.bad) == (one.report.records, one.report.bad)


def scan_in_process(folder: Path, out: Path, *options: str, environment: dict[str, str] | None = None) -> list[str]:
    return [
        sys.executable, "-m", "vedette", "scan", str(folder / "AWSLogs"), "--custom-list", str(folder / "lists" / "custom.txt"),
        "--tor-list", str(folder / "lists" / "tor.txt"), "--threat-list", str(folder / "lists" / "malicious.txt"),
        "--trusted-list", str(folder / "lists" / "trusted.txt"), "--output", str(out), "--format", "ndjson", *options,
    ]  # fmt: skip


@needs_spark
def test_an_executor_that_dies_changes_nothing(tmp_path: Path) -> None:
    simulate(calls_only(), tmp_path / "made", seed=4, days=3)
    shutil.rmtree(tmp_path / "made" / "AWSLogs" / "123456789012" / "vpcflowlogs")
    chosen = {**os.environ, "VEDETTE_FINDING_TYPES": ",".join(CALLERS)}
    command = scan_in_process(tmp_path / "made", tmp_path / "one.ndjson")
    subprocess.run(command, check=True, capture_output=True, timeout=HUNG, env=chosen)
    state = tmp_path / "state"
    (tmp_path / "cluster").mkdir()
    with cluster(tmp_path / "cluster", workers=2) as running:
        options = [
            "--engine",
            "spark",
            "--spark-master",
            running.master,
            "--spark-conf",
            f"spark.pyspark.python={sys.executable}",
        ]
        options += ["--spark-conf", "spark.executor.memory=512m", "--spark-conf", "spark.driver.memory=512m"]
        options += ["--store", str(tmp_path / "s.db")]
        environment = {**os.environ, "VEDETTE_STATE_FOLDER": str(state), "VEDETTE_SLICE_EVENTS": "2000"}
        environment |= {"VEDETTE_FINDING_TYPES": ",".join(CALLERS)}
        command = scan_in_process(tmp_path / "made", tmp_path / "other.ndjson", *options)
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        until = time.monotonic() + HUNG
        while time.monotonic() < until and not list(state.rglob("*.parquet")):  # a slice was folded: in the middle of it all
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
        victims = running.executors()
        assert len(victims) == 2
        os.kill(victims[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=HUNG)
    assert process.returncode == 0, errors
    assert (tmp_path / "other.ndjson").read_text() == (tmp_path / "one.ndjson").read_text()
    lines = (tmp_path / "one.ndjson").read_text().splitlines()
    assert len(lines) == len([truth for truth in expected(tmp_path / "made") if truth.finding_type in CALLERS]) > 1


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("import sys; sys.modules['pyspark'] = None", "vedette: pyspark is not installed: run pip install 'vedette[spark]'"),
        ("", "vedette: Spark needs a Java runtime, 17 or newer: install openjdk-17-jre-headless, or set JAVA_HOME"),
    ],
    ids=["no pyspark", "no Java"],
)
def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path, script: str, sentence: str) -> None:
    (tmp_path / "log.json").write_text(json.dumps({"Records": []}))
    start = f"{script}\nfrom vedette.cli import main; main(['scan', 'log.json', '--engine', 'spark'])"
    environment = {name: value for name, value in os.environ.items() if name not in {"JAVA_HOME", "PATH"}} | {
        "PATH": str(tmp_path)
    }
    command = [sys.executable, "-c", start]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=HUNG, check=False)
    assert (done.returncode, done.stderr.strip()) == (7, sentence)
