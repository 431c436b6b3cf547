"""Findings as text: a table or CSV for people and spreadsheets, JSON for programs, and one finding in full.

Everything in a finding that came from a log may have been written by an attacker. JSON is ASCII with escapes; CSV cells never
begin a formula; text for terminals holds no control character, no escape sequence and no character that turns the reading
direction around.
"""

import csv
import io
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

from vedette.errors import ConfigurationError
from vedette.findings import Finding
from vedette.findings.identity import timestamp
from vedette.findings.severity import label
from vedette.formats import all_formats
from vedette.guardduty.document import OURS, document
from vedette.network.address import parse
from vedette.text.advice import Step, next_steps
from vedette.text.described import at, caller_facts, flow_said, instance_facts, remote_facts
from vedette.text.safe import cell, clean

# name, meaning; the table in docs/reference/findings.md says the same.
CSV_COLUMNS: tuple[tuple[str, str], ...] = (
    ("id", "Id of the finding."),
    ("type", "Finding type."),
    ("severity", "Severity as a number."),
    ("severity_label", "Low, Medium, High or Critical."),
    ("account_id", "Account that owns the resource."),
    ("region", "Region where it was first seen."),
    ("resource", "User, role or instance concerned."),
    ("access_key_id", "Access key of the latest call."),
    ("target", "The other side: the caller's address, the scanned host."),
    ("country", "Country of the other side."),
    ("city", "City of the other side."),
    ("asn", "Number of the autonomous system of the other side."),
    ("organization", "Owner of that autonomous system."),
    ("lists", "Lists that hold the other side, separated by semicolons."),
    ("apis", "APIs called, with their counts, the most frequent first, separated by semicolons."),
    ("error_codes", "Error codes with their counts, separated by semicolons."),
    ("count", "Number of events."),
    ("first_seen", "Time of the first event."),
    ("last_seen", "Time of the last event."),
    ("created_at", "When the finding was written."),
    ("updated_at", "When it was last changed."),
    ("archived", "true or false."),
    ("title", "What happened, in a sentence."),
    ("reasons", "Why, in sentences."),
)

NARROWEST = 80
# From here on a finding takes one line of the table instead of two.
ONE_LINE = 150
# Text runs no wider, however wide the terminal.
_WIDEST_TEXT = 110
_KEPT_APIS = 20
_KEPT_AGENTS = 5
_LISTED_NUMBERS = 12  # more thresholds are told in one paragraph
_ID_PREFIX = 12

# A list mark, a number, or the left column of a two-column line: text that goes on begins under what follows it.
_HANGING = re.compile(r"- |\d{1,2}\. |.{1,26}?\s{2,}")


def render(findings: Iterable[Finding], name: str, width: int = NARROWEST) -> Iterator[str]:
    """Yield the findings as text, piece by piece; pieces end in a newline where they end a line.

    Args:
        findings: in the order to print; read once.
        name: ``table``, ``json``, ``ndjson`` or ``csv``, or the name of a document format (one document a line).
        width: columns of the terminal; only the table uses it.

    Raises:
        ConfigurationError: there is no format of that name.
    """
    check_format(name)
    return _RENDERERS[name](findings, width) if name in _RENDERERS else _documents(findings, name)


def check_format(name: str) -> None:
    """Check that findings can be rendered in a format.

    Raises:
        ConfigurationError: there is no format of that name.
    """
    known = sorted({*_RENDERERS, *all_formats()})
    if name not in known:
        raise ConfigurationError(f"{name!r} is no output format: choose one of {', '.join(known)}")


def show(finding: Finding, width: int = NARROWEST) -> Iterator[str]:
    """Yield one finding in full for people: what, why, who, from where, which calls, which records, what next."""
    body = min(max(width, 40), _WIDEST_TEXT)
    summary, facts = finding.summary, document(finding)
    yield from _wrapped(f"{label(summary.severity)} {summary.severity:g}  {summary.title}", body)
    yield f"{finding.seen.finding_type}  id {finding.id}{'  archived' if finding.archived else ''}\n"
    yield "\n"
    yield from _wrapped(summary.description, body)
    steps = next_steps(finding)
    for heading, lines in _sections(finding, facts, steps):
        if lines:
            yield f"\n{heading}\n"
        for line in lines:
            yield from _wrapped(line, body, indent="  ")
    yield from _records(finding, facts, body)
    yield "\nWhat to do next\n"
    for number, step in enumerate(steps, 1):
        yield from _wrapped(f"{number}. {step.text}", body, indent="  ")
        if step.command:
            yield f"     {clean(step.command)}\n"  # never wrapped: it is there to be copied


def _json(findings: Iterable[Finding], _width: int) -> Iterator[str]:
    separator = "[\n"
    for finding in findings:
        yield separator + json.dumps(all_formats()["guardduty"].render(finding), indent=2)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _ndjson(findings: Iterable[Finding], _width: int) -> Iterator[str]:
    return _documents(findings, "guardduty")


