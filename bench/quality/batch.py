"""Run one batch: write an archive with hundreds of actors, scan it with the whole pipeline, and judge every actor."""

import os
import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from bench.quality import applications, ordinary
from bench.quality.scans import ScanClass, classes
from bench.quality.stage import Stage
from vedette.findings import Finding
from vedette.pipeline import composition
from vedette.pipeline.knowledge import gather
from vedette.settings import load
from vedette.simulate import Flow
from vedette.simulate.world.delivery import deliver_flows
from vedette.sources import Span, list_blobs
from vedette.store import Store
from vedette.text.report import counted

DAYS = 5
MIDNIGHT = datetime(2026, 3, 9, tzinfo=UTC)
FORMATS = ((2, 60), (5, 600), (2, 600), (5, 60))
KINDS = (*ordinary.KINDS, *applications.KINDS)
_TYPE = "Recon:EC2/Portscan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The content of a batch: ``scans`` and ``actors`` are the numbers per class and kind, by name."""

    number: int
    seed: int
    scans: Mapping[str, int]
    actors: Mapping[str, int]

    @property
    def format(self) -> tuple[int, int]:
        """Version and aggregation interval (seconds) of the flow logs."""
        return FORMATS[self.number % len(FORMATS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The result for one actor; ``name`` is that of a scan class or of a kind of ordinary traffic.

    ``delay`` (seconds) and ``probes`` are measured from the first probe to the attempt at which a rule first triggered; None if
    the scan was missed. ``rules`` are those that triggered. ``false`` describes each finding that is not about what was scanned.
    ``description`` describes the scan.
    """

    name: str
    format: tuple[int, int]
    found: bool = False
    delay: float | None = None
    probes: int | None = None
    rules: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The results of a batch, and the number of its records."""

    judged: tuple[Judged, ...]
    records: int


@dataclass(slots=True, kw_only=True)
class _Cast:
    """The actors of a batch by resource key, each with the name of its class or kind, and their records."""

    stages: dict[str, tuple[str, Stage]] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)


def run(plan: Plan) -> Result:
    """Write a batch's archive to a temporary folder, scan it, and judge the findings."""
    version, _ = plan.format
    with TemporaryDirectory(prefix="vedette-quality-") as temporary:
        played = _play(plan)
        records = len(played.flows)
        deliver_flows(Path(temporary), played.flows, Random(plan.seed), version=version)
        played.flows.clear()
        findings = _scanned(Path(temporary) / "AWSLogs", records)
    by_actor = defaultdict(list)
    for finding in findings:
        by_actor[finding.seen.resource_key].append(finding)
    judged = [_judge(plan, name, stage, by_actor[key]) for key, (name, stage) in played.stages.items()]
    return Result(judged=tuple(judged), records=records)


def be_silent() -> None:
    """Discard the output of a worker process: DuckDB prints a progress bar if it takes the process for a Python shell."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _play(plan: Plan) -> _Cast:
    played = _Cast()
    for name, play in _parts(plan):
        number = plan.number * 20_000 + len(played.stages)
        chance = Random(f"{plan.seed} {plan.number} {number}")
        stage = Stage(number=number, random=chance, midnight=MIDNIGHT, days=DAYS, window=plan.format[1])
        stage.usual()
        play.play(stage)
        played.flows += stage.flows
        stage.flows.clear()
        stage.probes.sort(key=lambda probe: probe.at)
        key = stage.interface_id if plan.format[0] == 2 else stage.instance_id  # noqa: PLR2004 - version 2 knows no instances
        played.stages[key] = name, stage
    return played


def _parts(plan: Plan) -> Iterator[tuple[str, ScanClass | ordinary.Kind]]:
    entries: tuple[ScanClass | ordinary.Kind, ...] = (*classes(), *KINDS)
    for item in entries:
        wanted = plan.scans if isinstance(item, ScanClass) else plan.actors
        for _ in range(wanted.get(item.name, 0)):
            yield item.name, item


def _scanned(folder: Path, records: int) -> list[Finding]:
    settings = load(None, {"workers": 1, "bundled_lists": False})
    with Store.ephemeral() as store:
        with composition.pipeline(settings, store, gather(settings, store)) as running:
            report = running.bulk(list_blobs(str(folder), Span()))
        faults = {"bad": report.bad, "late": report.late, "nulled": report.nulled.total()}
        if report.records["flows"] != records or any(faults.values()):
            raise SystemExit(f"{report.records['flows']} of {records} records were read, {faults}")
        return [finding for finding in store.findings_of(sorted(running.findings)) if finding.seen.finding_type == _TYPE]


def _judge(plan: Plan, name: str, stage: Stage, findings: Iterable[Finding]) -> Judged:
    probed = {probe.host for probe in stage.probes} | {"block"} if stage.probes else set()
    probed |= {f"{kind}/{probe.port}" for probe in stage.probes for kind in ("tcp", "udp")}
    right = [finding for finding in findings if finding.seen.target in probed]
    false = tuple(_described(finding) for finding in findings if finding.seen.target not in probed)
    triggered = _triggered(right)
    times = [(MIDNIGHT + timedelta(seconds=probe.at)).replace(microsecond=0) for probe in stage.probes]
    return Judged(
        name=name,
        format=plan.format,
        found=bool(right),
        delay=max(0.0, (triggered - times[0]).total_seconds()) if triggered else None,
        probes=bisect_right(times, triggered) if triggered else None,
        rules=tuple(sorted({rule for finding in right for rule in finding.seen.tallies["kinds"]})),
        false=false,
        description=_description(plan, stage),
    )


def _description(plan: Plan, stage: Stage) -> str:
    """Describe a scan so that it can be identified in its batch."""
    if not stage.probes:
        return ""
    first = stage.probes[0]
    notes = ", ".join(f"{key} {value:.3g}" for key, value in stage.notes.items())
    hosts, ports = len({probe.host for probe in stage.probes}), len({probe.port for probe in stage.probes})
    where = f"batch {plan.number}, {stage.interface_id[-6:]}, hour {first.at / 3_600:.0f}"
    return f"{counted(ports, 'port')} of {counted(hosts, 'host')} ({first.host}), {notes} ({where})"


def _triggered(findings: Iterable[Finding]) -> datetime | None:
    """Return the time of the attempt at which the first rule triggered; for a block, its latest possible time."""
    moments = []
    for finding in findings:
        for rule, tally in finding.seen.tallies["kinds"].items():
            moments.append(min(tally.last, tally.first + timedelta(minutes=10)) if rule == "block" else tally.first)
    return min(moments, default=None)


def _described(finding: Finding) -> str:
    tallies = finding.seen.tallies
    outcomes = ", ".join(f"{tally.count} {name}" for name, tally in sorted(tallies["outcomes"].items()))
    openers = ", ".join(f"{tally.count} by {name}" for name, tally in sorted(tallies["rules"].items()))
    return f"{'+'.join(sorted(tallies['kinds']))} on {finding.seen.target.partition('/')[0]}: {outcomes} ({openers})"
