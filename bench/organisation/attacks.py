"""Choose the victims and times of attacks, and add their calls to those of the day."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from bench.organisation import networks
from bench.organisation.attack_kinds import CATEGORIES, AttackKind
from bench.organisation.attack_truth import AttackCall, AttackTruth
from bench.organisation.event_book import Book, time_of
from bench.organisation.networks import Network
from bench.organisation.people import OPENING
from bench.organisation.principals import Principal
from bench.organisation.programs import sessions_of
from bench.organisation.scene import SETTLED
from bench.organisation.templates import Identities, Templates, uuid
from vedette.errors import ConfigurationError
from vedette.simulate import HOME_REGION
from vedette.simulate.world.agents import AGENTS
from vedette.simulate.world.identities import identifier

EARLIEST = SETTLED + 6  # by then every principal has enough history
DORMANT_DAYS = 31
_LAST_WORK = (SETTLED + 1, SETTLED + 3)  # the last active days of victims whose dormant key will be used
_BEGINS = (3_600, 12 * 3_600)  # seconds of the day between which an attack begins
_AT_WORK = (3_600, 7 * 3_600)  # the same after the start of work, for attacks on the victim's own machine
_WEEKEND = 5


@dataclass(frozen=True, slots=True)
class Attack:
    """A planned attack: its number, kind, victim, day, and the network that it comes from."""

    number: int
    kind: AttackKind
    victim: Principal
    day: int
    network: Network
    network_new: bool


def plan(kinds: Sequence[AttackKind], principals: list[Principal], first: datetime, days: int, random: Random) -> list[Attack]:
    """Choose a victim of its own and a day for each attack; victims with a dormant key become inactive early enough.

    Raises:
        ConfigurationError: there are too few days or principals for the attacks.
    """
    needed = max((_LAST_WORK[1] + DORMANT_DAYS if kind.dormant else EARLIEST for kind in kinds), default=0) + 1
    if days < needed:
        raise ConfigurationError(f"days {days}: attacks need a history before them, so at least {needed} days")
    free = [principal for principal in principals if principal.first_day == 0]
    random.shuffle(free)
    turns: Counter[str] = Counter()
    found = []
    for number, kind in enumerate(kinds):
        turn = turns[kind.name]
        turns[kind.name] += 1
        victim = _victim(kind, turn, free)
        earliest = EARLIEST
        if kind.dormant:
            victim.last_day = random.randint(*_LAST_WORK)
            earliest = victim.last_day + DORMANT_DAYS
        # An attack on the victim's own machine comes from where the victim is, which must not be a new network.
        victim.stays = kind.origin == "own"
        network, new = _origin(kind, turn, number, victim, random)
        found.append(Attack(number, kind, victim, _day(victim, first, earliest, days, random), network, new))
    return found


def _victim(kind: AttackKind, turn: int, free: list[Principal]) -> Principal:
    wanted = kind.victims[turn % len(kind.victims)]
    for place, principal in enumerate(free):
        if principal.kind == wanted:
            return free.pop(place)
    raise ConfigurationError(
        f"attack {kind.name!r}: no {wanted} is left to attack; there are too many attacks or too few principals"
    )


def _day(victim: Principal, first: datetime, earliest: int, days: int, random: Random) -> int:
    """Return a random day for an attack; for a person, a working day if there is one."""
    possible = range(earliest, days)
    worked = [day for day in possible if (first + timedelta(days=day)).weekday() < _WEEKEND]
    return random.choice(worked if victim.person and worked else possible)


def _origin(kind: AttackKind, turn: int, number: int, victim: Principal, random: Random) -> tuple[Network, bool]:
    match kind.origin:
        case "hosting" | "residential":
            return networks.strange(number, kind.origin), True
        case "own-or-hosting" if turn % 2:
            return networks.strange(number, "hosting"), True
        case "others-home":
            return random.choice(networks.of("", "residential", victim.places[0].country)), True
        case _:
            return victim.places[0], False


def play(attack: Attack, book: Book, templates: Templates, identities: Identities, random: Random) -> AttackTruth:
    """Add the calls of an attack to the book of its day, and return its ground truth."""
    kind, victim = attack.kind, attack.victim
    agent = kind.agent or victim.agents[-1]
    network = attack.network if attack.network_new else victim.here or attack.network
    address = network.address(0 if attack.network_new else victim.seat)
    session = sessions_of(victim, attack.day)[0]
    access_key = identifier("AKIA", victim.actor.name, "new") if kind.new_key else ""
    second, calls, shown = float(_begin(attack, random)), [], "{}"
    for place, call in enumerate(kind.calls):
        api, denied = call.removesuffix("!"), call.endswith("!")
        region = kind.regions[place % len(kind.regions)] if kind.regions else HOME_REGION
        template = templates.of(victim, api, agent, denied=denied, region=region)
        identity = identities.of(victim, book.midnight + timedelta(seconds=second), session=session, access_key=access_key)
        shown = identity if place == 0 else shown
        event_id = uuid(random.randbytes(16).hex())
        book.add_known(template, identity, int(second), address, event_id)
        calls.append(
            AttackCall(
                api=api,
                category=CATEGORIES[api],
                time=time_of(book.midnight, int(second)),
                region=template.region,
                denied=denied,
                new=victim.used.get(api, attack.day) >= attack.day,
                event_id=event_id,
            )
        )
        second += random.uniform(*kind.pause)
    return _truth(
        replace(attack, network=network),
        tuple(calls),
        address,
        AGENTS.get(agent, agent),
        str(json.loads(shown).get("accessKeyId", "")),
    )


def _begin(attack: Attack, random: Random) -> int:
    """Return the second of the day at which an attack begins; on a person's own machine, it is during working hours."""
    if attack.victim.person and attack.kind.origin == "own":
        return OPENING[attack.victim.country] * 3_600 + random.randrange(*_AT_WORK)
    return random.randrange(*_BEGINS)


def _truth(attack: Attack, calls: tuple[AttackCall, ...], address: str, agent: str, access_key: str) -> AttackTruth:
    kind, network = attack.kind, attack.network
    # Almost every tool asks who it is, so that call does not count as discovery.
    new = {call.api: call.category for call in calls if call.new and call.api != "sts:GetCallerIdentity"}
    categories = Counter(new.values())
    return AttackTruth(
        number=attack.number,
        kind=kind.name,
        principal=attack.victim.key,
        principal_kind=attack.victim.kind,
        access_key=access_key,
        address=address,
        network=network.organisation,
        asn=network.asn,
        country=network.country,
        network_kind=network.kind,
        network_new=attack.network_new,
        agent=agent,
        first_call=calls[0].time,
        last_call=calls[-1].time,
        category=max(sorted(categories), key=categories.__getitem__) if categories else calls[-1].category,
        categories=dict(sorted(categories.items())),
        codes=tuple(kind.codes.split()),
        possible=tuple(kind.possible.split()),
        least_points=kind.least_points,
        balanced=kind.balanced,
        calls=calls,
    )
