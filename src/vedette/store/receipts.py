"""Write and find receipts: by name and version, by place, by content, and by the beginnings of a blob."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, select
from sqlalchemy.dialects import postgresql, sqlite

from vedette.logs.receipt import ALWAYS, Content, Receipt, Span, joined
from vedette.store.documents import clean, digest, json_text, read_json
from vedette.store.finding_rows import batches
from vedette.store.tables import RECEIPTS

# How many shorter blobs of one place, or of one beginning, are compared: the longest. Beginnings of a few bytes have many.
MOST_ALIKE = 64

Pair = tuple[str, str]
_FIRST = {"digest", "generation"}


def write(connection: Connection, receipts: Iterable[Receipt | Pair], generation: int) -> None:
    """Write receipts. One that says what was read replaces an earlier one of the same name and version."""
    insert = postgresql.insert(RECEIPTS) if connection.dialect.name == "postgresql" else sqlite.insert(RECEIPTS)
    kept = insert.on_conflict_do_nothing()
    changed = {column.name: insert.excluded[column.name] for column in RECEIPTS.columns if column.name not in _FIRST}
    replaced = insert.on_conflict_do_update(index_elements=[RECEIPTS.c.digest], set_=changed)
    for batch in batches(_whole(item) for item in receipts):
        for statement, with_content in ((kept, False), (replaced, True)):
            rows = [_row(item, generation) for item in batch if (item.content is not None) is with_content]
            if rows:
                connection.execute(statement, rows)


def known(connection: Connection, pairs: Iterable[Pair]) -> set[Pair]:
    """Return those pairs of name and version whose blobs were read, with nothing left out."""
    wanted = {digest(*pair): pair for pair in pairs}
    found: set[str] = set()
    for batch in batches(wanted):
        query = select(RECEIPTS.c.digest).where(RECEIPTS.c.digest.in_(batch), RECEIPTS.c.spans.is_(None))
        found.update(connection.scalars(query))
    return {wanted[item] for item in found}


def of_pairs(connection: Connection, pairs: Iterable[Pair]) -> list[Receipt]:
    """Return the receipts with these names and versions."""
    return _found(connection, RECEIPTS.c.digest, (digest(*pair) for pair in pairs))


def of_contents(connection: Connection, contents: Iterable[str]) -> list[Receipt]:
    """Return the receipts of blobs with these SHA-256 digests."""
    return _found(connection, RECEIPTS.c.content, contents)


def present(connection: Connection, places: Iterable[str], heads: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return those places, and those beginnings, of which there are receipts that say what was read."""
    wanted = {digest(place): place for place in places}
    rows: set[str] = set()
    for batch in batches(wanted):
        rows.update(connection.scalars(select(RECEIPTS.c.placed).where(RECEIPTS.c.placed.in_(batch)).distinct()))
    found: set[str] = set()
    for batch in batches(set(heads)):
        found.update(connection.scalars(select(RECEIPTS.c.head).where(RECEIPTS.c.head.in_(batch)).distinct()))
    return {wanted[item] for item in rows}, found


def alike(connection: Connection, place: str, heads: Iterable[str], content: str, size: int) -> list[Receipt]:
    """Return receipts of one place, of any of these beginnings, or with this SHA-256; of each kind the longest up to ``size``."""
    kinds = (RECEIPTS.c.placed == digest(place), RECEIPTS.c.head.in_(list(heads)), RECEIPTS.c.content == content)
    found: dict[str, Row[Any]] = {}
    for kind in kinds:
        query = select(RECEIPTS).where(kind, RECEIPTS.c.size <= size)
        query = query.order_by(RECEIPTS.c.size.desc(), RECEIPTS.c.digest).limit(MOST_ALIKE)
        found.update((row.digest, row) for row in connection.execute(query))
    return [_receipt(row) for row in found.values()]


def _found(connection: Connection, column: ColumnElement[str], values: Iterable[str]) -> list[Receipt]:
    result: list[Receipt] = []
    for batch in batches(set(values)):
        result.extend(map(_receipt, connection.execute(select(RECEIPTS).where(column.in_(batch)))))
    return result


def _whole(item: Receipt | Pair) -> Receipt:
    return item if isinstance(item, Receipt) else Receipt(name=item[0], version=item[1])


def _row(item: Receipt, generation: int) -> dict[str, object]:
    return {
        "digest": digest(item.name, item.version),
        "name": clean(item.name),
        "version": clean(item.version),
        "generation": generation,
        "placed": digest(item.place) if item.content else None,
        "size": item.content.size if item.content else None,
        "content": item.content.digest if item.content else None,
        "head": item.content.head if item.content else None,
        "records": item.records,
        "last_record": item.last or None,
        "spans": None if item.spans == ALWAYS else json_text(item.spans),
    }


def _receipt(row: Row[Any]) -> Receipt:
    """Return the receipt of a row; its place is not kept."""
    content = None if row.content is None else Content(size=row.size, digest=row.content, head=row.head)
    spans = ALWAYS if row.spans is None else joined(msgspec.convert(read_json(row.spans, list), list[Span]))
    return Receipt(
        name=row.name,
        version=row.version,
        content=content,
        records=row.records,
        last=row.last_record or "",
        spans=spans,
    )
