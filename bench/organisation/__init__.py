"""Simulate an organisation to measure permission discovery: hundreds of principals, weeks of ordinary activity, and attacks.

``write_organisation`` writes CloudTrail files as AWS delivers them, ``networks.csv`` with the owners of the networks in them, and
``organisation_truth.json`` with the principals and the calls of each attack. ``vedette.simulate`` has single scenarios that show
a finding of each type; this package is for counting found attacks and false findings.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bench.organisation import attacks as attacking
from bench.organisation.attack_kinds import ATTACK_KINDS, EXAMPLES, KINDS, AttackKind
from bench.organisation.attack_truth import AttackTruth, OrganisationTruth, PrincipalTruth, WaveTruth, date
from bench.organisation.event_book import Book
from bench.organisation.life import Life
from bench.organisation.networks import CSV_HEADER, KNOWN, Network
from bench.organisation.principals import Principal, make_principals
from vedette.errors import ConfigurationError, NotFoundError
from vedette.simulate.world.delivery import write_text

__all__ = ["ATTACK_KINDS", "EXAMPLES", "NETWORKS", "TRUTH", "OrganisationTruth", "write_organisation"]

FIRST_DAY = datetime(2026, 1, 12, tzinfo=UTC)  # a Monday
NETWORKS, TRUTH = "networks.csv", "organisation_truth.json"
_LEAST_PRINCIPALS = 10  # one of each kind


@dataclass(frozen=True, slots=True)
class _Span:
    first: datetime
    days: int

    def day(self, number: int) -> datetime:
        return self.first + timedelta(days=number)


def write_organisation(
    out: Path,
    *,
    seed: int = 1,
    principals: int = 500,
    days: int = 60,
    events_per_day: int = 50_000,
    attacks: int = 200,
    first_day: datetime = FIRST_DAY,
    kinds: Sequence[str] | None = None,
) -> OrganisationTruth:
    """Write the log files of an organisation and its ground truth; the same arguments write the same bytes.

    Args:
        out: the folder, which is created if it does not exist and must be empty.
        seed: the random seed.
        principals: the number of principals, of ten kinds.
        days: the number of days to write.
        events_per_day: the minimum number of records per day; there are more if the principals need more.
        attacks: the number of attacks, of ``kinds`` in turn, each on a victim of its own.
        first_day: the midnight (UTC) of the first day.
        kinds: names in ``ATTACK_KINDS`` and ``EXAMPLES``; None for all of ``ATTACK_KINDS``.

    Raises:
        NotFoundError: there is no kind of attack of this name.
        ConfigurationError: a number is too small for the others, or the folder is not empty or cannot be written.
    """
    wanted = [_kind(name) for name in kinds] if kinds else list(ATTACK_KINDS)
    if principals < _LEAST_PRINCIPALS or days < 1 or events_per_day < 1 or attacks < 0:
        raise ConfigurationError(
            f"principals {principals}, days {days}, events per day {events_per_day}, attacks {attacks}: "
            f"must be at least {_LEAST_PRINCIPALS}, 1, 1 and 0"
        )
    span = _Span(_midnight(first_day), days)
    people = make_principals(principals, days, _random(seed, "principals"))
    planned = attacking.plan(
        [wanted[number % len(wanted)] for number in range(attacks)], people, span.first, days, _random(seed, "plan")
    )
    try:
        _prepare(out)
        return _write(out, seed, span, Life(people, days, events_per_day, seed), planned)
    except OSError as error:
        raise ConfigurationError(f"{out}: cannot be written: {error.strerror or error}") from error


def _kind(name: str) -> AttackKind:
    if name not in KINDS:
        raise NotFoundError(f"there is no kind of attack {name!r}; choose one of {', '.join(KINDS)}")
    return KINDS[name]


def _midnight(moment: datetime) -> datetime:
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _prepare(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise ConfigurationError(f"{out}: is not empty; give a new or empty folder")


def _random(seed: int, purpose: str) -> Random:
    return Random(f"{seed}/{purpose}")  # seeded, not secret


def _write(out: Path, seed: int, span: _Span, life: Life, planned: list[attacking.Attack]) -> OrganisationTruth:
    events = files = 0
    found: list[AttackTruth] = []
    for number in range(span.days):
        book = Book(span.day(number))
        life.play(book, number)
        for attack in planned:
            if attack.day == number:
                chance = _random(seed, f"attack-{attack.number}")
                found.append(attacking.play(attack, book, life.templates, life.identities, chance))
        files += book.write(out, _random(seed, f"files-{number}"))
        events += book.events
    lines = [line for network in (*KNOWN.values(), *_strange(planned)) for line in network.lines()]
    last = span.day(span.days - 1)
    write_text(out / NETWORKS, "".join((CSV_HEADER, *lines)), last)
    truth = OrganisationTruth(
        seed=seed,
        first_day=date(span.first),
        last_day=date(last),
        events=events,
        files=files,
        principals=tuple(_principal(item, span) for item in life.principals),
        waves=tuple(
            WaveTruth(calls=wave.calls, first_day=date(span.day(wave.day)), followers=tuple(sorted(wave.followers)))
            for wave in life.waves
        ),
        attacks=tuple(sorted(found, key=lambda attack: attack.number)),
    )
    write_text(out / TRUTH, json.dumps(truth.document(), indent=1) + "\n", last)
    return truth


def _strange(planned: list[attacking.Attack]) -> list[Network]:
    return [attack.network for attack in planned if attack.network.organisation not in KNOWN]


def _principal(principal: Principal, span: _Span) -> PrincipalTruth:
    last = span.days - 1 if principal.last_day is None else principal.last_day
    return PrincipalTruth(
        key=principal.key, kind=principal.kind, first_day=date(span.day(principal.first_day)), last_day=date(span.day(last))
    )
