"""Tries in a line: ``TIME SOURCE > TARGETS PORTS OUTCOME [WORD…]``, as the cases about flow records write them.

TIME is ``12:00`` or ``12:00:01`` of the day, ``-2/12:00`` two days before. SOURCE and TARGETS are an address, or
``192.0.2.1-25`` for many; PORTS is ``501-520`` or ``22,80``, with ``udp/`` before them for UDP. Every source tries every port of
every target in turn. OUTCOME is one of ``vedette.simulate.Outcome``, or ``unheard``: a conversation of which only our side's half
was logged. WORDS are ``every=SECONDS`` (between tries; 1 by default), ``from=PORT`` (the source port of all) and
``retries=NUMBER``.

``TIME SKIPDATA SECONDS`` is a window that lost records. The interface that logs has the address that the case calls its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from io import BytesIO

from vedette.logs.blob import Blob
from vedette.simulate import Exchange, Flow
from vedette.simulate.world.connections import Interface, flows_of

ACCOUNT = "123456789012"
MIDNIGHT = datetime(2026, 3, 14, tzinfo=UTC)
OWN = "10.0.0.9"
OWN_SIX = "2001:db8:20::9"
_HEADER = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
_DATAGRAM = {"packets": (1, 1), "octets": (60, 90)}
_LATER = "vpc-id instance-id tcp-flags flow-direction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Whose log it is: the interface, its address, the version of its records, and the instance ("" for none)."""

    interface: str = "eni-0a"
    instance: str = "i-0a"
    own: str = OWN
    version: int = 2

    @property
    def fields(self) -> str:
        """The names of the fields of a record."""
        return _HEADER if self.version == 2 else f"{_HEADER} {_LATER}"


def lines_of(text: Iterable[str], log: Log) -> list[str]:
    """Return the records of lines, in order of time; empty lines and those that begin with # are left out."""
    wanted = [line for line in (item.strip() for item in text) if line and not line.startswith("#")]
    flows = [flow for line in wanted for flow in _flows(line, log)]
    return [_record(flow, log) for flow in sorted(flows, key=lambda flow: flow.start)]


def blob(lines: Iterable[str], log: Log, name: str = "flows.log") -> Blob:
    """Return records as a log in memory."""
    data = "".join(f"{line}\n" for line in (log.fields, *lines)).encode()
    return Blob(name=name, version=sha256(data).hexdigest(), size=len(data), opener=partial(BytesIO, data))


def moment(text: str) -> datetime:
    """Return the time that a line begins with."""
    days, slash, clock = text.rpartition("/")
    hour, minute, *second = map(int, clock.split(":"))
    return MIDNIGHT + timedelta(days=int(days) if slash else 0, hours=hour, minutes=minute, seconds=second[0] if second else 0)


def _flows(line: str, log: Log) -> Iterator[Flow]:
    time, source, *rest = line.split()
    if source == "SKIPDATA":
        yield Flow(start=moment(time), interface=log.interface, status="SKIPDATA", seconds=int(rest[0]))
        return
    _, targets, ports, outcome, *words = rest
    marks = {name: value for name, _, value in (word.partition("=") for word in words)}
    protocol = 17 if ports.startswith("udp/") else 6
    wanted = _ports(ports.removeprefix("udp/"))
    tries = [(sender, host, port) for sender in _hosts(source) for host in _hosts(targets) for port in wanted]
    here = Interface(interface_id=log.interface, instance=log.instance)
    for number, (sender, host, port) in enumerate(tries):
        exchange = Exchange(
            at=moment(time) + timedelta(seconds=number * float(marks.get("every", 1))),
            source=sender,
            destination=host,
            source_port=int(marks.get("from", 40_000 + number)),
            destination_port=port,
            outcome="established" if outcome == "unheard" else outcome,  # type: ignore[arg-type]
            protocol=protocol,
            retries=int(marks.get("retries", 0)),
            **(_DATAGRAM if protocol == 17 else {}),  # type: ignore[arg-type]
        )
        ours = sender in {log.own, OWN_SIX}
        logged = flows_of(exchange, here if ours else None, None if ours else here, window=86_400)
        yield from (flow for flow in logged if outcome != "unheard" or flow.direction == ("egress" if ours else "ingress"))


def _hosts(text: str) -> list[str]:
    start, dash, last = text.partition("-")
    if not dash:
        return [text]
    head, _, first = start.rpartition(".")
    return [f"{head}.{number}" for number in range(int(first), int(last) + 1)]


def _ports(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def _record(flow: Flow, log: Log) -> str:
    start = int(flow.start.timestamp())
    head, times = f"{log.version} {ACCOUNT} {flow.interface}", f"{start} {start + flow.seconds}"
    own = f" vpc-0a {log.instance or '-'}"
    if flow.status != "OK":
        return f"{head} - - - - - - - {times} - {flow.status}" + ("" if log.version == 2 else f"{own} - -")
    said = f"{flow.source} {flow.destination} {flow.source_port} {flow.destination_port} {flow.protocol} {flow.packets}"
    action = "ACCEPT" if flow.accepted else "REJECT"
    line = f"{head} {said} {flow.octets} {times} {action} OK"
    return line if log.version == 2 else f"{line}{own} {flow.tcp_flags} {flow.direction}"
