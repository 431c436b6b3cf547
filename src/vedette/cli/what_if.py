"""``vedette what-if``: which findings would appear or vanish under other thresholds; nothing is changed."""

import sys
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from vedette.cli.baseline import discovery_numbers, read_state, state_of
from vedette.terminal.command import Command, ConfigOption, StoreOption, application, open_store, say, settings_of, terminal_width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vedette.baseline import ScoredEpisode
    from vedette.findings import Finding
    from vedette.sql.threshold import Number
    from vedette.store import Store

APPLICATION = application()
COMMAND = Command("what-if", APPLICATION)


@APPLICATION.command("what-if")
def what_if(
    changes: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE",
            help="profile=sensitive, threshold=6, discovery.n1=3, suppress=PRINCIPAL, suppress=N1; may be repeated.",
        ),
    ],
    format_name: Annotated[str, typer.Option("--format", metavar="NAME", help="table (the default) or json.")] = "table",
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Show which findings of the discovery types would appear or vanish under other thresholds; nothing is changed.

    Example: vedette what-if profile=sensitive --store case.db
    """
    from vedette.baseline import remembered
    from vedette.baseline.listing import check_format, json_text, what_if_document, what_if_lines
    from vedette.baseline.what_if import compare, parse, scored_otherwise

    check_format(format_name)
    change = parse(changes)
    settings = settings_of(config, {"store": store})
    numbers = discovery_numbers(settings)
    with open_store(config, store) as opened:
        place = state_of(settings, opened)
        episodes = read_state(opened, settings, lambda generation: remembered(generation, place))
        findings = _findings(opened)
    of_episode = {number: tuple(_of(findings, item)) for number, item in enumerate(episodes)}
    scored = {number: found[-1].summary.thresholds for number, found in of_episode.items() if found}
    appear, vanish = compare(episodes, change, numbers, scored)
    ids = {number: tuple(finding.id for finding in _of(findings, item.before)) for number, item in enumerate(vanish)}
    others = scored_otherwise(episodes, (finding.summary.thresholds for finding in chain(*findings.values())), numbers)
    if format_name == "json":
        sys.stdout.write(json_text(what_if_document(change, appear, vanish, ids)))
    else:
        sys.stdout.writelines(what_if_lines(appear, vanish, ids, terminal_width()))
        sys.stdout.flush()
        say(f"judged {len(episodes):,} episodes; those below {numbers['near']:g} points are not kept")
    if others:
        said = ", ".join(f"discovery.{name} {_either(values)} (now {numbers[name]:g})" for name, values in others.items())
        say(
            f"warning: some of them were scored with other settings than those in force now: {said}; where an episode does not"
            " keep its own, those in force now are taken for them. Give the settings of the scan with --config to judge by these"
        )


def _either(values: "list[Number]") -> str:
    """Return numbers as ``4 or 6``."""
    return " or ".join(f"{value:g}" for value in values)


def _findings(store: "Store") -> "dict[str, list[Finding]]":
    """Return the findings of the scored types by the principal that they concern."""
    from vedette.detections import all_detections

    found: dict[str, list[Finding]] = {}
    scored = (detection.finding_type for detection in all_detections().values() if detection.category)
    for finding in chain.from_iterable(store.findings(finding_type=name, limit=None) for name in scored):
        found.setdefault(finding.seen.target, []).append(finding)
    return found


def _of(findings: "dict[str, list[Finding]]", episode: "ScoredEpisode") -> "Iterator[Finding]":
    """Yield the findings to which an episode belongs."""
    from vedette.epoch import moment

    begun, last = moment(episode.begun_us), moment(episode.last_us)
    for finding in findings.get(episode.who, ()):
        if finding.seen.first.time <= last and begun <= finding.seen.last.time:
            yield finding
