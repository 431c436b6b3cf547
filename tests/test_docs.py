"""The documentation says all that it must, is generated from the code where it can be, and its links lead somewhere."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from patience import HUNG

import vedette
from vedette import errors
from vedette.cli import build
from vedette.detections import all_detections
from vedette.settings import Settings
from vedette.sources import all_sources
from vedette.terminal import command

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`]*`|<!-- \[\[\[cog.*?\]\]\] -->", re.DOTALL)


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_setting_is_documented() -> None:
    assert [name for name in Settings.model_fields if f"| `{name}` |" not in page("reference/settings.md")] == []


def test_every_command_is_documented() -> None:
    assert [name for name in _commands() if f"\n## {name}\n" not in page("reference/commands.md")] == []


def _commands() -> Iterator[str]:
    def below(group: object, names: tuple[str, ...]) -> Iterator[str]:
        if not (commands := getattr(group, "commands", None)):
            yield " ".join(names)
            return
        for name, one in commands.items():
            yield from below(one, (*names, name))

    return below(typer.main.get_command(build()), ("vedette",))


def test_every_command_shows_an_example() -> None:
    for section in re.split(r"\n(?=## )", page("reference/commands.md"))[1:]:
        assert "Example: vedette " in section, section.splitlines()[0]


def test_every_finding_type_is_documented() -> None:
    assert [name for name in all_detections() if f"`{name}`" not in page("index.md")] == []


def test_every_exit_status_is_documented() -> None:
    statuses = {value for error in _tree(errors.VedetteError) if isinstance(value := vars(error).get("exit_status"), int)}
    statuses |= {0, command.FAIL_ON_REACHED, command.STRICT_FAILED, command.INTERRUPTED, command.HUNG_UP, command.TERMINATED}
    documented = {int(status) for status in re.findall(r"^\| (\d+) \|", page("reference/exit-statuses.md"), re.MULTILINE)}
    assert documented == statuses


def _tree(error: type[BaseException]) -> Iterator[type[BaseException]]:
    yield error
    for below in error.__subclasses__():
        yield from _tree(below)


def test_every_source_is_documented() -> None:
    assert [scheme for scheme in all_sources() if scheme and f"`{scheme}://" not in page("guides/scan.md")] == []


def test_every_public_name_is_documented() -> None:
    assert [name for name in vedette.__all__ if f"| `{name}` |" not in page("reference/python.md")] == []


@pytest.mark.parametrize("path", [*PAGES, ROOT / "README.md"], ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    text = CODE.sub("", path.read_text(encoding="utf-8"))
    broken = []
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        if not there.exists() or (anchor and anchor not in _anchors(there)):
            broken.append(target)
    assert broken == []


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert [named(path) for path in PAGES if f": {path.relative_to(DOCS).as_posix()}\n" not in contents] == []


def test_generated_pages_are_up_to_date() -> None:
    generated = [str(path) for path in PAGES if "[[[cog" in path.read_text(encoding="utf-8")]
    result = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", *generated],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=HUNG,
    )
    assert result.returncode == 0, f"generated pages are out of date; run make fix\n{result.stdout}{result.stderr}"


def test_every_bound_is_documented() -> None:
    """What bounds an input is a constant whose name says so; those of the simulation bound nothing that comes from outside."""
    source = ROOT / "src" / "vedette"
    bound = re.compile(r"^(_?(?:MAX|MOST)_[A-Z_]+) *= *\(?\d", re.MULTILINE)
    limits = page("reference/limits.md")
    found = [
        f"vedette.{'.'.join(path.relative_to(source).with_suffix('').parts).removesuffix('.__init__')}:{name}"
        for path in sorted(source.rglob("*.py"))
        for name in bound.findall(path.read_text(encoding="utf-8"))
        if "simulate" not in path.parts
    ]
    assert len(found) > 20
    assert [place for place in found if f"\n{place} | " not in limits] == []
