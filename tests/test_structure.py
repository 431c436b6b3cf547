"""The shape of the code: sizes, layers, dependencies, and what no file may hold."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from patience import HUNG

import vedette

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "vedette"
MODULES = sorted(PACKAGE.rglob("*.py"))
EXPORTED = ["__version__"]

MODULE_LINES = 400
FUNCTION_LINES = 40

# Imported names that their distribution does not list, or that come with a declared one by its own contract.
COMES_WITH = {"botocore": "boto3"}
FOR_TYPES_ONLY = {"mypy_boto3_s3"}


def named(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_a_module_is_small_and_says_what_it_is_for(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) < MODULE_LINES
    assert ast.get_docstring(tree(module))


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_functions_are_short(module: Path) -> None:
    functions = [node for node in ast.walk(tree(module)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert {node.name: _length(node) for node in functions if _length(node) > FUNCTION_LINES} == {}


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a body; a signature with an option a line, and the docstring, make nothing harder to follow."""
    first = function.body[1 if ast.get_docstring(function) and len(function.body) > 1 else 0]
    return (function.end_lineno or 0) - first.lineno + 1


@pytest.mark.parametrize("module", [path for path in MODULES if named(path) != "clock.py"], ids=named)
def test_only_the_clock_reads_the_time(module: Path) -> None:
    read = [
        f"line {node.lineno}: {ast.unparse(node.func)}()"
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"now", "utcnow", "today"}
        and ast.unparse(node.func.value) in {"datetime", "date", "datetime.datetime", "datetime.date"}
    ]
    assert read == []


@pytest.mark.parametrize("module", [path for path in MODULES if not named(path).startswith("settings/")], ids=named)
def test_only_the_settings_read_the_environment(module: Path) -> None:
    read = [
        node.lineno for node in ast.walk(tree(module)) if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    ]
    assert read == []


def test_modules_have_no_names_that_say_nothing() -> None:
    meaningless = {"utils", "util", "helpers", "helper", "common", "base", "manager", "impl", "misc"}
    assert [named(path) for path in MODULES if path.stem in meaningless] == []


PATCHERS = {"setattr", "delattr", "setitem", "delitem", "patch", "object"}


def patched(text: str) -> list[str]:
    """Return the names that a test's text replaces and ought not to: private ones, and the arguments of the process."""
    calls = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in PATCHERS
    ]
    whose = [ast.unparse(call.args[0]) for call in calls if call.args]
    which = [argument.value for call in calls for argument in call.args[:2] if isinstance(argument, ast.Constant)]
    names = [name.strip("'") for name in (*whose, *which) if isinstance(name, str)]
    return sorted({name for name in names if re.search(r"(^|\.)(_[A-Za-z]|argv$)", name)})


def test_no_test_replaces_a_private_name_or_the_arguments_of_the_process() -> None:
    """A test that needs another limit gives it as an argument; one that runs a command uses ``commands.run``."""
    found = {path.name: patched(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "tests").rglob("*.py"))}
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('monkeypatch.setattr("vedette.engine.spool._PART_ROWS", 3)', ["vedette.engine.spool._PART_ROWS"]),
        ('monkeypatch.setattr(selection, "_FEW", 3)', ["_FEW"]),
        ('patch.object(aws._client, "get", 3)', ["aws._client"]),
        ('setattr(sys, "argv", [])', ["argv"]),
        ('monkeypatch.setattr(sys, "stdin", file)', []),
        ('monkeypatch.setattr("vedette.baseline.remembered", _near)', []),
    ],
)
def test_replaced_names_are_found(text: str, found: list[str]) -> None:
    assert patched(text) == found


def test_the_public_surface_is_pinned() -> None:
    assert vedette.__all__ == EXPORTED
    assert all(hasattr(vedette, name) for name in EXPORTED)


def test_the_version_is_the_packages() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", vedette.__version__)


def test_import_contracts_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([program, "--no-logo"], cwd=ROOT, check=False, capture_output=True, text=True, timeout=HUNG)
    assert result.returncode == 0, result.stdout + result.stderr


