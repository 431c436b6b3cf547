"""From what the user chose to rules that can run: finding types, thresholds and the profile."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from vedette.detections import Detection, Number, all_detections
from vedette.errors import ConfigurationError
from vedette.families.discovery.rules import GROUP, PROFILES
from vedette.families.discovery.rules import RULES as DISCOVERY
from vedette.rules import Rules
from vedette.settings import Settings
from vedette.state import SEEN, State, all_states
from vedette.views import all_views, ordered

# Settings that the shared views use as $parameters.
_NUMBERS = (
    "include_write_calls",
    "include_data_events",
    "emit_all_types",
    "learn_own_egress",
    "own_egress_principals",
    "own_egress_days",
    "assume_instance",
    "kept_contacts",
)


def rules(settings: Settings) -> Rules:
    """Choose all detections and state tables, with the numbers that the user set.

    Raises:
        ConfigurationError: a threshold of the settings belongs to no detection; all of them are named.
    """
    detections = all_detections()
    known = threshold_names(detections.values())
    unknown = sorted(set(settings.thresholds) - set(known))
    if unknown:
        raise ConfigurationError(_unknown_thresholds(unknown, known))
    thresholds: dict[str, dict[str, Number]] = {}
    for name, value in {f"{GROUP}.needed": PROFILES[settings.detection_profile], **settings.thresholds}.items():
        for kind in known[name]:
            thresholds.setdefault(kind, {})[name.rpartition(".")[2]] = value
    chosen = _chosen(detections, settings.finding_types)
    return Rules(
        detections=chosen,
        states=_remembered(chosen) if settings.finding_types else tuple(all_states().values()),
        numbers={name: getattr(settings, name) for name in _NUMBERS},
        thresholds=thresholds,
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
    """Return the state tables that some detections are made from."""
    states = all_states()
    reads = {name: view.reads for name, view in all_views().items()} | {name: state.reads for name, state in states.items()}
    below = ordered({name.removesuffix("_before") for item in detections for name in item.reads}, reads)
    again = {name.removesuffix("_before") for name in below}
    while again - set(below):  # what is read before its fold is folded, too
        below = ordered(again, reads)
        again = {name.removesuffix("_before") for name in below}
    return tuple(state for name, state in states.items() if name in again or name == SEEN)


def threshold_names(detections: Iterable[Detection]) -> dict[str, tuple[str, ...]]:
    """Return how thresholds are called in the settings, with the finding types that each belongs to.

    Those that several types share, as the discovery types do, are set for all of them at once.
    """
    found: dict[str, tuple[str, ...]] = {}
    for detection in detections:
        for threshold in detection.thresholds:
            group = GROUP if threshold in DISCOVERY else detection.finding_type
            name = f"{group}.{threshold.name}"
            found[name] = (*found.get(name, ()), detection.finding_type)
    return found


def _unknown_thresholds(unknown: Iterable[str], known: Iterable[str]) -> str:
    parts = []
    for name in unknown:
        nearest = get_close_matches(name, known, n=1)
        parts.append(f"{name!r}" + (f" (did you mean {nearest[0]!r}?)" if nearest else ""))
    return f"thresholds: no detection has {', '.join(parts)}"
