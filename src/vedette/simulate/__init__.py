"""Scenarios: attacks and ordinary life of a made-up account, with what is true about them.

To add one, write a module in ``vedette.simulate.scenarios`` with the constant ``SCENARIO``. A scenario is a function from a day
to the calls, exchanges and list entries of that day; ``vedette.simulate.world`` turns them into files as AWS delivers them. It
says of each call and exchange whether it belongs to a finding (``finding``), and why something belongs to none although it looks
like it (``Call.quiet``, ``Scenario.quiet``): that is the ground truth, written by the author of the scenario and by no rule of a
detection.

Addresses are from the documentation ranges for the internet and from 10.0.0.0/8 inside; those of our VPC, 10.20.0.0/16, are
described in ``vedette.simulate.world.estate``, and an interface's records are written where one end of an exchange has its
address. A scenario uses nothing random but ``Day.random``, so the same seed gives the same calls.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Literal, TypeAlias, cast

from msgspec import Struct

from vedette.registry import discover

ACCOUNT_ID = "123456789012"
HOME_REGION = "eu-central-1"

ActorKind = Literal["user", "role", "sso", "instance", "service", "service-linked"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls. The ids and keys of an actor follow from its name, so scenarios that name the same actor mean the same.

    ``name`` is the user, the role, the permission set, or the service (``config.amazonaws.com``). ``session`` is the role
    session's name: a person's for ``sso``, an instance id for ``instance``.
    """

    kind: ActorKind
    name: str
    session: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One API call.

    ``api`` is ``service:Operation``. ``address`` is an address or a service's name. ``agent`` names one of
    ``simulation.agents.AGENTS``. ``denied`` calls fail for want of permission. ``data`` marks data events. ``endpoint``: through
    a VPC endpoint. ``finding``: the type of the finding that the call belongs to. ``quiet``: why it belongs to none, where one
    could expect it.
    """

    actor: Actor
    api: str
    at: datetime
    address: str
    agent: str = "cli"
    region: str = HOME_REGION
    parameters: Mapping[str, object] | None = None
    denied: bool = False
    data: bool = False
    endpoint: bool = False
    finding: str = ""
    quiet: str = ""


class Flow(Struct, frozen=True, kw_only=True, gc=False):  # a struct: a hundred thousand a second are made of random scans
    """One flow-log record: addresses, ports, IANA protocol number, packets and bytes of a window.

    ``interface`` is an id, or an address of the interface in our VPC.
    What version 5 adds may be left out: ``packet_source`` and ``packet_destination`` are the addresses in the packet where they
    differ from those at the interface. A record with a ``status`` other than OK says nothing but its interface and times.
    """

    start: datetime
    interface: str
    source: str = ""
    destination: str = ""
    source_port: int = 0
    destination_port: int = 0
    protocol: int = 6
    packets: int = 10
    octets: int = 5_000
    accepted: bool = True
    seconds: int = 60
    tcp_flags: int = 0
    direction: Literal["", "ingress", "egress"] = ""
    instance: str = ""
    subnet: str = ""
    vpc: str = ""
    packet_source: str = ""
    packet_destination: str = ""
    status: Literal["OK", "NODATA", "SKIPDATA"] = "OK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A finding that exchanges must raise.

    ``address`` is the primary address of the instance's interface. ``target`` is the remote address or, for scans of many hosts,
    ``tcp/445`` or ``block``; a finding about a probed instance has none. ``severity`` 0: the type's usual one. ``archived``: the
    finding is written, and archived at once.
    """

    finding_type: str
    address: str
    target: str = ""
    severity: float = 0
    archived: bool = False


Outcome = Literal["filtered", "rejected", "rejected_egress", "refused", "half_open", "touched", "established"]


class Exchange(Struct, frozen=True, kw_only=True, gc=False):
    """One attempt of a source to reach a port, and what came of it; both ends' interfaces log it where they are ours.

    ``filtered``: nothing comes back. ``rejected``: the destination's group refuses. ``rejected_egress``: the source's own does.
    ``refused``: nobody listens. ``half_open``: a SYN scan finds a listener. ``touched``: a connection without data.
    ``established``: ``packets`` with ``octets`` of IP go out and come back within ``seconds``. With UDP only filtered (packets
    out), rejected, refused (an ICMP message comes back) and established exist.

    ``probe`` is how the source opens: as the operating system does, as nmap's SYN scan, or bare as masscan. ``retries``: further
    SYNs without answer. ``graceful``: a touched connection is closed by FIN, not RST. ``lost``: the answer does not arrive.
    """

    at: datetime
    source: str
    destination: str
    source_port: int
    destination_port: int
    outcome: Outcome
    protocol: int = 6
    probe: Literal["connect", "syn", "bare"] = "connect"
    retries: int = 0
    graceful: bool = False
    lost: bool = False
    packets: tuple[int, int] = (8, 8)
    octets: tuple[int, int] = (1_200, 5_000)
    seconds: float = 1.0
    packet_source: str = ""
    packet_destination: str = ""
    finding: Expected | None = None


@dataclass(frozen=True, slots=True)
class Routine:
    """An instance's ordinary day: time, names, updates, a database and services of others, all reached and all answering."""

    address: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An address or network that stands on the list of a kind; ``research``: scanners of universities and search engines."""

    kind: Literal["tor", "malicious", "custom", "trusted", "scanner", "research"]
    network: str


Item: TypeAlias = Call | Flow | Exchange | Routine | Listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day to play: its midnight (UTC), whether it is the last one, and the source of chance."""

    midnight: datetime
    last: bool
    random: Random

    def at(self, hour: float, seconds: float = 0) -> datetime:
        """Return the moment so many hours and seconds into the day."""
        return self.midnight + timedelta(hours=hour, seconds=seconds)

    def pause(self, shortest: float, longest: float) -> timedelta:
        """Return a time between two calls, both limits in seconds."""
        return timedelta(seconds=self.random.uniform(shortest, longest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario: its name on the command line, what happens in it, and the finding types that it must raise.

    ``quiet``: why its traffic raises nothing, where one could expect it. ``days_before``: days that are played before the first
    that is asked for, where nothing is to be seen without a past.
    """

    name: str
    sentence: str
    play: Callable[[Day], Iterator[Item]]
    findings: tuple[str, ...] = field(default=())
    quiet: str = ""
    days_before: int = 0


@cache
def all_scenarios() -> dict[str, Scenario]:
    """Return every scenario by name."""
    scenarios = (cast("Scenario", value) for _, value in discover(f"{__name__}.scenarios", "SCENARIO"))
    return {scenario.name: scenario for scenario in scenarios}
