"""Commands that die by SIGKILL at a named point, and run again: ``python killing.py SEED FOLDER``.

Each command runs in a child of this process, which has imported everything and started no thread. A point is named after what is
about to happen, or has just happened, there; a command passes some points many times. One passing is chosen at random, where the
child dies; a second child runs the same command. A line of JSON per kill says where it died, and what was not as it should be.
"""

import atexit
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from killed_worlds import SETUPS, Setup, build, faults, grow, leftovers, world
from sqlalchemy import Engine, event

import vedette
from vedette import aws, cli, clock
from vedette.aws import Connection
from vedette.baseline import carry
from vedette.cli import scan
from vedette.engine import duckdb, spool
from vedette.intel import lists
from vedette.inventory import pull
from vedette.pipeline import run, state_place
from vedette.state_files import folder
from vedette.store import Store

OTHERS = ("alembic.command", "alembic.script", "alembic.config", "alembic.autogenerate", "alembic.runtime.migration", "boto3")
NOW = datetime(2026, 3, 20, tzinfo=UTC)
SETTINGS = {"BUNDLED_LISTS": "false", "SLICE_EVENTS": "30", "WORKERS": "1"}
AWS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}
Point = tuple[str, int]


@dataclass(slots=True)
class Points:
    """Counts the passings of points, and dies at one of them."""

    deadly: Point | None
    passed: Counter[str]

    def passing(self, name: str) -> None:
        """Pass a point."""
        self.passed[name] += 1
        if self.deadly == (name, self.passed[name]):
            os.kill(os.getpid(), signal.SIGKILL)

    def half(self, path: Path, name: str) -> None:
        """Pass a point at which only half of a file has been written."""
        if self.deadly == (name, self.passed[name] + 1):
            os.truncate(path, path.stat().st_size // 2)
        self.passing(name)

    def around(self, owner: object, attribute: str, name: str) -> None:
        """Make two points of a function: before it and after it."""
        whole = getattr(owner, attribute)

        def watched(*arguments: object, **named: object) -> object:
            self.passing(f"before {name}")
            result = whole(*arguments, **named)
            self.passing(f"after {name}")
            return result

        setattr(owner, attribute, watched)

    def install(self) -> None:
        """Make points of everything that writes, and of what comes between."""
        for owner, attribute, name in (
            (Store, "commit", "a commit"),
            (Store, "put_list", "a list is stored"),
            (Path, "replace", "a draft gets its name"),
            (Path, "unlink", "a file is removed"),
            (run, "sweep", "the sweep"),
            (folder, "sweep", "the sweep"),
            (spool, "read_group", "a group is read"),
            (lists, "load_list", "a list is read"),
            (carry, "_read", "a table of a baseline is read"),
            (pull, "response", "an answer of EC2"),
            (state_place, "claim", "the folder is claimed"),
            (scan, "print_findings", "findings are printed"),
        ):
            self.around(owner, attribute, name)
        copy, write, opened = duckdb._write_file, pq.write_table, pa.OSFile
        points = self

        class Drafted(opened):  # type: ignore[misc, valid-type]
            """A file that may be only half there when its process dies."""

            def __init__(self, path: str | bytes, mode: str) -> None:  # noqa: ARG002 - Arrow has opened it
                self.path = Path(os.fsdecode(path))

            def __exit__(self, *error: object) -> None:
                super().__exit__(*error)
                points.half(self.path, "half of a draft")

        def copied(cursor: Any, query: str, path: Path) -> None:  # noqa: ANN401 - DuckDB's
            points.passing("before a state file")
            copy(cursor, query, path)
            points.half(path, "half of a state file")

        def written(rows: pa.Table, file: Any, **named: Any) -> None:  # noqa: ANN401 - Arrow's
            write(rows, file, **named)
            points.passing("a table is written")

        duckdb._write_file, pq.write_table, pa.OSFile = copied, written, Drafted  # type: ignore[misc, assignment]
        event.listen(Engine, "before_cursor_execute", lambda *_: points.passing("a statement"))
        event.listen(Engine, "commit", lambda *_: points.passing("the end of a transaction"))


def child(place: Path, arguments: tuple[str, ...], types: str, deadly: Point | None = None) -> Counter[str]:
    """Run a command in a child, and return the points that it passed; none if it was to die, and died."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        status = 70
        try:
            status = _run(place, arguments, types, Points(deadly, Counter()), writing)
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as told:
        text = told.read()
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if status != (-signal.SIGKILL if deadly else 0):
        raise RuntimeError(f"{arguments} ended with {status}, to be killed at {deadly}: {(place / 'errors').read_text()[-2000:]}")
    return Counter(json.loads(text or "{}"))


def _run(place: Path, arguments: tuple[str, ...], types: str, points: Points, told: int) -> int:
    os.chdir(place)
    os.environ.update({f"VEDETTE_{name}": value for name, value in SETTINGS.items()})
    if types:
        os.environ["VEDETTE_FINDING_TYPES"] = types
    tempfile.tempdir = str(place / "tmp")
    clock.now = lambda: NOW
    errors = os.open("errors", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    os.dup2(errors, 1)
    os.dup2(errors, 2)
    sys.stdin = io.TextIOWrapper(io.BytesIO((place / "piped").read_bytes()))
    points.install()
    try:
        cli.main(["--debug", *arguments])
    except SystemExit as end:
        if end.code:
            return int(end.code)
    atexit._run_exitfuncs()
    os.write(told, json.dumps(points.passed).encode())
    return 0


def kill(setup: Setup, template: Path, expected: dict[str, Any], deadly: Point) -> list[str]:
    """Kill a command at a point and run it again; return what is not as if nothing had happened."""
    place = template.with_name("killed")
    shutil.copytree(template, place)
    child(place, setup.command, setup.types, deadly)
    wrong = faults(place)
    child(place, setup.command, setup.types)
    found = world(place)
    wrong += [f"other: {name}" for name in sorted({*expected, *found}) if found.get(name) != expected.get(name)]
    wrong += [f"left: {name}" for name in leftovers(place)]
    shutil.rmtree(place)
    return wrong


def run_all(chosen: random.Random, place: Path) -> None:
    """Kill every command as often as its setup says."""
    for setup in SETUPS:
        template, clean = place / "template", place / "clean"
        build(template)
        for arguments in setup.before:
            if arguments == ("grow",):
                grow(template)
            else:
                child(template, arguments, setup.types)
        shutil.copytree(template, clean)
        passed = child(clean, setup.command, setup.types)
        expected = world(clean)
        assert not leftovers(clean), leftovers(clean)
        for _ in range(setup.kills):
            name = chosen.choice(sorted(passed))
            deadly = name, chosen.randint(1, passed[name])
            wrong = kill(setup, template, expected, deadly)
            sys.stdout.write(json.dumps({"command": setup.name, "point": deadly, "wrong": wrong}) + "\n")
        shutil.rmtree(template)
        shutil.rmtree(clean)


def main(seed: str, place: str) -> None:
    """Prepare this process, and run all."""
    for name in (*OTHERS, *(module.name for module in walk_packages(vedette.__path__, "vedette."))):
        if not name.endswith(("__main__", "spark", "spark_session", "env")) and ".versions" not in name:
            import_module(name)
    os.environ.update(AWS)
    clients = {service: aws._client(service, Connection(region="us-east-1"), 0) for service in ("ec2", "sts")}
    aws._client = lambda service, *_: clients[service]  # type: ignore[assignment]  # they have no socket yet
    threads = len(list(Path("/proc/self/task").iterdir()))
    assert threads == 1, f"{threads} threads: a child would not have them"
    run_all(random.Random(int(seed)), Path(place))


if __name__ == "__main__":
    main(*sys.argv[1:])