def _documents(findings: Iterable[Finding], name: str) -> Iterator[str]:
    document_of = all_formats()[name].render
    for finding in findings:
        yield json.dumps(document_of(finding), separators=(",", ":")) + "\n"


def _csv(findings: Iterable[Finding], _width: int) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([name for name, _ in CSV_COLUMNS])
    for finding in findings:
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        values = _columns(finding)
        writer.writerow([cell(values[name]) for name, _ in CSV_COLUMNS])
    yield buffer.getvalue()


def _columns(finding: Finding) -> dict[str, object]:
    seen, summary, facts = finding.seen, finding.summary, document(finding)
    place = at(facts, "service", "action", "awsApiCallAction", "remoteIpDetails")
    return {
        "id": finding.id,
        "type": seen.finding_type,
        "severity": f"{summary.severity:g}",
        "severity_label": label(summary.severity),
        "account_id": seen.account_id,
        "region": seen.region,
        "resource": _who(finding),
        "access_key_id": at(facts, "resource", "accessKeyDetails").get("accessKeyId") or "",
        "target": seen.target,
        "country": at(place, "country").get("countryName", ""),
        "city": at(place, "city").get("cityName", ""),
        "asn": at(place, "organization").get("asn", ""),
        "organization": at(place, "organization").get("asnOrg", ""),
        "lists": ";".join(_list_names(facts)),
        "apis": ";".join(f"{name} {count}" for name, count in _tally(finding, "apis")),
        "error_codes": ";".join(f"{name} {count}" for name, count in _tally(finding, "errors")),
        "count": seen.count,
        "first_seen": timestamp(seen.first.time),
        "last_seen": timestamp(seen.last.time),
        "created_at": timestamp(finding.created_at),
        "updated_at": timestamp(finding.updated_at),
        "archived": str(finding.archived).lower(),
        "title": summary.title,
        "reasons": " ".join(summary.reasons),
    }


def _table(findings: Iterable[Finding], width: int) -> Iterator[str]:
    row = _one_line if width >= ONE_LINE else _two_lines
    columns = max(width, NARROWEST)
    yield row(
        columns,
        ("SEVERITY", "TYPE", "COUNT", "WHO", "TARGET", "FIRST SEEN (UTC)", "LAST SEEN (UTC)", "REGION", "ID"),
    )
    for finding in findings:
        seen = finding.seen
        texts = (
            label(finding.summary.severity),
            seen.finding_type.partition("/")[2] or seen.finding_type,
            f"{seen.count:,}",
            _who(finding),
            # What discovery findings are of is who asked: the other side is everything that was asked about.
            "" if finding.action_type == "AWS_API_CALL" and parse(seen.target) is None else seen.target,
            timestamp(seen.first.time)[:16].replace("T", " "),
            timestamp(seen.last.time)[:16].replace("T", " "),
            seen.region,
            finding.id[:_ID_PREFIX],
        )
        yield row(columns, tuple(clean(text) for text in texts))


