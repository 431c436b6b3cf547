"""Stores to test with: SQLite files, and databases of a PostgreSQL server that is started for the session where there is one.

A test module that wants the fixtures says ``pytest_plugins = ["databases"]``.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

NOT_INSTALLED = "PostgreSQL is not installed: the store was not tested on it"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Start a PostgreSQL server on a socket of its own; the fixture is its URL without a database."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    found = shutil.which("initdb")
    if not programs and found is None:
        pytest.skip(NOT_INSTALLED)
    binaries = programs[-1] if programs else Path(str(found)).resolve().parent
    # Not pytest's own folder: the server's user may not enter it, and a socket's path has to be short.
    folder = Path(tempfile.mkdtemp(prefix="vedette-pg-"))
    user = _server_user()
    if user:
        shutil.chown(folder, user)
    data, options = folder / "data", f"-k {folder} -c listen_addresses= -c fsync=off -c max_connections=50"
    try:
        _run([binaries / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--auth=trust", "--no-sync"], user)
        _run([binaries / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start"], user)
        try:
            yield f"postgresql+psycopg://postgres@/{{}}?host={folder}"
        finally:
            _run([binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _server_user() -> str | None:
    """Return as whom the server is run: it refuses to be root, and runs as whoever else we are."""
    return "postgres" if os.geteuid() == 0 else None


def _run(command: list[str | Path], user: str | None) -> None:
    # Output goes nowhere: the server inherits it, and whoever waits for its end would wait for the server's.
    subprocess.run(command, check=True, user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


_numbers = count()


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """Make an empty database, and drop it after the test."""
    name = f"test_{next(_numbers)}"
    engine = create_engine(postgresql_server.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name}"))
        yield postgresql_server.format(name)
        connection.execute(text(f"drop database {name} with (force)"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that does not exist yet, on each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/vedette.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url
