"""One batch: an archive with hundreds of actors is written, scanned by the whole pipeline, and judged actor by actor."""

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

DAYS = 5
MIDNIGHT = datetime(2026, 3, 9, tzinfo=UTC)
FORMATS = ((2, 60), (5, 600), (2, 600), (5, 60))
KINDS = (*ordinary.KINDS, *applications.KINDS)
_TYPE = "Recon:EC2/Portscan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a batch plays: ``scans`` and ``actors`` are how many of each class and kind, by name."""

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
    """What became of one actor: of a scan class or, where ``name`` is a kind's, of ordinary life.

    ``delay`` (seconds) and ``probes`` reach from the first probe to the try with which a rule first fired; None where it was not
    found. ``rules`` fired. ``false`` describes each finding that is about nothing that was scanned. ``told`` describes the scan.
    """

    name: str
    format: tuple[int, int]
    found: bool = False
    delay: float | None = None
    probes: int | None = None
    rules: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A batch's actors, and how many records they left."""

    judged: tuple[Judged, ...]
    records: int


@dataclass(slots=True, kw_only=True)
class _Cast:
    """The actors of a batch, with what they are."""

    stages: dict[str, tuple[str, Stage]] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)


def run(plan: Plan) -> Result:
    """Write a batch's archive into a folder for this time, scan it, and judge what was found."""
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
    """Let no library write among the tables: DuckDB shows how far it is where it takes a process for a Python shell."""
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
            raise SystemExit(f"of {records} records {report.records['flows']} were read, {faults}")
        return [finding for finding in store.findings_of(sorted(running.findings)) if finding.seen.finding_type == _TYPE]


def _judge(plan: Plan, name: str, stage: Stage, findings: Iterable[Finding]) -> Judged:
    probed = {probe.host for probe in stage.probes} | {"block"} if stage.probes else set()
    probed |= {f"{kind}/{probe.port}" for probe in stage.probes for kind in ("tcp", "udp")}
    right = [finding for finding in findings if finding.seen.target in probed]
    false = tuple(_described(finding) for finding in findings if finding.seen.target not in probed)
    fired = _fired(right)
    times = [(MIDNIGHT + timedelta(seconds=probe.at)).replace(microsecond=0) for probe in stage.probes]
    return Judged(
        name=name,
        format=plan.format,
        found=bool(right),
        delay=max(0.0, (fired - times[0]).total_seconds()) if fired else None,
        probes=bisect_right(times, fired) if fired else None,
        rules=tuple(sorted({rule for finding in right for rule in finding.seen.tallies["kinds"]})),
        false=false,
        told=_told(plan, stage),
    )


def _told(plan: Plan, stage: Stage) -> str:
    """Describe a scan, so that it can be looked for in its batch."""
    if not stage.probes:
        return ""
    first = stage.probes[0]
    notes = ", ".join(f"{key} {value:.3g}" for key, value in stage.notes.items())
    hosts, ports = len({probe.host for probe in stage.probes}), len({probe.port for probe in stage.probes})
    where = f"batch {plan.number}, {stage.interface_id[-6:]}, hour {first.at / 3_600:.0f}"
    return f"{ports} ports of {hosts} hosts ({first.host}), {notes} ({where})"


def _fired(findings: Iterable[Finding]) -> datetime | None:
    """Return the time of the try with which the first rule fired; of a block only its latest possible time is known."""
    moments = []
    for finding in findings:
        for rule, tally in finding.seen.tallies["kinds"].items():
            moments.append(min(tally.last, tally.first + timedelta(minutes=10)) if rule == "block" else tally.first)
    return min(moments, default=None)


def _described(finding: Finding) -> str:
    tallies = finding.seen.tallies
    outcomes = ", ".join(f"{tally.count} {name}" for name, tally in sorted(tallies["outcomes"].items()))
    told = ", ".join(f"{tally.count} by {name}" for name, tally in sorted(tallies["rules"].items()))
    return f"{'+'.join(sorted(tallies['kinds']))} on {finding.seen.target.partition('/')[0]}: {outcomes} ({told})"
