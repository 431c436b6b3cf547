"""From what the user chose to rules that can run: finding types, thresholds and the profile."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from vedette.detections import Detection, all_detections
from vedette.errors import ConfigurationError
from vedette.rules import Rules
from vedette.rules.thresholds import settings_in_sql, values
from vedette.settings import Settings
from vedette.state import SEEN, State, all_states, below


def rules(settings: Settings) -> Rules:
    """Return the detections that the user chose, with the state tables that they need and the numbers that the user set.

    Raises:
        ConfigurationError: a finding type or a threshold of the settings does not exist; all of them are named.
    """
    numbers = values(settings.detection_profile, settings.thresholds)
    chosen = _chosen(all_detections(), settings.finding_types)
    return Rules(
        detections=chosen,
        states=_remembered(chosen) if settings.finding_types else tuple(all_states().values()),
        numbers={**{name: getattr(settings, name) for name in settings_in_sql()}, **numbers},
    )


def _chosen(detections: Mapping[str, Detection], wanted: Iterable[str]) -> tuple[Detection, ...]:
    """Return the detections of the wanted finding types, all where none is named.

    Raises:
        ConfigurationError: some are not known; all of them are named.
    """
    names = {name.lower(): name for name in detections}
    unknown = sorted(name for name in wanted if name.lower() not in names)
    if unknown:
        near = get_close_matches(unknown[0].lower(), names, n=1, cutoff=0.3)
        hint = f" (did you mean {names[near[0]]!r}?)" if near else ""
        raise ConfigurationError(f"finding_types: nothing is called {', '.join(map(repr, unknown))}{hint}")
    return tuple(detections[names[name.lower()]] for name in wanted) or tuple(detections.values())


def _remembered(detections: Iterable[Detection]) -> tuple[State, ...]:
    """Return the state tables that some detections are made from; those that are read before their fold are folded, too."""
    needed = {node.name for node in below({SEEN, *(name for detection in detections for name in detection.reads)})}
    return tuple(state for name, state in all_states().items() if name in needed)
