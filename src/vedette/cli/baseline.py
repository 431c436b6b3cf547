"""``vedette baseline``: show what is usual for each principal according to a store, copy it to other stores, and forget it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from vedette.errors import EngineError, NotFoundError, StoreError
from vedette.terminal.command import (
    Command,
    ConfigOption,
    StoreOption,
    application,
    named,
    say,
    shown_store,
    store_settings,
    store_url,
    terminal_width,
)
from vedette.terminal.overwriting import check_outputs, used_by

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
    """Show, export, import and forget what is usual for principals."""


@APPLICATION.command("show")
def show(
    principal: Annotated[
        str | None,
        typer.Argument(
            metavar="PRINCIPAL", help="Name of a principal, or a part that only one name has; by default all are listed."
        ),
    ] = None,
    format_name: Annotated[str, _FORMAT] = "table",
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Show what is usual for a principal and since when, or how much has been learned about each account.

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
    settings = store_settings(config, store)
    numbers = discovery_numbers(settings)
    with _opened(settings) as (opened, place):
        if principal is None:
            histories = read_state(opened, settings, lambda generation: principals(generation, place, numbers))
            accounts = learning(histories, numbers)
            if format_name == "json":
                sys.stdout.write(json_text(overview_document(accounts, histories)))
            else:
                sys.stdout.writelines(overview_lines(accounts, histories, terminal_width()))
            return
        shown = read_state(opened, settings, lambda generation: page(generation, place, principal, numbers))
    if format_name == "json":
        sys.stdout.write(json_text(page_document(shown)))
    else:
        sys.stdout.writelines(page_lines(shown, terminal_width()))


@APPLICATION.command("export")
def export_baseline(
    file: Annotated[Path, typer.Argument(metavar="FILE", callback=named, help="File to write.")],
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Write the baseline of a store to a file.

    Example: vedette baseline export baseline.zip --store case.db
    """
    from vedette.baseline import export
    from vedette.baseline.listing import day_text

    settings = store_settings(config, store)
    check_outputs({"FILE": file}, used_by(settings, config))
    with _opened(settings) as (opened, place):
        carried = read_state(opened, settings, lambda generation: export(generation, place, file))
    first, last = carried.days or (0, 0)
    say(f"{file}: {sum(carried.rows.values()):,} rows of {day_text(first)} to {day_text(last)}")


