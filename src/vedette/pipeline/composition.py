"""From settings to a pipeline that can run: the lists, rules, reader, engine and folder that a run needs."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from vedette.aws import Connection
from vedette.clock import now
from vedette.engine import Engine, Knowledge, ReadPlan
from vedette.engine.fact_tables import expected_ports
from vedette.errors import ConfigurationError
from vedette.exceptions import accepted
from vedette.exceptions.authorised import parse
from vedette.exposure import digest
from vedette.families.discovery.rules import GROUP
from vedette.families.discovery.rules import RULES as DISCOVERY
from vedette.intel import Kind, ThreatList
from vedette.intel.bundled import bundled_lists
from vedette.intel.lists import load_list
from vedette.inventory import Inventory
from vedette.logs.read_counts import Limits
from vedette.network.geo import Geo
from vedette.pipeline.enrichment import Enrichment
from vedette.pipeline.reading import read_blob
from vedette.pipeline.run import Pipeline, Slicing
from vedette.rules import Rules
from vedette.rules.choice import rules
from vedette.schema import TABLES
from vedette.settings import Settings
from vedette.sources import Span
from vedette.state_files.folder import locked
from vedette.state_files.generation import Generation
from vedette.state_files.location import S3, Bucket, Folder, StateLocation
from vedette.store import Store, state_folder
from vedette.text.report import ListUse, RunReport, counted

# The setting that holds the files of each kind of list.
LIST_SETTINGS = {
    Kind.MALICIOUS: "threat_lists",
    Kind.CUSTOM: "custom_lists",
    Kind.TRUSTED: "trusted_lists",
    Kind.TOR: "tor_lists",
    Kind.SCANNER: "scanner_lists",
}
_RESEARCH = "research_lists"  # scanners, too, of which nobody need be told

ALWAYS = Span()
_LEARNING_DAYS = next(rule.default for rule in DISCOVERY if rule.name == "learning_days")


@contextmanager
def pipeline(
    settings: Settings,
    store: Store,
    knowledge: Knowledge,
    *,
    span: Span = ALWAYS,
    clock: Callable[[], datetime] | None = None,
) -> Iterator[Pipeline]:
    """Make a pipeline and hold its folder while it runs; an ephemeral store's folder is removed afterwards.

    Raises:
        ConfigurationError: a threshold is not known.
        StoreError: the folder cannot be written, or another process is writing there.
        EngineError: the engine cannot start.
    """
    chosen = rules(settings)
    permits = parse(settings.authorised_scanners)
    acceptances = accepted.parse(settings.accepted_behaviour)
    processes = settings.workers or os.cpu_count() or 1
    with _place(settings) as place:
        engine = _ENGINES[settings.engine](settings, place, chosen, knowledge, processes)
        try:
            yield Pipeline(
                engine=engine,
                store=store,
                plan=ReadPlan(
                    read=read_blob,
                    limits=Limits(
                        max_bytes=settings.max_blob_bytes,
                        max_ratio=settings.max_ratio,
                        max_record_bytes=settings.max_record_bytes,
                    ),
                    place=place,
                    tables=engine.tables,
                    processes=processes,
                    since=span.since,
                    until=span.until,
                ),
                rules=chosen,
                slicing=Slicing(
                    largest=dict.fromkeys(TABLES, settings.slice_events) if settings.slice_events else engine.usual_slice,
                    lateness=timedelta(minutes=max(settings.lateness_cloudtrail_minutes, settings.lateness_flows_minutes)),
                    gap=timedelta(days=settings.episode_gap_days),
                ),
                clock=clock,
                enrich=Enrichment(knowledge.inventory, knowledge.geo),
                permits=permits,
                acceptances=acceptances,
                digest=_digest(place, knowledge),
            )
        finally:
            engine.close()


def _digest(place: StateLocation, knowledge: Knowledge) -> Callable[[Generation, datetime, datetime], tuple[str, ...]]:
    expected = expected_ports(knowledge).to_pydict()
    return partial(digest, location=place, expected=tuple(zip(expected["instance_id"], expected["port"], strict=True)))


def _duckdb(settings: Settings, place: StateLocation, chosen: Rules, known: Knowledge, processes: int) -> Engine:
    from vedette.engine.duckdb import DuckDBEngine  # noqa: PLC0415  # loaded when it is chosen

    if not isinstance(place, Folder):
        raise ConfigurationError(f"state_folder {settings.state_folder!r}: DuckDB keeps its state in a folder of this machine")
    return DuckDBEngine(place.path, chosen, known, memory_limit=settings.memory_limit, threads=processes)


def _spark(settings: Settings, place: StateLocation, chosen: Rules, known: Knowledge, _processes: int) -> Engine:
    from vedette.engine.spark import SparkEngine  # noqa: PLC0415

    return SparkEngine(
        place,
        chosen,
        known,
        master=settings.spark_master,
        conf=dict(pair.split("=", 1) for pair in settings.spark_conf),
        broadcast_limit=settings.spark_broadcast_limit,
    )


_ENGINES = {"duckdb": _duckdb, "spark": _spark}


@contextmanager
def _place(settings: Settings) -> Iterator[StateLocation]:
    """Hold the place of the state while a run goes on; one for this run only is removed afterwards."""
    place = state_place(settings)
    if place is None:
        with TemporaryDirectory(prefix="vedette-", ignore_cleanup_errors=True) as temporary:
            yield Folder(Path(temporary))
    elif isinstance(place, Folder):
        with locked(place.path):
            yield Folder(place.path.resolve())
    else:
        yield place


def state_place(settings: Settings) -> StateLocation | None:
    """Return where the state of the settings' store lies, None for a store of one run only.

    Raises:
        StoreError: the store is of no known kind, or says nothing of a place.
    """
    if settings.state_folder.startswith(S3):
        return Bucket(settings.state_folder.rstrip("/"), Connection.of(settings))
    folder = state_folder(settings.store or "sqlite://", Path(settings.state_folder) if settings.state_folder else None)
    return None if folder is None else Folder(folder)


def knowledge(settings: Settings, store: Store) -> Knowledge:
    """Gather lists, places and own networks.

    The lists are those of the settings and of the store. A list of the bundled snapshot stands back where there is another of its
    kind: what the user brings is newer, and an old Tor exit would raise false alarms.

    Raises:
        ListError: a file of the settings is no list.
        ConfigurationError: the inventory cannot be used.
        GeoError: a geolocation database cannot be used.
    """
    lists = [
        load_list(path, name=name, kind=kind)
        for kind, setting in LIST_SETTINGS.items()
        for name, path in map(named_file, getattr(settings, setting))
    ]
    lists += [
        load_list(path, name=name, kind=Kind.SCANNER, verdict="research")
        for name, path in map(named_file, getattr(settings, _RESEARCH))
    ]
    lists += store.threat_lists()
    if settings.bundled_lists:
        present = {(item.kind, item.verdict == "research") for item in lists if item.status == "ACTIVE"}
        lists += [item for item in bundled_lists() if (item.kind, item.verdict == "research") not in present]
    return Knowledge(
        lists=_with_own_names(lists),
        geo=Geo.open(settings.geoip) if settings.geoip else None,
        own_networks=tuple(str(network) for network in settings.own_addresses),
        inventory=Inventory.load(Path(settings.inventory)) if settings.inventory else None,
        public_ports=settings.public_ports,
    )


def complete(report: RunReport, known: Knowledge, settings: Settings) -> None:
    """Add to a run's report what was known and what could not be seen."""
    at = report.last_record or now()
    report.lists = tuple(ListUse.of(item, at) for item in known.lists)
    report.learning = tuple(_learning(report, settings)) if report.records["cloudtrail"] else ()
    kinds = {use.kind for use in report.lists if use.status == "ACTIVE"}
    spots = [f"no {kind} list: nothing is matched against one" for kind in ("tor", "malicious", "custom") if kind not in kinds]
    if stale := [use.name for use in report.lists if use.stale]:
        spots.append(f"stale lists ({', '.join(stale)}): addresses have changed hands since")
    if not report.records["cloudtrail"]:
        spots.append("no CloudTrail record was read")
    if report.records["flows"]:
        spots += _flow_spots(report, known, kinds)
    if not settings.include_data_events:
        spots.append("data events (reads of single objects) raise no finding")
    if not known.geo:
        spots.append("no geolocation database: findings say no country, city or network; networks are blocks of addresses")
    report.blind_spots = tuple(spots)


