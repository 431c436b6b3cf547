"""Counting by name and key: how tallies of a sighting grow, and in which order their keys are reported."""

from collections.abc import Iterable, Mapping

from vedette.findings.model import Tally


def count(counts: dict[str, Tally], key: str, tally: Tally) -> None:
    """Add a tally to that of its key."""
    counts[key] = counts[key].plus(tally) if key in counts else tally


def count_all(tallies: dict[str, dict[str, Tally]], keys: Iterable[tuple[str, str]], tally: Tally) -> None:
    """Add a tally to each of some keys, given with the names under which they are counted."""
    for name, key in keys:
        count(tallies.setdefault(name, {}), key, tally)


def most_frequent(counts: Mapping[str, Tally]) -> list[tuple[str, Tally]]:
    """Return keys with their tallies, the largest count first; keys of equal count in order of their texts."""
    return sorted(counts.items(), key=lambda item: (-item[1].count, item[0]))


def listed(counts: Mapping[str, Tally], most: int) -> str:
    """Return the most frequent keys with their counts as text: ``a (7), b (2) and 3 more``."""
    found = most_frequent(counts)
    text = ", ".join(f"{key} ({tally.count:,})" for key, tally in found[:most])
    return f"{text} and {len(found) - most} more" if len(found) > most else text
