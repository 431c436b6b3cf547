"""Print exposed ports: a table for people, JSON and CSV for programs. Anybody may choose names and tags, so they are cleaned."""

import csv
import io
import json
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from vedette.errors import ConfigurationError
from vedette.exposure.configuration import CONFIGURED, Exposure
from vedette.exposure.ports import VERDICTS
from vedette.findings.identity import timestamp
from vedette.inventory.network import ANY, NAMES, PORTS, span
from vedette.text import NARROWEST
from vedette.text.report import counted
from vedette.text.safe import cell, clean

_KEPT_SCANNERS = 50
_MOST_CLIENTS = 60

# Name and meaning; docs/guides/network.md has the same table.
COLUMNS: tuple[tuple[str, str], ...] = (
    ("account_id", "Account of the interface."),
    ("region", "Region of the interface."),
    ("instance_id", "Instance, if known."),
    ("interface_id", "Network interface."),
    ("role", "What the interface belongs to; unknown without an inventory."),
    ("name", "Name tag of the instance."),
    ("addresses", "Known addresses of the interface."),
    ("protocol", "tcp, udp or all."),
    ("from_port", "The port, or the first of a range that the configuration opens."),
    ("to_port", "The last port of the range."),
    ("evidence", "served, open, reachable or accepted_only; configured if no traffic proved it."),
    ("first_seen", "First answer in the last 90 days."),
    ("last_seen", "Last answer."),
    ("conversations", "Conversations that were answered; if none was, probes."),
    ("clients_at_least", "At least so many clients were sent data; counted up to 60."),
    ("scanners_malicious", "Listed scanners that found it and are known as malicious."),
    ("scanners_unknown", "Listed scanners that found it, of unknown intent."),
    ("scanners_research", "Research scanners that found it."),
    ("scanners", "Addresses of the first 50 of them."),
    ("expected", "true if the port is meant to answer."),
    ("verdict", "Whether the configuration lets the internet in; empty without an inventory."),
    ("rule", "The rule that decides the verdict."),
    ("sources", "Networks that the rules let in."),
    ("command", "The command that revokes the rule."),
    ("ports_proved", "How many ports of the range answered."),
)


def render(found: Iterable[Exposure], name: str, width: int = NARROWEST) -> Iterator[str]:
    """Return exposed ports in an output format, as pieces of text; a table is ``width`` characters wide.

    Raises:
        ConfigurationError: the format is not table, json, ndjson or csv.
    """
    check_format(name)
    return _RENDERERS[name](found, max(width, NARROWEST))


def check_format(name: str) -> None:
    """Check that ports can be printed in a format.

    Raises:
        ConfigurationError: the format is not table, json, ndjson or csv.
    """
    if name not in _RENDERERS:
        raise ConfigurationError(f"{name!r} is not an output format: choose one of {', '.join(sorted(_RENDERERS))}")


def values(item: Exposure) -> dict[str, object]:
    """Return the values of ``COLUMNS`` by name: times in ISO 8601, None for unknown values."""
    classes = Counter(item.scanners.values())
    return {
        "account_id": item.account_id,
        "region": item.region,
        "instance_id": item.instance_id or None,
        "interface_id": item.interface_id,
        "role": item.role,
        "name": item.name or None,
        "addresses": list(item.addresses),
        "protocol": _protocol(item),
        "from_port": item.ports[0],
        "to_port": item.ports[1],
        "evidence": item.evidence,
        "first_seen": timestamp(item.first_seen) if item.first_seen else None,
        "last_seen": timestamp(item.last_seen) if item.last_seen else None,
        "conversations": item.conversations,
        "clients_at_least": item.clients,
        **{f"scanners_{verdict}": classes[verdict] for verdict in ("malicious", "unknown", "research")},
        "scanners": list(item.scanners)[:_KEPT_SCANNERS],
        "expected": item.expected,
        "verdict": item.verdict or None,
        "rule": item.rule or None,
        "sources": list(item.sources),
        "command": item.command or None,
        "ports_proved": item.proved,
    }


