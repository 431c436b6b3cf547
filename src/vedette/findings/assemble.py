"""A merged sighting becomes a finding, with its id, its words and the times at which it was written and changed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from vedette.findings.identity import finding_id
from vedette.findings.model import Finding, Sighting, Summary

_NO_SUMMARY = Summary(title="", description="", severity=0.0, reasons=())


class Rule(Protocol):
    """What a finding takes from its detection (``detections.Detection``)."""

    @property
    def rule(self) -> int:
        """Version of the rule."""

    @property
    def resource_type(self) -> str:
        """GuardDuty's ``resourceType``: AccessKey or Instance."""

    @property
    def resource_role(self) -> str:
        """GuardDuty's ``resourceRole``: TARGET or ACTOR."""

    @property
    def action_type(self) -> str:
        """GuardDuty's ``actionType``."""

    @property
    def summarise(self) -> Callable[[Finding, Mapping[str, int | float]], Summary]:
        """The function that puts the finding into words."""


def assemble(
    seen: Sighting,
    rule: Rule,
    thresholds: Mapping[str, int | float],
    *,
    existing: Finding | None,
    stamp: datetime | None,
    detector_id: str = "",
) -> Finding:
    """Return the finding of an episode: a new one, or a renewed version of the one that it continues.

    ``seen`` includes what ``existing`` has seen, as ``Episode.seen`` does. ``stamp`` is the clock's time, for a finding that is
    new or has changed; one that has not changed keeps its times, and no time is ever set back. Where ``stamp`` is None, event
    time takes its place (created at the first event, updated at the last), so that a scan writes the same bytes however the input
    is divided.
    """
    draft = Finding(
        id=existing.id if existing else finding_id(seen),
        seen=seen,
        rule=rule.rule,
        resource_type=rule.resource_type,
        resource_role=rule.resource_role,
        action_type=rule.action_type,
        summary=_NO_SUMMARY,
        created_at=_created(seen, existing, stamp),
        updated_at=existing.updated_at if existing else stamp or seen.last.time,
        archived=existing.archived if existing else False,
        detector_id=existing.detector_id if existing else detector_id,
        additional=existing.additional if existing else {},
    )
    summary = rule.summarise(draft, thresholds)
    finding = replace(
        draft,
        summary=replace(summary, additional={}),
        additional={**draft.additional, **summary.additional},
    )
    if existing is None or finding == existing:
        return finding
    return replace(finding, updated_at=max(existing.updated_at, stamp or seen.last.time))


def _created(seen: Sighting, existing: Finding | None, stamp: datetime | None) -> datetime:
    if existing is None:
        return stamp or seen.first.time
    if stamp is None and existing.created_at == existing.seen.first.time:
        return seen.first.time  # it has event time; an earlier record that came late moves it
    return existing.created_at
