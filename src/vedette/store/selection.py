"""Build the queries for findings: filters, sort orders and pages."""

from datetime import datetime
from difflib import get_close_matches
from typing import Any, TypedDict

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, UnaryExpression, func, select, tuple_
from sqlalchemy.sql.operators import custom_op

from vedette.epoch import microseconds
from vedette.errors import ConfigurationError
from vedette.findings.model import Finding
from vedette.store.documents import clean
from vedette.store.tables import FINDINGS, ORDERS

SORTED_AT_MOST = 5_000
"""The most matching findings that are fetched and sorted; if there are more, the index of the sort order is scanned."""


class Filters(TypedDict, total=False):
    """Conditions that findings must meet; a value that is absent or None is no condition.

    ``since`` (inclusive) and ``until`` (exclusive) limit the time of the last change (``updated_at``).
    """

    finding_type: str | None
    minimum_severity: float | None
    account_id: str | None
    region: str | None
    archived: bool | None
    since: datetime | None
    until: datetime | None


# The columns by which findings can be counted.
GROUPS = ("severity", "finding_type", "account_id", "region", "archived")


def columns_of(finding: Finding) -> dict[str, str | int | float]:
    """Return the columns by which a finding is selected and sorted."""
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
    """Return the position after a finding in a sort order, which ``Store.findings`` takes as ``after`` for the next page.

    It holds the finding's values, not a number of rows, so that findings added meanwhile do not shift the next page.

    Raises:
        ConfigurationError: there is no such order.
    """
    values = columns_of(finding)
    position = [order, descending, *(values[name] for name in _order(order))]
    return msgspec.json.encode(position).hex()


def conditions(filters: Filters, lead: str | None = None) -> list[ColumnElement[bool]]:
    """Return the filters as SQL conditions; only the index of the column ``lead`` may be used, any if that is None."""
    found: list[ColumnElement[bool]] = []
    for name, value in (
        ("finding_type", filters.get("finding_type")),
        ("account_id", filters.get("account_id")),
        ("region", filters.get("region")),
    ):
        if value is not None:
            found.append(_column(name, lead) == clean(value))
    if (severity := filters.get("minimum_severity")) is not None:
        found.append(_column("severity", lead) >= severity)
    if (archived := filters.get("archived")) is not None:
        found.append(_column("archived", lead) == archived)
    if (since := filters.get("since")) is not None:
        found.append(_column("updated_at", lead) >= microseconds(since))
    if (until := filters.get("until")) is not None:
        found.append(_column("updated_at", lead) < microseconds(until))
    return found


def page(
    connection: Connection,
    filters: Filters,
    order: str,
    *,
    descending: bool,
    limit: int | None,
    after: str | None,
    sorted_at_most: int,
) -> Select[tuple[str, bool]]:
    """Return the query for the IDs and ``archived`` of one page, in order.

    Raises:
        ConfigurationError: there is no such order, or ``after`` is not a cursor of it.
    """
    columns: list[ColumnElement[Any]] = [FINDINGS.c[name] for name in _order(order)]
    lead = _lead(connection, filters, order, sorted_at_most)
    if lead != order:
        columns[0] = _without_index(ORDERS[order][0])
    wanted = conditions(filters, lead if connection.dialect.name == "sqlite" else None)
    if after is not None:
        position = tuple_(*_values(after, order, descending=descending))
        wanted.append(tuple_(*columns) < position if descending else tuple_(*columns) > position)
    sorting = [column.desc() if descending else column.asc() for column in columns]
    return select(FINDINGS.c.id, FINDINGS.c.archived).where(*wanted).order_by(*sorting).limit(limit)


def _lead(connection: Connection, filters: Filters, order: str, sorted_at_most: int) -> str:
    """Return the column whose index finds a page fastest.

    If few findings have a type, account, severity or time, fetch and sort them; otherwise scanning the index of the order soon
    fills a page. On their own, databases scan a million findings for a rare value.
    """
    groups: dict[str, Filters] = {
        "finding_type": {"finding_type": filters.get("finding_type")},
        "account_id": {"account_id": filters.get("account_id")},
        "severity": {"minimum_severity": filters.get("minimum_severity")},
        "updated_at": {"since": filters.get("since"), "until": filters.get("until")},
    }
    for name, group in groups.items():
        wanted = conditions(group)
        if wanted and name != order:
            few = select(FINDINGS.c.id).where(*wanted).limit(sorted_at_most).subquery()
            if (connection.scalar(select(func.count()).select_from(few)) or 0) < sorted_at_most:
                return name
    return order


def _column(name: str, lead: str | None) -> ColumnElement[Any]:
    return FINDINGS.c[name] if lead in {None, name} else _without_index(name)


def _without_index(name: str) -> ColumnElement[Any]:
    """Return a column as an expression for which no index can be used."""
    column = FINDINGS.c[name]
    if column.type.python_type is str:
        return column.concat("")
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def _order(order: str) -> tuple[str, ...]:
    if order in ORDERS:
        return ORDERS[order]
    near = get_close_matches(order, ORDERS, n=1)
    hint = f"; did you mean {near[0]}?" if near else f": give {', '.join(ORDERS)}"
    raise ConfigurationError(f"findings cannot be sorted by {order!r}{hint}")


def _values(after: str, order: str, *, descending: bool) -> list[str | int | float]:
    names = _order(order)
    try:
        position = msgspec.json.decode(bytes.fromhex(after), type=list[str | int | float | bool])
    except (ValueError, msgspec.MsgspecError) as error:
        raise ConfigurationError(f"{after[:40]!r} is not a cursor in a list of findings") from error
    if position[:2] != [order, descending] or len(position) != len(names) + 2:
        raise ConfigurationError(f"{after[:40]!r} is a cursor in findings that are sorted otherwise than by {order}")
    for name, value in zip(names, position[2:], strict=True):
        if isinstance(value, bool) or isinstance(value, str) != (FINDINGS.c[name].type.python_type is str):
            raise ConfigurationError(f"{after[:40]!r} is not a cursor in a list of findings sorted by {order}")
    return position[2:]
