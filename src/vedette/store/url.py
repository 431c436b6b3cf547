"""Interpret the URL of a store: its kind, its file or server, and the folder of the state files that belong to it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from vedette.errors import StoreError
from vedette.urls import SQLITE, file_of, file_url, is_in_memory, is_url, masked

EPHEMERAL = "sqlite://"
STATE_SUFFIX = ".state"
_SERVERS = ("postgresql://", "postgresql+psycopg://")
_HOST = re.compile(r"[\w.\-]*|\[[0-9A-Fa-f:.]+(?:%\w+)?\]")
_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What the URL of a store on a database server names; what it leaves out is "", or None for the port."""

    user: str
    password: str
    host: str
    port: int | None
    database: str
    parameters: tuple[tuple[str, str], ...]


def url_of(name: str) -> str:
    """Return the URL of the store that a user calls so: a URL, or the name of a SQLite file, in which no character is special."""
    return name if is_url(name) or not name else file_url(name)


def shown(url: str) -> str:
    """Return the name of a store as a user writes it, without what is secret in it."""
    return file_of(url) if url.startswith(SQLITE) and not is_in_memory(url) else masked(url)


def state_folder(url: str, override: Path | None = None) -> Path | None:
    """Return the folder of the state files that belong to a store, or None for an ephemeral store.

    For a SQLite file ``dir/vedette.db`` it is ``dir/vedette.db.state``; a link leads to that of the file itself. A database
    server has no such folder, so it needs ``override``, which applies to every kind of store.

    Raises:
        StoreError: the URL is not one of a store, or names a server and there is no ``override``.
    """
    if override is not None:
        return override
    path = sqlite_file(url)
    if path is not None:
        path = Path(os.path.realpath(path)) if path.is_symlink() else path
        return path.with_name(path.name + STATE_SUFFIX)
    if url.startswith(_SERVERS):
        kind = url.partition("://")[0]
        raise StoreError(f"a store on {kind} has no folder of its own: set state_folder to the folder of its state files")
    return None


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite store, or None for a store in memory or on a server.

    Raises:
        StoreError: the URL is not one of a store.
    """
    if url.startswith(_SERVERS) or is_in_memory(url):
        return None
    if url.startswith(SQLITE):
        name = file_of(url)
        if "\0" in name or Path(name).name in {"", ".."}:
            raise StoreError(f"{name!r} is not the name of a file, so it cannot be a store")
        return Path(name)
    hint = "" if is_url(url) else f"; for a file, write {SQLITE}{url}"
    raise StoreError(f"{masked(url)!r} is not a store: give sqlite:///FILE or postgresql+psycopg://HOST/DATABASE{hint}")


def sqlite_timeout(url: str, default: float) -> float:
    """Return how many seconds a SQLite store waits for other writers: the parameter ``timeout`` of its URL, or the default.

    Raises:
        StoreError: the URL has another parameter, or this one is no number of seconds.
    """
    given = dict(parse_qsl(url.partition("?")[2], keep_blank_values=True))
    text = given.pop("timeout", None)
    if given:
        raise StoreError(f"the store {shown(url)}: a SQLite file has no parameter {min(given)!r}, only timeout")
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", text, re.ASCII):
        raise StoreError(f"the store {shown(url)}: timeout is a number of seconds, not {text!r}")
    return float(text)


def server_of(url: str) -> Server:
    """Return what the URL of a store on a server says.

    It is taken apart here, strictly: whoever guesses where a password ends shows a part of it in a message.

    Raises:
        StoreError: a character has to be percent-encoded, or the host or the port is none.
    """
    rest = url.partition("://")[2]
    place, question, query = rest.partition("?")
    authority, _, database = place.partition("/")
    if "@" in database or "@" in query or (question and "@" not in authority and ":" in authority and "=" not in query):
        raise StoreError(
            f"the store {masked(url)} cannot be opened: in its user name, password and parameters, write @ as %40, / as %2F,"
            " : as %3A and ? as %3F"
        )
    account, _, address = authority.rpartition("@")
    user, _, password = account.partition(":")
    host, _, port = address.rpartition(":") if ":" in address.rpartition("]")[2] else (address, "", "")
    if port and not (re.fullmatch(r"\d{1,5}", port, re.ASCII) and 0 < int(port) <= _LAST_PORT):
        raise StoreError(f"the store {masked(url)} cannot be opened: its port is not a number from 1 to {_LAST_PORT}")
    if not _HOST.fullmatch(host):
        raise StoreError(f"the store {masked(url)} cannot be opened: what it gives as the host is not the name of one")
    return Server(
        user=unquote(user),
        password=unquote(password),
        host=host.strip("[]"),
        port=int(port) if port else None,
        database=unquote(database),
        parameters=tuple(parse_qsl(query, keep_blank_values=True)),
    )
