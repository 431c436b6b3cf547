"""Connect to the database: engines, transactions, migration, and the translation of its errors."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from vedette.errors import StoreError
from vedette.store.tables import META, METADATA
from vedette.store.url import EPHEMERAL, sqlite_file

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"
"""The newest revision of the tables; a store that has it is opened without Alembic (a test compares it with the scripts)."""

VERSION_TABLE = "store_revision"
_WRITER_KEY = "vedette_version"
_BUSY_SECONDS = 30
# With FULL, a commit is on the disk when it returns, so that whatever follows a commit can rely on it.
_PRAGMAS = (
    "busy_timeout = 30000",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "cache_size = -65536",
)
_WRITER_LOCK = 0x76656465  # "vede": any number that no other program locks


@contextmanager
def mapped_errors(place: str, action: str) -> Iterator[None]:
    """Raise errors of the database as a ``StoreError``: ``the store PLACE cannot be ACTION (reason)``."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, UnicodeError) as error:
        raise StoreError(f"the store {place} cannot be {action} ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(cause).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(cause).__name__


def display_name(url: str) -> str:
    """Return the name of a store for messages: its URL without a password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url.partition("://")[0]


def connect(url: str, *, create: bool) -> Engine:
    """Return an engine for a store, without connecting yet.

    Raises:
        StoreError: the URL is not one of a store, its driver is not installed, or its file is missing and ``create`` is off.
    """
    path = sqlite_file(url)
    if path is not None:
        _check_file(path, create=create)
    try:
        parsed = make_url(url)
        return _sqlite(parsed, path) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreError(f"the store {display_name(url)} cannot be opened ({_reason(error)})") from error


def _check_file(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise StoreError(f"the store {path} cannot be opened (it is a folder)")
    if not path.exists() and not create:
        raise StoreError(f"the store {path} does not exist")
    if not path.parent.is_dir():
        raise StoreError(f"the store {path} cannot be created (the folder {path.parent} does not exist)")


def _sqlite(url: URL, path: Path | None) -> Engine:
    if path is None:  # in memory: every use must have the same connection
        engine = create_engine(EPHEMERAL, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself: see _begin
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock at once: a reader that became a writer would fail if another process wrote in between.
        immediate = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    parsed = url.set(drivername="postgresql+psycopg")
    try:
        # Nothing is prepared: a prepared statement has one plan for all values, but some values are common and others rare.
        arguments = {"connect_timeout": _BUSY_SECONDS, "prepare_threshold": None}
        return create_engine(parsed, pool_pre_ping=True, connect_args=arguments)
    except ImportError as error:
        raise StoreError("a store on PostgreSQL needs psycopg: install vedette[postgres]") from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that will write: all or nothing, one writer at a time."""
    with engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _WRITER_LOCK})
        yield connection


def prepare(engine: Engine, place: str, *, create: bool) -> None:
    """Bring the tables to the newest revision.

    Raises:
        StoreError: the database holds something else, was written by a newer version, or is empty and ``create`` is off.
    """
    with engine.begin() as connection:
        if revision_of(connection) == HEAD:
            return
    with writing(engine) as connection:
        revision = revision_of(connection)  # again: another process may have migrated meanwhile
        if revision == HEAD:
            return
        if revision is None:
            _check_empty(connection, place, create=create)
        if place == EPHEMERAL:
            METADATA.create_all(connection)
        else:
            _upgrade(connection, place, revision)
        connection.execute(META.delete().where(META.c.key == _WRITER_KEY))
        connection.execute(META.insert().values(key=_WRITER_KEY, value=version("vedette")))


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the tables, or None if there are no tables of a store."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision: str | None = connection.scalar(text(f"select version_num from {VERSION_TABLE}"))
    return revision


def _check_empty(connection: Connection, place: str, *, create: bool) -> None:
    tables = inspect(connection).get_table_names()
    if tables:
        raise StoreError(f"{place} is not a store of vedette: it has a table {min(tables)!r}")
    if not create:
        raise StoreError(f"{place} does not contain a store of vedette yet")


def _upgrade(connection: Connection, place: str, revision: str | None) -> None:
    # Alembic takes 100 ms to import, and is rarely needed.
    from alembic import command  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = migration_config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        writer = connection.scalar(select(META.c.value).where(META.c.key == _WRITER_KEY))
        raise StoreError(
            f"{place} was written by a newer vedette ({writer or 'of unknown version'}): this one is {version('vedette')}"
            f" and knows its tables up to revision {HEAD}, not {revision}"
        )
    command.upgrade(config, "head")


def migration_config(connection: Connection) -> "Config":
    """Return Alembic's configuration for the migrations, which run on the given connection and in its transaction."""
    from alembic.config import Config  # noqa: PLC0415  # as above

    config = Config()
    folder = str(Path(__file__).parent / "migrations").replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
