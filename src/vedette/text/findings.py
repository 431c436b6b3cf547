"""Findings as text: a table or CSV for people and spreadsheets, JSON for programs.

Everything in a finding that came from a log may have been written by an attacker. JSON is ASCII with escapes; CSV cells never
begin a formula; text for terminals holds no control character, no escape sequence and no character that reverses the direction
of reading.
"""

import json
from collections.abc import Callable, Iterable, Iterator

from vedette.errors import ConfigurationError
from vedette.findings.model import Finding
from vedette.formats import all_formats
from vedette.text import NARROWEST
from vedette.text.spreadsheet import spreadsheet
from vedette.text.table import table


def render(findings: Iterable[Finding], name: str, width: int = NARROWEST) -> Iterator[str]:
    """Yield the findings as text, piece by piece; pieces end in a newline where they end a line.

    Args:
        findings: in the order to print; read once.
        name: ``table``, ``json``, ``ndjson`` or ``csv``, or the name of a document format (one document per line).
        width: columns of the terminal; only the table uses it.

    Raises:
        ConfigurationError: there is no format of that name.
    """
    check_format(name)
    if name == "table":
        return table(findings, width)
    return _RENDERERS[name](findings) if name in _RENDERERS else _documents(findings, name)


def check_format(name: str) -> None:
    """Check that findings can be rendered in a format.

    Raises:
        ConfigurationError: there is no format of that name.
    """
    known = sorted({"table", *_RENDERERS, *all_formats()})
    if name not in known:
        raise ConfigurationError(f"{name!r} is not an output format: choose one of {', '.join(known)}")


def _json(findings: Iterable[Finding]) -> Iterator[str]:
    separator = "[\n"
    for finding in findings:
        yield separator + json.dumps(all_formats()["guardduty"].render(finding), indent=2)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _ndjson(findings: Iterable[Finding]) -> Iterator[str]:
    return _documents(findings, "guardduty")


def _documents(findings: Iterable[Finding], name: str) -> Iterator[str]:
    document_of = all_formats()[name].render
    for finding in findings:
        yield json.dumps(document_of(finding), separators=(",", ":")) + "\n"


_RENDERERS: dict[str, Callable[[Iterable[Finding]], Iterator[str]]] = {"json": _json, "ndjson": _ndjson, "csv": spreadsheet}