def _learning(report: RunReport, settings: Settings) -> Iterator[str]:
    known_for = counted(report.history_days, "day")
    if settings.learn_own_egress and report.history_days <= settings.own_egress_days:
        needed = counted(settings.own_egress_days, "day")
        learned = f"an address that many use is taken for your own way out after {needed} (name yours in own_addresses)"
        yield f"{known_for} of calls known; {learned}"
    days = int(settings.thresholds.get(f"{GROUP}.learning_days", _LEARNING_DAYS))
    if report.baseline_days < days:
        told = "what principals do for the first time raises a finding only where something else is grave"
        yield f"day {report.baseline_days} of {days}: {told}"


def _flow_spots(report: RunReport, known: Knowledge, kinds: set[str]) -> Iterator[str]:
    if Kind.SCANNER not in kinds:
        yield "no scanner list: no port probe is found"
    if known.inventory is None:
        yield "no inventory: unused addresses, roles of interfaces and security groups are not known"
    if lost := report.statuses["SKIPDATA"]:
        yield f"{counted(lost, 'window')} of flow records lost data: a missing reply says nothing there"


def named_file(text: str | Path) -> tuple[str, Path]:
    """Read ``FILE`` or ``NAME=FILE``: a list's name is else the file's, without its endings."""
    name, equals, path = str(text).partition("=")
    if equals and name and not Path(text).exists():
        return name, Path(path)
    return Path(text).name.partition(".")[0] or Path(text).name, Path(text)


def _with_own_names(lists: Iterable[ThreatList]) -> tuple[ThreatList, ...]:
    """Number the lists that share a name, since evidence says which list it is from."""
    counts: dict[str, int] = {}
    result = []
    for item in lists:
        counts[item.name] = count = counts.get(item.name, 0) + 1
        result.append(item if count == 1 else replace(item, name=f"{item.name}-{count}"))
    return tuple(result)
