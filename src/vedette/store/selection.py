"""Which findings, in which order, from where on: the questions that lists of findings ask."""

from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import TypedDict

import msgspec
from sqlalchemy import ColumnElement, Select, select, tuple_

from vedette.errors import ConfigurationError
from vedette.findings.model import Finding
from vedette.store.documents import clean, microseconds
from vedette.store.tables import FINDINGS


class Filters(TypedDict, total=False):
    """What findings are selected by; what is absent or None does not matter.

    ``since`` (inclusive) and ``until`` (exclusive) bound the time of the last change (``updated_at``).
    """

    finding_type: str | None
    minimum_severity: float | None
    account_id: str | None
    region: str | None
    archived: bool | None
    since: datetime | None
    until: datetime | None


# What findings are sorted by; each has an index, and ends in the id, so that no two findings are equal.
ORDERS: Mapping[str, tuple[str, ...]] = {
    "updated_at": ("updated_at", "id"),
    "created_at": ("created_at", "id"),
    "first_seen": ("first_seen", "id"),
    "last_seen": ("last_seen", "id"),
    "count": ("count", "id"),
    "severity": ("severity", "updated_at", "id"),
    "finding_type": ("finding_type", "updated_at", "id"),
    "account_id": ("account_id", "updated_at", "id"),
    "region": ("region", "updated_at", "id"),
}
# What findings are counted by.
GROUPS = ("severity", "finding_type", "account_id", "region", "archived")


def columns_of(finding: Finding) -> dict[str, str | int | float]:
    """Return what findings are selected and sorted by."""
    seen = finding.seen
    return {
        "id": finding.id,
        "finding_type": clean(seen.finding_type),
        "account_id": clean(seen.account_id),
        "region": clean(seen.region),
        "severity": finding.summary.severity,
        "archived": finding.archived,
        "count": seen.count,
        "first_seen": microseconds(seen.first.time),
        "last_seen": microseconds(seen.last.time),
        "created_at": microseconds(finding.created_at),
        "updated_at": microseconds(finding.updated_at),
    }


def cursor(finding: Finding, order: str = "updated_at", *, descending: bool = True) -> str:
    """Return the place after a finding in an order: what ``Store.findings`` takes as ``after`` for the next page.

    It names the finding's values, not a number of rows, so that findings which come in between shift nothing.

    Raises:
        ConfigurationError: there is no such order.
    """
    values = columns_of(finding)
    place = [order, descending, *(values[name] for name in _order(order))]
    return msgspec.json.encode(place).hex()


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """Return what a finding must meet."""
    table = FINDINGS.c
    equal = (
        ("finding_type", filters.get("finding_type")),
        ("account_id", filters.get("account_id")),
        ("region", filters.get("region")),
    )
    found = [table[name] == clean(value) for name, value in equal if value is not None]
    if (severity := filters.get("minimum_severity")) is not None:
        found.append(table.severity >= severity)
    if (archived := filters.get("archived")) is not None:
        found.append(table.archived == archived)
    if (since := filters.get("since")) is not None:
        found.append(table.updated_at >= microseconds(since))
    if (until := filters.get("until")) is not None:
        found.append(table.updated_at < microseconds(until))
    return found


def page(
    wanted: list[ColumnElement[bool]], order: str, *, descending: bool, limit: int | None, after: str | None
) -> Select[tuple[str, bool]]:
    """Return the query for the ids of one page, in order.

    Raises:
        ConfigurationError: there is no such order, or ``after`` is no place in it.
    """
    columns = [FINDINGS.c[name] for name in _order(order)]
    if after is not None:
        place = tuple_(*_values(after, order, descending=descending))
        wanted = [*wanted, tuple_(*columns) < place if descending else tuple_(*columns) > place]
    sorting = [column.desc() if descending else column.asc() for column in columns]
    return select(FINDINGS.c.id, FINDINGS.c.archived).where(*wanted).order_by(*sorting).limit(limit)


def _order(order: str) -> tuple[str, ...]:
    if order in ORDERS:
        return ORDERS[order]
    near = get_close_matches(order, ORDERS, n=1)
    hint = f"; did you mean {near[0]}?" if near else f": give {', '.join(ORDERS)}"
    raise ConfigurationError(f"findings cannot be sorted by {order!r}{hint}")


def _values(after: str, order: str, *, descending: bool) -> list[str | int | float]:
    names = _order(order)
    try:
        place = msgspec.json.decode(bytes.fromhex(after), type=list[str | int | float | bool])
    except (ValueError, msgspec.MsgspecError) as error:
        raise ConfigurationError(f"{after[:40]!r} is no place in a list of findings") from error
    if place[:2] != [order, descending] or len(place) != len(names) + 2:
        raise ConfigurationError(f"{after[:40]!r} is a place in findings that are sorted otherwise than by {order}")
    for name, value in zip(names, place[2:], strict=True):
        if isinstance(value, bool) or isinstance(value, str) != (FINDINGS.c[name].type.python_type is str):
            raise ConfigurationError(f"{after[:40]!r} is no place in a list of findings sorted by {order}")
    return place[2:]
