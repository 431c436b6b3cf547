"""``vedette explain``: how a finding came about, or how a finding type is found."""

import sys
from collections.abc import Iterator
from importlib import import_module
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from vedette.terminal.command import Command, ConfigOption, StoreOption, application, open_store, say, settings_of, terminal_width

if TYPE_CHECKING:
    from vedette.detections import Detection
    from vedette.findings import Finding
    from vedette.settings import Settings
    from vedette.store import Store

APPLICATION = application()
COMMAND = Command("explain", APPLICATION)


@APPLICATION.command("explain")
def explain(
    subject: Annotated[str, typer.Argument(metavar="FINDING_ID|TYPE", help="Id of a finding, or a finding type.")],
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Explain a finding with its evidence and score sheet, or a finding type with its query and thresholds.

    Example: vedette explain Recon:IAMUser/TorIPCaller
    """
    from difflib import get_close_matches

    from vedette.detections import all_detections
    from vedette.errors import NotFoundError
    from vedette.text.explanation import show

    known = {name.lower(): detection for name, detection in all_detections().items()}
    detection = known.get(subject.lower())
    if detection is not None:
        sys.stdout.writelines(f"{line}\n" for line in _explained(detection, settings_of(config, {}), terminal_width()))
    elif ":" in subject or "/" in subject:
        nearest = get_close_matches(subject.lower(), known, n=1, cutoff=0.3)
        hint = f"; did you mean {known[nearest[0]].finding_type}?" if nearest else ""
        raise NotFoundError(f"{subject!r} is not a finding type that is detected{hint}")
    else:
        with open_store(config, store) as opened:
            finding = opened.finding(subject)
            sys.stdout.writelines(show(finding, terminal_width()))
            sys.stdout.writelines(_scored(finding, opened, settings_of(config, {"store": store})))


def _scored(finding: "Finding", store: "Store", settings: "Settings") -> Iterator[str]:
    """Yield the score sheet of a finding that has one, with the other scored episodes if the state still has them."""
    from vedette.baseline import remembered
    from vedette.baseline.sheet import has_sheet, sheet_lines
    from vedette.errors import EngineError
    from vedette.pipeline.state_place import state_place

    if not has_sheet(finding):
        return
    generation = store.generation()
    place = state_place(settings, store, generation)
    episodes = []
    if generation is not None and place is not None:
        try:
            episodes = remembered(generation, place, finding.seen.target)
        except EngineError as error:
            say(f"other episodes are not shown: {error}")
    yield from sheet_lines(finding, episodes, terminal_width())


def _explained(detection: "Detection", settings: "Settings", width: int) -> Iterator[str]:
    from vedette.rules.thresholds import deciding
    from vedette.views import needed

    yield detection.finding_type
    yield fill(_sentence(detection), width)
    yield ""
    yield f"resource {detection.resource_type} ({detection.resource_role}), action {detection.action_type}, rule {detection.rule}"
    if numbers := deciding(detection, settings):
        yield ""
        yield "Numbers that decide"
    for number in numbers:
        yield f"  {number.name} = {number.value}"
        yield fill(number.meaning, width, initial_indent="    ", subsequent_indent="    ")
    yield ""
    yield "Query"
    yield from (f"  {line}" for line in detection.sql.strip().splitlines())
    for view in reversed(needed(detection.reads)):
        yield ""
        yield f"View {view.name}"
        yield from (f"  {line}" for line in view.sql.strip().splitlines())


def _sentence(detection: "Detection") -> str:
    from vedette.registry import discover

    for name, value in discover("vedette.detections", "DETECTION"):
        if value is detection:
            return (import_module(f"vedette.detections.{name}").__doc__ or "").strip()
    return ""
