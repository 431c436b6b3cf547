"""Define the fields of VPC Flow Logs (contract 6.1), and recognise the layout of a record.

A header line names the fields in any order. CloudWatch Logs has no header line: there a record has the default format, or
its layout is inferred from values of an unmistakable shape (an interface's ID, an address); numbers are never guessed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vedette.network.address import parse_number

# Field as spelled in header lines -> column of schema.FLOWS.
COLUMN_OF: dict[str, str] = {
    "version": "version",
    "account-id": "account_id",
    "interface-id": "interface_id",
    "srcaddr": "src_address",
    "dstaddr": "dst_address",
    "srcport": "src_port",
    "dstport": "dst_port",
    "protocol": "protocol",
    "packets": "packets",
    "bytes": "bytes",
    "start": "start_time",
    "end": "end_time",
    "action": "action",
    "log-status": "log_status",
    "vpc-id": "vpc_id",
    "subnet-id": "subnet_id",
    "instance-id": "instance_id",
    "tcp-flags": "tcp_flags",
    "pkt-srcaddr": "packet_src_address",
    "pkt-dstaddr": "packet_dst_address",
    "region": "region",
    "pkt-src-aws-service": "packet_src_service",
    "pkt-dst-aws-service": "packet_dst_service",
    "flow-direction": "flow_direction",
    "traffic-path": "traffic_path",
    "reject-reason": "reject_reason",
}
# Fields that are known but not used: they only help to recognise a header line.
UNUSED_FIELDS = frozenset(
    (
        "type",
        "az-id",
        "sublocation-type",
        "sublocation-id",
        "resource-type",
        "resource-id",
        "encryption-status",
        "tgw-id",
        "tgw-attachment-id",
        "tgw-src-vpc-account-id",
        "tgw-dst-vpc-account-id",
        "tgw-src-vpc-id",
        "tgw-dst-vpc-id",
        "tgw-src-subnet-id",
        "tgw-dst-subnet-id",
        "tgw-src-eni",
        "tgw-dst-eni",
        "tgw-src-az-id",
        "tgw-dst-az-id",
        "tgw-pair-attachment-id",
        "packets-lost-no-route",
        "packets-lost-blackhole",
        "packets-lost-mtu-exceeded",
        "packets-lost-ttl-expired",
        "ecs-cluster-arn",
        "ecs-cluster-name",
        "ecs-container-instance-arn",
        "ecs-container-instance-id",
        "ecs-container-id",
        "ecs-second-container-id",
        "ecs-service-name",
        "ecs-task-definition-arn",
        "ecs-task-arn",
        "ecs-task-id",
    )
)
# Names that AWS's example of a CloudWatch filter pattern gives to the fields of the default format.
PATTERN_NAMES = {
    "account": "account-id",
    "eni": "interface-id",
    "source": "srcaddr",
    "destination": "dstaddr",
    "destport": "dstport",
    "windowstart": "start",
    "windowend": "end",
    "flowlogstatus": "log-status",
}
DEFAULT_HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# The largest possible value of each number of a record, the smallest being 0; others are not usable. The bounds of what is summed
# lie far above what networks do, and far below what a column can hold: a record covers ten minutes at most, in which even the
# fastest interface (3.2 Tbit/s) moves fewer than 2^48 bytes, and a single flow far fewer than 2^40 packets.
LARGEST: Mapping[str, int] = {
    "version": 255,
    "src_port": 65_535,
    "dst_port": 65_535,
    "protocol": 255,
    "packets": 1 << 40,
    "bytes": 1 << 48,
    "tcp_flags": 65_535,
    "traffic_path": 255,
}

# Columns that are not part of a record: the event's time according to CloudWatch Logs, in ISO 8601 or in milliseconds since 1970.
EVENT_TIME = "event_time"
EVENT_MILLISECONDS = "event_milliseconds"
COUNTED_AS = {EVENT_TIME: "start_time", EVENT_MILLISECONDS: "start_time"}  # the column under which impossible values are counted

_PLAIN_WORDS = frozenset(("version", "protocol", "packets", "bytes", "start", "end", "action", "region", "type"))
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,40}")
_MINIMUM_KNOWN = 2
_LONGEST_HEADER = 4_096
# Whether numbers are possible is decided where they are read: a record with an impossible one is still of the default format.
_NUMBER = rb"(?:[+-]?\d[\d.eE+-]{0,400}|-|[+-]?[Nn]a[Nn])"
_DEFAULT_LINE = re.compile(
    _NUMBER
    + rb" (?:\d{1,20}|unknown|-)"
    + rb" \S{1,400}" * 8
    + (rb" " + _NUMBER) * 2
    + rb" (?:ACCEPT|REJECT|-) (?:OK|NODATA|SKIPDATA|-)\s*"
)
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("interface_id", re.compile(r"eni-[0-9a-zA-Z]+")),
    ("instance_id", re.compile(r"i-[0-9a-f]{8,17}")),
    ("vpc_id", re.compile(r"vpc-[0-9a-zA-Z]+")),
    ("subnet_id", re.compile(r"subnet-[0-9a-zA-Z]+")),
    ("account_id", re.compile(r"\d{12}")),
    ("action", re.compile(r"ACCEPT|REJECT")),
    ("log_status", re.compile(r"OK|NODATA|SKIPDATA")),
    ("flow_direction", re.compile(r"ingress|egress")),
)
_EPOCH = re.compile(r"1\d{9}")
_VERSION = re.compile(r"[2-9]|1\d")


@dataclass(frozen=True, slots=True)
class Layout:
    """The column of each field of a record, in the record's order; "" for a field that is not used."""

    columns: tuple[str, ...]

    def preceded_by(self, *columns: str) -> "Layout":
        """Return the layout of a record that has ``columns`` before the fields of this one."""
        return Layout(columns + self.columns)


