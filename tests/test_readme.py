"""The commands of the README, run in their order: they do what it shows."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import HUNG

from vedette.simulate.world import simulate

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
ANYTHING = "…"


def steps() -> Iterator[tuple[str, list[str]]]:
    """Yield each command with the output that is shown for it."""
    for block in BLOCKS:
        for part in re.split(r"(?m)^\$ ", block)[1:]:
            command, *output = part.splitlines()
            yield command, output


def recipe(target: str) -> str:
    """Return what make would run for a target when everything is installed."""
    stamps = ["-o", ".venv/.runtime", "-o", ".venv/.dev"]
    command = ["make", "--no-print-directory", "-C", str(ROOT), "-n", *stamps, target]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return lines.replace(".venv/bin/", "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with AWSLogs and addresses.txt, as a user has them: the made-up account's."""
    folder = tmp_path_factory.mktemp("readme")
    simulate(["company-day", "tor-caller", "malicious-caller", "custom-caller"], folder / "made", days=14)
    shutil.move(folder / "made" / "AWSLogs", folder / "AWSLogs")
    shutil.copy(folder / "made" / "lists" / "custom.txt", folder / "addresses.txt")
    return folder


def shown(output: str, expected: list[str]) -> bool:
    pattern = "".join("(?:.*\n)*?" if line == ANYTHING else re.escape(line) + "\n" for line in expected)
    return re.fullmatch(pattern, output) is not None


def test_the_commands_do_what_is_shown(folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = 0
    for command, expected in steps():
        if "pip install" in command:
            continue  # the wheel is built and installed by make package
        script = recipe(command.removeprefix("make ")) if command.startswith("make ") else command
        environment = {**os.environ, "PATH": path, "COLUMNS": "80"}
        done = subprocess.run(
            ["sh", "-ec", script],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=HUNG,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}"
        assert shown(done.stdout, expected) or (expected == [] and done.stdout == ""), f"{command} printed:\n{done.stdout}"
        ran += 1
    assert ran >= 8


def test_the_first_page_holds_what_a_newcomer_needs() -> None:
    first = "\n".join(README.splitlines()[:40])
    assert "make demo" in first
    assert "vedette scan AWSLogs" in first
