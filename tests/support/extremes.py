"""Numbers at and beyond the bounds of types, and logs in which they stand where a number, or a text, is expected."""

import io
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
from pyarrow import parquet
from reading_blobs import blob_of

from vedette.logs.blob import Blob

INTEGERS = (
    *(0, 1, -1, 5, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**31 + 1, 2**32, 2**40, 2**40 + 1, 2**48, 2**48 + 1),
    *(2**53 - 1, 2**53, 2**53 + 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, -(2**31), -(2**53), -(2**63), -(10**30)),
)
TEXTS = (*map(str, INTEGERS), "1e5", "1e400", "NaN", "-0", "0x7fffffffffffffff", "1.5", "-", "9" * 300)
NUMBERS = ["version", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "tcp-flags", "traffic-path"]

# A conversation of another interface than that of the stories, in both directions, with every number that a record can have.
_FIELDS = [
    *(
        "version",
        "account-id",
        "interface-id",
        "srcaddr",
        "dstaddr",
        "srcport",
        "dstport",
        "protocol",
        "packets",
        "bytes",
        "start",
    ),
    *("end", "action", "log-status", "tcp-flags", "traffic-path", "flow-direction"),
]
_SOUND = "123456789012 eni-0b {} {} {} {} 6 2 100 1773446400 1773446460 ACCEPT OK 18 8 {}"
_ENDS = (("10.0.0.77", "192.0.2.77", 40_000, 22, "egress"), ("192.0.2.77", "10.0.0.77", 22, 40_000, "ingress"))
Hurt = Mapping[str, str]


def records(hurts: Sequence[Hurt], version: int) -> list[dict[str, str]]:
    """Return a record of each direction, twice, for each choice of what numbers are replaced; by the names of the fields."""
    fields = _FIELDS if version > 2 else _FIELDS[:14]
    sound = [dict(zip(_FIELDS, f"{version} {_SOUND}".format(*ends).split(), strict=True)) for ends in _ENDS * 2]
    return [{name: {**record, **hurt}[name] for name in fields} for hurt in hurts for record in sound]


def as_text(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return records as lines, the first of them the header."""
    return [" ".join(rows[0]), *(" ".join(row.values()) for row in rows)]


def as_parquet(rows: Sequence[Mapping[str, Any]], kind: pa.DataType | None = None) -> bytes:
    """Return records as a Parquet file, in which numbers have a type; values that it cannot hold are left out."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    typed = {
        name: pa.array([held(value, kind) for value in values], kind) if kind is not None and name in NUMBERS else values
        for name, values in columns.items()
    }
    sink = io.BytesIO()
    parquet.write_table(pa.table(typed), sink)
    return sink.getvalue()


def held(text: str, kind: pa.DataType) -> object:
    """Return a number as a value of a type; None where the type cannot hold it."""
    if kind == pa.string():
        return text
    try:
        number = float(text) if pa.types.is_floating(kind) else Decimal(text) if pa.types.is_decimal(kind) else int(text)
        pa.array([number], kind)
    except (ValueError, ArithmeticError, pa.ArrowException, OverflowError):
        return None
    return number


def as_envelope(rows: Sequence[Mapping[str, str]], times: Sequence[object]) -> bytes:
    """Return records as CloudWatch Logs sends them to a subscriber, with these times in turn."""
    events = [
        {"id": str(number), "timestamp": times[number % len(times)], "message": " ".join(row.values())}
        for number, row in enumerate(rows)
    ]
    return json.dumps({"messageType": "DATA_MESSAGE", "owner": "123456789012", "logEvents": events}).encode()


def as_trail(events: Sequence[Mapping[str, object]], name: str) -> Blob:
    """Return CloudTrail records as a file."""
    return blob_of(json.dumps({"Records": events}).encode(), name)