def _spelled(name: str) -> str:
    return name.lower().replace("_", "-")


def layout_of(fields: Iterable[str]) -> Layout:
    """Return the layout of the named fields, spelled with hyphens or underscores; of a field named twice, the first is used."""
    seen: set[str] = set()
    columns: list[str] = []
    for field in fields:
        column = COLUMN_OF.get(_spelled(field), "")
        columns.append("" if column in seen else column)
        seen.add(column)
    return Layout(tuple(columns))


DEFAULT = layout_of(DEFAULT_HEADER.split())


def header_layout(line: bytes) -> Layout | None:
    """Return the layout that a header line names, or None if the line is not a header.

    In a header, at least half of the names and at least two are known fields, and one of these is not an ordinary word.
    """
    if len(line) > _LONGEST_HEADER:
        return None
    names = line.decode("ascii", "replace").split()
    if not all(map(_NAME.fullmatch, names)):
        return None
    known = known_fields(names)
    if len(known) < max(_MINIMUM_KNOWN, len(names) / 2) or _PLAIN_WORDS.issuperset(known):
        return None
    return layout_of(names)


def known_fields(names: Iterable[str]) -> set[str]:
    """Return those of ``names`` that are fields of flow logs, spelled as in header lines."""
    spelled = {_spelled(name) for name in names}
    return {name for name in spelled if name in COLUMN_OF or name in UNUSED_FIELDS}


def is_default_record(line: bytes) -> bool:
    """Tell whether a line is a record of the default format."""
    return _DEFAULT_LINE.fullmatch(line) is not None


def first_lines(head: bytes) -> Iterator[bytes]:
    """Yield the complete, non-blank lines of the start of a text, stripped; a text of a single line counts as complete."""
    lines = head.removeprefix(BYTE_ORDER_MARK).split(b"\n")
    if len(lines) > 1:
        lines.pop()
    for line in lines:
        if stripped := line.strip(b" \t\r\0"):
            yield stripped


def inferred_layout(values: Sequence[str]) -> Layout | None:
    """Return the layout of a record in a custom format, inferred from the shapes of its values; None if they are not enough.

    The record must hold at least an interface and two addresses (the first is the source's, as in AWS's own examples). Two
    times are start and end. If there are four addresses, the last two are the packet's. Ports, protocol and counts cannot be
    told apart: they stay unused.
    """
    columns = [_shape(value) for value in values]
    if values and _VERSION.fullmatch(values[0]):
        columns[0] = "version"
    addresses = [at for at, value in enumerate(values) if ("." in value or ":" in value) and parse_number(value)]
    for at, column in zip(addresses, ("src_address", "dst_address", "packet_src_address", "packet_dst_address"), strict=False):
        columns[at] = column
    times = [at for at, value in enumerate(values) if _EPOCH.fullmatch(value)]
    if len(times) == 2:  # noqa: PLR2004 - a start and an end
        first, second = sorted(times, key=lambda at: int(values[at]))
        columns[first], columns[second] = "start_time", "end_time"
    unique = tuple("" if column in columns[:at] else column for at, column in enumerate(columns))
    return Layout(unique) if len(addresses) in {2, 4} and "interface_id" in unique else None


def _shape(value: str) -> str:
    return next((column for column, shape in _SHAPES if shape.fullmatch(value)), "")
