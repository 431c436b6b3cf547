"""Interpret the URL of a store: its kind, its file, and the folder of the state files that belong to it."""

from pathlib import Path

from vedette.errors import StoreError

SQLITE_PREFIX = "sqlite:///"
EPHEMERAL = "sqlite://"
_SERVERS = ("postgresql://", "postgresql+psycopg://")


def state_folder(url: str, override: Path | None = None) -> Path | None:
    """Return the folder of the state files that belong to a store, or None for an ephemeral store.

    For a SQLite file ``dir/vedette.db`` it is ``dir/vedette.state``. A database server has no such folder, so it needs
    ``override``, which applies to every kind of store.

    Raises:
        StoreError: the URL is not one of a store, or names a server and there is no ``override``.
    """
    if override is not None:
        return override
    path = sqlite_file(url)
    if path is not None:
        return path.with_suffix(".state")
    if url.startswith(_SERVERS):
        shown = url.partition("://")[0]
        raise StoreError(f"a store on {shown} has no folder of its own: set state_folder to the folder of its state files")
    return None


def is_ephemeral(url: str) -> bool:
    """Tell whether a URL names a store in memory."""
    return url.partition("?")[0] in {EPHEMERAL, SQLITE_PREFIX, f"{SQLITE_PREFIX}:memory:"}


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite store, or None for a store in memory or on a server.

    Raises:
        StoreError: the URL is not one of a store.
    """
    if url.startswith(_SERVERS) or is_ephemeral(url):
        return None
    name = url.partition("?")[0]
    if name.startswith(SQLITE_PREFIX):
        return Path(name.removeprefix(SQLITE_PREFIX))
    shown = url.rpartition("@")[2] if "://" in url else url  # the part before an @ may hold a password
    hint = "" if "://" in url else f"; for a file, write {SQLITE_PREFIX}{url}"
    raise StoreError(f"{shown!r} is not a store: give sqlite:///FILE or postgresql+psycopg://HOST/DATABASE{hint}")
