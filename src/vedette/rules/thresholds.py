"""Every threshold there is, how it is called in the settings, and the value that it has there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from vedette.detections import Detection, Number, Threshold, all_detections
from vedette.errors import ConfigurationError
from vedette.families.discovery.rules import GROUP
from vedette.settings import Settings
from vedette.sql.graph import parameters
from vedette.sql.scores import PROFILES
from vedette.sql.steps import STEP_NUMBERS
from vedette.sql.threshold import by_name, meanings
from vedette.state import State, all_states, below
from vedette.views import View, all_views


@cache
def all_thresholds() -> Mapping[str, Threshold]:
    """Return the thresholds of every view, state and detection by name.

    Raises:
        ValueError: two thresholds have the same name, or one is called like a setting or a number of the step.
    """
    owners: list[View | State | Detection] = [*all_views().values(), *all_states().values(), *all_detections().values()]
    found = by_name(threshold for owner in owners for threshold in owner.thresholds)
    if taken := sorted(found.keys() & {*Settings.model_fields, *STEP_NUMBERS}):
        raise ValueError(f"thresholds are called like a setting or a number of the step: {', '.join(taken)}")
    return found


@cache
def setting_names() -> Mapping[str, Threshold]:
    """Return how each threshold is called in the settings: ``finding type.name``, or ``group.name`` for all types of a group."""
    return {
        f"{detection.group or detection.finding_type}.{threshold.name}": threshold
        for detection in all_detections().values()
        for threshold in detection.all_thresholds()
    }


def of_group(group: str) -> tuple[Threshold, ...]:
    """Return the thresholds that are set for all finding types of a group at once."""
    return tuple(threshold for name, threshold in setting_names().items() if name == f"{group}.{threshold.name}")


def values(profile: str, given: Mapping[str, Number]) -> dict[str, Number]:
    """Return the value of each threshold: what the user gave, otherwise the profile's, otherwise the default.

    Args:
        profile: one of ``PROFILES``.
        given: values by their names in the settings.

    Raises:
        ConfigurationError: no threshold has some of these names; all of them are named.
    """
    known = setting_names()
    if unknown := sorted(given.keys() - known.keys()):
        raise ConfigurationError(_unknown(unknown, known))
    chosen = {f"{GROUP}.needed": PROFILES[profile], **given}
    defaults = {name: threshold.default for name, threshold in all_thresholds().items()}
    return defaults | {known[name].name: value for name, value in chosen.items()}


def _unknown(unknown: Iterable[str], known: Iterable[str]) -> str:
    parts = []
    for name in unknown:
        nearest = get_close_matches(name, known, n=1)
        parts.append(f"{name!r}" + (f" (did you mean {nearest[0]!r}?)" if nearest else ""))
    return f"thresholds: no detection has {', '.join(parts)}"


@cache
def settings_in_sql() -> tuple[str, ...]:
    """Return the names of the settings that the SQL of views, states and detections uses.

    Raises:
        ValueError: SQL uses a name that is not a threshold, a number of the step or a setting.
    """
    nodes: list[View | State] = [*all_views().values(), *all_states().values()]
    texts = [_sql(node) for node in nodes]
    texts += [detection.sql for detection in all_detections().values()]
    names = {name for text in texts for name in parameters(text)} - all_thresholds().keys() - STEP_NUMBERS.keys()
    if unknown := sorted(names - Settings.model_fields.keys()):
        raise ValueError(f"SQL uses numbers that nobody defines: {', '.join(unknown)}")
    return tuple(sorted(names))


@dataclass(frozen=True, slots=True)
class Deciding:
    """A number that decides about a finding type: a threshold or a setting, its value, and what it means."""

    name: str
    value: object
    meaning: str


def deciding(detection: Detection, settings: Settings) -> tuple[Deciding, ...]:
    """Return the thresholds of a finding type, of the lowest view first, and the settings that its SQL or SQL below uses."""
    thresholds = detection.all_thresholds()
    numbers = detection.values(values(settings.detection_profile, settings.thresholds))
    said = meanings(thresholds, numbers)
    used = {name for text in (detection.sql, *map(_sql, below(detection.reads))) for name in parameters(text)}
    return (
        *(Deciding(item.name, numbers[item.name], said[item.name]) for item in thresholds),
        *(
            Deciding(name, getattr(settings, name), Settings.model_fields[name].description or "")
            for name in sorted(used.intersection(settings_in_sql()))
        ),
    )


def _sql(node: View | State) -> str:
    return node.sql if isinstance(node, View) else f"{node.rows}\n{node.fold}"
