"""Measure permission discovery: scan a simulated organisation and judge every finding (``python -m bench.discovery``).

A finding of a victim during its attack is a hit; every other finding is false. A miss is listed with the score of its episode.
"""

import argparse
import csv
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from bench.measure import ROOT
from bench.organisation import NETWORKS, OrganisationTruth, write_organisation
from bench.organisation.attack_truth import AttackTruth
from vedette.findings import Finding
from vedette.pipeline import composition
from vedette.pipeline.knowledge import gather
from vedette.settings import load
from vedette.sources import Span, list_blobs
from vedette.store import Store

sys.path.insert(0, str(ROOT / "tests" / "support"))
from geo_database import database  # the tests use the same database writer

PAGE = ROOT / "docs" / "detection-quality.md"
BEGIN, END = "<!-- discovery measured -->\n", "<!-- discovery end -->\n"
_TYPES = {f"Recon:IAMUser/{name}Permissions" for name in ("Network", "Resource", "User")}
_EDGE = timedelta(minutes=15)
_LISTED, _TOP, _CODES = 25, 20, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The highest score of an episode, from the state."""

    who: str
    begun: datetime
    last: datetime
    points: int
    codes: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """An organisation and the findings of a scan of it, which took ``seconds``."""

    truth: OrganisationTruth
    findings: tuple[Finding, ...]
    sheets: tuple[Sheet, ...]
    seconds: float
    profile: str


def main(arguments: Sequence[str]) -> None:
    """Write an organisation, scan it, judge the findings, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.discovery", description=__doc__)
    for name, value, sentence in (
        ("seed", 1, "random seed"),
        ("principals", 500, "number of people and programs"),
        ("days", 60, "number of days"),
        ("events-per-day", 50_000, "minimum number of calls per day"),
        ("attacks", 200, "number of attacks, of twelve kinds in turn"),
    ):
        parser.add_argument(f"--{name}", type=int, default=value, help=f"{sentence} (default %(default)s)")
    parser.add_argument("--profile", choices=("sensitive", "balanced", "quiet"), default="balanced", help="default %(default)s")
    parser.add_argument("--no-write", action="store_true", help="print the result without writing the page")
    given = parser.parse_args(arguments)
    numbers = {name: getattr(given, name) for name in ("seed", "principals", "days", "events_per_day", "attacks")}
    with TemporaryDirectory(prefix="vedette-bench-") as folder:
        truth = write_organisation(Path(folder) / "organisation", **numbers)
        measured = scan_organisation(Path(folder), truth, profile=given.profile)
    tables = text(measured)
    print(tables)
    if not given.no_write:
        write(tables)


def geolocation(folder: Path) -> tuple[Path, Path]:
    """Write geolocation databases with the owners and countries of an organisation's networks; return their paths."""
    owners: dict[str, object] = {}
    countries: dict[str, object] = {}
    with (folder / "organisation" / NETWORKS).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            owners[row["network"]] = {
                "autonomous_system_number": int(row["asn"]),
                "autonomous_system_organization": row["organisation"],
            }
            countries[row["network"]] = {"country": {"iso_code": row["country"], "names": {"en": row["country"]}}}
    asn, country = folder / "asn.mmdb", folder / "country.mmdb"
    asn.write_bytes(database("GeoLite2-ASN", owners))
    country.write_bytes(database("GeoLite2-Country", countries))
    return asn, country


def scan_organisation(folder: Path, truth: OrganisationTruth, *, profile: str = "balanced", **settings: object) -> Measured:
    """Scan the organisation in ``folder/organisation``; write databases, store and state to ``folder``."""
    began = time.perf_counter()
    chosen = load(
        None,
        {
            "geoip": tuple(map(str, geolocation(folder))),
            "bundled_lists": False,
            "detection_profile": profile,
            "store": f"sqlite:///{folder}/store.db",
            **settings,
        },
    )
    with Store.open(chosen.store) as store:
        with composition.pipeline(chosen, store, gather(chosen, store)) as running:
            running.bulk(list_blobs(str(folder / "organisation" / "AWSLogs"), Span()))
            found = store.findings_of(sorted(key for key, kind in running.findings.items() if kind in _TYPES))
        return Measured(
            truth=truth,
            findings=tuple(found),
            sheets=tuple(_sheets(store, folder)),
            seconds=time.perf_counter() - began,
            profile=profile,
        )


