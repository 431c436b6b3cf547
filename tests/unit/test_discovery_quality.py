"""The measurement of permission discovery: a small run of it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from patience import HUNG

ROOT = Path(__file__).parents[2]
OPTIONS = ("--no-write", "--principals", "20", "--days", "26", "--events-per-day", "300", "--attacks", "1")


@pytest.fixture(scope="module")
def page() -> str:
    """Return what a run of a small organisation with one attack prints."""
    command = [sys.executable, "-m", "bench.discovery", *OPTIONS]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=HUNG).stdout


def test_an_attack_is_found_and_counted(page: str) -> None:
    (row,) = (line for line in page.splitlines() if line.startswith("| stolen-user-key-cli |"))
    assert [cell.strip() for cell in row.split("|")[2:6]] == ["new network", "1", "1", "100.0 %"]
    assert "Attacks from a network new to the victim: 1 of 1 found, 100.0 %" in page
    assert "Missed attacks, with the highest score of their episode: none." in page


def test_everything_else_is_counted_by_days_and_told(page: str) -> None:
    """In so small an organisation travellers are the first from where they are: some are told of."""
    said = re.search(r"Findings without an attack: (\d+) in (\d+) principal-days", page)
    assert said
    count, days = map(int, said.groups())
    assert 0 < count <= 6
    assert 400 < days <= 20 * 26
    told = page.partition("Findings without an attack, by kind of principal and score:")[2].strip().splitlines()
    assert sum(int(times) for line in told if line for times in re.findall(r"\((\d+) times\)$", line) or ["1"]) == count
