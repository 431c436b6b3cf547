"""The measurement of how well scans are told apart from ordinary life: a small run of it."""

import subprocess
import sys
from pathlib import Path

import pytest
from patience import HUNG

ROOT = Path(__file__).parents[2]
SCANS = ("nmap -F, 100 ports", "one port of a host every 60 s, 5 % open", "3 to 5 ports of a host")
LIVES = ("dead database, 400 retries per day", "server that is scanned")


@pytest.fixture(scope="module")
def page() -> str:
    """Return what a run prints that plays two of each scan and one actor of each life."""
    options = ["--no-write", "--batches", "1", "--processes", "1", "--scale", "0.02", "--actors", "1", "--only", *SCANS, *LIVES]
    command = [sys.executable, "-m", "bench.quality", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=HUNG).stdout


def cells(page: str, name: str) -> list[str]:
    row = next(line for line in page.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in row.split("|")[2:-1]]


def test_a_scan_in_the_middle_of_a_slice_of_days_is_found_and_timed(page: str) -> None:
    scans, found, recall, delay, probes, rules = cells(page, "nmap -F, 100 ports")
    assert (scans, found, recall) == ("2", "2", "100.0%")
    assert delay.endswith(" s")
    assert 20 <= int(probes) <= 100
    assert "vertical_fast 2" in rules


def test_a_patient_scan_is_found_after_as_many_probes_as_its_rule_needs(page: str) -> None:
    _, _, recall, delay, probes, rules = cells(page, "one port of a host every 60 s, 5 % open")
    assert recall == "100.0%"
    assert 25 <= float(delay.removesuffix(" min")) <= 60
    assert 25 <= int(probes) <= 60
    assert "vertical_medium 1" in rules


def test_a_miss_is_counted_and_listed_with_what_was_done(page: str) -> None:
    assert cells(page, "3 to 5 ports of a host")[:3] == ["1", "0", "0.0%"]
    missed = page.partition("Missed scans:")[2]
    assert "- 3 to 5 ports of a host (1): fewer ports than any rule counts. " in missed
    assert " ports of 1 host (" in missed


@pytest.mark.parametrize("name", LIVES)
def test_ordinary_life_is_counted_in_days(page: str, name: str) -> None:
    assert cells(page, name) == ["5", "0"]
