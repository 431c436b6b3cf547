"""Write the locked requirement files of this folder from ``pyproject.toml``: pinned, with hashes, without any index.

``runtime.txt`` is what a user needs to build and run; ``dev.txt`` is that and what tests and checks need; ``docs.txt`` and
``bench.txt`` are what those need besides. ``oldest-pip.txt`` is what ``make package`` installs them with, ``audit.txt`` the
advisories that ``make audit`` reads. Run it as ``make lock``; add ``LOCK=--upgrade`` for newer releases of everything.

pip installs these files without resolving, and so without asking whether they are complete: ``lock.py --complete REPORT…`` says
what they lack, according to pip's reports of what it has installed and what it would install from them.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDER = Path(__file__).parent
BUILD = ("editables", "hatchling")
# The first release of Python 3.11 came with pip 22.3, which does not run on later Pythons.
OLDEST_PIP = 'pip==22.3; python_version < "3.12"'
# The only distribution of the registry that brings advisories along: of 2021, and for non-commercial use. It is data, no code of
# it runs, and it is installed into a folder of its own.
ADVISORIES = "safety-db"
OPTIONS = (
    "--quiet",
    "--generate-hashes",
    "--allow-unsafe",
    "--strip-extras",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
    "--no-emit-find-links",
    "--no-emit-options",
)


@dataclass(frozen=True, slots=True)
class Lock:
    """A locked file: its name, what it must contain, and the locks that it builds on, with which it agrees."""

    name: str
    wanted: tuple[str, ...]
    below: tuple[str, ...] = ()

    def versions(self) -> dict[str, str]:
        """Return the locked version of each distribution of this file and of those that it builds on."""
        found: dict[str, str] = {}
        for name in (*self.below, self.name):
            found |= re.findall(r"^([a-z0-9.-]+)==(\S+)", (FOLDER / name).read_text(encoding="utf-8"), re.MULTILINE)
        return found


def locks() -> tuple[Lock, ...]:
    """Return the locks that ``pyproject.toml`` asks for; later ones build on earlier ones."""
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = tuple(project["project"]["dependencies"])
    groups = project["dependency-groups"]
    return (
        Lock("runtime.txt", (*runtime, *BUILD)),
        Lock("dev.txt", (*runtime, *groups["dev"]), ("runtime.txt",)),
        Lock("docs.txt", tuple(groups["docs"]), ("dev.txt",)),
        Lock("bench.txt", tuple(groups["bench"]), ("dev.txt",)),
    )


def missing(wanted: Iterable[str], versions: Mapping[str, str], requires: Callable[[str], Iterable[str]]) -> list[str]:
    """Return the requirements that no locked version meets, with what asks for them: of what is wanted, and of all that it needs.

    Extras are followed, and requirements for other machines or Pythons are left out, as pip does.
    """
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [(item, "pyproject.toml") for item in needed_here(wanted)]
    while waiting:
        requirement, source = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name not in versions or not requirement.specifier.contains(versions[name], prereleases=True):
            found.add(f"{requirement} (for {source})")
            continue
        for extra in {"", *requirement.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += [(item, name) for item in needed_here(requires(name), extra)]
    return sorted(found)


def needed_here(requirements: Iterable[str], extra: str = "") -> list[Requirement]:
    """Return those requirements that this machine and Python need for an extra, without one those that are always needed."""
    items = map(Requirement, requirements)
    return [item for item in items if item.marker is None or item.marker.evaluate({"extra": extra})]


def lacking(reports: Iterable[Path]) -> list[str]:
    """Return what each lock lacks, according to reports of ``pip inspect`` and ``pip install --dry-run --report``."""
    found = [json.loads(report.read_text(encoding="utf-8")) for report in reports]
    items = [item["metadata"] for report in found for item in report.get("installed", report.get("install"))]
    needed: dict[str, list[str]] = {canonicalize_name(item["name"]): item.get("requires_dist", []) for item in items}
    return [f"{lock.name}: {text}" for lock in locks() for text in missing(lock.wanted, lock.versions(), needed.__getitem__)]


def write(lock: Lock, options: list[str]) -> None:
    """Write a locked file, in agreement with those that it builds on."""
    constraints = [f"-c {FOLDER / name}" for name in lock.below]
    subprocess.run(
        [sys.executable, "-m", "piptools", "compile", *OPTIONS, *options, "--output-file", str(FOLDER / lock.name), "-"],
        input="\n".join([*lock.wanted, *constraints]),
        text=True,
        check=True,
    )


def main(arguments: list[str]) -> None:
    """Write every lock, or say what they lack."""
    if arguments[:1] == ["--complete"]:
        if faults := lacking(map(Path, arguments[1:])):
            sys.exit("\n".join(["locks are not complete; run make lock", *faults]))
        return
    for lock in (*locks(), Lock("oldest-pip.txt", (OLDEST_PIP,)), Lock("audit.txt", (ADVISORIES,))):
        write(lock, arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
