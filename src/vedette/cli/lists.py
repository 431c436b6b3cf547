"""``vedette lists``: manage the threat lists and trusted lists of a store."""

import sys
from typing import Annotated

import typer

from vedette.errors import ConfigurationError
from vedette.terminal.command import (
    Command,
    ConfigOption,
    StoreOption,
    application,
    named,
    open_store,
    say,
    store_settings,
    store_url,
)

APPLICATION = application()
COMMAND = Command("lists", APPLICATION)

_SHOWN_REFUSALS = 20


@APPLICATION.callback()
def lists() -> None:
    """Keep threat lists and trusted lists in a store; every scan with that store uses them."""


@APPLICATION.command("add")
def add(
    files: Annotated[
        list[str],
        typer.Argument(metavar="[NAME=]FILE", callback=named, help="List files; a name that the store knows is imported anew."),
    ],
    kind: Annotated[str, typer.Option(metavar="KIND", help="custom, trusted, tor, malicious or scanner.")] = "custom",
    format_name: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="List format; by default it is recognised.")
    ] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Add lists, or import new versions of them. Earlier events are still matched with earlier versions.

    Example: vedette lists add bad-addresses.txt --kind custom --store case.db
    """
    from vedette.clock import now
    from vedette.intel import Kind
    from vedette.intel.lists import load_list
    from vedette.pipeline.knowledge import named_file
    from vedette.store import Store
    from vedette.terminal.waiting import waiting
    from vedette.text.report import counted

    try:
        chosen = Kind(kind.lower())
    except ValueError as error:
        raise ConfigurationError(f"--kind: {kind!r} is not a kind of list; give one of {', '.join(Kind)}") from error
    settings = store_settings(config, store)
    chosen_files = [named_file(file) for file in files]
    with waiting(path for _, path in chosen_files):
        loaded = [load_list(path, name=name, kind=chosen, format=format_name) for name, path in chosen_files]
    with Store.open(store_url(settings.store)) as opened:
        for item in loaded:
            warning = opened.put_list(item, now())
            refused = sum(item.refused.values())
            entries, lines = counted(len(item.entries), "entry", "entries"), counted(refused, "line")
            say(f"{item.name}: {item.kind}, {item.format}, {entries}, {lines} refused, {item.status}")
            for refusal in item.refusals[:_SHOWN_REFUSALS]:
                say(f"  line {refusal.line}: {refusal.text!r}: {refusal.reason}")
            if refused > _SHOWN_REFUSALS:
                say(f"  and {refused - _SHOWN_REFUSALS} more")
            if warning:
                say(f"  warning: {warning}")


@APPLICATION.command("ls")
def ls(store: StoreOption = None, config: ConfigOption = None) -> None:
    """List the lists of a store.

    Example: vedette lists ls --store case.db
    """
    from vedette.text.safe import clean

    with open_store(config, store) as opened:
        rows = [
            (item.name, item.kind, item.format, str(item.entries), item.status, f"{item.as_of:%Y-%m-%d}" if item.as_of else "-")
            for item in opened.lists()
        ]
    header = ("NAME", "KIND", "FORMAT", "ENTRIES", "STATUS", "AS OF")
    widths = [max(len(clean(row[column])) for row in (header, *rows)) for column in range(len(header))]
    for row in (header, *rows):
        line = "  ".join(clean(text).ljust(width) for text, width in zip(row, widths, strict=True))
        sys.stdout.write(line.rstrip() + "\n")


@APPLICATION.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a list.")],
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="At most this many entries.")] = 20,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Show one list: where it came from, what was refused, and its first entries.

    Example: vedette lists show bad-addresses --store case.db
    """
    from vedette.text.safe import clean

    with open_store(config, store) as opened:
        item = opened.get_list(name)
    facts = {
        "name": item.name,
        "kind": item.kind,
        "format": item.format,
        "status": item.status,
        "entries": len(item.entries),
        "as of": item.as_of or "unknown",
        "location": item.location,
        "sha-256": item.digest,
        "refused": ", ".join(f"{count} {reason}" for reason, count in sorted(item.refused.items())) or "nothing",
    }
    for label, value in facts.items():
        sys.stdout.write(f"{label:10}{clean(value)}\n")
    for entry in item.entries[:limit]:
        since = f"  since {entry.valid_from:%Y-%m-%d}" if entry.valid_from else ""
        until = f"  until {entry.valid_to:%Y-%m-%d}" if entry.valid_to else ""
        sys.stdout.write(f"  {entry.network!s:<20} line {entry.line}{since}{until}  {clean(entry.category)}".rstrip() + "\n")
    if len(item.entries) > limit:
        sys.stdout.write(f"  and {len(item.entries) - limit} more\n")


@APPLICATION.command("rm")
def rm(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Names of the lists to remove, with their history.")],
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Remove lists.

    Example: vedette lists rm bad-addresses --store case.db
    """
    with open_store(config, store) as opened:
        for name in names:
            opened.remove_list(name)
            say(f"{name}: removed")
