"""``vedette what-if``: which findings would appear or vanish under other thresholds; nothing is changed."""

import sys
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from vedette.cli.baseline import discovery_numbers, read_state, state_of
from vedette.terminal.command import Command, ConfigOption, StoreOption, application, open_store, say, settings_of, terminal_width

if TYPE_CHECKING:
    from vedette.baseline.what_if import Judged
    from vedette.findings import Finding
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
    from vedette.baseline.what_if import compare, parse

    check_format(format_name)
    change = parse(changes)
    settings = settings_of(config, {"store": store})
    numbers = discovery_numbers(settings)
    with open_store(config, store) as opened:
        place = state_of(settings, opened)
        episodes = read_state(opened, settings, lambda generation: remembered(generation, place))
        appear, vanish = compare(episodes, change, numbers)
        ids = _ids(opened, vanish)
    if format_name == "json":
        sys.stdout.write(json_text(what_if_document(change, appear, vanish, ids)))
        return
    sys.stdout.writelines(what_if_lines(appear, vanish, ids, terminal_width()))
    sys.stdout.flush()
    say(f"judged {len(episodes):,} episodes; those below {numbers['near']:g} points are not kept")


def _ids(store: "Store", judged: "list[Judged]") -> dict[int, tuple[str, ...]]:
    """Return the ids of the findings to which episodes belong, by index of the episode in the list."""
    from vedette.detections import all_detections

    if not judged:
        return {}
    findings: dict[str, list[Finding]] = {}
    scored = (detection.finding_type for detection in all_detections().values() if detection.category)
    for finding in chain.from_iterable(store.findings(finding_type=name, limit=None) for name in scored):
        findings.setdefault(finding.seen.target, []).append(finding)
    return {
        number: tuple(finding.id for finding in findings.get(item.before.who, ()) if _holds(finding, item))
        for number, item in enumerate(judged)
    }


def _holds(finding: "Finding", item: "Judged") -> bool:
    from vedette.exposure.ports import moment

    begun, last = moment(item.before.begun_us), moment(item.before.last_us)
    return finding.seen.first.time <= last and begun <= finding.seen.last.time
