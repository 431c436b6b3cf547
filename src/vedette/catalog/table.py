"""Read the table of operations from ``operations.tsv``, whose header explains the columns."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, cast

_FILE = Path(__file__).with_name("operations.tsv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; None (or an empty technique) means that the value is decided by the rules."""

    service: str
    operation: str
    access: Literal["list", "read", "write", "permissions", "tagging"]
    discovery: bool
    category: Literal["network", "resource", "user"] | None
    weight: int | None
    technique: str


@cache
def table() -> dict[tuple[str, str], Row]:
    """Return the rows by service and lower-case operation, in the order of the file; the file is read once."""
    lines = [line for line in _FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = [_row(line) for line in lines[1:]]  # the first names the columns
    return {(row.service, row.operation.lower()): row for row in rows}


def _row(line: str) -> Row:
    service, operation, access, discovery, category, weight, technique = line.split("\t")
    return Row(
        service=service,
        operation=operation,
        access=cast("Literal['list', 'read', 'write', 'permissions', 'tagging']", access),
        discovery=discovery == "yes",
        category=None if category == "-" else cast("Literal['network', 'resource', 'user']", category),
        weight=None if weight == "-" else int(weight),
        technique="" if technique == "-" else technique,
    )