def _sheets(store: Store, folder: Path) -> Iterable[Sheet]:
    generation = store.generation()
    names = {part.path for part in generation.states.get("discovery_episodes", ())} if generation else set()
    for path in sorted(folder.rglob("*.parquet")):
        if not any(str(path).endswith(name) for name in names):
            continue
        for row in pq.read_table(path).to_pylist():
            yield Sheet(
                who=row["who"],
                begun=_moment(row["begun_us"]),
                last=_moment(row["last_us"]),
                points=row["sheet"]["points"],
                codes=_shortened(row["sheet"]["codes"]),
                mode=row["sheet"]["mode"],
            )


def _moment(microseconds: int) -> datetime:
    return datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(microseconds=microseconds)


def _shortened(codes: str) -> str:
    pairs = (part.partition("=") for part in codes.split())
    return " ".join(f"{code.upper()} {'-' if code.startswith('e') else ''}{points}" for code, _, points in pairs if points != "0")


def hits(attack: AttackTruth, findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings of the victim during the attack."""
    begin, end = datetime.fromisoformat(attack.first_call), datetime.fromisoformat(attack.last_call)
    return [
        item
        for item in findings
        if _is_of(attack.principal, item.seen.target)
        and item.seen.first.time <= end + _EDGE
        and item.seen.last.time >= begin - _EDGE
    ]


def _is_of(principal: str, who: str) -> bool:
    return who == principal or who.startswith(f"{principal}/")


def text(measured: Measured) -> str:
    """Return the tables of a run as Markdown."""
    truth = measured.truth
    found = {attack.number: hits(attack, measured.findings) for attack in truth.attacks}
    real = {item.id for items in found.values() for item in items}
    false = [item for item in measured.findings if item.id not in real]
    days = _principal_days(truth)
    elsewhere = [attack for attack in truth.attacks if attack.network_new]
    seen = sum(1 for attack in elsewhere if found[attack.number])
    ranked = sorted(measured.findings, key=lambda item: -_points(item))[:_TOP]
    telling = sum(len(_codes(item)) >= _CODES for item in measured.findings if item.id in real)
    summary = [
        f"Seed {truth.seed}: {len(truth.principals)} principals, {truth.first_day} to {truth.last_day}, {truth.events:,}",
        f"records, {len(truth.attacks)} attacks, profile {measured.profile}; scanned in {measured.seconds:.0f} s.\n\n-",
        f"Findings without an attack: {len(false)} in {days:,} principal-days, {1_000 * len(false) / max(days, 1):.2f} per 1,000",
        f"principal-days (goal: at most 1).\n- Attacks from a network new to the victim: {seen} of {len(elsewhere)} found,",
        f"{_share(seen, len(elsewhere))} (goal: 95 %).\n- Of the {len(ranked)} findings with the most points,",
        f"{sum(item.id in real for item in ranked)} are attacks.\n- Findings of attacks with three or more codes:",
        f"{_share(telling, len(real))}.\n",
    ]
    parts = [
        " ".join(summary),
        _kinds(truth, found),
        _misses(truth, found, measured.sheets),
        _falses(false, truth),
    ]
    return "\n".join(part for part in parts if part)


def _principal_days(truth: OrganisationTruth) -> int:
    dates = ((datetime.fromisoformat(item.first_day), datetime.fromisoformat(item.last_day)) for item in truth.principals)
    return sum((last - first).days + 1 for first, last in dates)


def _kinds(truth: OrganisationTruth, found: Mapping[int, Sequence[Finding]]) -> str:
    by_kind: defaultdict[str, list[AttackTruth]] = defaultdict(list)
    for attack in truth.attacks:
        by_kind[attack.kind].append(attack)
    rows = [
        "| attack | from | attacks | found | recall | median points | severities | types |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- | --- |",
    ]
    for kind, attacks in sorted(by_kind.items()):
        for new in (True, False):
            of_kind = [attack for attack in attacks if attack.network_new == new]
            if of_kind:
                rows.append(_row(kind, "new network" if new else "own network", [found[attack.number] for attack in of_kind]))
    rows.append(_row("**all**", "", list(found.values())))
    return "\n".join(rows) + "\n"


def _row(kind: str, origin: str, found: Sequence[Sequence[Finding]]) -> str:
    caught = [items for items in found if items]
    points = f"{median(max(map(_points, items)) for items in caught):g}" if caught else ""
    severities = Counter(f"{max(item.summary.severity for item in items):g}" for items in caught)
    types = Counter(item.seen.finding_type.partition("/")[2].removesuffix("Permissions") for items in caught for item in items)
    return (
        f"| {kind} | {origin} | {len(found)} | {len(caught)} | {_share(len(caught), len(found))} | {points} | "
        f"{_counted(severities)} | {_counted(types)} |"
    )


def _misses(truth: OrganisationTruth, found: Mapping[int, Sequence[Finding]], sheets: Iterable[Sheet]) -> str:
    by_who = list(sheets)
    misses: Counter[str] = Counter()
    for attack in truth.attacks:
        if not found[attack.number]:
            misses[f"{attack.kind}, {'new' if attack.network_new else 'own'} network: {_why(attack, by_who)}"] += 1
    return _list("Missed attacks, with the highest score of their episode", misses)


def _why(attack: AttackTruth, sheets: Iterable[Sheet]) -> str:
    begin, end = datetime.fromisoformat(attack.first_call), datetime.fromisoformat(attack.last_call)
    near = [
        sheet
        for sheet in sheets
        if _is_of(attack.principal, sheet.who) and sheet.begun <= end + _EDGE and sheet.last >= begin - _EDGE
    ]
    if near:
        best = max(near, key=lambda sheet: sheet.points)
        return f"{best.points} ({best.codes})"
    new = sum(call.new for call in attack.calls)
    return f"below 3; {new} of {len(attack.calls)} calls were new to the victim"


def _falses(false: Sequence[Finding], truth: OrganisationTruth) -> str:
    kinds = {item.key: item.kind for item in truth.principals}
    counts = Counter(
        f"{kinds.get(item.seen.target) or kinds.get(item.seen.target.rpartition('/')[0], 'nobody')}: {_sum(item)}"
        for item in false
    )
    return _list("Findings without an attack, by kind of principal and score", counts)


def _points(finding: Finding) -> float:
    return finding.summary.observed["points"]


def _codes(finding: Finding) -> dict[str, float]:
    return {name: value for name, value in finding.summary.observed.items() if len(name) == 2 and name[1].isdigit()}  # noqa: PLR2004


def _sum(finding: Finding) -> str:
    codes = " ".join(f"{code} {points:g}" for code, points in _codes(finding).items())
    return f"{_points(finding):g} ({codes})"


def _list(title: str, counts: Counter[str]) -> str:
    if not counts:
        return f"{title}: none.\n"
    lines = [f"- {item}" + (f" ({count} times)" if count > 1 else "") for item, count in counts.most_common(_LISTED)]
    if len(counts) > _LISTED:
        lines.append(f"- {len(counts) - _LISTED} others")
    return "\n".join([f"{title}:\n", *lines, ""])


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"


def write(tables: str) -> None:
    """Replace the tables between the markers of the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.partition(BEGIN)[0], page.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}{tables}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
