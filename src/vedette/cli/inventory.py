"""``vedette inventory``: snapshots of the AWS environment as EC2 describes it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vedette.errors import ConfigurationError, NotFoundError
from vedette.terminal.command import Command, ConfigOption, application, named, say, settings_of, terminal_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vedette.inventory import Interface, Inventory

APPLICATION = application()
COMMAND = Command("inventory", APPLICATION)

_FORMATS = ("table", "json")
_SHOWN_NAMES = 3


@APPLICATION.callback()
def inventory() -> None:
    """Keep snapshots of instances, interfaces and the rules that protect them, which make findings about traffic more certain."""


@APPLICATION.command("pull")
def pull(
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", callback=named, help="Folder to write; each account and region gets a folder inside it."),
    ],
    region: Annotated[
        list[str] | None,
        typer.Option(metavar="REGION", help="Region to ask; may be repeated. By default that of the AWS settings."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Ask EC2 and save its answers as the AWS command line prints them.

    Example: vedette inventory pull --out inventory --region us-east-1 --region eu-west-1
    """
    from vedette.aws import Connection
    from vedette.clock import now
    from vedette.inventory.pull import pull as pulled

    for item in pulled(Connection.of(settings_of(config, {})), region or (), out, now()):
        say(f"{item.folder}: {item.files} files")
        for note in item.notes:
            say(f"  without {note}")


@APPLICATION.command("load")
def load(
    folder: Annotated[Path, typer.Argument(metavar="DIR", callback=named, help="Folder of saved describe-*.json files.")],
) -> None:
    """Check saved answers, and summarise what they contain and what is missing.

    Example: vedette inventory load inventory
    """
    from vedette.inventory import Inventory
    from vedette.inventory.listing import summary

    _print(summary(Inventory.load(folder), terminal_width()))


@APPLICATION.command("show")
def show(
    subject: Annotated[
        str | None,
        typer.Argument(metavar="[INSTANCE_ID|INTERFACE_ID]", help="Instance or interface; by default all interfaces are shown."),
    ] = None,
    folder: Annotated[
        Path, typer.Option("--inventory", metavar="DIR", callback=named, help="Folder of saved describe-*.json files.")
    ] = Path("inventory"),
    format_name: Annotated[str, typer.Option("--format", metavar="NAME", help="table or json.")] = "table",
) -> None:
    """Show what the internet reaches on each interface; for one, also the commands that close it.

    Example: vedette inventory show i-0123456789abcdef0 --inventory inventory
    """
    from vedette.inventory import Inventory
    from vedette.inventory.listing import described, values

    if format_name not in _FORMATS:
        raise ConfigurationError(f"{format_name!r} is not an output format: choose one of {', '.join(_FORMATS)}")
    loaded = Inventory.load(folder)
    chosen = _chosen(loaded, subject)
    if format_name == "json":
        sys.stdout.write(json.dumps(values(loaded, chosen), indent=1) + "\n")
    else:
        _print(described(loaded, chosen, terminal_width(), commands=subject is not None))


def _chosen(loaded: "Inventory", subject: str | None) -> "list[Interface]":
    """Return the requested interfaces, with those of one instance next to each other."""
    from difflib import get_close_matches

    chosen = [item for item in loaded.interfaces if subject is None or subject in {item.interface_id, item.instance_id}]
    if subject is not None and not chosen:
        known = {name for item in loaded.interfaces for name in (item.interface_id, item.instance_id) if name}
        nearest = get_close_matches(subject, sorted(known), n=_SHOWN_NAMES)
        hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
        raise NotFoundError(f"{subject!r} is in no snapshot{hint}")
    return sorted(chosen, key=lambda item: (item.instance_id is None, item.instance_id or "", item.interface_id))


def _print(lines: "Iterable[str]") -> None:
    """Print lines whose words come from untrusted files."""
    from vedette.text.safe import clean

    for line in lines:
        indent = line[: len(line) - len(line.lstrip(" "))]
        sys.stdout.write(f"{indent}{_spaced(line, clean)}".rstrip() + "\n")


def _spaced(line: str, clean: "Callable[[object], str]") -> str:
    """Return the line with each word cleaned and with the spaces that align columns kept."""
    return " ".join(clean(word) for word in line.lstrip(" ").split(" "))