def _imported() -> dict[str, set[str]]:
    """Return the modules by the top-level name of what they import, without the standard library and ourselves."""
    found: dict[str, set[str]] = {}
    for path in MODULES:
        for node in ast.walk(tree(path)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            for name in names:
                found.setdefault(name.partition(".")[0], set()).add(named(path))
    own = {"vedette"} | sys.stdlib_module_names | FOR_TYPES_ONLY
    return {name: modules for name, modules in found.items() if name not in own}


def _declared() -> tuple[set[str], set[str]]:
    """Return the distributions that must be there, and those of extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project.get("optional-dependencies", {}).values() for line in lines]
    return {_distribution(line) for line in project["dependencies"]}, {_distribution(line) for line in extras}


def _distribution(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_what_is_imported_is_declared_and_the_other_way_round() -> None:
    distributions = packages_distributions()
    imported = {
        COMES_WITH.get(name) or distributions.get(name, [f"{name} (not installed)"])[0].lower().replace("_", "-"): modules
        for name, modules in _imported().items()
    }
    needed, extras = _declared()
    undeclared = {name: sorted(modules) for name, modules in imported.items() if name not in needed | extras}
    assert undeclared == {}, "imported, but no dependency in pyproject.toml"
    assert sorted(needed - set(imported)) == [], "dependencies in pyproject.toml that nothing imports"


def test_what_is_locked_is_what_is_declared() -> None:
    needed, _ = _declared()
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    wanted = {"runtime": needed, **{name: {_distribution(line) for line in lines} for name, lines in groups.items()}}
    for name, distributions in wanted.items():
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        locked = set(re.findall(r"^([a-z0-9.-]+)==", text, re.MULTILINE))
        assert sorted(distributions - locked) == [], f"requirements/{name}.txt is out of date; run make lock"
        pins = re.split(r"^(?=[a-z0-9.-]+==)", text.strip(), flags=re.MULTILINE)
        assert [pin.partition(" ")[0] for pin in pins if pin and "--hash=sha256:" not in pin] == []


def _tracked() -> Iterator[tuple[str, str]]:
    """Yield name and text of each file that is, or could be, committed; git leaves out what it ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=HUNG,
    )
    if listed.returncode:
        pytest.skip("no git repository here: what its files hold was not tested")
    for name in sorted(filter(None, listed.stdout.split("\0"))):
        path = ROOT / name
        if path.is_file():
            yield name, path.read_bytes().decode("utf-8", "replace")


def test_what_is_skipped_fails_where_all_is_required(tmp_path: Path) -> None:
    case = tmp_path / "test_skip.py"
    case.write_text(
        "import pytest\n\ndef test_it():\n    pytest.skip('no such service: the thing was not tested')\n", encoding="utf-8"
    )
    outcomes = []
    for require in ("", "all"):
        environment = {**os.environ, "VEDETTE_TEST_REQUIRE": require, "PYTHONPATH": str(ROOT / "tests")}
        result = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "conftest",
                "-p",
                "no:cacheprovider",
                f"--rootdir={tmp_path}",
                str(case),
            ],
            check=False,
            capture_output=True,
            text=True,
            timeout=HUNG,
            env=environment,
            cwd=tmp_path,
        )
        outcomes.append((result.returncode, "the thing was not tested" in result.stdout))
    assert outcomes == [(0, False), (1, True)]


# Written in pieces, so that this file passes its own test.
REGISTRIES = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "deb." + "debian.org",
    "repo." + "maven",
    "crates" + ".io",
)
INDEX_LINE = re.compile(
    r"^\s*(?:-i|--index-url|--extra-index-url|--find-links|--trusted-host|index-url|extra-index-url)\b", re.MULTILINE
)
MACHINE_PATH = re.compile(r"(?<![\w.$}~/-])/(?:work|root|home/\w+|Users/\w+)(?:/|\b(?=[\s'\"`]))")
SECRET = re.compile(
    r"AKIA(?!IOSFODNN7EXAMPLE|I44QH8DHBEXAMPLE)[A-Z2-7]{16}\b(?<!EXAMPLE)|-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----"
)


def test_no_file_names_a_registry_a_machine_or_a_secret() -> None:
    faults = []
    for name, text in _tracked():
        faults.extend(f"{name}: {host}" for host in REGISTRIES if host in text)
        for pattern in (INDEX_LINE, MACHINE_PATH, SECRET):
            faults.extend(f"{name}: {match.group()!r}" for match in pattern.finditer(text))
    assert faults == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (INDEX_LINE, "--index-" + "url https://example.com/simple"),
        (MACHINE_PATH, "see " + "/wo" + "rk/main/README.md"),
        (MACHINE_PATH, 'open("' + "/ro" + 'ot/.config")'),
        (SECRET, "AKIA" + "ABCDEFGHIJKLMNOP"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "a frame" + "/wo" + "rk of rules, s3://bucket/ro" + "ot/x, the site /homes/"),
        (SECRET, "AKIAIOSFODNN7EXAMPLE"),
        (INDEX_LINE, "pip reads --index-" + "url from its settings"),
    ],
)
def test_the_patterns_leave_the_rest_alone(pattern: re.Pattern[str], text: str) -> None:
    assert not pattern.search(text)
