"""Document formats: a finding becomes a plain ``dict``.

To add one, write a module with the constant ``FORMAT`` in this package. Pure: no I/O, no clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import cast

from vedette.findings import Finding
from vedette.registry import discover


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One document format: its name on the command line and the function that renders a finding."""

    name: str
    render: Callable[[Finding], dict[str, object]]


@cache
def all_formats() -> dict[str, Format]:
    """Return every document format by name."""
    formats = (cast("Format", value) for _, value in discover(__name__, "FORMAT"))
    return {item.name: item for item in formats}
