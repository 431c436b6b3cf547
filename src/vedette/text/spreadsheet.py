"""Findings as CSV for spreadsheets: one row per finding, cells that never begin a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from vedette.findings.identity import timestamp
from vedette.findings.model import Finding, Tally
from vedette.findings.severity import label
from vedette.findings.tallies import most_frequent
from vedette.guardduty.document import document
from vedette.guardduty.reading import member, remote_ips, resource_name, structures
from vedette.text.safe import cell

# name, meaning; the table in docs/reference/findings.md says the same.
CSV_COLUMNS: tuple[tuple[str, str], ...] = (
    ("id", "ID of the finding."),
    ("type", "Finding type."),
    ("severity", "Severity as a number."),
    ("severity_label", "Low, Medium, High or Critical."),
    ("account_id", "Account that owns the resource."),
    ("region", "Region in which it was first seen."),
    ("resource", "User, role or instance concerned."),
    ("access_key_id", "Access key of the latest call."),
    ("target", "The other side: the caller's address, the scanned host."),
    ("country", "Country of the caller or of the scanners, several separated by semicolons."),
    ("city", "City of the caller or of the scanners."),
    ("asn", "Number of the autonomous system of the caller or of the scanners."),
    ("organization", "Owner of that autonomous system."),
    ("lists", "Lists that contain the other side, separated by semicolons."),
    ("apis", "APIs called, with their counts, the most frequent first, separated by semicolons."),
    ("error_codes", "Error codes with their counts, separated by semicolons."),
    ("count", "Number of events."),
    ("first_seen", "Time of the first event."),
    ("last_seen", "Time of the last event."),
    ("created_at", "When the finding was written."),
    ("updated_at", "When it was last changed."),
    ("archived", "true or false."),
    ("title", "What happened, in a sentence."),
    ("reasons", "Why, in sentences."),
)


def spreadsheet(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield the header and the rows as CSV, piece by piece."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([name for name, _ in CSV_COLUMNS])
    for finding in findings:
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        values = _columns(finding)
        writer.writerow([cell(values[name]) for name, _ in CSV_COLUMNS])
    yield buffer.getvalue()


def _columns(finding: Finding) -> dict[str, object]:
    seen, summary, facts = finding.seen, finding.summary, document(finding)
    remotes = remote_ips(facts)
    lists = structures(member(facts, "service", "evidence"), "threatIntelligenceDetails")
    return {
        "id": finding.id,
        "type": seen.finding_type,
        "severity": f"{summary.severity:g}",
        "severity_label": label(summary.severity),
        "account_id": seen.account_id,
        "region": seen.region,
        "resource": resource_name(finding),
        "access_key_id": member(facts, "resource", "accessKeyDetails").get("accessKeyId") or "",
        "target": seen.target,
        "country": _places(remotes, "country", "countryName"),
        "city": _places(remotes, "city", "cityName"),
        "asn": _places(remotes, "organization", "asn"),
        "organization": _places(remotes, "organization", "asnOrg"),
        "lists": ";".join(str(item["threatListName"]) for item in lists),
        "apis": _counts(seen.tallies.get("apis", {})),
        "error_codes": _counts(seen.tallies.get("errors", {})),
        "count": seen.count,
        "first_seen": timestamp(seen.first.time),
        "last_seen": timestamp(seen.last.time),
        "created_at": timestamp(finding.created_at),
        "updated_at": timestamp(finding.updated_at),
        "archived": str(finding.archived).lower(),
        "title": summary.title,
        "reasons": " ".join(summary.reasons),
    }


def _places(remotes: Iterable[Mapping[str, object]], block: str, name: str) -> str:
    """Return what is known of the places of the other sides, each once; "" if nothing is."""
    return ";".join(dict.fromkeys(str(text) for remote in remotes if (text := member(remote, block).get(name))))


def _counts(tallies: Mapping[str, Tally]) -> str:
    return ";".join(f"{key} {tally.count}" for key, tally in most_frequent(tallies))
