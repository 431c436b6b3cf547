"""What a simulated account's ground truth expects, and what a scan of it found, in the same words."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from scanning import Outcome, scan

from vedette.findings import Finding
from vedette.intel import Kind, ThreatList
from vedette.intel.lists import load_list
from vedette.sources import Span, list_blobs

SCAN, PROBE = "Recon:EC2/Portscan", "Recon:EC2/PortProbeUnprotectedPort"
# Permission discovery has its truths in tests/test_discovery_scenarios.py: callers from listed addresses may raise it, too.
DISCOVERY = frozenset(f"Recon:IAMUser/{name}Permissions" for name in ("Network", "Resource", "User"))
AUTHORISED = ("tag:purpose=vulnerability-scanner",)


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Told:
    """A finding in the words of both, without its times, which ``misplaced`` compares.

    ``details`` are the calls of each API, or the ports; ``remotes`` are other hosts that flows tell of. The count of a probe is
    one of records, of which a conversation may have several: it is left out here.
    """

    finding_type: str
    resource_key: str
    target: str
    archived: bool
    count: int
    details: tuple[tuple[str, int], ...]
    remotes: tuple[str, ...] = ()


def lists_of_simulation(folder: Path) -> tuple[ThreatList, ...]:
    """Load the lists that a simulation wrote, each of the kind that it is named after; research is a kind of scanner."""
    return tuple(
        load_list(path, name="research", kind=Kind.SCANNER, verdict="research")
        if path.stem == "research"
        else load_list(path, name=path.stem, kind=Kind(path.stem))
        for path in sorted((folder / "lists").glob("*.txt"))
    )


def scanned(folder: Path, **settings: object) -> Outcome:
    """Scan a simulated account with all that the simulation says of it."""
    known = {"inventory": str(folder / "inventory"), "authorised_scanners": AUTHORISED}
    return scan(list_blobs(str(folder / "AWSLogs"), Span()), lists_of_simulation(folder), **(known | settings))


def expected(folder: Path) -> list[Told]:
    """Return what the ground truth expects of callers from listed addresses, scans and probes, in order."""
    return sorted(_expected(item, archived=archived) for archived, item in _truths(folder))


def found(outcome: Outcome) -> list[Told]:
    """Return what a scan found of these, in order."""
    return sorted(_found(finding) for finding in outcome.findings if finding.seen.finding_type not in DISCOVERY)


def misplaced(outcome: Outcome, folder: Path) -> list[tuple[str, datetime, datetime]]:
    """Return the findings whose times are not those of the truth: exactly for calls, until the last first contact for scans.

    A probe has at least as many records as the truth has exchanges, and at most two for each.
    """
    truths = {}
    for _, finding in _truths(folder):
        key = finding.get("resource_key") or finding["instance_id"], finding.get("address", finding.get("target"))
        truths[finding["type"], *key] = finding
    wrong = []
    for finding in outcome.findings:
        seen = finding.seen
        if seen.finding_type in DISCOVERY:
            continue
        truth = truths[seen.finding_type, seen.resource_key, seen.target]
        first, last = (datetime.fromisoformat(truth[name]) for name in ("first", "last"))
        told = seen.first.time, seen.last.time
        right = told[0] == first and told[1] <= last if seen.finding_type == SCAN else told == (first, last)
        if seen.finding_type == PROBE:
            right = right and truth["exchanges"] <= seen.count <= 2 * truth["exchanges"]
        if not right:
            wrong.append((seen.finding_type, *told))
    return wrong


def _truths(folder: Path) -> Iterator[tuple[bool, dict[str, Any]]]:
    truth = json.loads((folder / "ground_truth.json").read_text(encoding="utf-8"))
    for scenario in truth["scenarios"]:
        yield from ((False, finding) for finding in scenario["findings"] if finding["type"] not in DISCOVERY)
        yield from ((True, finding) for finding in scenario.get("archived_findings", ()))


def _expected(finding: Mapping[str, Any], *, archived: bool) -> Told:
    if finding["type"] not in {SCAN, PROBE}:
        return Told(
            finding_type=finding["type"],
            resource_key=finding["resource_key"],
            target=finding["address"],
            archived=archived,
            count=finding["count"],
            details=tuple(sorted(finding["apis"].items())),
        )
    return Told(
        finding_type=finding["type"],
        resource_key=finding["instance_id"],
        target=finding["target"],
        archived=archived,
        count=finding["exchanges"] if finding["type"] == SCAN else 0,
        details=tuple((f"{port:05}", 0) for port in finding["ports"]),
        remotes=tuple(finding["remotes"]),
    )


def _found(finding: Finding) -> Told:
    seen = finding.seen
    flows = seen.finding_type in {SCAN, PROBE}
    calls = seen.tallies.get("apis", {})
    return Told(
        finding_type=seen.finding_type,
        resource_key=seen.resource_key,
        target=seen.target,
        archived=finding.archived,
        count=0 if seen.finding_type == PROBE else seen.count,
        details=tuple((port, 0) for port in seen.tallies["ports"])
        if flows
        else tuple(sorted((name, tally.count) for name, tally in calls.items())),
        remotes=tuple(sorted(seen.tallies.get("hosts") or seen.tallies["scanners"])) if flows else (),
    )
