"""The engines that a test is run on: ``parametrize("engine", ENGINES, indirect=True)``, with the fixtures of ``sparks``."""

import shutil

import pytest

HAS_JAVA = shutil.which("java") is not None
UNTESTED = "no Java runtime is installed: nothing was tested on Spark"
needs_spark = pytest.mark.skipif(not HAS_JAVA, reason=UNTESTED)
ENGINES = ["duckdb", pytest.param("spark", marks=pytest.mark.xdist_group("spark"))]