def _json(found: Iterable[Exposure], _width: int) -> Iterator[str]:
    separator = "[\n"
    for item in found:
        yield separator + json.dumps(values(item), indent=1)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _ndjson(found: Iterable[Exposure], _width: int) -> Iterator[str]:
    for item in found:
        yield json.dumps(values(item), separators=(",", ":")) + "\n"


def _csv(found: Iterable[Exposure], _width: int) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([name for name, _ in COLUMNS])
    for item in found:
        row = values(item)
        writer.writerow([cell(_flat(row[name])) for name, _ in COLUMNS])
    yield buffer.getvalue()


def _flat(value: object) -> object:
    if isinstance(value, list):
        return ";".join(map(str, value))
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value


def _table(found: Iterable[Exposure], width: int) -> Iterator[str]:
    yield _row("PORT", "EVIDENCE", "FIRST SEEN (UTC)", "LAST SEEN (UTC)", "SCANNERS")
    current: tuple[str, str] | None = None
    for item in found:
        if (item.resource, item.interface_id) != current:
            current = item.resource, item.interface_id
            yield from _wrapped(_heading(item), width)
        scanners = str(len(item.scanners)) if item.evidence != CONFIGURED else "-"
        yield _row(f"  {_port(item)}", item.evidence, _minute(item.first_seen), _minute(item.last_seen), scanners)
        for line in _details(item):
            yield from _wrapped(f"    {line}", width)


def _row(port: str, evidence: str, first: str, last: str, scanners: str) -> str:
    return f"{port:<16}  {evidence:<13}  {first:<16}  {last:<16}  {scanners:>8}".rstrip() + "\n"


def _heading(item: Exposure) -> str:
    facts = [item.resource, item.name, item.role if not item.of_instance else "", *item.addresses[:4], item.region]
    return "  ".join(clean(fact) for fact in facts if fact)


def _details(item: Exposure) -> Iterator[str]:
    if item.expected:
        yield "expected: it is meant to answer"
    if item.evidence == CONFIGURED:
        proved = f"{counted(item.proved, 'port')} of the range answered" if item.proved else "no traffic has proved it"
        yield f"open to {', '.join(item.sources[:4]) or 'an unknown source'}; {proved}"
    else:
        yield "; ".join(_traffic(item))
    if item.verdict:
        yield f"configuration: {item.verdict}, {item.rule}"


def _traffic(item: Exposure) -> Iterator[str]:
    if item.evidence in {"served", "open"}:
        yield counted(item.conversations, "conversation")
    else:
        yield counted(item.conversations, "probe")
    if item.clients:
        yield (
            f"at least {counted(item.clients, 'client')}" if item.clients < _MOST_CLIENTS else f"{_MOST_CLIENTS} clients or more"
        )
    classes = Counter(item.scanners.values())
    if parts := [f"{classes[verdict]} {verdict}" for verdict in VERDICTS if classes[verdict]]:
        yield f"scanners: {', '.join(parts)}"


def _protocol(item: Exposure) -> str:
    return "all" if item.protocol == ANY else NAMES.get(item.protocol, str(item.protocol))


def _port(item: Exposure) -> str:
    return f"{'all' if item.ports == PORTS else span(item.ports)}/{_protocol(item)}"


def _minute(time: datetime | None) -> str:
    return timestamp(time)[:16].replace("T", " ") if time else "-"


def _wrapped(text: str, width: int) -> Iterator[str]:
    indent = text[: len(text) - len(text.lstrip(" "))]
    shown = "  ".join(map(clean, text.split("  "))).strip()
    yield from (
        f"{line}\n"
        for line in textwrap.wrap(
            shown, width, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False, break_long_words=True
        )
    )


_RENDERERS: dict[str, Callable[[Iterable[Exposure], int], Iterator[str]]] = {
    "table": _table,
    "json": _json,
    "ndjson": _ndjson,
    "csv": _csv,
}
