"""Define the ground truth of a simulated organisation, as written to ``organisation_truth.json``."""

from dataclasses import asdict, dataclass
from datetime import datetime

from bench.organisation.attack_kinds import Category
from bench.organisation.networks import NetworkKind
from bench.organisation.principals import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackCall:
    """One call of an attack; ``new`` is whether the principal made it on no earlier day."""

    api: str
    category: Category
    time: str
    region: str
    denied: bool
    new: bool
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackTruth:
    """An attack as it was written.

    ``principal`` is the key that ``vedette.logs.cloudtrail.identity`` derives; ``access_key`` is the key in the records.
    ``categories`` counts the new calls per category, ``category`` is the one with most. ``codes`` and ``possible`` are those of
    the kind (see ``attack_kinds``); ``least_points`` is the sum of ``codes``. ``balanced`` is whether that profile must find it.
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
    """A principal: its key and kind, and the first and last day of its ordinary activity."""

    key: str
    kind: Kind
    first_day: str
    last_day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveTruth:
    """A co-occurrence that is not an attack: a new console page that many people open within two days."""

    calls: tuple[str, ...]
    first_day: str
    followers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationTruth:
    """The ground truth: the days, the numbers of records and log files, the principals, the co-occurrences, and the attacks."""

    seed: int
    first_day: str
    last_day: str
    events: int
    files: int
    principals: tuple[PrincipalTruth, ...]
    waves: tuple[WaveTruth, ...]
    attacks: tuple[AttackTruth, ...]

    def document(self) -> dict[str, object]:
        """Return the content of ``organisation_truth.json``."""
        return asdict(self)


def date(moment: datetime) -> str:
    """Return the date of a time as it is written to the file."""
    return f"{moment:%Y-%m-%d}"
