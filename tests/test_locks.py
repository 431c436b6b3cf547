"""The locked requirements are complete: pip installs them without resolving, and so without asking."""

from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError
from importlib.metadata import requires as metadata_of

import pytest
from requirements.lock import FOLDER, Lock, locks, missing


def installed(name: str) -> Iterable[str]:
    """Return what an installed distribution requires; of those that are not installed here, make package asks pip."""
    try:
        return metadata_of(name) or ()
    except PackageNotFoundError:
        return ()


@pytest.mark.parametrize("lock", locks(), ids=lambda lock: lock.name)
def test_a_lock_holds_all_that_its_distributions_require(lock: Lock) -> None:
    assert missing(lock.wanted, lock.versions(), installed) == [], f"{lock.name} is not complete; run make lock"


def test_every_requirement_file_is_tried() -> None:
    assert {path.name for path in FOLDER.glob("*.txt")} == {*(lock.name for lock in locks()), "oldest-pip.txt", "audit.txt"}


NEEDS = {
    "pytest-cov": ("coverage[toml]>=7.10",),
    "coverage": ('tomli>=2; python_version < "3.0"', 'toml-reader; extra == "toml"', 'other; extra == "unasked"'),
    "toml-reader": (),
}


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({"pytest-cov": "6.0", "coverage": "7.10.6", "toml-reader": "1.0"}, []),
        ({"pytest-cov": "6.0", "coverage": "7.10.6"}, ['toml-reader; extra == "toml" (for coverage)']),
        ({"pytest-cov": "6.0", "coverage": "7.9", "toml-reader": "1.0"}, ["coverage[toml]>=7.10 (for pytest-cov)"]),
        ({"pytest-cov": "5.0", "coverage": "7.10.6"}, ["Pytest.Cov>=6 (for pyproject.toml)"]),
        ({}, ["Pytest.Cov>=6 (for pyproject.toml)"]),
    ],
    ids=["complete", "without what an extra needs", "too old", "older than declared", "empty"],
)
def test_what_is_missing_is_named_with_what_asks_for_it(versions: Mapping[str, str], expected: list[str]) -> None:
    assert missing(["Pytest.Cov>=6", 'never; sys_platform == "none"'], versions, NEEDS.__getitem__) == expected
