"""Create the principals of an organisation: people with three permission sets, and seven kinds of programs.

A principal is created with what does not change: its identity, its networks, its tools, and the pages or calls that it uses.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from bench.organisation import networks
from bench.organisation.networks import KNOWN, Network
from bench.organisation.pages import PAGES, PAGES_OF, WORK, Page
from vedette.simulate import Actor
from vedette.simulate.world.identities import identifier, principal

PARTNER_ACCOUNT = "111122223333"

Kind = Literal[
    "sso-developer",
    "sso-admin",
    "sso-read-only",
    "iam-user",
    "ci-role",
    "terraform-role",
    "posture-role",
    "instance-role",
    "lambda-role",
    "partner",
]
PERMISSION_SETS: dict[Kind, str] = {"sso-developer": "PowerUser", "sso-admin": "Administrator", "sso-read-only": "ReadOnly"}

_SHARES: dict[Kind, float] = {  # of all principals; the rest are developers
    "sso-admin": 0.04,
    "sso-read-only": 0.10,
    "iam-user": 0.18,
    "ci-role": 0.08,
    "terraform-role": 0.02,
    "posture-role": 0.01,
    "instance-role": 0.12,
    "lambda-role": 0.12,
    "partner": 0.03,
}
_PAGES_KNOWN: dict[Kind, int] = {"sso-developer": 7, "sso-admin": 16, "sso-read-only": 5}
_HIRED_LATE = 0.04  # share of developers who join during the simulation
_COMMAND_LINE = 0.5  # share of developers and administrators who also use the command line
_PEOPLES_COUNTRIES = ("DE", "DE", "DE", "US", "US", "IE")
_PROGRAM_AGENTS: dict[Kind, tuple[str, ...]] = {
    "iam-user": ("boto3", "sdk-java"),
    "ci-role": ("cli",),
    "terraform-role": ("terraform",),
    "posture-role": ("prowler",),
    "instance-role": ("sdk-java", "boto3", "aws-sdk-go-v2/1.26.0 os/linux lang/go#1.21.8 md/GOOS#linux md/GOARCH#amd64"),
    "lambda-role": ("Boto3/1.34.69 md/Botocore#1.34.69 lang/python#3.12.1 exec-env/AWS_Lambda_python3.12 Botocore/1.34.69",),
    "partner": ("sdk-java", "boto3"),
}


@dataclass(slots=True, kw_only=True)
class Principal:
    """A principal of the organisation.

    ``key`` is the key that ``vedette.logs.cloudtrail.identity`` derives for it. ``places`` are the networks it calls from, the
    most frequent first. ``calls`` are those of a program, ``pages`` those of a person. ``first_day`` and ``last_day`` bound its
    activity (day numbers). ``seat`` determines its address in a network. ``weight`` is its share of the events of all programs.
    ``used`` maps each call it made to the day of the first time; ``here`` is the network of its last calls. A principal that
    ``stays`` does not travel.
    """

    key: str
    kind: Kind
    actor: Actor
    places: tuple[Network, ...]
    agents: tuple[str, ...]
    seat: int
    calls: Page = ()
    pages: list[Page] = field(default_factory=list)
    country: str = ""
    weight: float = 0
    first_day: int = 0
    last_day: int | None = None
    used: dict[str, int] = field(default_factory=dict)
    here: Network | None = None
    stays: bool = False

    @property
    def person(self) -> bool:
        """Whether the principal is a person, who signs in."""
        return self.kind in PERMISSION_SETS

    def active(self, day: int) -> bool:
        """Return whether the principal is active on a day."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)


def make_principals(count: int, days: int, random: Random) -> list[Principal]:
    """Return about ``count`` principals of ten kinds, at least one of each."""
    numbers = {kind: max(1, round(count * share)) for kind, share in _SHARES.items()}
    numbers = {"sso-developer": max(1, count - sum(numbers.values())), **numbers}
    return [
        _person(kind, number, days, random) if kind in PERMISSION_SETS else _program(kind, number, random)
        for kind, wanted in numbers.items()
        for number in range(wanted)
    ]


