"""Plays scenarios and writes what AWS would have logged, the lists that scenarios need, and ``ground_truth.json``."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from random import Random

from vedette.errors import ConfigurationError, NotFoundError
from vedette.simulate import ACCOUNT_ID, Call, Day, Flow, Listed, Scenario, all_scenarios
from vedette.simulation.delivery import deliver_calls, deliver_flows, write_text
from vedette.simulation.records import record
from vedette.simulation.truth import Truth

__all__ = ["LAST_DAY", "Written", "simulate"]

LAST_DAY = datetime(2026, 3, 13, tzinfo=UTC)  # a Friday: people work
GROUND_TRUTH = "ground_truth.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a simulation wrote: log files, distinct records (calls and flows), and lists by kind."""

    files: int
    records: int
    lists: dict[str, Path]
    ground_truth: Path


def simulate(names: Sequence[str], out: Path, *, seed: int = 1, end: datetime = LAST_DAY, days: int = 1) -> Written:
    """Write the scenarios to one folder, which is made where it does not exist.

    Attacks happen on the last day, ``end``; ordinary life on all ``days``. The same arguments write the same bytes.

    Raises:
        NotFoundError: a scenario of that name does not exist; the nearest known is named.
        ConfigurationError: no scenario or no day is wanted, the folder is not empty, or it cannot be written.
    """
    scenarios = _chosen(names)
    if days < 1:
        raise ConfigurationError(f"days {days}: there must be one at least")
    try:
        _prepare(out)
        return _Simulation(scenarios, out, seed).run(_midnight(end), days)
    except OSError as error:
        raise ConfigurationError(f"{out}: cannot be written: {error.strerror or error}") from error


def _chosen(names: Sequence[str]) -> list[Scenario]:
    known = all_scenarios()
    if not names:
        raise ConfigurationError(f"no scenario is named; known are {', '.join(known)}")
    chosen: dict[str, Scenario] = {}
    for name in names:
        wanted = name.lower().replace("_", "-")
        if wanted not in known:
            nearest = get_close_matches(wanted, known, n=1, cutoff=0)[0]
            raise NotFoundError(f"no scenario is called {name!r}; did you mean {nearest!r}?")
        chosen[wanted] = known[wanted]
    return list(chosen.values())


def _prepare(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise ConfigurationError(f"{out}: is not empty, and files of another simulation would mix with these")


def _midnight(end: datetime) -> datetime:
    moment = end.replace(tzinfo=UTC) if end.tzinfo is None else end.astimezone(UTC)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


class _Simulation:
    """Plays day by day, so that a year of ordinary life needs no more memory than a day."""

    def __init__(self, scenarios: Iterable[Scenario], out: Path, seed: int) -> None:
        self._out, self._seed = out, seed
        self._truths = [Truth(scenario) for scenario in scenarios]
        self._lists: dict[str, dict[str, None]] = {}
        self._files = self._twice = 0

    def run(self, last: datetime, days: int) -> Written:
        for number in range(days - 1, -1, -1):
            self._day(last - timedelta(days=number), last=number == 0)
        lists = {kind: self._out / "lists" / f"{kind}.txt" for kind in sorted(self._lists)}
        for kind, path in lists.items():
            write_text(path, "".join(f"{network}\n" for network in self._lists[kind]), last)
        truth = self._out / GROUND_TRUTH
        write_text(truth, json.dumps(self._document(last, days, lists), indent=1) + "\n", last)
        records = sum(item.records + item.flows for item in self._truths)
        return Written(files=self._files, records=records, lists=lists, ground_truth=truth)

    def _day(self, midnight: datetime, *, last: bool) -> None:
        records, flows = [], []
        for truth in self._truths:
            day = Day(midnight=midnight, last=last, random=self._random(truth.scenario.name, midnight))
            identifiers = self._random(f"{truth.scenario.name}/ids", midnight)
            for item in truth.scenario.play(day):
                match item:
                    case Call():
                        written = record(item, identifiers)
                        truth.note(item, written)
                        records.append((item.at, written))
                    case Flow():
                        truth.flows += 1
                        flows.append(item)
                    case Listed():
                        self._lists.setdefault(item.kind, {})[item.network] = None
        files, twice = deliver_calls(self._out, records, self._random("delivery", midnight))
        self._files += files + deliver_flows(self._out, flows, self._random("flows", midnight))
        self._twice += twice

    def _random(self, name: str, midnight: datetime) -> Random:
        """Return chance that depends on nothing but its purpose: a scenario plays the same in any company."""
        return Random(f"{self._seed}/{name}/{midnight:%Y-%m-%d}")  # noqa: S311  # seeded, not secret

    def _document(self, last: datetime, days: int, lists: dict[str, Path]) -> dict[str, object]:
        return {
            "account_id": ACCOUNT_ID,
            "seed": self._seed,
            "first_day": f"{last - timedelta(days=days - 1):%Y-%m-%d}",
            "last_day": f"{last:%Y-%m-%d}",
            "lists": {kind: str(path.relative_to(self._out)) for kind, path in lists.items()},
            "records_delivered_twice": self._twice,
            "scenarios": [truth.document() for truth in self._truths],
        }