def _one_line(width: int, texts: tuple[str, ...]) -> str:
    severity, kind, count, who, target, first, last, region, finding_id = texts
    spare = width - (8 + 24 + 9 + 16 + 16 + 14 + 12 + 8 * 2)
    of_target = min(39, spare // 2)
    cells = (
        (severity, 8),
        (kind, 24),
        (count, -9),
        (who, spare - of_target),
        (target, of_target),
        (first, 16),
        (last, 16),
        (region, 14),
        (finding_id, 12),
    )
    return "  ".join(_fitted(text, size) for text, size in cells).rstrip() + "\n"


def _two_lines(width: int, texts: tuple[str, ...]) -> str:
    severity, kind, count, who, target, first, last, region, finding_id = texts
    left = width - (16 + 14 + 2 * 2)
    upper = ((severity, 8), (kind, left - 8 - 9 - 2 * 2), (count, -9), (last, 16), (finding_id, 14))
    # The address matters more than the name: at 80 columns the longest IPv6 address is still shown whole.
    of_target = min(max(15, _cells(target)), left - 7)
    lower = ((f"  {who}", left - 2 - of_target), (target, of_target), (first, 16), (region, 14))
    return "".join("  ".join(_fitted(text, size) for text, size in line).rstrip() + "\n" for line in (upper, lower))


def _fitted(text: str, size: int) -> str:
    """Return the text in exactly ``size`` terminal cells, cut with an ellipsis; to the right when ``size`` is negative."""
    from rich.cells import set_cell_size  # noqa: PLC0415 - not needed by JSON, and it costs start-up time

    room = abs(size)
    if _cells(text) > room:
        text = set_cell_size(text, max(room - 1, 0)).rstrip() + "…" if room else ""
    space = " " * (room - _cells(text))
    return space + text if size < 0 else text + space


def _cells(text: str) -> int:
    from rich.cells import cell_len  # noqa: PLC0415 - as above

    return cell_len(text)


def _sections(finding: Finding, facts: Mapping[str, object], steps: tuple[Step, ...]) -> Iterator[tuple[str, list[str]]]:
    seen, ours = finding.seen, at(facts, "service", "additionalInfo", OURS)
    commands = tuple(step.command for step in steps if step.command)
    # A command stands once, below, where it can be copied.
    yield "Why", [f"- {reason}" for reason in finding.summary.reasons if not (commands and reason.endswith(commands))]
    if finding.resource_type == "Instance":
        yield "Instance", _pairs(instance_facts(finding, facts))
        yield "Other side", _pairs(remote_facts(finding, facts))
    else:
        yield "Who (latest call)", _pairs(caller_facts(finding, facts))
        yield "From where", _pairs(remote_facts(finding, facts))
    yield (
        "When (UTC)",
        _pairs({"first": timestamp(seen.first.time), "last": timestamp(seen.last.time), "events": f"{seen.count:,}"}),
    )
    apis = _tally(finding, "apis")
    more = [f"… and {len(apis) - _KEPT_APIS:,} more"] if len(apis) > _KEPT_APIS else []
    yield "Calls", [f"{count:>7,}  {name}" for name, count in apis[:_KEPT_APIS]] + more
    agents = [str(agent) for agent in cast("list[object]", ours.get("userAgents", []))]
    more = [f"… and {len(agents) - _KEPT_AGENTS:,} more"] if len(agents) > _KEPT_AGENTS else []
    yield "User agents (of the first records)", agents[:_KEPT_AGENTS] + more
    thresholds = at(ours, "thresholds")
    if len(thresholds) > _LISTED_NUMBERS:
        thresholds = {"thresholds": ", ".join(f"{name} {value}" for name, value in thresholds.items())}
    numbers = {**thresholds, **{f"observed {name}": value for name, value in at(ours, "observed").items()}}
    yield f"Numbers (rule version {finding.rule})", _pairs(numbers)


def _records(finding: Finding, facts: Mapping[str, object], width: int) -> Iterator[str]:
    """Yield where the first records lie, by file; names are never wrapped: they are there to be copied."""
    records = cast("list[Mapping[str, object]]", at(facts, "service", "additionalInfo", OURS, "records").get("first", []))
    if not records:
        return
    what = "remote, port, outcome" if finding.resource_type == "Instance" else "API"
    yield "\n"
    yield from _wrapped(f"Records (first {len(records)} of {finding.seen.count:,}; [index in the file], time, {what})", width)
    said = [flow_said(sample.text) for sample in finding.seen.samples.get("records", ())]
    by_file: dict[object, list[str]] = {}
    for record, flow in zip(records, said, strict=False):
        line = f"    [{record['position']}]  {record['eventTime']}  {clean(flow or record['api'])}\n"
        by_file.setdefault(record["object"], []).append(line)
    for name, lines in by_file.items():
        yield f"  {clean(name)}\n"
        yield from lines


def _pairs(values: Mapping[str, object]) -> list[str]:
    known = {name: value for name, value in values.items() if value not in (None, "")}
    room = max((len(name) for name in known), default=0)
    return [f"{name:<{room}}  {value}" for name, value in known.items()]


def _wrapped(text: str, width: int, indent: str = "") -> Iterator[str]:
    # Alignment inside a line is ours; each of its words may be the log's: clean between the spaces.
    safe = re.sub(r"[^ ]+", lambda word: clean(word.group()), text)
    mark = _HANGING.match(safe) if indent else None
    hanging = indent + " " * (mark.end() if mark else 0)
    lines = textwrap.wrap(safe, width, initial_indent=indent, subsequent_indent=hanging, break_on_hyphens=False)
    yield from (f"{line}\n" for line in lines)


def _who(finding: Finding) -> str:
    """Return the user or role with its session's name, the instance, or else what the finding is grouped by."""
    details = at(finding.seen.resource, "accessKeyDetails")
    name, principal = str(details.get("userName") or ""), str(details.get("principalId") or "")
    session = principal.partition(":")[2] if details.get("userType") == "AssumedRole" else ""
    instance = str(at(finding.seen.resource, "instanceDetails").get("instanceId") or "")
    return "/".join(part for part in (name, session) if part) or instance or principal or finding.seen.resource_key


def _list_names(facts: Mapping[str, object]) -> list[str]:
    details = cast("list[Mapping[str, object]]", at(facts, "service", "evidence").get("threatIntelligenceDetails", []))
    return [str(item["threatListName"]) for item in details]


def _tally(finding: Finding, name: str) -> list[tuple[str, int]]:
    tallies = finding.seen.tallies.get(name, {})
    return sorted(((key, tally.count) for key, tally in tallies.items()), key=lambda item: (-item[1], item[0]))


_RENDERERS: dict[str, Callable[[Iterable[Finding], int], Iterator[str]]] = {
    "table": _table,
    "json": _json,
    "ndjson": _ndjson,
    "csv": _csv,
}
