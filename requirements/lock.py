"""Write the locked requirement files of this folder from ``pyproject.toml``: pinned, with hashes, without any index.

``runtime.txt`` is what a user needs to build and run; ``dev.txt`` is that and what tests and checks need; ``docs.txt`` and
``bench.txt`` are what those need beside it. Run it as ``make lock``; add ``LOCK=--upgrade`` for newer releases of everything.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent
BUILD = ("editables", "hatchling")
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


def main(arguments: list[str]) -> None:
    """Lock each set of requirements; the later ones agree with the earlier ones."""
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = project["project"]["dependencies"]
    groups = project["dependency-groups"]
    lock("runtime.txt", [*runtime, *BUILD], (), arguments)
    lock("dev.txt", [*runtime, *groups["dev"]], ("runtime.txt",), arguments)
    lock("docs.txt", groups["docs"], ("dev.txt",), arguments)
    lock("bench.txt", groups["bench"], ("dev.txt",), arguments)


def lock(name: str, wanted: list[str], agreeing: tuple[str, ...], arguments: list[str]) -> None:
    """Write one file of pinned requirements that agrees with other files."""
    constraints = [f"-c {FOLDER / other}" for other in agreeing]
    subprocess.run(
        [sys.executable, "-m", "piptools", "compile", *OPTIONS, *arguments, "--output-file", str(FOLDER / name), "-"],
        input="\n".join([*wanted, *constraints]),
        text=True,
        check=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
