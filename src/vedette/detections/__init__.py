"""Detections: one module per finding type, each with the constant ``DETECTION``.

A detection is SQL (DuckDB's dialect) over named views and tables, thresholds with default and sentence, and what its findings
say of themselves: ``describe`` turns a result row into a sighting, ``summarise`` puts a merged finding into words, ``sections``
and ``next_steps`` explain it. No I/O.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import cast

from vedette.findings import Finding, Section, Sighting, Step, Summary
from vedette.registry import discover
from vedette.sql.threshold import Number, Threshold
from vedette.state import below

__all__ = ["Detection", "Number", "Threshold", "all_detections"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """How one finding type is found, and what its findings say of themselves.

    ``reads`` names the views and tables that ``sql`` uses. ``sql`` may return several rows of one identity: their sightings are
    merged. ``thresholds`` are the numbers that only ``sql`` or ``summarise`` use; those of the views below are inherited. The
    thresholds of all types with the same ``group`` are set together, as ``group.name``.

    ``describe`` is given a row and ``finding_type``, ``summarise`` the finding and the thresholds, on which alone it must depend.
    ``sections`` is given the finding and its GuardDuty document, and returns what they say of the resource and of the other side;
    ``next_steps`` returns what to do about the finding, the most urgent first. ``target_is_remote`` is false where a finding's
    target is not the other side but the principal that acts: tables do not show it beside who acted.

    ``rule`` is the version of the rule, raised when findings would change. A silence of ``gap_hours`` ends an episode; None
    leaves that to the setting. ``category`` is how ``accepted_behaviour`` calls the type; findings of a type without one are
    never accepted.
    """

    finding_type: str
    resource_type: str
    resource_role: str
    action_type: str
    reads: tuple[str, ...]
    sql: str
    describe: Callable[[Mapping[str, object], str], Sighting]
    summarise: Callable[[Finding, Mapping[str, Number]], Summary]
    sections: Callable[[Finding, Mapping[str, object]], tuple[Section, ...]]
    next_steps: Callable[[Finding], tuple[Step, ...]]
    target_is_remote: bool = True
    thresholds: tuple[Threshold, ...] = field(default=())
    group: str = ""
    rule: int = 1
    gap_hours: float | None = None
    category: str = ""

    def sighting(self, row: Mapping[str, object]) -> Sighting:
        """Return what a row of ``sql`` says, as a sighting of this finding type."""
        return self.describe(row, self.finding_type)

    def all_thresholds(self) -> tuple[Threshold, ...]:
        """Return the thresholds that decide about this type: those of the views and states below, then its own."""
        return (*_thresholds_below(self.reads), *self.thresholds)

    def values(self, numbers: Mapping[str, Number]) -> dict[str, Number]:
        """Return the value of each of ``all_thresholds``: from ``numbers``, otherwise its default."""
        return {threshold.name: numbers.get(threshold.name, threshold.default) for threshold in self.all_thresholds()}


@cache
def _thresholds_below(reads: tuple[str, ...]) -> tuple[Threshold, ...]:
    """Return the thresholds of the views and states that some tables build on, of the lowest first."""
    return tuple(threshold for node in below(reads) for threshold in node.thresholds)


@cache
def all_detections() -> dict[str, Detection]:
    """Return every detection by finding type."""
    detections = (cast("Detection", value) for _, value in discover(__name__, "DETECTION"))
    return {detection.finding_type: detection for detection in detections}
