"""What a run could see and what it could not: the lines of its report on lists, learning and blind spots."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vedette.intel import ThreatList
from vedette.list_kinds import ACCUSING_KINDS, Kind
from vedette.text.report import ListUse, RunReport, counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a run had to go by.

    ``lists`` are those that took part. ``inventory`` and ``geolocation`` say whether there was one, ``data_events`` whether they
    were looked at. ``own_egress_days`` is how long calls must be known before an address that many use counts as the account's
    own way out, None where that is not learned. ``learning_days`` is how long the baseline learns. ``damaged`` is how many
    lookups met damage, by geolocation database.
    """

    lists: Sequence[ThreatList]
    inventory: bool
    geolocation: bool
    data_events: bool
    own_egress_days: int | None
    learning_days: int
    damaged: Mapping[str, int] = field(default_factory=dict)


def complete(report: RunReport, coverage: Coverage, at: datetime) -> None:
    """Add to a report how the lists stood at a moment, what is still being learned, and what could not be seen."""
    report.lists = tuple(ListUse.of(item, at) for item in coverage.lists)
    report.learning = tuple(_learning(report, coverage)) if report.records["cloudtrail"] else ()
    report.blind_spots = tuple(_blind_spots(report, coverage))


def _learning(report: RunReport, coverage: Coverage) -> Iterator[str]:
    if coverage.own_egress_days is not None and report.history_days <= coverage.own_egress_days:
        needed = counted(coverage.own_egress_days, "day")
        learned = f"an address that many use counts as your own egress address after {needed} (list yours in own_addresses)"
        yield f"{counted(report.history_days, 'day')} of calls known; {learned}"
    if report.baseline_days < coverage.learning_days:
        until_then = "a principal's first calls raise no finding unless something high-risk accompanies them"
        yield f"day {report.baseline_days} of {coverage.learning_days}: {until_then}"


def _blind_spots(report: RunReport, coverage: Coverage) -> Iterator[str]:
    kinds = {use.kind for use in report.lists if use.status == "ACTIVE"}
    for kind in ACCUSING_KINDS:
        if kind not in kinds:
            yield f"no {kind} list: nothing is matched against one"
    if stale := [use.name for use in report.lists if use.stale]:
        yield f"stale lists ({', '.join(stale)}): addresses may have changed hands since"
    if not report.records["cloudtrail"]:
        yield "no CloudTrail record was read"
    if report.records["flows"]:
        yield from _flow_spots(report, coverage, kinds)
    if not coverage.data_events:
        yield "data events (reads of single objects) raise no finding"
    if not coverage.geolocation:
        yield "no geolocation database: findings name no country, city or network; address blocks stand for networks"
    for path, lookups in coverage.damaged.items():
        if lookups:
            yield f"geolocation database {path} is damaged: {counted(lookups, 'lookup')} found nothing that could be read"


def _flow_spots(report: RunReport, coverage: Coverage, kinds: set[str]) -> Iterator[str]:
    if Kind.SCANNER not in kinds:
        yield "no scanner list: port probes cannot be detected"
    if not coverage.inventory:
        yield "no inventory: unused addresses, roles of interfaces and security groups are not known"
    if lost := report.statuses["SKIPDATA"]:
        yield f"{counted(lost, 'window')} of flow records lost data: a missing reply proves nothing there"
