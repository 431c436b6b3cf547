"""``vedette baseline``: what is usual for whom, as a store has learned it; carried to other stores, and forgotten."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from vedette.errors import ConfigurationError, EngineError, NotFoundError
from vedette.terminal.command import Command, ConfigOption, StoreOption, application, say, settings_of, store_url, terminal_width

if TYPE_CHECKING:
    from vedette.settings import Settings
    from vedette.sql.threshold import Number
    from vedette.state_files.generation import Generation
    from vedette.state_files.location import StateLocation
    from vedette.store import Store

APPLICATION = application()
COMMAND = Command("baseline", APPLICATION)

Result = TypeVar("Result")

_FORMAT = typer.Option("--format", metavar="NAME", help="table (the default) or json.")


@APPLICATION.callback()
def baseline() -> None:
    """Show, carry and forget what is usual for principals."""


@APPLICATION.command("show")
def show(
    principal: Annotated[
        str | None, typer.Argument(metavar="PRINCIPAL", help="Its name, or a part of only one; without it all are listed.")
    ] = None,
    format_name: Annotated[str, _FORMAT] = "table",
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Show what is usual for a principal and since when; without one, how far each account is learned.

    Example: vedette baseline show user/alice --store case.db
    """
    from vedette.baseline import learning, page, principals
    from vedette.baseline.listing import (
        check_format,
        json_text,
        overview_document,
        overview_lines,
        page_document,
        page_lines,
    )

    check_format(format_name)
    settings = _settings(config, store)
    numbers = discovery_numbers(settings)
    with _opened(settings) as (opened, place):
        if principal is None:
            histories = steadily(opened, settings, lambda generation: principals(generation, place, numbers))
            accounts = learning(histories, numbers)
            if format_name == "json":
                sys.stdout.write(json_text(overview_document(accounts, histories)))
            else:
                sys.stdout.writelines(overview_lines(accounts, histories, terminal_width()))
            return
        shown = steadily(opened, settings, lambda generation: page(generation, place, principal, numbers))
    if format_name == "json":
        sys.stdout.write(json_text(page_document(shown)))
    else:
        sys.stdout.writelines(page_lines(shown, terminal_width()))


@APPLICATION.command("export")
def export_baseline(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Write the baseline of a store to a file.

    Example: vedette baseline export baseline.zip --store case.db
    """
    from vedette.baseline import export
    from vedette.baseline.listing import day_text

    settings = _settings(config, store)
    with _opened(settings) as (opened, place):
        carried = steadily(opened, settings, lambda generation: export(generation, place, file))
    first, last = carried.days or (0, 0)
    say(f"{file}: {sum(carried.rows.values()):,} rows of {day_text(first)} to {day_text(last)}")


@APPLICATION.command("import")
def import_baseline(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that export wrote.")],
    merge: Annotated[
        bool, typer.Option("--merge", help="Also days that the store has learned already: their counts add up.")
    ] = False,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Put an exported baseline into a store, which is made where there is none.

    Example: vedette baseline import baseline.zip --store other.db
    """
    settings = _settings(config, store)
    with _opened(settings, create=True) as (opened, place), _held(place):
        start_from(file, opened, place, merge=merge)
    say(f"{file}: is part of {_shown(settings)}")


@APPLICATION.command("forget")
def forget(
    principal: Annotated[str, typer.Argument(metavar="PRINCIPAL", help="Its whole name, as show prints it.")],
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Forget what a principal was seen to do: it is learned anew. Its findings stay.

    Example: vedette baseline forget arn:aws:iam::123456789012:user/alice --store case.db
    """
    from vedette.baseline import forgotten, page

    settings = _settings(config, store)
    with _opened(settings) as (opened, place), _held(place):
        before = known(opened, settings)
        after, rows = forgotten(before, place, principal)
        if not rows:
            found = page(before, place, principal, discovery_numbers(settings)).history.principal
            raise NotFoundError(f"{principal!r} is no whole name; did you mean {found}?")
        _commit(opened, place, before, after)
    say(f"{principal}: {rows:,} rows are forgotten")


def start_from(file: Path, store: "Store", place: "StateLocation", *, merge: bool = False) -> None:
    """Import a baseline into a store and the place of its state, which is held for this process.

    Raises:
        ConfigurationError: the file is no baseline, or holds days that the state holds.
        EngineError: a file of the state is gone or broken, or the place cannot be written.
        StoreError: the store cannot be written.
    """
    from vedette.baseline import imported
    from vedette.state_files.generation import Generation

    before = store.generation() or Generation(number=0)
    _commit(store, place, before, imported(file, before, place, merge=merge))


def steadily(store: "Store", settings: "Settings", read: Callable[["Generation"], Result]) -> Result:
    """Return what is read from the state; once more where a scan that goes on replaced its files meanwhile.

    Raises:
        NotFoundError: the store has learned nothing.
        EngineError: a file of the state is gone or broken.
    """
    generation = known(store, settings)
    while True:
        try:
            return read(generation)
        except EngineError:
            newer = known(store, settings)
            if newer.number == generation.number:
                raise
            generation = newer


def known(store: "Store", settings: "Settings") -> "Generation":
    """Return the state of a store that has learned something.

    Raises:
        NotFoundError: it has not.
    """
    from vedette.baseline.tables import DAYS

    generation = store.generation()
    if generation is None or not generation.states.get(DAYS):
        shown = _shown(settings)
        raise NotFoundError(f"{shown} has learned nothing: run vedette scan LOGS --store {shown} first")
    return generation


def discovery_numbers(settings: "Settings") -> "dict[str, Number]":
    """Return the numbers of the discovery types as the settings have them."""
    from vedette.baseline.numbers import numbers

    return numbers(settings.detection_profile, settings.thresholds)


def state_of(settings: "Settings") -> "StateLocation":
    """Return where the state of the settings' store lies.

    Raises:
        NotFoundError: the store is in memory, and so gone with its run.
    """
    from vedette.pipeline.composition import state_place

    place = state_place(settings)
    if place is None:
        raise NotFoundError(f"{settings.store} keeps no state: it is in memory, and gone with its run")
    return place


def _settings(config: Path | None, store: str | None) -> "Settings":
    settings = settings_of(config, {"store": store})
    if not settings.store:
        raise ConfigurationError("no store is named: give --store FILE, or set store in vedette.toml")
    return settings


def _shown(settings: "Settings") -> str:
    return settings.store.rpartition("@")[2].removeprefix("sqlite:///")


@contextmanager
def _opened(settings: "Settings", *, create: bool = False) -> "Iterator[tuple[Store, StateLocation]]":
    from vedette.store import Store

    with Store.open(store_url(settings.store), create=create) as opened:
        yield opened, state_of(settings)


@contextmanager
def _held(place: "StateLocation") -> Iterator[None]:
    """Keep other writers out of a folder; in a bucket the store refuses the second of two."""
    from vedette.state_files.folder import locked
    from vedette.state_files.location import Folder

    if isinstance(place, Folder):
        with locked(place.path):
            yield
    else:
        yield


def _commit(store: "Store", place: "StateLocation", before: "Generation", after: "Generation") -> None:
    """Make a generation the present one, and remove the files that it replaced."""
    store.commit(findings=(), receipts=(), generation=after)
    for name in before.files() - after.files():
        place.remove(name)
