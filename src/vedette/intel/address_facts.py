"""Make tables of facts about addresses and of the list entries that cover them, once per distinct address, for SQL to join."""

from collections.abc import Iterable

import pyarrow as pa

from vedette.intel.index import Index, Match
from vedette.list_kinds import CALLER_KINDS
from vedette.network.address import AddressClass, address_class, parse

_TEXT: pa.DataType = pa.string()
NO_PRECEDENCE = 9  # of scanner lists, which concern flows only: after every kind in CALLER_KINDS
_TIME: pa.DataType = pa.timestamp("us", tz="UTC")

# One row per distinct text; for a text that is not an address, ``canonical`` and ``version`` are null.
FACTS = pa.schema(
    [
        pa.field("address", _TEXT),  # as written
        pa.field("canonical", _TEXT),
        pa.field("version", pa.int8()),
        pa.field("class", _TEXT),  # address.AddressClass; "none" for a text that is not an address
        pa.field("is_public", pa.bool_()),
        pa.field("is_listed", pa.bool_()),  # an entry of some list covers it, at any time
    ]
)

# One row per address text and list entry that covers it at any time. An entry matches an event if
# ``event_time between valid_from and valid_to`` (slack and grace included; never null); it is stale if
# ``event_time > stale_after``. ``entry_valid_from`` and ``entry_valid_to`` are the entry's own validity, null if open.
MATCHES = pa.schema(
    [
        pa.field("address", _TEXT),
        pa.field("canonical", _TEXT),
        pa.field("kind", _TEXT),
        pa.field("precedence", pa.int8()),  # index in CALLER_KINDS; NO_PRECEDENCE for scanners
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
    """Return one row of facts per distinct text (schema ``FACTS``), in order of first appearance; nulls are left out."""
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
    """Return one row per distinct text and list entry that covers it (schema ``MATCHES``); only public addresses are covered."""
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
        CALLER_KINDS.index(source.kind) if source.kind in CALLER_KINDS else NO_PRECEDENCE,
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
