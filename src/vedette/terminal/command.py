"""What commands share: their interface, common options, and how these become settings, an open store and printed findings."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from vedette.errors import ConfigurationError

if TYPE_CHECKING:
    from vedette.findings import Finding
    from vedette.settings import Settings
    from vedette.store import Store

# Exit statuses besides those of the error tree.
FAIL_ON_REACHED = 10
STRICT_FAILED = 11
INTERRUPTED = 130
HUNG_UP = 129
TERMINATED = 143

UNEXPECTED = 1
"""The status of an error that is none of the tree."""

STANDARD_STREAM = "-"
"""What people write instead of a file to mean standard input or standard output."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Command:
    """A verb of the command line: its name and its Typer application."""

    name: str
    application: typer.Typer


def named(parameter: typer.CallbackParam, value: Value) -> Value:
    """Return the value of an option or argument that names files or folders, none of which may be ``-``.

    Raises:
        ConfigurationError: one is ``-``, which a command that expects a name would take for a file called so.
    """
    for item in value if isinstance(value, list | tuple) else (value,):
        named_file = str(parameter.metavar).startswith("[NAME=]") and str(item).endswith(f"={STANDARD_STREAM}")
        if str(item) == STANDARD_STREAM or named_file:
            name = parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar
            raise ConfigurationError(f"{name}: '-' (standard input or output) cannot be used here; give a name")
    return value


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        callback=named,
        help="Settings file (TOML); by default vedette.toml in the current folder, if there is one.",
    ),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="STORE",
        callback=named,
        help="Where findings are kept: a file, or postgresql+psycopg://HOST/DATABASE.",
    ),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="table, json, ndjson, csv or guardduty-api; by default a table on a terminal, else NDJSON.",
    ),
]


def application() -> typer.Typer:
    """Return an application with the settings that all commands share."""
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def settings_of(config: Path | None, options: Mapping[str, object]) -> "Settings":
    """Load the settings; an option that is not given (None or empty) leaves the value of the file or the default.

    Raises:
        ConfigurationError: a setting is unknown or invalid; all such settings are named.
    """
    from vedette.settings import load
    from vedette.terminal.waiting import waiting

    given = {name: value for name, value in options.items() if value is not None and value != []}
    if isinstance(store := given.get("store"), str):
        if not store:
            raise ConfigurationError("--store: the name is empty; give a file, or postgresql+psycopg://HOST/DATABASE")
        given["store"] = store_url(store)
    with waiting([] if config is None else [config]):
        return load(config, given)


def store_settings(config: Path | None, store: str | None) -> "Settings":
    """Load the settings of a command that needs a store, named by an option or by the settings.

    Raises:
        ConfigurationError: no store is named, or a setting is unknown or invalid.
    """
    settings = settings_of(config, {"store": store})
    if not settings.store:
        raise ConfigurationError("no store is named: give --store FILE, or set store in vedette.toml")
    return settings


def store_url(text: str) -> str:
    """Return the URL of a store; what does not begin with a scheme is the name of a SQLite file, whatever is in it."""
    from vedette.store.url import url_of

    return url_of(text)


def shown_store(settings: "Settings") -> str:
    """Return the name of the settings' store as a user writes it in a shell, without what is secret in it."""
    from shlex import quote

    from vedette.store.url import shown

    return quote(shown(store_url(settings.store)))


@contextmanager
def open_store(config: Path | None, store: str | None) -> Iterator["Store"]:
    """Open the store that an option or the settings name, which must exist.

    Raises:
        ConfigurationError: no store is named.
        StoreError: it does not exist, or cannot be opened.
    """
    from vedette.store import Store

    with Store.open(store_url(store_settings(config, store).store), create=False) as opened:
        yield opened


def print_findings(findings: Iterable["Finding"], name: str | None, output: Path | None = None) -> None:
    """Write findings to a file or, without one, to standard output; by default as a table on a terminal, else as NDJSON.

    Raises:
        ConfigurationError: there is no such format.
        OutputError: the file, or standard output, cannot be written.
    """
    from vedette.terminal.output import writing
    from vedette.text.findings import render

    pieces = render(findings, chosen_format(name, output), terminal_width())
    if output is None:
        sys.stdout.writelines(pieces)
        sys.stdout.flush()
        return
    with writing(output) as file:
        file.writelines(pieces)


def output_file(path: Path | None) -> Path | None:
    """Return the file to write to, None for standard output (nothing given, or ``-``).

    Call it before a long run, whose results would be lost if the file could not be written.

    Raises:
        ConfigurationError: the file's folder does not exist or cannot be written to, or the path is a folder itself.
    """
    if path is None or str(path) == STANDARD_STREAM:
        return None
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        reason = "it is a folder" if path.is_dir() else f"{str(path.parent)!r} is not a folder that can be written to"
        raise ConfigurationError(f"{path}: cannot be written ({reason})")
    return path


def chosen_format(name: str | None, output: Path | None = None) -> str:
    """Return the format to print in: the requested one, a table on a terminal, else NDJSON."""
    return name or ("table" if output is None and sys.stdout.isatty() else "ndjson")


def terminal_width() -> int:
    """Return the width of the terminal in columns, 80 if there is no terminal."""
    return get_terminal_size((80, 24)).columns


def say(text: str) -> None:
    """Write a message, which may contain untrusted names, to standard error."""
    from vedette.text.safe import clean
    from vedette.urls import masked_text

    print(clean(masked_text(text)), file=sys.stderr)  # noqa: T201
