"""The complete GuardDuty document of a finding: every field of contract section 1, unknown ones null or empty.

Both document forms of GuardDuty are made from it: the export form adds ``additionalInfo`` once more as text, the API form drops
nulls. Keys are in the order of real exports.
"""

import json
import math
from collections.abc import Mapping
from datetime import datetime

from vedette.findings.identity import detector_id, finding_arn, timestamp
from vedette.findings.model import Evidence, Finding, Tally
from vedette.findings.ordering import ordered_evidence
from vedette.findings.tallies import most_frequent
from vedette.guardduty.shapes import ACTIONS, RESOURCE, complete

# How many codes, regions or lists a document repeats, so that no flood of them makes it unreadable (methods 7.5).
KEPT_PARTS = 50

OURS = "vedette"
"""The member of additionalInfo that holds what GuardDuty has no place for."""


def document(finding: Finding) -> dict[str, object]:
    """Return the finding as a GuardDuty document of plain JSON values, ``additionalInfo`` with its keys inlined."""
    seen = finding.seen
    detector = finding.detector_id or detector_id(seen.account_id, seen.region)
    return {
        "schemaVersion": "2.0",
        "accountId": seen.account_id,
        "region": seen.region,
        "partition": seen.partition,
        "id": finding.id,
        "arn": finding_arn(seen.partition, seen.region, seen.account_id, detector, finding.id),
        "type": seen.finding_type,
        "resource": plain(complete(RESOURCE, {**seen.resource, "resourceType": finding.resource_type})),
        "service": {
            "serviceName": "guardduty",
            "detectorId": detector,
            "action": plain(_action(finding)),
            "resourceRole": finding.resource_role,
            "additionalInfo": plain({**finding.additional, OURS: _ours(finding)}),
            "evidence": _evidence(ordered_evidence(seen.evidence)),
            "eventFirstSeen": timestamp(seen.first.time),
            "eventLastSeen": timestamp(seen.last.time),
            "archived": finding.archived,
            "count": seen.count,
        },
        "severity": finding.summary.severity,
        "createdAt": timestamp(finding.created_at),
        "updatedAt": timestamp(finding.updated_at),
        "title": finding.summary.title,
        "description": finding.summary.description,
    }


def plain(value: object) -> object:
    """Return a value in JSON's own types: times as text, tuples and sets as lists, numbers that JSON lacks as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return [plain(item) for item in sorted(value, key=str)]
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, float):
        return whole(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)


def whole(number: float) -> int | float:
    """Return a number without a fraction as an integer: exports write severity 5, not 5.0."""
    return int(number) if number == int(number) else number


def _action(finding: Finding) -> dict[str, object]:
    action: dict[str, object] = {"actionType": finding.action_type}
    for name, shape in ACTIONS.items():
        given = finding.summary.action.get(name) or finding.seen.action.get(name)
        if isinstance(given, Mapping):
            action[name] = complete(shape, given)
    return action


def _evidence(evidence: list[Evidence]) -> dict[str, object] | None:
    names: dict[str, set[str]] = {}
    for item in evidence:
        names.setdefault(item.list_name, set()).update(item.threat_names)
    details = [
        {"threatListName": name, "threatNames": sorted(threats)[:KEPT_PARTS]}
        for name, threats in list(names.items())[:KEPT_PARTS]
    ]
    return {"threatIntelligenceDetails": details} if details else None


def _ours(finding: Finding) -> dict[str, object]:
    seen, summary = finding.seen, finding.summary
    records = [{**_said(sample.text), "eventTime": timestamp(sample.moment.time)} for sample in seen.samples.get("records", ())]
    return {
        "rule": seen.finding_type,
        "ruleVersion": finding.rule,
        "resourceKey": seen.resource_key,
        "target": seen.target,
        "reasons": list(summary.reasons),
        "thresholds": dict(sorted(summary.thresholds.items())),
        "observed": dict(sorted(summary.observed.items())),
        "records": {"total": seen.count, "first": [_reference(record) for record in records]},
        "regions": _counts(seen.tallies.get("regions", {})),
        "errorCodes": _counts(seen.tallies.get("errors", {})),
        "userAgents": sorted({str(record["userAgent"]) for record in records if record.get("userAgent")}),
        "lists": [_list_entry(item) for item in ordered_evidence(seen.evidence)[:KEPT_PARTS]],
    }


def _reference(record: Mapping[str, object]) -> dict[str, object]:
    """Return where a record is, and what it says: the call of an event, the remote port and the outcome of a flow."""
    named = {name: record.get(name) for name in ("object", "position", "eventId", "eventTime", "api")}
    return named | {name: record[name] for name in ("remote", "port", "outcome") if name in record}


def _said(text: str) -> dict[str, object]:
    said = json.loads(text)
    return said if isinstance(said, dict) else {}


def _counts(tallies: Mapping[str, Tally]) -> dict[str, int]:
    return {key: tally.count for key, tally in most_frequent(tallies)[:KEPT_PARTS]}


def _list_entry(item: Evidence) -> dict[str, object]:
    return {
        "name": item.list_name,
        "kind": item.list_kind,
        "network": item.network,
        "line": item.line,
        "threatNames": list(item.threat_names),
        "stale": item.stale,
        "validFrom": item.valid_from,
        "validTo": item.valid_to,
    }