@APPLICATION.command("import")
def import_baseline(
    file: Annotated[Path, typer.Argument(metavar="FILE", callback=named, help="File written by export.")],
    merge: Annotated[
        bool, typer.Option("--merge", help="Import days that the store has already learned, too: their counts are added up.")
    ] = False,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Import a baseline into a store, which is created if it does not exist.

    Example: vedette baseline import baseline.zip --store other.db
    """
    from vedette.pipeline.composition import lateness

    settings = store_settings(config, store)
    with _held(settings, create=True) as (opened, place):
        start_from(file, opened, place, merge=merge, lateness=lateness(settings))
    say(f"{file}: imported into {shown_store(settings)}")


@APPLICATION.command("forget")
def forget(
    principal: Annotated[str, typer.Argument(metavar="PRINCIPAL", help="Full name of the principal, as printed by show.")],
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Forget what a principal has done, so that it is learned afresh. Its findings are kept.

    Example: vedette baseline forget arn:aws:iam::123456789012:user/alice --store case.db
    """
    from vedette.baseline import forgotten, page

    settings = store_settings(config, store)
    with _held(settings) as (opened, place):
        before = known(opened, settings)
        after, rows = forgotten(before, place, principal)
        if not rows:
            found = page(before, place, principal, discovery_numbers(settings)).history.principal
            raise NotFoundError(f"{principal!r} is not a full name; did you mean {found}?")
        _commit(opened, place, before, after)
    say(f"{principal}: {rows:,} rows forgotten")


@APPLICATION.command("repair")
def repair(
    trust_clock: Annotated[
        bool, typer.Option("--trust-clock", help="Repair although the store was written later than this machine's clock says.")
    ] = False,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Remove what is dated in the future from the state of a store, which a scan then accepts again. Findings are kept.

    Example: vedette baseline repair --store case.db
    """
    from vedette.baseline import repaired
    from vedette.baseline.listing import repair_lines
    from vedette.clock import now
    from vedette.engine.plausible import latest_plausible
    from vedette.pipeline.composition import lateness
    from vedette.state_files.generation import Generation

    settings = store_settings(config, store)
    shown, clock = shown_store(settings), now()
    with _held(settings) as (opened, place):
        if not trust_clock:
            _check_clock(opened, clock)
        before = opened.generation() or Generation(number=0)
        result = repaired(before, place, latest_plausible(clock, lateness(settings)), clock)
        if result is None:
            say(f"{shown}: nothing to repair: no part of its state is dated in the future")
            return
        _commit(opened, place, before, result.generation)
    for line in repair_lines(result, shown):
        say(line)


def _check_clock(store: "Store", clock: datetime) -> None:
    """Check that the clock has not gone back since the last run: what was read since would be taken for the future's.

    Raises:
        StoreError: it has.
    """
    from vedette.engine.plausible import SLACK

    for report in store.reports(limit=1):
        if report.written_at > clock + SLACK:
            raise StoreError(
                f"{store.place}: was written on {report.written_at:%Y-%m-%d}, but this machine's clock says {clock:%Y-%m-%d}:"
                " set the clock, or give --trust-clock if it was wrong then"
            )


def start_from(
    file: Path, store: "Store", place: "StateLocation", *, merge: bool = False, lateness: timedelta | None = None
) -> None:
    """Import a baseline into a store and its state, which this process must have locked.

    ``lateness`` is how far a state may reach beyond the clock.

    Raises:
        ConfigurationError: the file is not a baseline, or contains days that the state already has.
        EngineError: a file of the state is missing or damaged, or the state cannot be written.
        StoreError: the store cannot be written, or its state reaches into the future.
    """
    from vedette.baseline import imported
    from vedette.clock import now
    from vedette.engine.plausible import check_reach
    from vedette.state_files.generation import Generation

    before = store.generation() or Generation(number=0)
    check_reach(before, store.place, now(), lateness or timedelta())
    _commit(store, place, before, imported(file, before, place, merge=merge))


def read_state(store: "Store", settings: "Settings", read: Callable[["Generation"], Result]) -> Result:
    """Return what ``read`` makes of the state, trying again if a running scan has replaced its files meanwhile.

    Raises:
        NotFoundError: the store has learned nothing.
        EngineError: a file of the state is missing or damaged.
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
    """Return the state of a store, which must have learned something; say so if it reaches into the future.

    Raises:
        NotFoundError: the store has learned nothing.
    """
    from vedette.baseline.tables import DAYS
    from vedette.clock import now
    from vedette.engine.plausible import beyond, latest_plausible
    from vedette.pipeline.composition import lateness

    generation = store.generation()
    shown = shown_store(settings)
    if generation is not None and (reached := beyond(generation, latest_plausible(now(), lateness(settings)))):
        command = f"vedette baseline repair --store {shown}"
        say(f"{shown}: its state reaches to {reached:%Y-%m-%d %H:%M}, which is in the future: {command}")
    if generation is None or not generation.states.get(DAYS):
        raise NotFoundError(f"{shown} has learned nothing: run vedette scan LOGS --store {shown} first")
    return generation


def discovery_numbers(settings: "Settings") -> "dict[str, Number]":
    """Return the thresholds of the discovery types under these settings."""
    from vedette.baseline.numbers import numbers

    return numbers(settings.detection_profile, settings.thresholds)


def state_of(settings: "Settings", store: "Store") -> "StateLocation":
    """Return the location of the state that belongs to the settings' store, which is open.

    Raises:
        NotFoundError: the store is in memory, so its state is lost when the run ends.
        StoreError: what lies there is another store's.
    """
    from vedette.pipeline.state_place import state_place

    place = state_place(settings, store)
    if place is None:
        raise NotFoundError(f"{shown_store(settings)} keeps no state: it is in memory, and lost when its run ends")
    return place


@contextmanager
def _opened(settings: "Settings") -> "Iterator[tuple[Store, StateLocation]]":
    """Open the store and find its state, to read them."""
    from vedette.store import Store

    with Store.open(store_url(settings.store), create=False) as opened:
        yield opened, state_of(settings, opened)


@contextmanager
def _held(settings: "Settings", *, create: bool = False) -> "Iterator[tuple[Store, StateLocation]]":
    """Open the store and hold its state against other writers."""
    from vedette.pipeline.state_place import held_place
    from vedette.state_files.folder import sweep
    from vedette.store import Store

    with Store.open(store_url(settings.store), create=create) as opened:
        if not create:
            state_of(settings, opened)  # a store in memory has none
        with held_place(settings, opened) as place:
            generation = opened.generation()
            sweep(place, set() if generation is None else generation.files())
            yield opened, place


def _commit(store: "Store", place: "StateLocation", before: "Generation", after: "Generation") -> None:
    """Commit a generation, and remove the files that it replaces."""
    store.commit(findings=(), receipts=(), generation=after)
    for name in before.files() - after.files():
        place.remove(name)
