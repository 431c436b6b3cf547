"""Detections: one module a finding type, each with the constant ``DETECTION``.

A detection is SQL (DuckDB's dialect) over named views and tables, thresholds with default and sentence, ``describe``, which
turns a result row into a sighting, and ``summarise``, which says in words what a merged finding means. No I/O.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import cast

from vedette.findings import Finding, Sighting, Summary
from vedette.registry import discover
from vedette.sql.threshold import Number, Threshold

__all__ = ["Detection", "Number", "Threshold", "all_detections"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """How one finding type is found.

    ``reads`` names the views and tables that ``sql`` uses; its ``$parameters`` are names of ``thresholds``.
    ``sql`` may return several rows of one identity: their sightings are merged. ``summarise`` must depend on nothing but the
    finding and the thresholds. ``rule`` is the version of the rule, raised when findings would change. A silence of ``gap_hours``
    ends an episode; None leaves it to the setting.
    """

    finding_type: str
    resource_type: str
    resource_role: str
    action_type: str
    reads: tuple[str, ...]
    sql: str
    describe: Callable[[Mapping[str, object]], Sighting]
    summarise: Callable[[Finding, Mapping[str, Number]], Summary]
    thresholds: tuple[Threshold, ...] = field(default=())
    rule: int = 1
    gap_hours: float | None = None

    def values(self, settings: Mapping[str, Number]) -> dict[str, Number]:
        """Return each threshold's value: from the settings, else its default."""
        return {threshold.name: settings.get(threshold.name, threshold.default) for threshold in self.thresholds}


@cache
def all_detections() -> dict[str, Detection]:
    """Return every detection by finding type."""
    detections = (cast("Detection", value) for _, value in discover(__name__, "DETECTION"))
    return {detection.finding_type: detection for detection in detections}
