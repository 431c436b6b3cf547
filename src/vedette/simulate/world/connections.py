"""Turn one exchange into the flow log records that AWS writes for it at one or both interfaces (methods 1.1 and 1.2).

Sizes are those of real stacks and scanners, in bytes of IP. Flags are encoded as AWS does: SYN 2, SYN-ACK 18, RST with or without
ACK 4, FIN 1, any other ACK 0; the flags of all packets of a window are OR-ed.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Literal, NamedTuple

from msgspec import Struct

from vedette.simulate import Exchange, Flow

_FIN, _SYN, _RST, _SYN_ACK = 1, 2, 4, 18
_SYN_BYTES = {"connect": 60, "syn": 44, "bare": 40}
_ACK_BYTES, _RST_BYTES, _SHORT_SYN_ACK_BYTES, _SYN_ACK_BYTES = 52, 40, 44, 60
_UNREACHABLE_BYTES = 56  # an ICMP message with the header that it quotes
_IPV6_EXTRA = 20
_ROUND_TRIP = 0.02  # seconds
_TCP, _ICMP, _ICMPV6 = 6, 1, 58
_FEWEST_PACKETS = 3


class Interface(Struct, frozen=True, kw_only=True):
    """One of our network interfaces; if ``address`` is set, records show this primary address for all its IPv4 addresses."""

    interface_id: str
    address: str = ""
    instance: str = ""
    subnet: str = ""
    vpc: str = ""


class _Run(NamedTuple):
    """Packets spread evenly over a period, in seconds from the start of the exchange."""

    first: float
    last: float
    packets: int
    octets: int
    flags: int


class _Way(NamedTuple):
    """The packets of one direction: in runs, and summed up in ``whole``."""

    runs: tuple[_Run, ...]
    whole: _Run
    protocol: int


class _Shape(NamedTuple):
    """The packets that each end sees, forward and back: they differ if an answer is lost or a security group drops packets."""

    at_source: tuple[_Way | None, _Way | None]
    at_destination: tuple[_Way | None, _Way | None]


class _Kind(NamedTuple):
    """The parameters that determine the packets of an attempt without data; ``extra`` is the extra size of an IPv6 header."""

    outcome: str
    probe: str
    retries: int
    graceful: bool
    lost: bool
    extra: int


class _View(NamedTuple):
    """The packets of one direction as one interface logs them."""

    way: _Way
    interface: Interface
    direction: Literal["ingress", "egress"]
    accepted: bool
    back: bool
    window: int


def flows_of(
    exchange: Exchange, source: Interface | None = None, destination: Interface | None = None, *, window: int = 60
) -> list[Flow]:
    """Return the records of an exchange at the given interfaces of its ends; None stands for an end that is not ours.

    A record covers one direction in one aggregation window of ``window`` seconds, from its first packet to its last.
    """
    shape, found = _shape_of(exchange), list[Flow]()
    if source is not None:
        forward, back = shape.at_source
        if forward is not None:
            _log(exchange, _View(forward, source, "egress", exchange.outcome != "rejected_egress", False, window), found)  # noqa: FBT003
        if back is not None:
            _log(exchange, _View(back, source, "ingress", True, True, window), found)  # noqa: FBT003  # security groups are stateful: replies pass
    if destination is not None:
        forward, back = shape.at_destination
        if forward is not None:
            _log(exchange, _View(forward, destination, "ingress", exchange.outcome != "rejected", False, window), found)  # noqa: FBT003
        if back is not None:
            _log(exchange, _View(back, destination, "egress", True, True, window), found)  # noqa: FBT003  # likewise
    return found


def _ends(exchange: Exchange, interface: Interface, *, local_is_source: bool) -> tuple[str, str, str, str]:
    """Return source and destination as the interface shows them, and those in the packet ("" if they are the same)."""
    source, packet_source = exchange.source, exchange.packet_source
    destination, packet_destination = exchange.destination, exchange.packet_destination
    if interface.address:
        if local_is_source:
            source, packet_source = _shown(interface.address, source, packet_source)
        else:
            destination, packet_destination = _shown(interface.address, destination, packet_destination)
    return source, destination, packet_source, packet_destination


def _shown(own: str, address: str, in_packet: str) -> tuple[str, str]:
    """Return the local address as the record shows it, and the one in the packet ("" if it is the same)."""
    if address == own or ":" in address:
        return address, in_packet
    return own, in_packet or address


def _log(exchange: Exchange, view: _View, found: list[Flow]) -> None:
    way, interface, direction, accepted, back, window = view
    at = exchange.at
    ends = _ends(exchange, interface, local_is_source=(direction == "egress") is not back)
    source, destination, packet_source, packet_destination = ends
    source_port, destination_port = exchange.source_port, exchange.destination_port
    if way.protocol != exchange.protocol:
        source_port = destination_port = 0  # ICMP has no ports
    if back:
        source, destination, packet_source, packet_destination = destination, source, packet_destination, packet_source
        source_port, destination_port = destination_port, source_port
    zero = at.timestamp()
    whole = way.whole
    if int(zero + whole.first) // window == int(zero + whole.last) // window:
        parts: tuple[_Run, ...] = (whole,)
    else:
        parts = tuple(_split(way.runs, zero, window))
    for first, last, packets, octets, flags in parts:
        record = Flow(
            start=at if first == 0 else at + timedelta(seconds=first),
            interface=interface.interface_id,
            source=source,
            destination=destination,
            source_port=source_port,
            destination_port=destination_port,
            protocol=way.protocol,
            packets=packets,
            octets=octets,
            accepted=accepted,
            seconds=int(zero + last) - int(zero + first),
            tcp_flags=flags,
            direction=direction,
            instance=interface.instance,
            subnet=interface.subnet,
            vpc=interface.vpc,
            packet_source=packet_source,
            packet_destination=packet_destination,
        )
        found.append(record)


def _split(runs: tuple[_Run, ...], zero: float, window: int) -> Iterator[_Run]:
    """Yield the part of the runs that falls into each window, in order of time."""
    windows: dict[int, _Run] = {}
    for run in runs:
        step = (run.last - run.first) / (run.packets - 1) if run.packets > 1 else 0.0
        sent = 0
        for number in range(run.packets):
            offset = run.first + step * number
            until = run.octets * (number + 1) // run.packets
            key = int(zero + offset) // window
            before = windows.get(key)
            first = offset if before is None else min(offset, before.first)
            last = offset if before is None else max(offset, before.last)
            packets, octets, flags = (0, 0, 0) if before is None else before[2:]
            windows[key] = _Run(first, last, packets + 1, octets + until - sent, flags | run.flags)
            sent = until
    yield from (windows[key] for key in sorted(windows))


def _shape_of(exchange: Exchange) -> _Shape:
    if exchange.protocol != _TCP or (exchange.outcome == "established" and not exchange.lost):
        return _carried(exchange)
    six = _IPV6_EXTRA if ":" in exchange.source else 0
    return _attempt(_Kind(exchange.outcome, exchange.probe, exchange.retries, exchange.graceful, exchange.lost, six))


@cache
def _attempt(kind: _Kind) -> _Shape:
    """Return the packets of an attempt without data; cached, since there are few kinds."""
    syn = _SYN_BYTES[kind.probe] + kind.extra
    attempts = _way(*(_Run(float(2**number - 1), float(2**number - 1), 1, syn, _SYN) for number in range(kind.retries + 1)))
    match kind.outcome:
        case "rejected_egress":
            return _Shape((attempts, None), (None, None))
        case "rejected" | "filtered":
            return _Shape((attempts, None), (attempts, None))
    forward, back = _answered(kind, syn)
    if kind.lost:
        answer = back.runs[0]
        answers = _way(*(answer._replace(first=run.first + answer.first, last=run.last + answer.last) for run in attempts.runs))
        return _Shape((attempts, None), (attempts, answers))
    return _Shape((forward, back), (forward, back))


def _answered(kind: _Kind, syn: int) -> tuple[_Way, _Way]:
    opening, soon, end = _Run(0.0, 0.0, 1, syn, _SYN), 2 * _ROUND_TRIP, 3 * _ROUND_TRIP
    acknowledged = _ACK_BYTES + kind.extra
    if kind.outcome == "refused":
        return _way(opening), _way(_Run(_ROUND_TRIP, _ROUND_TRIP, 1, _RST_BYTES + kind.extra, _RST))
    if kind.outcome == "half_open":
        answer = _Run(_ROUND_TRIP, _ROUND_TRIP, 1, _SHORT_SYN_ACK_BYTES + kind.extra, _SYN_ACK)
        return _way(opening, _Run(soon, soon, 1, _RST_BYTES + kind.extra, _RST)), _way(answer)
    answer = _Run(_ROUND_TRIP, _ROUND_TRIP, 1, _SYN_ACK_BYTES + kind.extra, _SYN_ACK)
    if not kind.graceful:
        return _way(opening, _Run(soon, end, 2, 2 * acknowledged, _RST)), _way(answer)
    return _way(opening, _Run(soon, end, 3, 3 * acknowledged, _FIN)), _way(answer, _Run(end, end, 1, acknowledged, _FIN))


def _carried(exchange: Exchange) -> _Shape:
    """Return the packets of an exchange with data, or of a UDP exchange."""
    six = _IPV6_EXTRA if ":" in exchange.source else 0
    forward = _data(exchange, 0, 0.0, _SYN, _SYN_BYTES["connect"] + six)
    match exchange.outcome:
        case "rejected_egress":
            return _Shape((forward, None), (None, None))
        case "rejected" | "filtered":
            return _Shape((forward, None), (forward, None))
        case "established":
            back = _data(exchange, 1, _ROUND_TRIP, _SYN_ACK, _SYN_ACK_BYTES + six)
        case _:
            message = _Run(_ROUND_TRIP, _ROUND_TRIP, 1, _UNREACHABLE_BYTES + six, 0)
            back = _Way((message,), message, _ICMPV6 if six else _ICMP)
    return _Shape((forward, None if exchange.lost else back), (forward, back))


def _data(exchange: Exchange, side: int, delay: float, opening: int, opening_bytes: int) -> _Way:
    packets, octets, last = exchange.packets[side], exchange.octets[side], max(delay, exchange.seconds)
    if exchange.protocol != _TCP:
        run = _Run(delay, last if packets > 1 else delay, packets, octets, 0)
        return _Way((run,), run, exchange.protocol)
    if packets < _FEWEST_PACKETS:
        raise ValueError(f"{packets} packets one way: an established connection has at least {_FEWEST_PACKETS}")
    whole = _Run(delay, last, packets, octets, opening | _FIN)
    first = _Run(delay, delay, 1, opening_bytes, opening)
    rest = _Run(min(last, 2 * delay), last, packets - 2, octets - opening_bytes - _ACK_BYTES, 0)
    return _Way((first, rest, _Run(last, last, 1, _ACK_BYTES, _FIN)), whole, _TCP)


def _way(*runs: _Run) -> _Way:
    flags = 0
    for run in runs:
        flags |= run.flags
    whole = _Run(runs[0].first, runs[-1].last, sum(run.packets for run in runs), sum(run.octets for run in runs), flags)
    return _Way(runs, whole, _TCP)
