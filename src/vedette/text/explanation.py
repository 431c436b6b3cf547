"""One finding in full, for people: what, why, who, from where, which calls, which records, what next.

What depends on the finding type comes from its detection. A finding of a type that this version does not detect, from the store
of another version, is shown without advice.
"""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from vedette.detections import all_detections
from vedette.findings.explanation import Section, Step
from vedette.findings.identity import timestamp
from vedette.findings.model import Finding
from vedette.findings.severity import label
from vedette.findings.tallies import most_frequent
from vedette.guardduty.document import document
from vedette.guardduty.other_side import other_side
from vedette.guardduty.reading import member, ours, resource_name, structures
from vedette.text import NARROWEST
from vedette.text.safe import clean

_NARROWEST_TEXT, _WIDEST_TEXT = 40, 110  # text runs no wider, however wide the terminal
_KEPT_APIS = 20
_KEPT_AGENTS = 5
_LISTED_NUMBERS = 12  # more thresholds than these become one paragraph

# A list mark, a number, or the left column of a two-column line: continuation lines begin under what follows it.
_LONGEST = 20_000  # characters of a paragraph that are shown
_HANGING = re.compile(r"- |\d{1,2}\. |.{1,26}?\s{2,}")


def show(finding: Finding, width: int = NARROWEST) -> Iterator[str]:
    """Yield one finding in full, line by line, for a terminal of ``width`` columns."""
    body = min(max(width, _NARROWEST_TEXT), _WIDEST_TEXT)
    summary, facts = finding.summary, document(finding)
    detection = all_detections().get(finding.seen.finding_type)
    steps = detection.next_steps(finding) if detection else ()
    yield from _wrapped(f"{label(summary.severity)} {summary.severity:g}  {summary.title}", body)
    yield f"{finding.seen.finding_type}  id {finding.id}{'  archived' if finding.archived else ''}\n"
    yield "\n"
    yield from _wrapped(summary.description, body)
    yield from _block("Why", _reasons(finding, steps), body)
    for section in detection.sections(finding, facts) if detection else _unknown(finding, facts):
        yield from _block(section.heading, _pairs(section.values), body)
    yield from _block("When (UTC)", _pairs(_times(finding)), body)
    yield from _block("Calls", _calls(finding), body)
    yield from _block("User agents (of the first records)", _agents(facts), body)
    yield from _block(f"Numbers (rule version {finding.rule})", _pairs(_numbers(facts)), body)
    yield from _records(finding, facts, body)
    yield from _advice(steps, body)


def _block(heading: str, lines: Iterable[str], width: int) -> Iterator[str]:
    """Yield lines under a heading; nothing where there are none."""
    for number, line in enumerate(lines):
        if number == 0:
            yield f"\n{heading}\n"
        yield from _wrapped(line, width, indent="  ")


def _reasons(finding: Finding, steps: tuple[Step, ...]) -> list[str]:
    """Return the reasons without those that end in the command of a step: it is printed once, below, where it can be copied."""
    commands = tuple(step.command for step in steps if step.command)
    return [f"- {reason}" for reason in finding.summary.reasons if not (commands and reason.endswith(commands))]


def _unknown(finding: Finding, facts: Mapping[str, object]) -> tuple[Section, ...]:
    """Return the sections of a finding whose type no detection of this version knows."""
    seen = finding.seen
    resource = {
        "type": finding.resource_type,
        "name": resource_name(finding),
        "grouped by": seen.resource_key,
        "account": seen.account_id,
    }
    return Section("Resource", resource), Section("Other side", other_side(finding, facts))


def _times(finding: Finding) -> dict[str, object]:
    seen = finding.seen
    return {"first": timestamp(seen.first.time), "last": timestamp(seen.last.time), "events": f"{seen.count:,}"}


def _calls(finding: Finding) -> list[str]:
    apis = most_frequent(finding.seen.tallies.get("apis", {}))
    more = [f"… and {len(apis) - _KEPT_APIS:,} more"] if len(apis) > _KEPT_APIS else []
    return [f"{tally.count:>7,}  {name}" for name, tally in apis[:_KEPT_APIS]] + more


def _agents(facts: Mapping[str, object]) -> list[str]:
    agents = [str(agent) for agent in cast("list[object]", ours(facts).get("userAgents", []))]
    more = [f"… and {len(agents) - _KEPT_AGENTS:,} more"] if len(agents) > _KEPT_AGENTS else []
    return agents[:_KEPT_AGENTS] + more


def _numbers(facts: Mapping[str, object]) -> dict[str, object]:
    thresholds = member(ours(facts), "thresholds")
    if len(thresholds) > _LISTED_NUMBERS:
        thresholds = {"thresholds": ", ".join(f"{name} {value}" for name, value in thresholds.items())}
    return {**thresholds, **{f"observed {name}": value for name, value in member(ours(facts), "observed").items()}}


def _records(finding: Finding, facts: Mapping[str, object], width: int) -> Iterator[str]:
    """Yield where the first records lie, by file; names are never wrapped, so that they can be copied."""
    records = structures(member(ours(facts), "records"), "first")
    if not records:
        return
    flows = [_flow(sample.text) for sample in finding.seen.samples.get("records", ())]
    what = "remote, port, outcome" if any(flows) else "API"
    yield "\n"
    yield from _wrapped(f"Records (first {len(records)} of {finding.seen.count:,}; [index in the file], time, {what})", width)
    by_file: dict[object, list[str]] = {}
    for record, flow in zip(records, flows, strict=False):
        line = f"    [{record['position']}]  {record['eventTime']}  {clean(flow or record['api'])}\n"
        by_file.setdefault(record["object"], []).append(line)
    for name, lines in by_file.items():
        yield f"  {clean(name)}\n"
        yield from lines


def _flow(text: str) -> str:
    """Return the remote address, port and outcome of a kept flow record, "" for a call."""
    said = json.loads(text)
    return f"{said['remote']} {said['port']} {said['outcome']}" if "outcome" in said else ""


def _advice(steps: Iterable[Step], width: int) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        if number == 1:
            yield "\nWhat to do next\n"
        yield from _wrapped(f"{number}. {step.text}", width, indent="  ")
        if step.command:
            yield f"     {clean(step.command)}\n"  # never wrapped, so that it can be copied


def _pairs(values: Mapping[str, object]) -> list[str]:
    known = {name: value for name, value in values.items() if value not in (None, "")}
    room = max((len(name) for name in known), default=0)
    return [f"{name:<{room}}  {value}" for name, value in known.items()]


def _wrapped(text: str, width: int, indent: str = "") -> Iterator[str]:
    # Alignment inside a line is ours; each of its words may come from a log: clean between the spaces.
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"  # wrapping takes quadratic time
    safe = re.sub(r"[^ ]+", lambda word: clean(word.group()), shown)
    mark = _HANGING.match(safe) if indent else None
    hanging = indent + " " * (mark.end() if mark else 0)
    lines = textwrap.wrap(safe, width, initial_indent=indent, subsequent_indent=hanging, break_on_hyphens=False)
    yield from (f"{line}\n" for line in lines)
