"""What commands share: their interface, options that several have, and how these become settings and an open store."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated

import typer

from vedette.errors import ConfigurationError

if TYPE_CHECKING:
    from vedette.findings import Finding
    from vedette.settings import Settings
    from vedette.store import Store

# Exit statuses beside those of the error tree.
FAIL_ON_REACHED = 10
STRICT_FAILED = 11
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Command:
    """A verb of the command line: its name and its Typer application."""

    name: str
    application: typer.Typer


ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings file (TOML); without it vedette.toml where you are.")
]
StoreOption = Annotated[
    str | None,
    typer.Option("--store", metavar="STORE", help="Where findings are kept: a file, or postgresql+psycopg://HOST/DATABASE."),
]
FormatOption = Annotated[
    str | None,
    typer.Option("--format", metavar="NAME", help="table, json, ndjson, csv or guardduty-api; else a table or NDJSON."),
]


def application() -> typer.Typer:
    """Return an application with the habits that all commands share."""
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def settings_of(config: Path | None, options: Mapping[str, object]) -> "Settings":
    """Load the settings; an option that was not given (None or empty) leaves the file's or the default value.

    Raises:
        ConfigurationError: a setting is unknown or impossible; all of them are named.
    """
    from vedette.settings import load

    given = {name: value for name, value in options.items() if value is not None and value != []}
    if isinstance(store := given.get("store"), str):
        given["store"] = store_url(store)
    return load(config, given)


def store_url(text: str) -> str:
    """Return a store's URL: a plain name is that of a SQLite file."""
    return text if "://" in text or not text else f"sqlite:///{text}"


@contextmanager
def open_store(config: Path | None, store: str | None) -> Iterator["Store"]:
    """Open the store that an option or the settings name, which must be there.

    Raises:
        ConfigurationError: none is named.
        StoreError: it is not there, or cannot be opened.
    """
    from vedette.store import Store

    settings = settings_of(config, {"store": store})
    if not settings.store:
        raise ConfigurationError("no store is named: give --store FILE, or set store in vedette.toml")
    with Store.open(store_url(settings.store), create=False) as opened:
        yield opened


def print_findings(findings: Iterable["Finding"], name: str | None, output: Path | None = None) -> None:
    """Write findings in a format to a file or to standard output; a table on a terminal, else NDJSON.

    Raises:
        ConfigurationError: there is no such format, or the file cannot be written.
    """
    from vedette.text.findings import render

    pieces = render(findings, chosen_format(name, output), terminal_width())
    if output is None:
        sys.stdout.writelines(pieces)
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
    except OSError as error:
        raise ConfigurationError(f"{output}: cannot be written ({error.strerror})") from error


def check_place(path: Path | None) -> None:
    """Check that a file can be written, before a long run that would be lost.

    Raises:
        ConfigurationError: its folder does not exist or may not be written, or it is a folder itself.
    """
    if path is not None and (path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK)):
        reason = "it is a folder" if path.is_dir() else f"{str(path.parent)!r} is no folder that may be written"
        raise ConfigurationError(f"{path}: cannot be written ({reason})")


def chosen_format(name: str | None, output: Path | None = None) -> str:
    """Return the format to print in: the one that was asked for, a table on a terminal, else NDJSON."""
    return name or ("table" if output is None and sys.stdout.isatty() else "ndjson")


def terminal_width() -> int:
    """Return the columns of the terminal, 80 where there is none."""
    return get_terminal_size((80, 24)).columns


def say(text: str) -> None:
    """Write a line of ours, which may show untrusted names, to standard error."""
    from vedette.text.safe import clean

    print(clean(text), file=sys.stderr)  # noqa: T201
