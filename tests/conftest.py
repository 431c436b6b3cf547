"""Fixtures that every test may use, and what a skip means."""

import json
import os
from collections.abc import Callable, Generator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import settings

from vedette.detections import all_detections
from vedette.findings import Finding, assemble, merge_all

# A test says how many examples are tried; how long one may take depends on the machine.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

CORPUS = Path(os.environ.get("VEDETTE_CORPUS") or Path(__file__).parents[2] / "shared" / "data")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of public logs and lists beside the checkout (``VEDETTE_CORPUS`` overrides the place)."""
    return CORPUS


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests on public logs where there are none: they are no part of a checkout, and nothing installs them."""
    if CORPUS.is_dir():
        return
    without = [item for item in items if "corpus" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in without]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not tested."""
    if not CORPUS.is_dir():
        terminalreporter.write_line(f"corpus not found at {CORPUS}: nothing was tested on public logs")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the goldens instead of comparing with them")
    parser.addoption("--fuzz-seed", type=int, help="feed the damaged inputs of a seed again; without it, those of a new one")
    parser.addoption("--fuzz-inputs", type=int, default=10_000, help="how many damaged inputs are fed (default: 10,000)")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a skip a failure where everything must be tested (``VEDETTE_TEST_REQUIRE=all``)."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("VEDETTE_TEST_REQUIRE") == "all":
        report.outcome = "failed"
        report.longrepr = (
            f"VEDETTE_TEST_REQUIRE=all: {report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr}"
        )
    return report


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the file of that name in ``tests/golden``, or write it (``--update-golden``)."""

    def check(name: str, text: str) -> None:
        path = Path(__file__).parent / "golden" / name
        if request.config.getoption("--update-golden"):
            path.write_text(text, encoding="utf-8", newline="")
        assert path.read_text(encoding="utf-8") == text, f"{name} changed; if that is meant: pytest --update-golden"

    return check


@pytest.fixture(scope="session")
def made_up_finding() -> Callable[[str], Finding]:
    """Make the finding of a name in ``tests/golden/caller_rows.json`` from its rows, as a scan would."""
    text = (Path(__file__).parent / "golden" / "caller_rows.json").read_text(encoding="utf-8")
    cases = json.loads(text, object_hook=_with_times)

    def make(name: str) -> Finding:
        case = cases[name]
        detection = all_detections()[case["finding_type"]]
        (seen,) = merge_all(detection.sighting({**case["common"], **row}) for row in case["rows"]).values()
        return assemble(seen, detection, case["thresholds"], existing=None, stamp=None)

    return make


def _with_times(row: dict[str, object]) -> dict[str, object]:
    """Return a row whose times are datetimes, as an engine returns them."""
    times = {"first_time", "last_time", "event_time", "as_of", "valid_from", "valid_to"}
    found = {name: datetime.fromisoformat(value) for name, value in row.items() if name in times and isinstance(value, str)}
    return {**row, **found}
