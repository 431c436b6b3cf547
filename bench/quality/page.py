"""Render the results as Markdown tables, and write them to the page."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from bench.quality.batch import DAYS, FORMATS, KINDS, Judged
from bench.quality.scans import Group, classes

PAGE = Path(__file__).parents[2] / "docs" / "detection-quality.md"
_BEGIN, _END = "<!-- measured -->\n", "<!-- end -->\n"
_GROUPS: tuple[Group, ...] = ("default tools", "slow", "other scans", "blind spots")
_KEPT = 3  # misses and false findings that are listed per class


def text(judged: Sequence[Judged], records: int, seed: int) -> str:
    """Return all tables of a run as Markdown."""
    by_name: defaultdict[str, list[Judged]] = defaultdict(list)
    for item in judged:
        by_name[item.name].append(item)
    scans = [item for entry in classes() for item in by_name[entry.name]]
    ordinary = [item for kind in KINDS for item in by_name[kind.name]]
    false = sum(len(item.false) for item in ordinary)
    days = len(ordinary) * DAYS
    head = (
        f"Seed {seed}: {len(scans):,} scans and {days:,} actor-days of ordinary traffic, {records:,} flow records. "
        f"False findings: {false} in {days:,} actor-days ({1_000 * false / max(days, 1):.2f} per 1,000); "
        f"findings about scanners that concern anything other than their scan: {sum(len(item.false) for item in scans)}.\n"
    )
    parts = [head, _scans(by_name), _formats(by_name), _ordinary(by_name)]
    parts += _listed("Missed scans", [(item.name, item.description) for item in scans if not item.found], _reasons())
    parts += _listed("False findings", [(item.name, description) for item in judged for description in item.false], {})
    return "\n".join(parts)


def write(tables: str) -> None:
    """Replace the tables between the markers of the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.partition(_BEGIN)[0], page.partition(_END)[2]
    PAGE.write_text(f"{before}{_BEGIN}{tables}{_END}{after}", encoding="utf-8")


def _scans(by_name: dict[str, list[Judged]]) -> str:
    rows = [
        "| scan | scans | found | recall | median delay | probes by then | rules that triggered |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for group in _GROUPS:
        names = [entry.name for entry in classes() if entry.group == group and by_name.get(entry.name)]
        if names:
            rows.append(_scan_row(f"**{group}**", [item for name in names for item in by_name[name]], whole=True))
        rows += [_scan_row(name, by_name[name]) for name in names]
    return "\n".join(rows) + "\n"


def _scan_row(name: str, items: Sequence[Judged], *, whole: bool = False) -> str:
    found = [item for item in items if item.found]
    head = f"| {name} | {len(items)} | {len(found)} | {len(found) / len(items):.1%} |"
    if whole or not found:
        return f"{head} | | |"
    delay = median(item.delay for item in found if item.delay is not None)
    probes = median(item.probes for item in found if item.probes is not None)
    rules = Counter(rule for item in found for rule in item.rules)
    return f"{head} {_duration(delay)} | {probes:,.0f} | {', '.join(f'{rule} {count}' for rule, count in rules.most_common())} |"


def _duration(seconds: float) -> str:
    for unit, size in (("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _formats(by_name: dict[str, list[Judged]]) -> str:
    rows = ["| flow logs | " + " | ".join(_GROUPS) + " | false findings |", "| --- |" + " ---: |" * (len(_GROUPS) + 1)]
    for version, window in sorted(FORMATS):
        cells = []
        for group in _GROUPS:
            items = [
                item
                for entry in classes()
                if entry.group == group
                for item in by_name.get(entry.name, ())
                if item.format == (version, window)
            ]
            cells.append(f"{sum(item.found for item in items)} of {len(items)}")
        every = [item for items in by_name.values() for item in items if item.format == (version, window)]
        rows.append(f"| version {version}, {window} s | {' | '.join(cells)} | {sum(len(item.false) for item in every)} |")
    return "\n".join(rows) + "\n"


def _ordinary(by_name: dict[str, list[Judged]]) -> str:
    rows = ["| ordinary traffic | actor-days | false findings |", "| --- | ---: | ---: |"]
    rows += [
        f"| {kind.name} | {len(items) * DAYS} | {sum(len(item.false) for item in items)} |"
        for kind in KINDS
        if (items := by_name.get(kind.name))
    ]
    return "\n".join(rows) + "\n"


def _reasons() -> dict[str, str]:
    """Return why scans of a class may be missed, for classes with a known reason."""
    return {entry.name: f"{entry.reason}. " for entry in classes() if entry.reason}


def _listed(title: str, items: Iterable[tuple[str, str]], why: Mapping[str, str]) -> list[str]:
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for name, description in items:
        grouped[name].append(description)
    if not grouped:
        return []
    rows = [f"{title}:\n"]
    for name, every in grouped.items():
        more = f"; and {len(every) - _KEPT} more" if len(every) > _KEPT else ""
        rows.append(f"- {name} ({len(every)}): {why.get(name, '')}{'; '.join(every[:_KEPT])}{more}")
    return ["\n".join(rows) + "\n"]
