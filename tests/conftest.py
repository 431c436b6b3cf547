"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of public logs and lists beside the checkout (``VEDETTE_CORPUS`` overrides the place)."""
    place = Path(os.environ.get("VEDETTE_CORPUS") or Path(__file__).parents[2] / "shared" / "data")
    if not place.is_dir():
        pytest.skip(f"corpus not found at {place}: readers and lists were not tested on real logs")
    return place
