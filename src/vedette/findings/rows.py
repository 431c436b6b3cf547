"""Reading a result row: columns that may be missing or null become the types that sightings are made of."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from vedette.findings.model import Evidence

Row = Mapping[str, object]


# Texts in a log may be as long as their writer likes; this many characters of them are enough.
_TEXT_LIMIT = 512


def dicts(value: object) -> list[Row]:
    """Return the structs of a list column; nulls among them are left out."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def text(value: object) -> str:
    """Return a text of bounded length, "" for null."""
    return "" if value is None else str(value)[:_TEXT_LIMIT]


def whole(value: object) -> int:
    """Return a whole number, 0 for what is not a number; sums of wide integers come as decimals."""
    return int(value) if isinstance(value, int | float | Decimal) else 0


def degrees(value: object) -> float | None:
    """Return a latitude or longitude, None for what is not a finite number."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def time(value: object) -> datetime:
    """Return a time in UTC.

    Raises:
        TypeError: it is not a time; that is a fault of the query.
    """
    moment = time_or_none(value)
    if moment is None:
        raise TypeError(f"{value!r} is not a time: the query must return one")
    return moment


def time_or_none(value: object) -> datetime | None:
    """Return a time in UTC, None for what is not a time."""
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def evidence_of(item: Row) -> Evidence:
    """Return a list entry of a row as evidence."""
    category = text(item.get("category"))
    return Evidence(
        list_name=text(item.get("list_name")),
        list_kind=text(item.get("kind")),
        network=text(item.get("network")),
        line=whole(item.get("line")),
        threat_names=(category,) if category else (),
        stale=bool(item.get("stale")),
        valid_from=time_or_none(item.get("valid_from")),
        valid_to=time_or_none(item.get("valid_to")),
    )
