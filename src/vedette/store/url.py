"""Where the files of a store lie: state folders belong to a store, and a store says where its own is."""

from pathlib import Path

from vedette.errors import StoreError

SQLITE_PREFIX = "sqlite:///"
EPHEMERAL = "sqlite://"
_SERVERS = ("postgresql://", "postgresql+psycopg://")


def state_folder(url: str, override: Path | None = None) -> Path | None:
    """Return the folder of the state files that go with a store, None for an ephemeral store.

    A SQLite file ``dir/vedette.db`` has ``dir/vedette.state`` beside it. A server has no place of its own, so it needs
    ``override``, which holds for every kind of store.

    Raises:
        StoreError: the URL is of no known kind, or names a server and there is no ``override``.
    """
    if override is not None:
        return override
    path = sqlite_file(url)
    if path is not None:
        return path.with_suffix(".state")
    if url.startswith(_SERVERS):
        shown = url.partition("://")[0]
        raise StoreError(f"a store on {shown} has no folder of its own: say where its state files are kept (state_folder)")
    return None


def is_ephemeral(url: str) -> bool:
    """Say whether a URL means a store in memory."""
    return url.partition("?")[0] in {EPHEMERAL, SQLITE_PREFIX, f"{SQLITE_PREFIX}:memory:"}


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite store, None for one in memory and for a server.

    Raises:
        StoreError: the URL is of no known kind.
    """
    if url.startswith(_SERVERS) or is_ephemeral(url):
        return None
    name = url.partition("?")[0]
    if name.startswith(SQLITE_PREFIX):
        return Path(name.removeprefix(SQLITE_PREFIX))
    shown = url.rpartition("@")[2] if "://" in url else url  # what stands before an @ may be a password
    hint = "" if "://" in url else f"; a file is written {SQLITE_PREFIX}{url}"
    raise StoreError(f"{shown!r} is no store: give sqlite:///FILE or postgresql+psycopg://HOST/DATABASE{hint}")
