"""The design pages are true: every name in the walk of a record exists, and what the guide to extensions shows works."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring
from notation import calls
from patience import HUNG

from vedette.state import all_states
from vedette.views import BASE_TABLES, all_views

ROOT = Path(__file__).parents[1]
DESIGN = ROOT / "docs" / "design"
STEP = re.compile(r"^\| `(vedette[\w.]*)` \| `(\w+)` \|", re.MULTILINE)
FILE = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n\$ (.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1")


def page(name: str) -> str:
    return (DESIGN / name).read_text(encoding="utf-8")


def test_a_record_passes_functions_that_exist() -> None:
    walk = STEP.findall(page("architecture.md"))
    assert len(walk) > 20
    assert [f"{module}.{name}" for module, name in walk if not hasattr(import_module(module), name)] == []


@pytest.mark.parametrize("name", sorted(path.name for path in DESIGN.glob("*.md")))
def test_modules_that_a_page_names_exist(name: str) -> None:
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_0-9]+\.py|[a-z_]+\.py)`", page(name))
    places = (ROOT, ROOT / "src" / "vedette")
    assert [path for path in named if not any((place / path).is_file() for place in places)] == []


def test_names_in_the_picture_of_the_graph_exist() -> None:
    known = {*all_views(), *all_states(), *BASE_TABLES, "_before"}
    pictures = re.findall(r"^```text\n(.*?)^```$", page("sql-graph.md"), re.MULTILINE | re.DOTALL)
    named = {word for picture in pictures for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", picture)}
    assert len(named) > 25
    assert named - known == set()


@pytest.fixture
def extended(tmp_path: Path) -> Path:
    """A copy of the program and of the tests of cases, with the files of the guide in their places."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("cases", "support"):
        shutil.copytree(ROOT / "tests" / folder, tmp_path / "tests" / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tests/conftest.py", "tests/test_cases.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    files = FILE.findall(page("extending.md"))
    assert len(files) == 6
    for name, text in files:
        path = tmp_path / name
        assert path.parent.is_dir(), name
        assert not path.exists(), f"{name} is another module already"
        path.write_text(text, encoding="utf-8")
    return tmp_path


def run(extended: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(extended / "src"), "VEDETTE_TEST_REQUIRE": ""}
    return subprocess.run(
        [sys.executable, *command], cwd=extended, env=environment, capture_output=True, text=True, timeout=HUNG, check=False
    )


def test_the_guide_to_extensions_works(extended: Path) -> None:
    told = extended / "told.xml"
    chosen = ("-k", "region_sweep", f"--junit-xml={told}")
    tried = run(extended, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_cases.py", *chosen)
    assert tried.returncode == 0, tried.stdout
    (suite,) = fromstring(told.read_bytes()).iter("testsuite")
    counts = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": 2, "failures": 0, "errors": 0, "skipped": 0}, tried.stdout
    assert all("region_sweep" in case.attrib["name"] for case in suite.iter("testcase"))
    explained = run(extended, "-m", "vedette", "explain", "Recon:IAMUser/RegionSweep")
    assert explained.returncode == 0, explained.stderr
    assert "swept_regions = 5" in explained.stdout

    ((command, expected),) = CONSOLE.findall(page("extending.md"))
    lines = [f"12:0{number} alice 203.0.113.7 ec2:DescribeInstances region={region}" for number, region in enumerate(REGIONS)]
    (extended / "log.0").write_text(json.dumps({"Records": calls(lines)}), encoding="utf-8")
    (extended / "watched.pipes").write_text("address|category\n203.0.113.7|watched\n", encoding="utf-8")
    done = run(extended, "-m", *command.split())
    assert done.returncode == 0, done.stderr
    pattern = "".join(f"{re.escape(line)}\n" for line in expected.splitlines()).replace("…", '"[0-9a-f]{32}"')
    assert re.fullmatch(pattern, done.stdout), done.stdout
