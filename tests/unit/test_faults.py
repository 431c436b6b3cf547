"""What an engine fails of is said in one sentence without SQL; with --debug also what it said itself."""

import gzip
import json
from pathlib import Path

import duckdb
import pytest
from commands import run
from notation import calls

from vedette.engine.faults import duckdb_fault, spark_fault, written_fault

THEIRS = "attackers_text"


@pytest.fixture(autouse=True)
def _log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = ["12:00 alice 198.51.100.7 ec2:DescribeInstances"]
    Path("log.json.gz").write_bytes(gzip.compress(json.dumps({"Records": calls(lines)}).encode()))


def test_too_little_memory_is_advice_about_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEDETTE_MEMORY_LIMIT", "16MB")
    monkeypatch.setenv("VEDETTE_WORKERS", "1")
    ended = run("scan", "log.json.gz", "-q")
    sentence = "vedette: DuckDB ran out of memory: set memory_limit higher, or slice_events lower\n"
    assert (ended.status, ended.out, ended.err) == (7, "", sentence)
    ended = run("--debug", "scan", "log.json.gz", "-q")
    assert (ended.status, ended.err.endswith(sentence)) == (7, True)
    assert "Traceback (most recent call last):" in ended.err
    assert "OutOfMemoryException: Out of Memory Error" in ended.err


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        (f"select cast('{THEIRS}' as integer)", "conversion"),
        (f"select {THEIRS} from range(3)", "binder"),
        (f"select * from {THEIRS}", "catalog"),
        (f"select '{THEIRS}' from from", "parser"),
        ("select cast(9223372036854775807 as bigint) + 1", "out of range"),
        (f"select error('{THEIRS}')", "invalid input"),
    ],
)
def test_what_duckdb_says_is_not_shown(sql: str, kind: str) -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as raised:
        connection.execute(sql).fetchall()
    assert duckdb_fault(raised.value, Path("state")) == f"DuckDB failed ({kind}); vedette --debug shows what it says"


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with duckdb.connect(config={"temp_directory": str(tmp_path / "x"), "memory_limit": "64MB"}) as connection:
        connection.execute("set max_temp_directory_size = '1KB'")
        with pytest.raises(duckdb.Error) as raised:
            connection.execute("select count(distinct hash(range)) from range(30_000_000)").fetchall()
        assert duckdb_fault(raised.value, tmp_path).startswith(f"the disk is full at {tmp_path}, where DuckDB keeps ")
        with pytest.raises(duckdb.IOException) as raised:
            connection.execute("copy (select 1) to '/dev/full' (format parquet)")
    assert written_fault(raised.value) == "No space left on device"


TRACE = """An error occurred while calling o99.javaToPython.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 1.0 failed 1 times
\tat org.apache.spark.scheduler.DAGScheduler.failJobAndIndependentStages(DAGScheduler.scala:2785)
Caused by: {cause}
\tat java.base/java.lang.Thread.run(Thread.java:840)"""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (TRACE.format(cause="java.lang.OutOfMemoryError: Java heap space"), "Spark ran out of memory: give it more"),
        (
            TRACE.format(cause="java.io.IOException: No space left on device"),
            "the disk is full where Spark keeps what it computes",
        ),
        (TRACE.format(cause="vedette.errors.EngineError: part: is damaged"), "part: is damaged"),
        (
            TRACE.format(cause=f"java.lang.X: select {THEIRS}"),
            "Spark failed (SparkException); vedette --debug shows what it says",
        ),
        (
            f"[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column `{THEIRS}` cannot be resolved. line 1 pos 7;\n'Project",
            "Spark failed (UNRESOLVED_COLUMN.WITH_SUGGESTION); vedette --debug shows what it says",
        ),
        ("Answer from Java side is empty", "Spark has ended before its work was done: its Java process is gone"),
        ("", "Spark failed (RuntimeError); vedette --debug shows what it says"),
    ],
)
def test_what_spark_says_is_not_shown(said: str, told: str) -> None:
    sentence = spark_fault(RuntimeError(said))
    assert sentence.startswith(told)
    assert "\n" not in sentence
    assert THEIRS not in sentence


def test_an_error_that_nobody_expected_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise LookupError(THEIRS)

    monkeypatch.setattr("vedette.pipeline.knowledge.gather", broken)
    ended = run("scan", "log.json.gz", "-q")
    assert (ended.status, ended.err) == (
        1,
        "vedette: unexpected error (LookupError); please report what vedette --debug COMMAND shows\n",
    )
    assert f"LookupError: {THEIRS}" in run("--debug", "scan", "log.json.gz", "-q").err
