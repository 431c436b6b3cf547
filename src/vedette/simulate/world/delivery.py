"""Write log files as AWS delivers them: minutes late, compressed, under AWS's names, some records twice (contract 6.2, 6.4)."""

import gzip
import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from string import ascii_letters, digits

from vedette.simulate import ACCOUNT_ID, HOME_REGION, Flow

_SLOT = timedelta(minutes=5)
_DELAY_SECONDS = (90, 420)
_LARGEST_FILE = 400
_TWICE = 0.004  # share of records that are delivered again
_FLOW_FIELDS = {
    2: "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status",
}
_FLOW_FIELDS[5] = f"{_FLOW_FIELDS[2]} vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr flow-direction"
FLOW_VERSIONS = tuple(_FLOW_FIELDS)
_FLOW_LOG = "fl-0a1b2c3d4e5f60718"

Record = Mapping[str, object]


def deliver_calls(folder: Path, records: Iterable[tuple[datetime, Record]], random: Random) -> tuple[int, int]:
    """Write records with their event times to CloudTrail files; return the number of files, and of records delivered twice."""
    slots: dict[tuple[str, datetime], list[Record]] = {}
    twice = 0
    for at, record in records:
        slot = _slot(at + timedelta(seconds=random.uniform(*_DELAY_SECONDS)))
        slots.setdefault((str(record["awsRegion"]), slot), []).append(record)
        if random.random() < _TWICE:
            twice += 1
            slots.setdefault((str(record["awsRegion"]), slot + _SLOT), []).append(record)
    files = 0
    for (region, slot), delivered in sorted(slots.items(), key=lambda item: item[0]):
        random.shuffle(delivered)
        for start in range(0, len(delivered), _LARGEST_FILE):
            part = {"Records": delivered[start : start + _LARGEST_FILE]}
            _write(_path(folder, "CloudTrail", region, slot, _word(random, 16) + ".json.gz"), _compact(part), slot)
            files += 1
    return files, twice


def deliver_flows(folder: Path, flows: Iterable[Flow], random: Random, *, version: int = 2) -> int:
    """Write flow log files, one per hour; return their number.

    Version 2 is the default format; version 5 adds the most useful fields of versions 3 to 5.
    """
    hours: dict[datetime, list[Flow]] = {}
    for flow in flows:
        hours.setdefault(flow.start.replace(minute=0, second=0, microsecond=0), []).append(flow)
    for hour, part in sorted(hours.items()):
        lines = [_FLOW_FIELDS[version], *(_line(flow, version) for flow in sorted(part, key=lambda flow: flow.start))]
        name = f"{_FLOW_LOG}_{{time}}_{random.getrandbits(32):08x}.log.gz"
        delivered = hour + timedelta(hours=1, minutes=10)
        _write(_path(folder, "vpcflowlogs", HOME_REGION, delivered, name), ("\n".join(lines) + "\n").encode(), delivered)
    return len(hours)


def write_text(path: Path, text: str, at: datetime) -> None:
    """Write a text file with a fixed modification time, so that the result does not depend on when it was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    os.utime(path, (at.timestamp(), at.timestamp()))


def _slot(at: datetime) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // _SLOT.total_seconds() * _SLOT.total_seconds() + _SLOT.total_seconds(), UTC)


def _path(folder: Path, service: str, region: str, at: datetime, end: str) -> Path:
    time = at.strftime("%Y%m%dT%H%MZ")
    rest = end.format(time=time) if "{time}" in end else f"{time}_{end}"
    return (
        folder / "AWSLogs" / ACCOUNT_ID / service / region / at.strftime("%Y/%m/%d") / f"{ACCOUNT_ID}_{service}_{region}_{rest}"
    )


def _write(path: Path, data: bytes, at: datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, compresslevel=6, mtime=0))
    os.utime(path, (at.timestamp(), at.timestamp()))


def _line(flow: Flow, version: int) -> str:
    start = int(flow.start.timestamp())
    head, times = f"{version} {ACCOUNT_ID} {flow.interface}", f"{start} {start + flow.seconds}"
    own = f"{flow.vpc or '-'} {flow.subnet or '-'} {flow.instance or '-'}"
    if flow.status != "OK":
        line = f"{head} - - - - - - - {times} - {flow.status}"
        return line if version == 2 else f"{line} {own} - - - - -"  # noqa: PLR2004  # a constant for version 2 would say no more
    flow_key = f"{flow.source} {flow.destination} {flow.source_port} {flow.destination_port} {flow.protocol} {flow.packets}"
    line = f"{head} {flow_key} {flow.octets} {times} {'ACCEPT' if flow.accepted else 'REJECT'} OK"
    if version == 2:  # noqa: PLR2004  # likewise
        return line
    kind = "IPv6" if ":" in flow.source else "IPv4"
    packet = f"{flow.packet_source or flow.source} {flow.packet_destination or flow.destination}"
    return f"{line} {own} {flow.tcp_flags} {kind} {packet} {flow.direction or '-'}"


def _word(random: Random, length: int) -> str:
    return "".join(random.choices(ascii_letters + digits, k=length))


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
