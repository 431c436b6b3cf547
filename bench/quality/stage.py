"""Record the traffic of one actor of an archive: one of our interfaces, what it does, and the resulting flow records.

Times are seconds since the first midnight of the archive. Every actor also has ordinary traffic on all days.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal

from vedette.simulate import Exchange, Flow
from vedette.simulate.world.connections import Interface, flows_of

DAY = 86_400.0
INTERNET = tuple(f"{block}.{last}" for block in ("192.0.2", "198.51.100", "203.0.113") for last in range(1, 255))
_RESOLVER, _CLOCK = "10.0.0.2", "198.51.100.123"
_FIRST_EPHEMERAL, _LAST_EPHEMERAL = 32_768, 60_999
_USUAL_PER_DAY = 12

Outcome = Literal["filtered", "rejected", "rejected_egress", "refused", "half_open", "touched", "established"]


@dataclass(frozen=True, slots=True)
class Probe:
    """One attempt of a scan: seconds since the first midnight, and the endpoint."""

    at: float
    host: str
    port: int


@dataclass(slots=True, kw_only=True)
class Stage:
    """An actor and its records so far; ``window`` is the aggregation interval of the records in seconds."""

    number: int
    random: Random
    midnight: datetime
    days: int
    window: int
    flows: list[Flow] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    notes: dict[str, float] = field(default_factory=dict)
    _next_port: int = 0

    @property
    def address(self) -> str:
        """The private address of the actor."""
        return f"10.{32 + self.number // 62_500}.{self.number // 250 % 250}.{self.number % 250 + 4}"

    @property
    def interface_id(self) -> str:
        """The ID of the actor's interface."""
        return f"eni-{self.number:017x}"

    @property
    def instance_id(self) -> str:
        """The ID of the actor's instance."""
        return f"i-{self.number:017x}"

    def interface(self) -> Interface:
        """Return the actor's interface, whose records are kept."""
        return Interface(interface_id=self.interface_id, instance=self.instance_id, subnet="subnet-0a", vpc="vpc-0a")

    def inside(self, number: int) -> str:
        """Return the address of one of 120,000 machines in our other networks, by number."""
        return f"10.{100 + number // 62_500}.{number // 250 % 250}.{number % 250 + 4}"

    def some_inside(self, count: int) -> list[str]:
        """Choose ``count`` of our machines at random."""
        return [self.inside(number) for number in self.random.sample(range(120_000), count)]

    def some_outside(self, count: int) -> list[str]:
        """Choose ``count`` internet hosts at random, at most 762."""
        return self.random.sample(INTERNET, count)

    def hour(self, day: int, earliest: float = 0, latest: float = 24) -> float:
        """Return a random time of a day between two hours, in seconds since the first midnight."""
        return day * DAY + self.random.uniform(earliest, latest) * 3_600

    def local_port(self) -> int:
        """Return the next ephemeral port in sequence, as a kernel assigns them."""
        if not self._next_port:
            self._next_port = self.random.randint(_FIRST_EPHEMERAL, _LAST_EPHEMERAL)
        self._next_port = self._next_port + 1 if self._next_port < _LAST_EPHEMERAL else _FIRST_EPHEMERAL
        return self._next_port

    def reach(self, at: float, host: str, port: int, outcome: Outcome, *, local: int = 0, **rest: Any) -> None:  # noqa: ANN401 - members of Exchange
        """Add an attempt of the actor at a port of a host; ``local`` is the source port, 0 for the next ephemeral one."""
        exchange = Exchange(
            at=self._moment(at),
            source=self.own(host),
            destination=host,
            source_port=local or self.local_port(),
            destination_port=port,
            outcome=outcome,
            **rest,
        )
        self.flows += flows_of(exchange, self.interface(), None, window=self.window)

    def serve(self, at: float, client: str, port: int, outcome: Outcome, *, local: int = 0, **rest: Any) -> None:  # noqa: ANN401 - likewise
        """Add an attempt of a client at a port of the actor; ``local`` is the client's port, 0 for a random one."""
        exchange = Exchange(
            at=self._moment(at),
            source=client,
            destination=self.own(client),
            source_port=local or self.random.randint(_FIRST_EPHEMERAL, 65_535),
            destination_port=port,
            outcome=outcome,
            **rest,
        )
        self.flows += flows_of(exchange, None, self.interface(), window=self.window)

    def probe(self, at: float, host: str, port: int, outcome: Outcome, **rest: Any) -> None:  # noqa: ANN401 - likewise
        """Add an attempt that is part of a scan."""
        self.probes.append(Probe(at, host, port))
        self.reach(at, host, port, outcome, **rest)

    def datagram(self, at: float, host: str, port: int, *, answered: bool, local: int = 0, packets: int = 1) -> None:
        """Add a few UDP datagrams from the actor, answered or not."""
        outcome: Outcome = "established" if answered else "filtered"
        size = packets * 90
        self.reach(
            at, host, port, outcome, local=local, protocol=17, packets=(packets, packets), octets=(size, 2 * size), seconds=0.5
        )

    def talk(self, at: float, host: str, port: int, *, fails: float = 0.0, refused: float = 0.5, retries: int = 2) -> bool:
        """Add an ordinary connection of the actor, which fails with a probability; return whether it was established."""
        if self.random.random() < fails:
            if self.random.random() < refused:
                self.reach(at, host, port, "refused")
            else:
                self.reach(at, host, port, "filtered", retries=retries)
            return False
        sent, got = self.random.randint(6, 30), self.random.randint(6, 60)
        octets = (sent * 52 + self.random.randint(300, 4_000), got * 52 + self.random.randint(600, 40_000))
        self.reach(at, host, port, "established", packets=(sent, got), octets=octets, seconds=self.random.uniform(0.1, 8))
        return True

    def usual(self) -> None:
        """Add the ordinary traffic of all days: DNS, time, and a few services that answer."""
        services = self.some_outside(3)
        for day in range(self.days):
            for _ in range(_USUAL_PER_DAY):
                self.talk(self.hour(day), self.random.choice(services), 443)
            for _ in range(_USUAL_PER_DAY // 2):
                self.datagram(self.hour(day), _RESOLVER, 53, answered=True)
            self.datagram(self.hour(day), _CLOCK, 123, answered=True, local=123)

    def own(self, other: str) -> str:
        """Return the actor's address in the address family of another address."""
        return f"2001:db8:a:{self.number >> 16:x}::{self.number & 0xFFFF:x}" if ":" in other else self.address

    def _moment(self, at: float) -> datetime:
        return self.midnight + timedelta(seconds=at)
