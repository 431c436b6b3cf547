"""What the three IP-caller types share: a result row becomes a sighting, a merged finding becomes words (methods 4.5).

Pure. The rows are calls grouped by account, resource key, source address, region, service, operation and error code; what a
row says of "the latest record" is used only through ``Sighting.resource`` and ``action``, which merge by the latest moment.
"""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from vedette.findings.caller_summary import CUSTOM, MALICIOUS, TOR, Words, summarise
from vedette.findings.model import KEPT_SAMPLES, Evidence, Moment, Sample, Sighting, Tally
from vedette.findings.order import canonical

__all__ = ["CUSTOM", "MALICIOUS", "OWN_EGRESS", "TOR", "Row", "Words", "describe", "summarise"]

Row = Mapping[str, object]

# The resource key of all findings about an address of the user's own: whoever called through it is the same message.
OWN_EGRESS = "own-egress"

# Texts of a log are as long as their writer likes; nobody needs more of them than this.
_TEXT_LIMIT = 512
_SECONDS_A_DAY = 86_400


def describe(row: Row, finding_type: str) -> Sighting:
    """Turn a row of an IP-caller query into a sighting.

    Args:
        row: columns as the module says; times are aware datetimes, missing columns and nulls are unknown.
        finding_type: the type that the query belongs to.
    """
    first, last = _time(row["first_time"]), _time(row["last_time"])
    calls = _whole(row.get("calls")) or 1
    tally = Tally(calls, first, last)
    own = bool(row.get("own_egress"))
    error, region = _text(row.get("error_code")), _text(row.get("region"))
    evidence = _dicts(row.get("evidence")) + _dicts(row.get("other_hits"))
    return Sighting(
        finding_type=finding_type,
        account_id=_text(row.get("account_id")),
        region=region,
        partition=_text(row.get("partition")) or "aws",
        resource_key=OWN_EGRESS if own else _text(row.get("resource_key")),
        target=_text(row.get("remote_address")),
        first=Moment(first, _text(row.get("first_id"))),
        last=Moment(last, _text(row.get("last_id"))),
        count=calls,
        resource={"resourceType": "AccessKey", "accessKeyDetails": _access_key(row)},
        action={"actionType": "AWS_API_CALL", "awsApiCallAction": _call(row)},
        tallies={
            "apis": {f"{_text(row.get('service'))}:{_text(row.get('operation'))}": tally},
            "errors": {error: tally} if error else {},
            "regions": {region: tally},
        },
        samples={"records": tuple(sorted({_sample(record) for record in _dicts(row.get("records"))})[:KEPT_SAMPLES])},
        evidence=frozenset(_evidence(item) for item in evidence),
        facts=_facts(row, evidence, last),
    )


def _access_key(row: Row) -> dict[str, object]:
    details = {
        "accessKeyId": row.get("access_key_id"),
        "principalId": row.get("principal_id"),
        "userType": row.get("identity_type"),
        "userName": row.get("user_name"),
    }
    return {name: _text(value) for name, value in details.items() if value is not None}


def _call(row: Row) -> dict[str, object]:
    call: dict[str, object] = {
        "api": _text(row.get("event_name") or row.get("operation")),
        "serviceName": _text(row.get("event_source")),
    }
    address, version = _text(row.get("remote_address")), row.get("address_version")
    if version in (4, 6):
        call |= {"callerType": "Remote IP", "remoteIpDetails": {f"ipAddressV{version}": address, **_place(row)}}
    else:
        call |= {"callerType": "Domain", "domainDetails": {"domain": address}}
    for name, column in (("errorCode", "error_code"), ("userAgent", "user_agent")):
        if text := _text(row.get(column)):
            call[name] = text
    resources = row.get("latest_resources")
    if isinstance(resources, Mapping):
        call["affectedResources"] = {_text(kind): _text(name) for kind, name in sorted(resources.items(), key=str)}
    return call


def _place(row: Row) -> dict[str, object]:
    """Return the blocks of remoteIpDetails that a geolocation database filled; without one they are empty."""
    owner = row.get("asn_org")  # also stands for provider and organisation where no ISP database says more (contract 7.2)
    organization = {
        "asn": row.get("asn"),
        "asnOrg": owner,
        "isp": owner if row.get("isp") is None else row.get("isp"),
        "org": owner if row.get("org") is None else row.get("org"),
    }
    location = {"lat": _degrees(row.get("latitude")), "lon": _degrees(row.get("longitude"))}
    return {
        "organization": {name: _text(value) for name, value in organization.items() if value is not None},
        "country": {"countryName": _text(row.get("country_name"))},
        "city": {"cityName": _text(row.get("city_name"))},
        "geoLocation": {name: value for name, value in location.items() if value is not None},
    }


def _sample(record: Row) -> Sample:
    where = {"object": _text(record.get("object")), "position": _whole(record.get("position"))}
    tie = _text(record.get("event_id")) or f"{where['object']}#{where['position']}"
    said = {
        "eventId": record.get("event_id"),
        "api": record.get("api"),
        "userAgent": record.get("user_agent"),
        "errorCode": record.get("error_code"),
    }
    text = canonical(where | {name: _text(value) for name, value in said.items() if value is not None})
    return Sample(Moment(_time(record["event_time"]), tie), text)


def _evidence(item: Row) -> Evidence:
    category = _text(item.get("category"))
    return Evidence(
        list_name=_text(item.get("list_name")),
        list_kind=_text(item.get("kind")),
        network=_text(item.get("network")),
        line=_whole(item.get("line")),
        threat_names=(category,) if category else (),
        stale=bool(item.get("stale")),
        valid_from=_time_or_none(item.get("valid_from")),
        valid_to=_time_or_none(item.get("valid_to")),
    )


def _facts(row: Row, evidence: Iterable[Row], last: datetime) -> dict[str, float]:
    facts: dict[str, float] = {}
    if row.get("principal_kind") == "root":
        facts["root"] = 1.0
    if row.get("own_egress"):
        facts["own_egress"] = 1.0
    for item in evidence:
        as_of = _time_or_none(item.get("as_of"))
        if item.get("stale") and as_of is not None:
            # The maximum over events is the age at the last one, however the events were cut into rows.
            name = f"list_age_days:{_text(item.get('list_name'))}"
            age = float((last - as_of).total_seconds() // _SECONDS_A_DAY)
            facts[name] = max(age, facts.get(name, age))
    return facts


def _dicts(value: object) -> list[Row]:
    if isinstance(value, str):  # engines without nested results hand lists over as JSON text
        value = json.loads(value)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def _text(value: object) -> str:
    return "" if value is None else str(value)[:_TEXT_LIMIT]


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _degrees(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _time(value: object) -> datetime:
    time = _time_or_none(value)
    if time is None:
        raise TypeError(f"{value!r} is no time: rows of IP callers carry times")
    return time


def _time_or_none(value: object) -> datetime | None:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
