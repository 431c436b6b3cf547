"""What is true about a simulated organisation, and how ``organisation_truth.json`` says it."""

from dataclasses import asdict, dataclass
from datetime import datetime

from bench.organisation.attack_kinds import Category
from bench.organisation.networks import NetworkKind
from bench.organisation.principals import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackCall:
    """One call of an attack: ``new`` tells that the principal never made it on an earlier day."""

    api: str
    category: Category
    time: str
    region: str
    denied: bool
    new: bool
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackTruth:
    """An attack as it was played.

    ``principal`` is the key that ``principal.py`` makes; ``access_key`` the key in the records. ``categories`` counts the new
    calls by what they are about, ``category`` has most. ``codes`` are sure, ``possible`` depend (see ``attack_kinds``);
    ``least_points`` are the points of the sure ones. ``balanced``: that profile must find it.
    """

    number: int
    kind: str
    principal: str
    principal_kind: Kind
    access_key: str
    address: str
    network: str
    asn: int
    country: str
    network_kind: NetworkKind
    network_new: bool
    agent: str
    first_call: str
    last_call: str
    category: Category
    categories: dict[Category, int]
    codes: tuple[str, ...]
    possible: tuple[str, ...]
    least_points: int
    balanced: bool
    calls: tuple[AttackCall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalTruth:
    """A principal: its key and kind, and the days between which it lives its ordinary life."""

    key: str
    kind: Kind
    first_day: str
    last_day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveTruth:
    """A new page of the console, which many try within two days: no attack."""

    calls: tuple[str, ...]
    first_day: str
    followers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationTruth:
    """What was written: the days, the numbers of records and log files, who lives there, what is new to all, and the attacks."""

    seed: int
    first_day: str
    last_day: str
    events: int
    files: int
    principals: tuple[PrincipalTruth, ...]
    waves: tuple[WaveTruth, ...]
    attacks: tuple[AttackTruth, ...]

    def document(self) -> dict[str, object]:
        """Return what ``organisation_truth.json`` holds."""
        return asdict(self)


def date(moment: datetime) -> str:
    """Return the day as it is written."""
    return f"{moment:%Y-%m-%d}"
