"""Run scenarios and write the logs that AWS would have delivered, the lists and inventory, and ``ground_truth.json``."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from random import Random

from vedette.errors import ConfigurationError, NotFoundError
from vedette.simulate import ACCOUNT_ID, Call, Day, Exchange, Flow, Listed, Routine, Scenario, all_scenarios
from vedette.simulate.world.delivery import FLOW_VERSIONS, deliver_calls, deliver_flows, write_text
from vedette.simulate.world.ground_truth import Truth
from vedette.simulate.world.inventory import inventory
from vedette.simulate.world.journey import records_of, resolved
from vedette.simulate.world.records import record
from vedette.simulate.world.routine import routine

__all__ = ["LAST_DAY", "Written", "simulate"]

LAST_DAY = datetime(2026, 3, 13, tzinfo=UTC)  # a Friday: people work
GROUND_TRUTH = "ground_truth.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a simulation wrote: the number of log files and of distinct records (calls and flows), and the lists by kind."""

    files: int
    records: int
    lists: dict[str, Path]
    ground_truth: Path


def simulate(
    names: Sequence[str], out: Path, *, seed: int = 1, end: datetime = LAST_DAY, days: int = 1, flow_version: int = 2
) -> Written:
    """Write the scenarios to one folder, which is created if it does not exist.

    Attacks happen on the last day, ``end``; ordinary activity happens on all ``days``. Flow logs have the fields of
    ``flow_version``, 2 or 5. The same arguments write the same bytes.

    Raises:
        NotFoundError: there is no scenario of this name; the message suggests the closest one.
        ConfigurationError: no scenario is given, ``days`` is below 1, the version is unknown, or the folder is not empty or
            cannot be written.
    """
    scenarios = _chosen(names)
    if days < 1:
        raise ConfigurationError(f"days {days}: must be 1 or more")
    if flow_version not in FLOW_VERSIONS:
        raise ConfigurationError(f"flow version {flow_version}: choose one of {', '.join(map(str, FLOW_VERSIONS))}")
    try:
        _prepare(out)
        return _Simulation(scenarios, out, seed, flow_version).run(_midnight(end), days)
    except OSError as error:
        raise ConfigurationError(f"{out}: cannot be written: {error.strerror or error}") from error


def _chosen(names: Sequence[str]) -> list[Scenario]:
    known = all_scenarios()
    if not names:
        raise ConfigurationError(f"name a scenario: {', '.join(known)}")
    chosen: dict[str, Scenario] = {}
    for name in names:
        wanted = name.lower().replace("_", "-")
        if wanted not in known:
            nearest = get_close_matches(wanted, known, n=1, cutoff=0)[0]
            raise NotFoundError(f"there is no scenario {name!r}; did you mean {nearest!r}?")
        chosen[wanted] = known[wanted]
    return list(chosen.values())


def _prepare(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise ConfigurationError(f"{out}: is not empty; give a new or empty folder")


def _midnight(end: datetime) -> datetime:
    moment = end.replace(tzinfo=UTC) if end.tzinfo is None else end.astimezone(UTC)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


class _Simulation:
    """Simulates day by day, so that a year needs no more memory than a day."""

    def __init__(self, scenarios: Iterable[Scenario], out: Path, seed: int, flow_version: int) -> None:
        self._out, self._seed, self._flow_version = out, seed, flow_version
        self._truths = [Truth(scenario) for scenario in scenarios]
        self._lists: dict[str, dict[str, None]] = {}
        self._files = self._twice = self._ordinary = 0

    def run(self, last: datetime, days: int) -> Written:
        before = max(truth.scenario.days_before for truth in self._truths)
        for number in range(days + before - 1, -1, -1):
            playing = [truth for truth in self._truths if number < days + truth.scenario.days_before]
            self._day(playing, last - timedelta(days=number), last=number == 0)
        lists = {kind: self._out / "lists" / f"{kind}.txt" for kind in sorted(self._lists)}
        for kind, path in lists.items():
            write_text(path, "".join(f"{network}\n" for network in self._lists[kind]), last)
        for name, document in inventory().items():
            write_text(self._out / "inventory" / name, json.dumps(document, indent=1) + "\n", last)
        truth = self._out / GROUND_TRUTH
        write_text(truth, json.dumps(self._document(last, days, lists), indent=1) + "\n", last)
        records = sum(item.records + item.flows for item in self._truths) + self._ordinary
        return Written(files=self._files, records=records, lists=lists, ground_truth=truth)

    def _day(self, playing: Iterable[Truth], midnight: datetime, *, last: bool) -> None:
        calls: list[tuple[datetime, dict[str, object]]] = []
        flows: list[Flow] = []
        at_work: dict[str, None] = {}
        for truth in playing:
            day = Day(midnight=midnight, last=last, random=self._random(truth.scenario.name, midnight))
            identifiers = self._random(f"{truth.scenario.name}/ids", midnight)
            for item in truth.scenario.play(day):
                match item:
                    case Call():
                        written = record(item, identifiers)
                        truth.note(item, written)
                        calls.append((item.at, written))
                    case Exchange():
                        logged = records_of(item)
                        truth.note_flows(item, logged)
                        flows += logged
                    case Flow():
                        truth.flows += 1
                        flows.append(resolved(item))
                    case Listed():
                        self._lists.setdefault(item.kind, {})[item.network] = None
                    case Routine():
                        at_work[item.address] = None
        flows += self._routines(at_work, midnight)
        files, twice = deliver_calls(self._out, calls, self._random("delivery", midnight))
        random = self._random("flows", midnight)
        self._files += files + deliver_flows(self._out, flows, random, version=self._flow_version)
        self._twice += twice

    def _routines(self, addresses: Iterable[str], midnight: datetime) -> list[Flow]:
        """Return the ordinary flows of instances, once per instance even if several scenarios include it."""
        flows: list[Flow] = []
        for address in addresses:
            for exchange in routine(address, midnight, self._random(f"routine/{address}", midnight)):
                flows += records_of(exchange)
        self._ordinary += len(flows)
        return flows

    def _random(self, name: str, midnight: datetime) -> Random:
        """Return random numbers that depend only on their purpose: a scenario is the same whatever is simulated beside it."""
        return Random(f"{self._seed}/{name}/{midnight:%Y-%m-%d}")  # seeded, not secret

    def _document(self, last: datetime, days: int, lists: dict[str, Path]) -> dict[str, object]:
        return {
            "account_id": ACCOUNT_ID,
            "seed": self._seed,
            "first_day": f"{last - timedelta(days=days - 1):%Y-%m-%d}",
            "last_day": f"{last:%Y-%m-%d}",
            "lists": {kind: str(path.relative_to(self._out)) for kind, path in lists.items()},
            "records_delivered_twice": self._twice,
            "flow_version": self._flow_version,
            "ordinary_flows": self._ordinary,
            "scenarios": [truth.document() for truth in self._truths],
        }
