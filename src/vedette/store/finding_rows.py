"""Read and write findings in their tables: look them up by identity or ID, archive and count them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, takewhile
from typing import TypeVar

from sqlalchemy import Connection, Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from vedette.errors import ConfigurationError, NotFoundError
from vedette.findings.identity import Identity, identity
from vedette.findings.model import Finding
from vedette.store.documents import clean, finding_of, finding_text, identity_digest
from vedette.store.selection import GROUPS, Filters, columns_of, conditions
from vedette.store.tables import FINDING_DOCUMENTS, FINDINGS

BATCH = 500  # rows at a time: below the limit of parameters of every database
_SHOWN_IDS = 4
_NEAR_DIGITS = 4  # an ID that shares fewer leading digits is not worth suggesting
_AFTER_HEX = "~"  # sorts after every digit of an ID
_Value = TypeVar("_Value")


def batches(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    """Yield the values in lists of at most ``BATCH``."""
    iterator = iter(values)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows, or update those whose key exists."""
    insert = postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
    changed = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
    statement = insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)
    connection.execute(statement, rows)


def write(connection: Connection, findings: Iterable[Finding]) -> None:
    """Write findings, each replacing the one with the same ID."""
    for batch in batches(findings):
        rows = [{**columns_of(finding), "identity": identity_digest(identity(finding.seen))} for finding in batch]
        upsert(connection, FINDINGS, rows)
        upsert(connection, FINDING_DOCUMENTS, [{"id": finding.id, "document": finding_text(finding)} for finding in batch])


def of_identities(connection: Connection, identities: Iterable[Identity]) -> list[Finding]:
    """Return all findings of the given identities, including archived ones and ended episodes, sorted by start and ID."""
    found: list[Finding] = []
    for batch in batches({identity_digest(item) for item in identities}):
        rows = connection.execute(select(FINDINGS.c.id, FINDINGS.c.archived).where(FINDINGS.c.identity.in_(batch)))
        found.extend(of_ids(connection, {row.id: row.archived for row in rows}))
    return sorted(found, key=lambda finding: (finding.seen.first, finding.id))


def of_ids(connection: Connection, archived: Mapping[str, bool]) -> list[Finding]:
    """Return the findings with the given IDs, in that order; the mapping tells for each ID whether it is archived."""
    found: list[Finding] = []
    for batch in batches(archived):
        query = select(FINDING_DOCUMENTS.c.id, FINDING_DOCUMENTS.c.document).where(FINDING_DOCUMENTS.c.id.in_(batch))
        texts = {row.id: row.document for row in connection.execute(query)}
        found.extend(finding_of(texts[name], archived=archived[name]) for name in batch)
    return found


def of_whole_ids(connection: Connection, ids: Iterable[str]) -> list[Finding]:
    """Return the findings with the given IDs, in that order; IDs that do not exist are left out."""
    wanted = list(dict.fromkeys(clean(item) for item in ids))
    archived: dict[str, bool] = {}
    for batch in batches(wanted):
        rows = connection.execute(select(FINDINGS.c.id, FINDINGS.c.archived).where(FINDINGS.c.id.in_(batch)))
        archived.update({row.id: row.archived for row in rows})
    return of_ids(connection, {item: archived[item] for item in wanted if item in archived})


def resolve(connection: Connection, text: str) -> str:
    """Return the ID for a text that is an ID or the beginning of exactly one ID.

    Raises:
        NotFoundError: no ID begins like this (the nearest is suggested), or several do (some are listed).
    """
    wanted = clean(text.strip().lower())
    if not wanted:
        raise NotFoundError("the ID of a finding is empty: give its id or the beginning of its id")
    table = FINDINGS.c
    query = select(table.id).where(table.id >= wanted, table.id < wanted + _AFTER_HEX).order_by(table.id).limit(_SHOWN_IDS + 1)
    found: list[str] = list(connection.scalars(query))
    if found and (len(found) == 1 or found[0] == wanted):
        return found[0]
    if found:
        more = ", …" if len(found) > _SHOWN_IDS else ""
        raise NotFoundError(f"several findings have ids that begin with {text!r}: {', '.join(found[:_SHOWN_IDS])}{more}")
    near = _nearest(connection, wanted)
    raise NotFoundError(f"no finding has an id that begins with {text!r}{f'; the nearest is {near}' if near else ''}")


def _nearest(connection: Connection, wanted: str) -> str | None:
    table = FINDINGS.c
    beside = (
        connection.scalar(select(func.max(table.id)).where(table.id < wanted)),
        connection.scalar(select(func.min(table.id)).where(table.id > wanted)),
    )
    shared = {name: _shared(name, wanted) for name in beside if name is not None}
    near = max(shared, key=lambda name: shared[name], default=None)
    return near if near is not None and shared[near] >= _NEAR_DIGITS else None


def _shared(left: str, right: str) -> int:
    """Return the length of the common prefix of two texts."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def set_archived(connection: Connection, ids: Iterable[str], *, archived: bool) -> int:
    """Archive or unarchive findings; return how many changed. IDs that do not exist are ignored."""
    table = FINDINGS.c
    changed = 0
    for batch in batches(clean(item) for item in ids):
        statement = update(FINDINGS).where(table.id.in_(batch), table.archived != archived).values(archived=archived)
        changed += connection.execute(statement).rowcount
    return changed


def counted(connection: Connection, group: str, filters: Filters) -> dict[str | float | bool, int]:
    """Return the number of findings per value of a column, sorted by value.

    Raises:
        ConfigurationError: findings cannot be counted by that column.
    """
    if group not in GROUPS:
        raise ConfigurationError(f"findings cannot be counted by {group!r}: give {', '.join(GROUPS)}")
    column = FINDINGS.c[group]
    query = select(column, func.count()).where(*conditions(filters)).group_by(column).order_by(column)
    return {row[0]: row[1] for row in connection.execute(query)}
