"""Determine which past episodes would be findings with other numbers, from their score sheets and without reading logs. Pure."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from vedette.baseline.episodes import ScoredEpisode
from vedette.errors import ConfigurationError
from vedette.families.discovery.rules import GROUP, POINTS
from vedette.rules.thresholds import of_group
from vedette.sql.scores import PROFILES
from vedette.sql.threshold import Number

_PEERS = "peers"
# The codes without which an episode of a mode is not a finding, whatever its points (methods 5.5).
_HIGH_RISK = {"peers": ("n2", "u2", "d1", "t1", "n4"), "learning": ("t1", "u2", "n4")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to change: the points that make a finding (None: unchanged), points per threshold, and what to suppress.

    ``codes`` and ``principals`` are suppressed. ``texts`` are the changes as the user wrote them.
    """

    texts: tuple[str, ...]
    needed: Number | None = None
    points: Mapping[str, Number] = field(default_factory=dict)
    codes: frozenset[str] = frozenset()
    principals: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An episode before and after a change; ``suppressed`` is whether the change suppresses its principal."""

    before: ScoredEpisode
    after: ScoredEpisode
    suppressed: bool = False

    @property
    def found(self) -> bool:
        """Return whether the episode would be a finding."""
        return self.after.found and not self.suppressed


def parse(texts: Iterable[str]) -> Change:
    """Parse changes: ``profile=NAME``, ``threshold=N``, ``discovery.NAME=N``, ``suppress=PRINCIPAL`` or ``suppress=CODE``.

    Raises:
        ConfigurationError: some cannot be parsed; the message names all of these.
    """
    change, faults = Change(texts=tuple(texts)), []
    for text in change.texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        try:
            change = _with(change, name.lower(), value if equals else "")
        except ValueError as error:
            faults.append(f"{text!r}: {error}")
    if faults:
        raise ConfigurationError("; ".join(faults))
    return change


def _with(change: Change, name: str, value: str) -> Change:
    if not value:
        raise ValueError("write it as NAME=VALUE")
    if name == "profile":
        if value not in PROFILES:
            raise ValueError(f"there is no such profile; choose one of {', '.join(PROFILES)}")
        return replace(change, needed=PROFILES[value])
    if name == "suppress":
        code = value.lower()
        if code in POINTS.values():
            return replace(change, codes=change.codes | {code})
        return replace(change, principals=change.principals | {value})
    if name == "threshold" or name.removeprefix(f"{GROUP}.") == "needed":
        return replace(change, needed=_number(value))
    point = name.removeprefix(f"{GROUP}.")
    if point in POINTS:
        return replace(change, points={**change.points, point: _number(value)})
    if any(threshold.name == point for threshold in of_group(GROUP)):  # takes effect before points are added up
        raise ValueError("takes effect while records are read: scan again with it into another store")
    near = get_close_matches(name, ["profile", "threshold", "suppress", *(f"{GROUP}.{item}" for item in POINTS)], n=1)
    raise ValueError("there is no such threshold" + (f"; did you mean {near[0]}?" if near else ""))


def _number(value: str) -> Number:
    number = float(value)
    if not math.isfinite(number) or number < 0:
        raise ValueError("must be a number of 0 or more")
    return int(number) if number.is_integer() else number


def compare(
    episodes: Iterable[ScoredEpisode],
    change: Change,
    numbers: Mapping[str, Number],
    scored: Mapping[int, Mapping[str, Number]] | None = None,
) -> tuple[list[Judged], list[Judged]]:
    """Return the episodes that would become findings, and those that would no longer be findings.

    Args:
        episodes: as ``remembered`` returns them.
        change: what to change.
        numbers: the thresholds in force now, taken for those with which the episodes were scored where these are not known.
        scored: by index of an episode, those thresholds with which it was scored that its finding keeps.
    """
    known = scored or {}
    judged = [judge(episode, change, {**numbers, **known.get(place, {})}) for place, episode in enumerate(episodes)]
    return (
        [item for item in judged if item.found and not item.before.found],
        [item for item in judged if item.before.found and not item.found],
    )


def scored_otherwise(
    episodes: Iterable[ScoredEpisode], scored: Iterable[Mapping[str, Number]], numbers: Mapping[str, Number]
) -> dict[str, list[Number]]:
    """Return the thresholds with which episodes were scored and that are others now, by name with the values used then.

    Args:
        episodes: as ``remembered`` returns them; each states how many points made a finding.
        scored: the thresholds that findings keep.
        numbers: the thresholds in force now.
    """
    used: dict[str, set[Number]] = {name: set() for name in numbers}
    for episode in episodes:
        used["needed"].add(episode.needed - (episode.mode == _PEERS))
    for values in scored:
        for name in used.keys() & values.keys():
            used[name].add(values[name])
    return {name: sorted(values - {numbers[name]}) for name, values in used.items() if values - {numbers[name]}}


def judge(episode: ScoredEpisode, change: Change, numbers: Mapping[str, Number]) -> Judged:
    """Score an episode again from its score sheet.

    A code that was worth 0 points when the episode was scored remains 0, since the sheet does not say whether it applied.
    """
    codes = {code: _points(code, before, change, numbers) for code, before in episode.codes.items() if code not in change.codes}
    codes = {code: points for code, points in codes.items() if points}
    points = max(0, sum(codes.values())) if codes != dict(episode.codes) else episode.points
    needed = episode.needed if change.needed is None else change.needed + (episode.mode == _PEERS)
    after = replace(
        episode,
        codes=codes,
        points=points,
        needed=needed,
        admitted=episode.admitted and _admitted(episode.mode, codes),
    )
    return Judged(before=episode, after=after, suppressed=bool(change.principals & {episode.who, episode.principal}))


def _points(code: str, before: Number, change: Change, numbers: Mapping[str, Number]) -> Number:
    """Return the points of a code after the change; ``before`` are those on the score sheet."""
    if code == "b1":
        name = "b1" if before == numbers["b1"] else "b1_few"
        return change.points.get(name, before)
    name = next((point for point, pointed in POINTS.items() if pointed == code), code)
    if name not in change.points:
        return before
    if code == "g1":  # the weight of the call adds 1, 0 or -1 to the points of G1
        return before - numbers["g1"] + change.points[name]
    return -change.points[name] if code.startswith("e") else change.points[name]


def _admitted(mode: str, codes: Mapping[str, Number]) -> bool:
    """Return whether the remaining codes admit an episode of a principal without enough history (methods 5.5)."""
    burst = mode == "learning" and all(code in codes for code in ("b1", "d1", "n2"))
    return mode not in _HIGH_RISK or burst or any(code in codes for code in _HIGH_RISK[mode])
