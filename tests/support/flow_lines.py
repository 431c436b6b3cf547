"""Flow records as text and as rows, for tests of readers."""

from datetime import UTC, datetime, timedelta
from typing import Any

from reading_blobs import Read

HEADER = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
FLOW = "2 123456789012 eni-0a1b2c3d 192.0.2.1 10.0.0.5 40000 22 6 3 180 1700000000 1700000060 ACCEPT OK"
REPLY = "2 123456789012 eni-0a1b2c3d 10.0.0.5 192.0.2.1 22 40000 6 2 80 1700000001 1700000061 ACCEPT OK"
STARTED = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
DELIVERED = datetime(2024, 5, 6, 7, 10, tzinfo=UTC)
SOME_FLOW = {
    "version": 2,
    "account_id": "123456789012",
    "interface_id": "eni-0a1b2c3d",
    "src_address": "192.0.2.1",
    "dst_address": "10.0.0.5",
    "src_port": 40000,
    "dst_port": 22,
    "protocol": 6,
    "packets": 3,
    "bytes": 180,
    "start_time": STARTED,
    "end_time": STARTED + timedelta(seconds=60),
    "action": "ACCEPT",
    "log_status": "OK",
}


def text(*lines: str, end: str = "\n") -> bytes:
    """Return lines as a log holds them."""
    return "".join(line + end for line in lines).encode()


def said(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a row says beside where it is from."""
    return {name: value for name, value in row.items() if value is not None and name not in {"object", "position"}}


def places(read: Read) -> list[str]:
    """Return the places of the problems that were met."""
    return [problem.place for problem in read.counts.problems]
