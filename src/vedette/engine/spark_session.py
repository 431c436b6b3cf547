"""Starts Spark, or takes the session that a cluster has started, and maps the errors of Spark to ours."""

import atexit
import logging
import re
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.resources import files
from subprocess import Popen, TimeoutExpired
from threading import current_thread, main_thread
from traceback import walk_tb
from typing import TYPE_CHECKING

from vedette.engine.faults import first_line, spark_fault
from vedette.engine.functions import FUNCTIONS
from vedette.errors import EngineError
from vedette.settings import java_home, within_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_JAVA_OPTIONS = "spark.driver.extraJavaOptions"
_JAVA_SECONDS = 5
_MASTER = re.compile(r"(local|yarn)\Z|local(-cluster)?\[|(spark|k8s)://.")
_ALWAYS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.adaptive.enabled": "true",
}
_LOCAL = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # Of the usual 200 partitions most would be empty on one machine.
    "spark.sql.shuffle.partitions": "4",
    "spark.ui.showConsoleProgress": "false",
    # What is broadcast or sorted takes whole pages of memory, of which a step holds many that are nearly empty.
    "spark.buffer.pageSize": "1m",
    # Nobody looks at what was planned and run, of which Spark would keep the last thousand.
    "spark.sql.ui.retainedExecutions": "5",
    "spark.ui.retainedJobs": "20",
    "spark.ui.retainedStages": "20",
    "spark.ui.retainedTasks": "1000",
    "spark.driver.memory": "2g",
}


def start(master: str, conf: Mapping[str, str], broadcast_limit: str) -> tuple["SparkSession", bool]:
    """Return a session with our functions, and whether it was started here; an active session is taken as it is.

    ``master`` is empty where the environment (spark-submit) chooses it.

    Raises:
        EngineError: pyspark or Java is missing, or Spark does not start.
    """
    try:
        from py4j.protocol import Py4JError  # noqa: PLC0415
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise EngineError("pyspark is not installed: run pip install 'vedette[spark]'") from error
    there = SparkSession.getActiveSession() is not None
    submitted = within_spark()
    chosen = master or ("" if submitted else "local[*]")
    _check(chosen, submitted=submitted)
    builder = SparkSession.builder.appName("vedette")
    options = {**_ALWAYS, "spark.sql.autoBroadcastJoinThreshold": broadcast_limit}
    if chosen:
        builder = builder.master(chosen)
    if chosen.startswith("local"):
        logging = files("vedette.engine") / "log4j2.properties"
        options |= _LOCAL | {"spark.pyspark.python": sys.executable}
        # Options of the user's are added to ours.
        conf = {**conf, _JAVA_OPTIONS: f"-Dlog4j2.configurationFile=file:{logging} {conf.get(_JAVA_OPTIONS, '')}".rstrip()}
    for name, value in {**options, **conf}.items():
        builder = builder.config(name, value)
    if not there:
        _silence_bridge()
        atexit.register(_end_java)
    try:
        with _own_handler(), _launching():
            session = builder.getOrCreate()
        # pyspark takes the Python of the executors from the environment only; a session's own setting is put in its place.
        if python := {**options, **conf}.get("spark.pyspark.python"):
            session.sparkContext.pythonExec = python
        for function in FUNCTIONS:
            head = f"{function.name}({function.parameter} {function.takes}) returns {function.returns}"
            session.sql(f"create or replace temporary function {head} return {function.spark}")
    except (PySparkException, Py4JError, OSError, RuntimeError, ValueError) as error:
        raise EngineError(f"Spark does not start on {chosen or 'the cluster'} ({first_line(error)})") from error
    return session, not there


def _check(master: str, *, submitted: bool) -> None:
    if master and not _MASTER.match(master):
        raise EngineError(f"Spark has no master {master!r}: name one such as local[4] or yarn, or the URL of a cluster")
    if not submitted and not _has_java():
        raise EngineError("Spark needs a Java runtime, 17 or newer: install openjdk-17-jre-headless, or set JAVA_HOME")


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Map what Spark raises; an error of ours on an executor comes back inside Spark's.

    Raises:
        EngineError: Spark failed, or an executor raised one.
    """
    from py4j.protocol import Py4JError  # noqa: PLC0415  # pyspark, and what comes with it, is an extra
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise EngineError(spark_fault(error)) from error


@contextmanager
def _own_handler() -> Iterator[None]:
    """Keep the handler of SIGINT, which Spark would replace by one of its own."""
    before = signal.getsignal(signal.SIGINT)
    yield
    if before is not None and current_thread() is main_thread():
        signal.signal(signal.SIGINT, before)


@contextmanager
def _launching() -> Iterator[None]:
    """Kill the Java process whose start is interrupted: nobody else knows of it yet."""
    try:
        yield
    except KeyboardInterrupt as error:
        for frame, _ in walk_tb(error.__traceback__):
            for process in frame.f_locals.values():
                if isinstance(process, Popen) and process.pid:
                    process.kill()
                    process.wait()
        raise


def _silence_bridge() -> None:
    """Keep the bridge to Java from printing a traceback when it is interrupted, or when Java is gone; errors of ours say that."""
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    logging.getLogger().addFilter(_is_not_of_bridge)


def _is_not_of_bridge(record: logging.LogRecord) -> bool:
    return "py4j" not in record.pathname


def _end_java() -> None:
    """Let the Java process end, and wait for it; by itself it would end some time after this one."""
    from pyspark import SparkContext

    process = getattr(SparkContext._gateway, "proc", None)  # noqa: SLF001
    if process is None:
        return
    with suppress(OSError):
        process.stdin.close()
    try:
        process.wait(_JAVA_SECONDS)
    except TimeoutExpired:
        process.kill()
        process.wait()


def _has_java() -> bool:
    home = java_home()
    return shutil.which("java", path=f"{home}/bin" if home else None) is not None