def _person(kind: Kind, number: int, days: int, random: Random) -> Principal:
    permission_set = PERMISSION_SETS[kind]
    name = f"{kind.removeprefix('sso-')}-{number:03d}@example.com"
    actor = Actor("sso", permission_set, name)
    country = random.choice(_PEOPLES_COUNTRIES)
    office, home = networks.of("Example Office", "office", country)[0], random.choice(networks.of("", "residential", country))
    vpn = KNOWN["Example Company VPN West" if country == "US" else "Example Company VPN"]
    late = kind == "sso-developer" and number > 0 and random.random() < _HIRED_LATE
    command_line = kind != "sso-read-only" and random.random() < _COMMAND_LINE
    places = [office, home, vpn]
    random.shuffle(places)
    return Principal(
        key=principal(actor),
        kind=kind,
        actor=actor,
        places=tuple(places),
        agents=("console", "cli") if command_line else ("console",),
        seat=number,
        pages=[PAGES[page] for page in random.sample(PAGES_OF[permission_set], _PAGES_KNOWN[kind])],
        country=country,
        first_day=random.randint(days // 4, days // 2) if late else 0,
    )


def _program(kind: Kind, number: int, random: Random) -> Principal:
    works = WORK[kind]
    actor, weight, places = _PROGRAMS[kind](number, random)
    key = principal(actor)
    if kind == "partner":
        key = f"account:{PARTNER_ACCOUNT}:{identifier('AROA', actor.name)}"
    return Principal(
        key=key,
        kind=kind,
        actor=actor,
        places=places,
        agents=(random.choice(_PROGRAM_AGENTS[kind]),),
        seat=number,
        calls=works[number % len(works)],
        weight=weight,
    )


_Made = tuple[Actor, float, tuple[Network, ...]]


def _egress(number: int) -> tuple[Network, ...]:
    both = networks.of("Example Cloud", "hosting")
    return (both[number % len(both)],)


def _user(number: int, random: Random) -> _Made:
    offices = networks.of("Example Office", "office")
    places = (*_egress(number), offices[number % len(offices)]) if random.random() < 0.3 else _egress(number)  # noqa: PLR2004
    return Actor("user", f"key-user-{number:03d}"), 60, places


def _ci(number: int, _random: Random) -> _Made:
    runners = networks.of("Build Runners", "hosting")
    return Actor("role", f"ci-deploy-{number:03d}", "GitHubActions"), 250, (runners[number % 3], runners[(number + 1) % 3])


def _terraform(number: int, _random: Random) -> _Made:
    return Actor("role", f"terraform-{number:02d}", "aws-go-sdk-1767225600000000000"), 1_500, (KNOWN["Build Runners One"],)


def _posture(number: int, _random: Random) -> _Made:
    return Actor("role", f"security-audit-{number:02d}", "ProwlerAssessmentSession"), 2_500, (KNOWN["Posture Scanner Cloud"],)


def _instance(number: int, _random: Random) -> _Made:
    return Actor("instance", f"service-{number:03d}"), 200, _egress(number)


def _function(number: int, _random: Random) -> _Made:
    return Actor("role", f"lambda-task-{number:03d}", f"task-{number:03d}"), 150, _egress(number)


def _partner(number: int, _random: Random) -> _Made:
    places = [network for network in KNOWN.values() if network.organisation.startswith("Partner")]
    return Actor("role", f"partner-{number:02d}", "integration"), 40, (places[number % len(places)],)


_PROGRAMS: dict[Kind, Callable[[int, Random], _Made]] = {
    "iam-user": _user,
    "ci-role": _ci,
    "terraform-role": _terraform,
    "posture-role": _posture,
    "instance-role": _instance,
    "lambda-role": _function,
    "partner": _partner,
}
