"""Read and set what the process's environment says besides the settings."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def java_home() -> str:
    """Return the environment variable JAVA_HOME, or ""."""
    return os.environ.get("JAVA_HOME", "")


def within_spark() -> bool:
    """Tell whether this process was started by spark-submit or by a notebook of a cluster."""
    return "SPARK_ENV_LOADED" in os.environ or "PYSPARK_GATEWAY_PORT" in os.environ


@contextmanager
def guarded_children() -> Iterator[None]:
    """Keep Python processes that are started meanwhile from importing modules from the working folder.

    A scan is often started in a folder with files that an attacker wrote.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before
