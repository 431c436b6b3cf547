"""``vedette exposure``: each port that answered the internet, the scanners that found it and the rule that admits them."""

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
    named,
    open_store,
    say,
    settings_of,
    shown_store,
    terminal_width,
)

if TYPE_CHECKING:
    from vedette.exposure import Exposure, Port
    from vedette.settings import Settings
    from vedette.state_files.generation import Generation
    from vedette.store import Store

APPLICATION = application()
COMMAND = Command("exposure", APPLICATION)

_WEAKEST = 1  # lowest level of evidence: a scanner was let in, and nothing more is known


@APPLICATION.command("exposure")
def exposure(
    store: StoreOption = None,
    inventory: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", callback=named, help="Folder of saved EC2 answers, to add what the configuration says about each port."
        ),
    ] = None,
    format_name: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="NAME", help="table, json, ndjson or csv; by default a table on a terminal, else NDJSON."
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Include ports that let scanners in but did not answer, and interfaces without an instance."),
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Show each port that answered the internet in the last 90 days of the scanned flow records.

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
        say("no port answered the internet, as far as the scanned flow records show")
    if hidden := len(found) - len(shown):
        say(f"not shown: {hidden} of interfaces without an instance (load balancers, gateways); --all shows them")


def _found(settings: "Settings", config: Path | None, store: str | None, *, everything: bool) -> "list[Exposure]":
    from vedette.engine import Knowledge
    from vedette.engine.fact_tables import expected_ports
    from vedette.exposure import OPEN, exposures
    from vedette.inventory import Inventory

    loaded = Inventory.load(Path(settings.inventory)) if settings.inventory else None
    with open_store(config, store) as opened:
        ports = read_ports(opened, settings, _WEAKEST if everything else OPEN)
    expected = expected_ports(Knowledge(inventory=loaded, public_ports=settings.public_ports)).to_pydict()
    return exposures(ports, loaded, zip(expected["instance_id"], expected["port"], strict=True))


def read_ports(store: "Store", settings: "Settings", least: int) -> "list[Port]":
    """Read the state, trying again if a running scan has replaced its files meanwhile."""
    from vedette.exposure import remembered
    from vedette.pipeline.state_place import state_place

    generation = _generation(store, settings)
    place = state_place(settings, store, generation)
    if place is None:
        raise NotFoundError(f"{shown_store(settings)} keeps no state: it is in memory, and lost when its run ends")
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
        shown = shown_store(settings)
        raise NotFoundError(f"{shown} knows no ports: {what}; run vedette scan LOGS --store {shown} first")
    return generation
