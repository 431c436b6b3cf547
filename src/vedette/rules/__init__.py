"""What is run: the detections, the state tables that they need, and the numbers that decide."""

from collections.abc import Mapping
from dataclasses import dataclass

from vedette.detections import Detection, Number
from vedette.state import State

__all__ = ["Rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is run: the detections, the state tables, and the numbers that ``$name`` stands for, except those of the step.

    ``numbers`` are settings and the thresholds of all views, states and detections, since a detection may read any view.
    """

    detections: tuple[Detection, ...]
    states: tuple[State, ...]
    numbers: Mapping[str, Number]
