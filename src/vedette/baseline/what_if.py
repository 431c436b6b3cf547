"""Which past episodes would be findings under other numbers: score sheets added up anew, without reading any log. Pure."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from vedette.baseline.episodes import ScoredEpisode
from vedette.errors import ConfigurationError
from vedette.families.discovery.rules import GROUP, PROFILES, RULES
from vedette.sql.threshold import Number

# The code that a threshold's points are those of, where it is called otherwise.
_CODES = {"root": "r1", "b1_few": "b1"}
_PEERS = "peers"
_GRAVE = {"peers": ("n2", "u2", "d1", "t1", "n4"), "learning": ("t1", "u2", "n4")}

# Numbers that are points of a code; all others decide while records are read.
POINTS = tuple(rule.name for rule in RULES if rule.meaning[:1] in "GPNUBSDCHKTRE" and rule.meaning[1:2].isdigit())


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be otherwise: points that make a finding (None: as they were), points of codes, who and which are left out."""

    texts: tuple[str, ...]
    needed: Number | None = None
    points: Mapping[str, Number] = field(default_factory=dict)
    codes: frozenset[str] = frozenset()
    principals: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An episode as it would be: its ``episode`` has the points, codes and needed points of then."""

    before: ScoredEpisode
    after: ScoredEpisode
    suppressed: bool = False

    @property
    def found(self) -> bool:
        """Say whether it would be a finding."""
        return self.after.found and not self.suppressed


def parse(texts: Iterable[str]) -> Change:
    """Read changes: ``profile=NAME``, ``threshold=N``, ``discovery.NAME=N``, ``suppress=PRINCIPAL`` or ``suppress=CODE``.

    Raises:
        ConfigurationError: some of them cannot be read; all are named.
    """
    told = tuple(texts)
    change, faults = Change(texts=told), []
    for text in told:
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
        raise ValueError("is written NAME=VALUE")
    if name == "profile":
        if value not in PROFILES:
            raise ValueError(f"there is no such profile: give {', '.join(PROFILES)}")
        return replace(change, needed=PROFILES[value])
    if name == "suppress":
        code = value.lower()
        if code in {_CODES.get(point, point) for point in POINTS}:
            return replace(change, codes=change.codes | {code})
        return replace(change, principals=change.principals | {value})
    if name == "threshold" or name.removeprefix(f"{GROUP}.") == "needed":
        return replace(change, needed=_number(value))
    point = name.removeprefix(f"{GROUP}.")
    if point in POINTS:
        return replace(change, points={**change.points, point: _number(value)})
    if any(rule.name == point for rule in RULES):
        raise ValueError("decides while records are read: scan again with it into another store")
    near = get_close_matches(name, ["profile", "threshold", "suppress", *(f"{GROUP}.{item}" for item in POINTS)], n=1)
    raise ValueError("there is no such number" + (f"; did you mean {near[0]}?" if near else ""))


def _number(value: str) -> Number:
    number = float(value)
    if not math.isfinite(number) or number < 0:
        raise ValueError("must be a number from 0 on")
    return int(number) if number.is_integer() else number


def compare(
    episodes: Iterable[ScoredEpisode], change: Change, numbers: Mapping[str, Number]
) -> tuple[list[Judged], list[Judged]]:
    """Return the episodes that would appear as findings, and those that would vanish.

    Args:
        episodes: as ``remembered`` returns them.
        change: what is to be otherwise.
        numbers: the points by which the episodes were scored, by threshold.
    """
    judged = [judge(episode, change, numbers) for episode in episodes]
    return (
        [item for item in judged if item.found and not item.before.found],
        [item for item in judged if item.before.found and not item.found],
    )


def judge(episode: ScoredEpisode, change: Change, numbers: Mapping[str, Number]) -> Judged:
    """Add an episode's score sheet up anew.

    A code that was worth nothing when it was scored stays so: the sheet does not say whether it applied.
    """
    codes = {code: _points(code, told, change, numbers) for code, told in episode.codes.items() if code not in change.codes}
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


def _points(code: str, told: Number, change: Change, numbers: Mapping[str, Number]) -> Number:
    """Return the points of a code that was told with others."""
    if code == "b1":
        name = "b1" if told == numbers["b1"] else "b1_few"
        return change.points.get(name, told)
    name = next((point for point in POINTS if _CODES.get(point, point) == code), code)
    if name not in change.points:
        return told
    if code == "g1":  # telling calls are worth one more, those of almost every tool one less
        return told - numbers["g1"] + change.points[name]
    return -change.points[name] if code.startswith("e") else change.points[name]


def _admitted(mode: str, codes: Mapping[str, Number]) -> bool:
    """Say whether what let the episode count, without enough history, still does (methods 5.5)."""
    burst = mode == "learning" and all(code in codes for code in ("b1", "d1", "n2"))
    return mode not in _GRAVE or burst or any(code in codes for code in _GRAVE[mode])
