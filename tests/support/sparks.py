"""A Spark session for a whole run of the tests, on two cores of this machine; ``pytest_plugins = ["sparks"]`` brings it."""

from collections.abc import Iterator

import pytest
from engines import HAS_JAVA, UNTESTED
from quick_spark import QUICK

from vedette.engine.spark_session import start


@pytest.fixture(scope="session")
def spark() -> Iterator[None]:
    """Hold a session, which every scan with the Spark engine then takes."""
    if not HAS_JAVA:
        pytest.skip(UNTESTED)
    session, _ = start("local[2]", QUICK, "10MB")
    yield
    session.stop()


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """The engine that the test is run on."""
    if request.param == "spark":
        request.getfixturevalue("spark")
    return str(request.param)
