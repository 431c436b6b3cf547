"""What a row of an IP-caller query says: calls from a listed address become a sighting (methods 4.5). Pure.

The rows are calls grouped by account, resource key, source address, region, service, operation and error code; what a
row says of "the latest record" is used only through ``Sighting.resource`` and ``action``, which merge by the latest moment.
"""

from collections.abc import Iterable
from datetime import datetime

from vedette.findings.model import KEPT_SAMPLES, Moment, Sample, Sighting, Tally
from vedette.findings.ordering import canonical
from vedette.findings.rows import Row, dicts, evidence_of, text, time, time_or_none, whole
from vedette.guardduty.blocks import access_key_of, call_of

# The resource key of all findings about an address of the user's own: the message is the same whoever called through it.
OWN_EGRESS = "own-egress"

_SECONDS_A_DAY = 86_400


def describe(row: Row, finding_type: str) -> Sighting:
    """Turn a row of an IP-caller query into a sighting.

    Args:
        row: columns as the module says; times are datetimes, missing columns and nulls are unknown.
        finding_type: the finding type of the query.
    """
    first, last = time(row["first_time"]), time(row["last_time"])
    calls = whole(row.get("calls")) or 1
    tally = Tally(calls, first, last)
    own = bool(row.get("own_egress"))
    error, region = text(row.get("error_code")), text(row.get("region"))
    evidence = dicts(row.get("evidence"))
    return Sighting(
        finding_type=finding_type,
        account_id=text(row.get("account_id")),
        region=region,
        partition=text(row.get("partition")) or "aws",
        resource_key=OWN_EGRESS if own else text(row.get("resource_key")),
        target=text(row.get("remote_address")),
        first=Moment(first, text(row.get("first_id"))),
        last=Moment(last, text(row.get("last_id"))),
        count=calls,
        resource={"resourceType": "AccessKey", "accessKeyDetails": access_key_of(row)},
        action={"actionType": "AWS_API_CALL", "awsApiCallAction": call_of(row)},
        tallies={
            "apis": {f"{text(row.get('service'))}:{text(row.get('operation'))}": tally},
            "errors": {error: tally} if error else {},
            "regions": {region: tally},
        },
        samples={"records": tuple(sorted({_sample(record) for record in dicts(row.get("records"))})[:KEPT_SAMPLES])},
        evidence=frozenset(evidence_of(item) for item in evidence),
        facts=_facts(row, evidence, last),
    )


def _sample(record: Row) -> Sample:
    where = {"object": text(record.get("object")), "position": whole(record.get("position"))}
    tie = text(record.get("event_id")) or f"{where['object']}#{where['position']}"
    facts = {
        "eventId": record.get("event_id"),
        "api": record.get("api"),
        "userAgent": record.get("user_agent"),
        "errorCode": record.get("error_code"),
    }
    known = {name: text(value) for name, value in facts.items() if value is not None}
    return Sample(Moment(time(record["event_time"]), tie), canonical(where | known))


def _facts(row: Row, evidence: Iterable[Row], last: datetime) -> dict[str, float]:
    facts: dict[str, float] = {}
    if row.get("principal_kind") == "root":
        facts["root"] = 1.0
    if row.get("own_egress"):
        facts["own_egress"] = 1.0
    for item in evidence:
        as_of = time_or_none(item.get("as_of"))
        if item.get("stale") and as_of is not None:
            # Facts merge by maximum: the result is the age at the last event, however events were grouped into rows.
            name = f"list_age_days:{text(item.get('list_name'))}"
            age = float((last - as_of).total_seconds() // _SECONDS_A_DAY)
            facts[name] = max(age, facts.get(name, age))
    return facts
