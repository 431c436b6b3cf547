"""Merging: sightings of one identity become one, and those that are near each other in time become one episode.

``merge`` is associative and commutative, so cutting and order of the input cannot show in a finding. It is not idempotent:
counts add up, and duplicates are removed before.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from vedette.findings.identity import Identity, identity
from vedette.findings.model import KEPT_SAMPLES, Finding, Sample, Sighting, Tally
from vedette.findings.ordering import canonical, ordered_sightings
from vedette.findings.tallies import count

# Keys of a tally come from the log, so an attacker may invent them: only the smallest are kept (methods 7.5), with exact counts.
# A fact "<tally>_capped" says that there were more.
KEPT_KEYS = 10_000

_Tallies = Mapping[str, Mapping[str, Tally]]


@dataclass(frozen=True, slots=True)
class Episode:
    """Sightings of one identity without a pause longer than the gap, merged with the finding that they continue, if any."""

    seen: Sighting
    existing: Finding | None


def merge(left: Sighting, right: Sighting) -> Sighting:
    """Return both sightings as one.

    Region and partition come from the one that began earlier, resource and action from the one that ended later; where
    these moments are equal the text decides. Counts add up, samples are the first ``KEPT_SAMPLES`` of both.

    Raises:
        ValueError: the sightings are not of one identity; that is a fault of the code.
    """
    if identity(left) != identity(right):
        raise ValueError(f"sightings of different things cannot be merged: {identity(left)} and {identity(right)}")
    earlier = min(left, right, key=lambda item: (item.first, item.region, item.partition))
    later = _later(left, right)
    tallies, capped = _merged_tallies(left.tallies, right.tallies)
    return replace(
        left,
        region=earlier.region,
        partition=earlier.partition,
        first=earlier.first,
        last=later.last,
        count=left.count + right.count,
        resource=later.resource,
        action=later.action,
        tallies=tallies,
        samples=_merged_samples(left.samples, right.samples),
        evidence=left.evidence | right.evidence,
        facts=_maxima(left.facts, right.facts, capped),
        origin=min((item.origin for item in (left, right) if item.origin is not None), default=None),
    )


def merge_all(sightings: Iterable[Sighting]) -> dict[Identity, Sighting]:
    """Merge sightings of each identity; the dictionary is in order of identities."""
    return {key: _fold(group) for key, group in _grouped(sightings)}


def episodes(
    sightings: Iterable[Sighting], known: Iterable[Finding], gap: timedelta, gaps: Mapping[str, timedelta] | None = None
) -> list[Episode]:
    """Sort sightings into episodes, in order of identity and start.

    Sightings of one identity belong to one episode while no pause between them is longer than ``gap``, or than the gap that
    ``gaps`` has for their finding type. An episode within that gap of a known finding continues it. When it is within the gap of
    two (late records closed the pause between them), it continues the earlier one, and the later one stays as it is: its id has
    been reported, and its count is not counted twice.

    A sighting counts as present from its first to its last moment, so no sighting may span a pause longer than the gap: the
    rows of a query cover a day at most where the gap is a day or more.
    """
    known_of: defaultdict[Identity, list[Finding]] = defaultdict(list)
    for finding in known:
        known_of[identity(finding.seen)].append(finding)
    result: list[Episode] = []
    for key, group in _grouped(sightings):
        candidates = sorted(known_of.get(key, ()), key=lambda finding: (finding.seen.first, finding.id))
        own = (gaps or {}).get(key[0], gap)
        result.extend(_attached(_clusters(group, own), candidates, own))
    return result


def _attached(clusters: Iterable[list[Sighting]], known: Sequence[Finding], gap: timedelta) -> list[Episode]:
    continued: defaultdict[str, list[Sighting]] = defaultdict(list)
    started: list[Episode] = []
    for cluster in clusters:
        whole = _fold(cluster)
        found = next((finding for finding in known if _near(finding.seen, whole, gap)), None)
        if found is None:
            started.append(Episode(whole, None))
        else:
            continued[found.id].append(whole)
    parts = [Episode(_fold([item.seen, *continued[item.id]]), item) for item in known if item.id in continued]
    return sorted([*started, *parts], key=lambda episode: (episode.seen.first, episode.seen.last))


def _clusters(sightings: Iterable[Sighting], gap: timedelta) -> list[list[Sighting]]:
    clusters: list[list[Sighting]] = []
    end = None
    for sighting in ordered_sightings(sightings):
        if end is None or sighting.first.time - end > gap:
            clusters.append([])
            end = sighting.last.time
        clusters[-1].append(sighting)
        end = max(end, sighting.last.time)
    return clusters


def _near(left: Sighting, right: Sighting, gap: timedelta) -> bool:
    # Differences, not sums: a time near the end of the calendar plus the gap would overflow.
    return left.first.time - right.last.time <= gap and right.first.time - left.last.time <= gap


def _grouped(sightings: Iterable[Sighting]) -> list[tuple[Identity, list[Sighting]]]:
    groups: defaultdict[Identity, list[Sighting]] = defaultdict(list)
    for sighting in sightings:
        groups[identity(sighting)].append(sighting)
    return sorted(groups.items())


def _fold(sightings: Iterable[Sighting]) -> Sighting:
    # In pairs, then pairs of pairs: one after the other would copy the growing tallies once per sighting.
    level = [_trimmed(sighting) for sighting in sightings]
    while len(level) > 1:
        rest = level[-1:] if len(level) % 2 else []
        level = [merge(left, right) for left, right in zip(level[::2], level[1::2], strict=False)] + rest
    return level[0]


def _trimmed(sighting: Sighting) -> Sighting:
    tallies, capped = _merged_tallies(sighting.tallies, {})
    samples = _merged_samples(sighting.samples, {})
    return replace(sighting, tallies=tallies, samples=samples, facts=_maxima(sighting.facts, capped))


def _later(left: Sighting, right: Sighting) -> Sighting:
    if left.last != right.last:
        return max(left, right, key=lambda item: item.last)
    return max(left, right, key=lambda item: canonical([item.resource, item.action]))


def _merged_tallies(left: _Tallies, right: _Tallies) -> tuple[dict[str, dict[str, Tally]], dict[str, float]]:
    merged: dict[str, dict[str, Tally]] = {}
    capped: dict[str, float] = {}
    for name in sorted({*left, *right}):
        counts = dict(left.get(name, {}))
        for key, tally in right.get(name, {}).items():
            count(counts, key, tally)
        if len(counts) > KEPT_KEYS:
            capped[f"{name}_capped"] = 1.0
        merged[name] = {key: counts[key] for key in sorted(counts)[:KEPT_KEYS]}
    return merged, capped


def _merged_samples(
    left: Mapping[str, tuple[Sample, ...]], right: Mapping[str, tuple[Sample, ...]]
) -> dict[str, tuple[Sample, ...]]:
    return {name: tuple(sorted({*left.get(name, ()), *right.get(name, ())})[:KEPT_SAMPLES]) for name in sorted({*left, *right})}


def _maxima(*facts: Mapping[str, float]) -> dict[str, float]:
    names = sorted({name for group in facts for name in group})
    return {name: max(group[name] for group in facts if name in group) for name in names}
