"""What is known about addresses, as tables: work done once a distinct address and joined by the engine."""

from collections.abc import Iterable

import pyarrow as pa

from vedette.intel import PRECEDENCE
from vedette.intel.index import Index, Match
from vedette.network.address import AddressClass, address_class, parse

_TEXT: pa.DataType = pa.string()
NO_PRECEDENCE = 9  # scanner lists concern flows only: behind all that PRECEDENCE may ever hold
_TIME: pa.DataType = pa.timestamp("us", tz="UTC")

# One row a distinct text; what is no address has nulls, and is_public false.
FACTS = pa.schema(
    [
        pa.field("address", _TEXT),  # as written
        pa.field("canonical", _TEXT),
        pa.field("version", pa.int8()),
        pa.field("class", _TEXT),  # address.AddressClass; "none" for what is no address
        pa.field("is_public", pa.bool_()),
        pa.field("is_listed", pa.bool_()),  # some list covers it, at whatever time
    ]
)

# One row an address text and list entry that covers it, whenever. An entry matches an event when
# ``event_time between valid_from and valid_to`` (slack and grace included; never null); stale when ``event_time > stale_after``.
# ``entry_valid_from`` and ``entry_valid_to`` are the entry's own validity, null where open.
MATCHES = pa.schema(
    [
        pa.field("address", _TEXT),
        pa.field("canonical", _TEXT),
        pa.field("kind", _TEXT),
        pa.field("precedence", pa.int8()),  # place in intel.PRECEDENCE; NO_PRECEDENCE for scanners
        pa.field("list_name", _TEXT),
        pa.field("network", _TEXT),
        pa.field("line", pa.int64()),
        pa.field("category", _TEXT),
        pa.field("verdict", _TEXT),
        pa.field("valid_from", _TIME),
        pa.field("valid_to", _TIME),
        pa.field("stale_after", _TIME),
        pa.field("entry_valid_from", _TIME),
        pa.field("entry_valid_to", _TIME),
    ]
)


def address_facts(texts: Iterable[str | None], index: Index) -> pa.Table:
    """Return the facts of each distinct text (schema ``FACTS``), in order of first appearance; nulls are left out."""
    columns: list[list[object]] = [[] for _ in FACTS]
    for text in dict.fromkeys(texts):
        if text is None:
            continue
        address = parse(text)
        if address is None:
            row: tuple[object, ...] = (text, None, None, "none", False, False)
        else:
            kind = address_class(address)
            row = (text, address.text, address.version, kind.value, kind is AddressClass.PUBLIC, index.covers(address))
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return pa.Table.from_arrays([pa.array(column, item.type) for column, item in zip(columns, FACTS, strict=True)], schema=FACTS)


def address_matches(texts: Iterable[str | None], index: Index) -> pa.Table:
    """Return the list entries that cover each distinct text that is a public address (schema ``MATCHES``)."""
    columns: list[list[object]] = [[] for _ in MATCHES]
    for text in dict.fromkeys(texts):
        address = None if text is None else parse(text)
        if address is None:
            continue
        for match in index.lookup(address):
            for column, value in zip(columns, (text, address.text, *_row(match)), strict=True):
                column.append(value)
    return pa.Table.from_arrays(
        [pa.array(column, item.type) for column, item in zip(columns, MATCHES, strict=True)], schema=MATCHES
    )


def _row(match: Match) -> tuple[object, ...]:
    entry, source = match.entry, match.source
    return (
        source.kind.value,
        PRECEDENCE.index(source.kind) if source.kind in PRECEDENCE else NO_PRECEDENCE,
        source.name,
        str(entry.network),
        entry.line,
        entry.category,
        source.verdict,
        match.matches_from,
        match.matches_to,
        source.stale_after,
        entry.valid_from,
        entry.valid_to,
    )
