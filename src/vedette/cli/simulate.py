"""``vedette simulate``: write logs of a made-up account, with attacks, ordinary activity and the ground truth."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from vedette.errors import ConfigurationError
from vedette.terminal.command import Command, application, named, say

APPLICATION = application()
COMMAND = Command("simulate", APPLICATION)

_FIRST_YEAR, _LAST_YEAR = 2000, 2100


@APPLICATION.command("simulate")
def simulate(
    scenarios: Annotated[
        list[str] | None, typer.Argument(metavar="SCENARIO", help="Scenarios to write; without any, all are listed.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", callback=named, help="Folder to write, which must be new or empty.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed writes the same bytes.")] = 1,
    end: Annotated[str | None, typer.Option(metavar="DAY", help="The last day, e.g. 2026-03-14.")] = None,
    days: Annotated[int, typer.Option(metavar="N", min=1, max=400, help="Days of ordinary activity.")] = 1,
    flow_version: Annotated[int, typer.Option(metavar="2|5", help="Version of the flow log format.")] = 2,
) -> None:
    """Write CloudTrail and flow log files of scenarios, the lists and inventory that they need, and ground_truth.json.

    Example: vedette simulate company-day tor-caller --out demo
    """
    from vedette.simulate import all_scenarios

    if not scenarios:
        for name, scenario in all_scenarios().items():
            sys.stdout.write(f"{name:24}{scenario.sentence}\n")
        return
    if out is None:
        raise ConfigurationError("--out DIR is missing: scenarios are written to a folder")
    from vedette.simulate.world import simulate as write

    chosen = {} if end is None else {"end": _day(end)}
    written = write(scenarios, out, seed=seed, days=days, flow_version=flow_version, **chosen)
    say(f"wrote {written.files} files with {written.records} records to {out}; what is in them is in {out / 'ground_truth.json'}")


def _day(text: str) -> datetime:
    try:
        day = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise ConfigurationError(f"--end: {text!r} is not a day; write 2026-03-14") from error
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ConfigurationError(f"--end: {text!r} is not a day of the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return day
