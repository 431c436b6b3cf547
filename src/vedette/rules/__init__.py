"""What is run: the detections, the state tables that they need, and the numbers that decide."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vedette.detections import Detection, Number
from vedette.state import State

__all__ = ["Rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is run: the detections, the state tables, and the numbers that their ``$parameters`` stand for.

    ``thresholds`` are a detection's own numbers that differ from its defaults, by finding type.
    """

    detections: tuple[Detection, ...]
    states: tuple[State, ...]
    numbers: Mapping[str, Number]
    thresholds: Mapping[str, Mapping[str, Number]] = field(default_factory=dict)

    def all_numbers(self) -> dict[str, Number]:
        """Return what every ``$name`` stands for: settings, and the thresholds of all detections, whose names differ."""
        found = dict(self.numbers)
        for detection in self.detections:
            found |= detection.values(self.thresholds.get(detection.finding_type, {}))
        return found
