"""From settings to a pipeline that can run: the rules, reader, engine and state location of a run."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

from vedette.clock import now
from vedette.engine import Engine, Knowledge, ReadPlan
from vedette.engine.fact_tables import expected_ports
from vedette.errors import ConfigurationError
from vedette.exceptions import accepted
from vedette.exceptions.authorised import parse
from vedette.exposure import digest
from vedette.logs.read_counts import Limits
from vedette.pipeline.enrichment import Enrichment
from vedette.pipeline.knowledge import complete
from vedette.pipeline.reading import read_blob
from vedette.pipeline.run import Pipeline, Slicing
from vedette.pipeline.state_place import held_place, state_place
from vedette.rules import Rules
from vedette.rules.choice import rules
from vedette.schema import TABLES
from vedette.settings import Settings
from vedette.sources import Span
from vedette.state_files.generation import Generation
from vedette.state_files.location import Folder, StateLocation
from vedette.store import Store

__all__ = ["ALWAYS", "pipeline", "state_place"]

ALWAYS = Span()


@contextmanager
def pipeline(
    settings: Settings,
    store: Store,
    knowledge: Knowledge,
    *,
    span: Span = ALWAYS,
    clock: Callable[[], datetime] | None = None,
) -> Iterator[Pipeline]:
    """Make a pipeline and lock its state folder while it runs; that of an ephemeral store is removed afterwards.

    Raises:
        ConfigurationError: a threshold is not known.
        StoreError: the folder cannot be written, is another store's, or another process is writing there.
        EngineError: the engine cannot start.
    """
    chosen = rules(settings)
    permits = parse(settings.authorised_scanners)
    acceptances = accepted.parse(settings.accepted_behaviour)
    processes = settings.workers or os.cpu_count() or 1
    with held_place(settings, store) as place:
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
                    clock=now(),
                    lateness=lateness(settings),
                ),
                rules=chosen,
                slicing=Slicing(
                    largest=dict.fromkeys(TABLES, settings.slice_events) if settings.slice_events else engine.usual_slice,
                    lateness=lateness(settings),
                    gap=timedelta(days=settings.episode_gap_days),
                ),
                clock=clock,
                enrich=Enrichment(knowledge.inventory, knowledge.geo),
                permits=permits,
                acceptances=acceptances,
                digest=_digest(place, knowledge),
                complete=partial(complete, known=knowledge, settings=settings),
            )
        finally:
            engine.close()


def lateness(settings: Settings) -> timedelta:
    """Return how much older than its delivery a record may be."""
    return timedelta(minutes=max(settings.lateness_cloudtrail_minutes, settings.lateness_flows_minutes))


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
