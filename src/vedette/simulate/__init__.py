"""Scenarios: attacks and ordinary life of a made-up account, with what is true about them.

To add one, write a module here with the constant ``SCENARIO``. A scenario is a function from a day to the calls, flows and list
entries of that day; ``vedette.simulation`` turns them into files as AWS delivers them. It says of each call whether it belongs to
a finding (``Call.finding``) or why it does not although it looks like it (``Call.quiet``): that is the ground truth, written by
the author of the scenario and by no rule of a detection.

Addresses are from the documentation ranges. A scenario uses nothing random but ``Day.random``, so the same seed gives the same
calls.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Literal, cast

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One flow-log record of the default format: addresses, ports, IANA protocol number, packets and bytes of a window."""

    start: datetime
    interface: str
    source: str
    destination: str
    source_port: int
    destination_port: int
    protocol: int = 6
    packets: int = 10
    octets: int = 5_000
    accepted: bool = True
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Listed:
    """An address or network that stands on the list of a kind: tor, malicious, custom or trusted."""

    kind: Literal["tor", "malicious", "custom", "trusted"]
    network: str


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
    """One scenario: its name on the command line, what happens in it, and the finding types that it must raise."""

    name: str
    sentence: str
    play: Callable[[Day], Iterator[Call | Flow | Listed]]
    findings: tuple[str, ...] = field(default=())


@cache
def all_scenarios() -> dict[str, Scenario]:
    """Return every scenario by name."""
    scenarios = (cast("Scenario", value) for _, value in discover(__name__, "SCENARIO"))
    return {scenario.name: scenario for scenario in scenarios}
