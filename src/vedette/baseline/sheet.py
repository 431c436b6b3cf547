"""Print the score sheet of a discovery finding, which can be added up by hand, and the other episodes of its principal."""

import textwrap
from collections.abc import Iterable, Iterator

from vedette.baseline.episodes import ScoredEpisode
from vedette.baseline.listing import episode_lines
from vedette.epoch import moment
from vedette.families.discovery.rules import GROUP, POINTS
from vedette.findings import Finding
from vedette.rules.thresholds import of_group
from vedette.sql.threshold import meanings

_KEPT = 10


def has_sheet(finding: Finding) -> bool:
    """Return whether a finding has a score sheet."""
    return any(name.startswith("code:") for name in finding.seen.facts)


def sheet_lines(finding: Finding, episodes: Iterable[ScoredEpisode], width: int) -> Iterator[str]:
    """Yield the points of each code, their total, and the other episodes of the same principal, newest first."""
    parts = [
        (name.partition(":")[2], points)
        for name, points in finding.seen.facts.items()
        if points and name.startswith(("code:", "mitigation:"))
    ]
    said = _meanings(finding)
    yield "\nScore sheet\n"
    for code, points in sorted(parts, key=lambda item: (-item[1], item[0])):
        yield from _line(f"  {code.upper():<4}{points:+4g}  ", said.get(code, ""), width)
    needed = finding.seen.facts.get("needed", 0)
    total = max(0, sum(points for _, points in parts))
    yield f"  {'':<4}{total:4g}  in total; {needed:g} make a finding\n"
    others = sorted((item for item in episodes if not _within(item, finding)), key=lambda item: -item.begun_us)
    if others:
        yield "\nOther episodes of this principal\n"
    for item in others[:_KEPT]:
        yield from episode_lines(item, width)
        yield f"    {'a finding' if item.found else 'a near miss'}\n"
    if len(others) > _KEPT:
        yield f"  … and {len(others) - _KEPT:,} more\n"


def _within(item: ScoredEpisode, finding: Finding) -> bool:
    return moment(item.begun_us) <= finding.seen.last.time and finding.seen.first.time <= moment(item.last_us)


def _line(lead: str, text: str, width: int) -> Iterator[str]:
    indent = " " * len(lead)
    lines = textwrap.wrap(text, width, initial_indent=lead, subsequent_indent=indent, break_on_hyphens=False) or [lead.rstrip()]
    yield from (f"{line}\n" for line in lines)


def _meanings(finding: Finding) -> dict[str, str]:
    """Return what each code means, with the numbers by which the finding was scored."""
    thresholds = of_group(GROUP)
    said = meanings(thresholds, {item.name: finding.summary.thresholds.get(item.name, item.default) for item in thresholds})
    return {code: said[name][len(code) :].lstrip(", :") for name, code in reversed([*POINTS.items()])}
