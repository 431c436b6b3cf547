"""``vedette exposure``: every port that answered the internet, with the scanners that found it and the rule that lets them in."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vedette.errors import EngineError, NotFoundError
from vedette.terminal.command import (
    Command,
    ConfigOption,
    StoreOption,
    application,
    chosen_format,
    open_store,
    say,
    settings_of,
    terminal_width,
)

if TYPE_CHECKING:
    from vedette.exposure import Exposure, Port
    from vedette.settings import Settings
    from vedette.state_files.generation import Generation
    from vedette.store import Store

APPLICATION = application()
COMMAND = Command("exposure", APPLICATION)

_WEAKEST = 1  # of the levels of evidence: a scanner was let in, and nothing more


@APPLICATION.command("exposure")
def exposure(
    store: StoreOption = None,
    inventory: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Saved EC2 answers: what the configuration says of each port.")
    ] = None,
    format_name: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="table, json, ndjson or csv; else a table or NDJSON.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also ports that let scanners in without an answer, and interfaces of no instance.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Show every port that answered the internet in the last 90 days of flow records that were scanned.

    Example: vedette exposure --store case.db --inventory inventory
    """
    from vedette.exposure.listing import check_format, render

    settings = settings_of(config, {"store": store, "inventory": None if inventory is None else str(inventory)})
    name = chosen_format(format_name)
    check_format(name)
    found = _found(settings, config, store, everything=everything)
    shown = [item for item in found if everything or item.of_instance]
    sys.stdout.writelines(render(shown, name, terminal_width()))
    sys.stdout.flush()
    if not shown:
        say("no port answered the internet, as far as the flow records that were scanned can tell")
    if hidden := len(found) - len(shown):
        say(f"not shown: {hidden} of interfaces that are no instance's (balancers, gateways); --all shows them")


def _found(settings: "Settings", config: Path | None, store: str | None, *, everything: bool) -> "list[Exposure]":
    from vedette.engine import Knowledge
    from vedette.engine.fact_tables import expected_ports
    from vedette.exposure import OPEN, exposures
    from vedette.inventory import Inventory

    loaded = Inventory.load(Path(settings.inventory)) if settings.inventory else None
    with open_store(config, store) as opened:
        ports = _ports(opened, settings, _WEAKEST if everything else OPEN)
    expected = expected_ports(Knowledge(inventory=loaded, public_ports=settings.public_ports)).to_pydict()
    return exposures(ports, loaded, zip(expected["instance_id"], expected["port"], strict=True))


def _ports(store: "Store", settings: "Settings", least: int) -> "list[Port]":
    """Read the state; once more where a scan that goes on replaced its files meanwhile."""
    from vedette.exposure import remembered
    from vedette.pipeline.composition import state_place

    generation = _generation(store, settings)
    place = state_place(settings)
    if place is None:
        raise NotFoundError(f"{settings.store} keeps no state: it is in memory, and gone with its run")
    while True:
        try:
            return remembered(generation, place, least=least)
        except EngineError:
            newer = _generation(store, settings)
            if newer.number == generation.number:
                raise
            generation = newer


def _generation(store: "Store", settings: "Settings") -> "Generation":
    from vedette.exposure.ports import ANSWERS

    generation = store.generation()
    if generation is None or ANSWERS not in generation.states:
        what = "nothing was scanned with it" if generation is None else "no flow records were scanned with it"
        shown = settings.store.rpartition("@")[2].removeprefix("sqlite:///")
        raise NotFoundError(f"{shown} knows no ports: {what}; run vedette scan LOGS --store {shown} first")
    return generation
