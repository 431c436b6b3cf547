"""Define scenarios: simulated attacks on, and ordinary activity of, a fictitious account, each with its ground truth.

To add one, write a module in ``vedette.simulate.scenarios`` with the constant ``SCENARIO``. A scenario is a function from a day
to the calls, exchanges and list entries of that day; ``vedette.simulate.world`` turns them into files as AWS delivers them. The
scenario states which calls and exchanges belong to a finding (``finding``), and why others that look suspicious do not
(``Call.quiet``, ``Scenario.quiet``). This ground truth comes from the author of the scenario, not from the rules of a detection.

Internet addresses are from the documentation ranges, internal ones from 10.0.0.0/8. ``vedette.simulate.world.estate`` describes
our VPC, 10.20.0.0/16; an exchange is logged at each end whose address belongs to one of its interfaces. A scenario takes all
randomness from ``Day.random``, so the same seed gives the same calls.
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
    """A caller. Its IDs and keys are derived from its name, so scenarios that use the same name use the same caller.

    ``name`` is the name of the user, role, permission set or service (``config.amazonaws.com``). ``session`` is the name of the
    role session: the person's for ``sso``, the instance ID for ``instance``.
    """

    kind: ActorKind
    name: str
    session: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One API call.

    ``api`` is ``service:Operation``. ``address`` is an address or the name of a service. ``agent`` is a key of
    ``world.agents.AGENTS`` or the user agent itself. ``denied`` calls fail for lack of permission. ``data`` marks data events,
    ``endpoint`` calls through a VPC endpoint. ``finding`` is the type of the finding that the call belongs to; ``quiet`` is why
    it belongs to none although one might be expected.
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


class Flow(Struct, frozen=True, kw_only=True, gc=False):  # a struct for speed: random scans create 100,000 of them per second
    """One flow log record: addresses, ports, IANA protocol number, packets and bytes of an aggregation window.

    ``interface`` is an interface ID, or an address of an interface in our VPC. The fields of version 5 are optional:
    ``packet_source`` and ``packet_destination`` are the addresses in the packet if they differ from those at the interface. Of a
    record with a ``status`` other than OK, only the interface and the times are used.
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
    ``tcp/445`` or ``block``; it is "" for a finding about a probed instance. ``severity`` is 0 for the usual severity of the
    type. An ``archived`` finding is created and archived at once.
    """

    finding_type: str
    address: str
    target: str = ""
    severity: float = 0
    archived: bool = False


Outcome = Literal["filtered", "rejected", "rejected_egress", "refused", "half_open", "touched", "established"]


class Exchange(Struct, frozen=True, kw_only=True, gc=False):
    """One connection attempt and its outcome; the interfaces of both ends log it if they are ours.

    Outcomes: ``filtered``: there is no reply. ``rejected``: the destination's security group rejects it. ``rejected_egress``: the
    source's own group does. ``refused``: nothing listens on the port. ``half_open``: a SYN scan finds a listener. ``touched``: a
    connection without data. ``established``: ``packets`` with ``octets`` bytes of IP are sent each way within ``seconds``. UDP
    has only filtered (packets are sent), rejected, refused (an ICMP message comes back) and established.

    ``probe`` is how the source opens the connection: like an operating system, like nmap's SYN scan, or without TCP options like
    masscan. ``retries`` counts further SYNs without an answer. A ``graceful`` touched connection is closed by FIN, not RST. If
    ``lost``, the answer does not arrive.
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
    """The ordinary traffic of an instance for a day: time, updates, logs, a database and other services, all of which answer."""

    address: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An address or network on a list of a kind; ``research`` are the scanners of universities and search engines."""

    kind: Literal["tor", "malicious", "custom", "trusted", "scanner", "research"]
    network: str


Item: TypeAlias = Call | Flow | Exchange | Routine | Listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day to simulate: its midnight (UTC), whether it is the last day, and the random numbers of the scenario."""

    midnight: datetime
    last: bool
    random: Random

    def at(self, hour: float, seconds: float = 0) -> datetime:
        """Return the time so many hours and seconds after midnight."""
        return self.midnight + timedelta(hours=hour, seconds=seconds)

    def pause(self, shortest: float, longest: float) -> timedelta:
        """Return a random pause between two calls; both limits are in seconds."""
        return timedelta(seconds=self.random.uniform(shortest, longest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario: its name on the command line, a sentence that describes it, and the finding types that it must raise.

    ``quiet`` is why its traffic raises no finding although one might be expected. ``days_before`` is the number of days to
    simulate before the first requested day, for scenarios that need a history.
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
