"""Connect to the database: engines, transactions, migration, and the translation of its errors."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from importlib.metadata import version
from itertools import count
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from vedette.errors import StoreError
from vedette.store import sqlite_files
from vedette.store.tables import META, METADATA
from vedette.store.url import EPHEMERAL, Server, server_of, sqlite_file, sqlite_timeout
from vedette.urls import is_in_memory, without

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0002"
"""The newest revision of the tables; a store that has it is opened without Alembic (a test compares it with the scripts)."""

VERSION_TABLE = "store_revision"
_WRITER_KEY = "vedette_version"
_IDENTITY_KEY = "identity"
_READ_ONLY = "vedette_read_only"
_BUSY_SECONDS = 30
_ATTEMPTS = 1_000
# With FULL, a commit is on the disk when it returns, so that whatever follows a commit can rely on it.
_PRAGMAS = (
    "busy_timeout = 30000",  # before WAL is set, which several may do at once
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "cache_size = -65536",
)
_READING_PRAGMAS = ("query_only = ON", "cache_size = -65536")
_WRITER_LOCK = 0x76656465  # "vede": any number that no other program locks


@contextmanager
def mapped_errors(place: str, action: str, secrets: Sequence[str] = ()) -> Iterator[None]:
    """Raise errors of the database as a ``StoreError``: ``the store PLACE cannot be ACTION (reason)``, without the secrets."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, UnicodeError) as error:
        raise StoreError(f"the store {place} cannot be {action} ({without(_reason(error), secrets)})") from error


def _reason(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    lines = text.strip().splitlines()
    return lines[0].rstrip(".") if lines else type(cause).__name__


def connect(url: str, *, create: bool) -> Engine:
    """Return an engine for a store, without connecting yet. One that cannot be written can be read, unless ``create`` is on.

    Raises:
        StoreError: the URL is not one of a store, its driver is not installed, or its file is missing and ``create`` is off.
        OSError: its file cannot be created.
    """
    path = sqlite_file(url)
    if path is not None:
        return _sqlite_file(path, sqlite_timeout(url, _BUSY_SECONDS), writable=sqlite_files.checked(path, create=create))
    return _sqlite_in_memory() if is_in_memory(url) else _postgresql(server_of(url))


def is_read_only(engine: Engine) -> bool:
    """Tell whether a store was opened for reading only, because its file or its folder cannot be written."""
    return bool(engine.get_execution_options().get(_READ_ONLY, False))


def _sqlite_in_memory() -> Engine:
    # every use must have the same connection
    engine = create_engine(EPHEMERAL, poolclass=StaticPool, connect_args={"check_same_thread": False})
    return _prepared(engine, _PRAGMAS)


def _sqlite_file(path: Path, seconds: float, *, writable: bool) -> Engine:
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve would follow links
    url = URL.create("sqlite", database=str(absolute))
    if writable:
        opened = partial(sqlite_files.connected_to_write, absolute, seconds)
        return _prepared(create_engine(url, creator=opened), (*_PRAGMAS, f"busy_timeout = {round(seconds * 1000)}"))
    opened = partial(sqlite_files.connected_to_read, absolute, seconds)
    return _prepared(create_engine(url, creator=opened, execution_options={_READ_ONLY: True}), _READING_PRAGMAS)


def _prepared(engine: Engine, pragmas: Sequence[str]) -> Engine:
    @event.listens_for(engine, "connect")
    def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself: see _begin
        cursor = connection.cursor()
        for pragma in pragmas:
            _set(cursor, pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock at once: a reader that became a writer would fail if another process wrote in between.
        immediate = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _set(cursor: DBAPICursor, pragma: str) -> None:
    """Set a pragma; where several open a new file at once, SQLite does not wait for the mode of its log to change."""
    for attempt in count():
        try:
            cursor.execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError:
            if attempt == _ATTEMPTS or not pragma.startswith("journal_mode"):
                raise
            sleep(_BUSY_SECONDS / _ATTEMPTS)
        else:
            return


def _postgresql(server: Server) -> Engine:
    named: dict[str, list[str]] = {}
    for name, value in server.parameters:
        named.setdefault(name, []).append(value)
    url = URL.create(
        "postgresql+psycopg",
        username=server.user or None,
        password=server.password or None,
        host=server.host or None,
        port=server.port,
        database=server.database or None,
        query={name: values[0] if len(values) == 1 else values for name, values in named.items()},
    )
    try:
        # Nothing is prepared: a prepared statement has one plan for all values, but some values are common and others rare.
        arguments = {"connect_timeout": _BUSY_SECONDS, "prepare_threshold": None}
        return create_engine(url, pool_pre_ping=True, connect_args=arguments)
    except ImportError as error:
        raise StoreError("a store on PostgreSQL needs psycopg: install vedette[postgres]") from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that will write: all or nothing, one writer at a time."""
    with engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _WRITER_LOCK})
        yield connection


def opened_and_prepared(url: str, place: str, *, create: bool) -> Engine:
    """Return an engine for a store whose tables are of the newest revision; one that cannot be upgraded is loaded into memory.

    Raises:
        StoreError: as ``connect`` and ``prepare``.
    """
    engine = connect(url, create=create)
    try:
        if is_read_only(engine) and _is_older(engine):
            engine = _upgraded_copy(engine, place)
        prepare(engine, place, create=create)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _is_older(engine: Engine) -> bool:
    with engine.begin() as connection:
        return revision_of(connection) not in {None, HEAD}


def _upgraded_copy(engine: Engine, place: str) -> Engine:
    """Load a file of an earlier build into memory and upgrade it there, for reading only."""
    copy = _sqlite_in_memory()
    with closing(engine.raw_connection()) as source, closing(copy.raw_connection()) as target:
        cast("sqlite3.Connection", source.driver_connection).backup(cast("sqlite3.Connection", target.driver_connection))
    engine.dispose()
    try:
        prepare(copy, place, create=False)
        with closing(copy.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA query_only = ON")
    except BaseException:
        copy.dispose()
        raise
    return copy.execution_options(**{_READ_ONLY: True})


def has_one_connection(engine: Engine) -> bool:
    """Tell whether all that use an engine share one connection, so that there can be only one transaction at a time."""
    return isinstance(engine.pool, StaticPool)


def prepare(engine: Engine, place: str, *, create: bool) -> None:
    """Bring the tables to the newest revision.

    Raises:
        StoreError: the database holds something else, was written by a newer version, or is empty and ``create`` is off.
    """
    with engine.begin() as connection:
        revision = revision_of(connection)
        if revision == HEAD:
            return
    if is_read_only(engine) and revision is None:
        raise StoreError(f"{place} does not contain a store of vedette, and cannot be written")
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
        make_identity(connection)


def make_identity(connection: Connection) -> None:
    """Give the store an identity unless it has one; the connection must be ``writing``."""
    if identity_of(connection) is None:
        connection.execute(META.insert().values(key=_IDENTITY_KEY, value=uuid4().hex))


def identity_of(connection: Connection) -> str | None:
    """Return what tells a store from all others, or None for one of an earlier build that has not been given it yet.

    A moved file keeps it, and so does a copy. A copy within a server has another one, because its database has another number.
    """
    known: str | None = connection.scalar(select(META.c.value).where(META.c.key == _IDENTITY_KEY))
    if known is None or connection.dialect.name != "postgresql":
        return known
    number = connection.scalar(text("select oid from pg_catalog.pg_database where datname = current_database()"))
    return f"{known}-{number}"


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
