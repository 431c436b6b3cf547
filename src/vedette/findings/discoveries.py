"""What the three discovery types share: a row (an episode's calls of one category) becomes a sighting. Pure.

Points of an episode only grow and dampers only fall while it goes on, so they merge by maximum: ``code:n1`` is N1's points,
``damper:e1`` what E1 takes off, negated.
"""

from collections.abc import Iterable

from vedette.findings.callers import access_key_of, call_of
from vedette.findings.model import KEPT_SAMPLES, Moment, Sample, Sighting, Tally
from vedette.findings.order import canonical
from vedette.findings.rows import Row, dicts, text, whole
from vedette.findings.scans import moment_of, partition

_NUMBERS = ("needed", "archive_days", "history_days", "history_calls", "history_denied", "history_span", "members", "wave")
_COUNTS = ("apis", "denied_apis", "apis_of_day", "from_instance", "points")


def describe(row: Row, finding_type: str) -> Sighting:
    """Turn a row of ``discovery_findings`` into a sighting of a finding type."""
    calls = sorted(dicts(row.get("calls")), key=_order)
    last = max(calls, key=lambda call: (whole(call["last_us"]), _order(call)))
    region = text(calls[0].get("region"))
    key = text(last.get("access_key_id"))
    who = text(row.get("who"))
    return Sighting(
        finding_type=finding_type,
        account_id=text(row.get("account_id")),
        region=region,
        partition=partition(region),
        resource_key=key if text(row.get("kind")) == "user" and key.startswith("AKIA") else who,
        target=who,
        first=Moment(moment_of(whole(calls[0]["us"])), text(calls[0]["record_id"])),
        last=Moment(moment_of(whole(last["last_us"])), text(last["record_id"])),
        count=sum(whole(call["calls"]) for call in calls),
        resource={"resourceType": "AccessKey", "accessKeyDetails": access_key_of(last)},
        action={"actionType": "AWS_API_CALL", "awsApiCallAction": call_of({**last, "remote_address": _address(last)})},
        tallies=_tallies(calls),
        samples={"records": tuple(sorted(map(_sample, calls))[:KEPT_SAMPLES])},
        facts=_facts(calls),
    )


def _order(call: Row) -> tuple[int, str]:
    return whole(call["us"]), text(call["record_id"])


def _address(call: Row) -> str:
    return text(call.get("canonical")) or text(call.get("source_address"))


def _tallies(calls: Iterable[Row]) -> dict[str, dict[str, Tally]]:
    found: dict[str, dict[str, Tally]] = {}
    for call in calls:
        first, last = moment_of(whole(call["us"])), moment_of(whole(call["last_us"]))
        count = whole(call["calls"])
        keys = [
            ("apis", f"{text(call['service'])}:{text(call['operation'])}"),
            ("regions", text(call["region"])),
            ("errors", text(call["error_code"])),
            ("networks", text(call["network"])),
            ("countries", text(call["country_code"])),
            ("addresses", _address(call)),
            ("agents", text(call["family"])),
            ("attacks", text(call["attack"])),
            ("modes", text(call["mode"])),
            ("peers", text(call["peers"])),
        ]
        if whole(call["denied"]):
            keys.append(("denied", f"{text(call['service'])}:{text(call['operation'])}"))
        for name, key in keys:
            if key:
                counts = found.setdefault(name, {})
                old = counts.get(key, Tally(0, first, last))
                counts[key] = Tally(old.count + count, min(old.first, first), max(old.last, last))
    return found


def _sample(call: Row) -> Sample:
    said = {
        "object": text(call.get("object")),
        "position": whole(call.get("position")),
        "eventId": text(call["record_id"]),
        "api": text(call.get("event_name")),
        "userAgent": text(call.get("user_agent")),
    }
    if error := text(call.get("error_code")):
        said["errorCode"] = error
    return Sample(Moment(moment_of(whole(call["us"])), text(call["record_id"])), canonical(said))


def _facts(calls: Iterable[Row]) -> dict[str, float]:
    facts: dict[str, float] = {}

    def most(name: str, value: float) -> None:
        facts[name] = max(facts.get(name, value), value)

    for call in calls:
        for name in (*_NUMBERS, *_COUNTS):
            most(name, float(whole(call.get(name))))
        most("fewest_peer_callers", -float(whole(call.get("peer_callers"))))
        for part in text(call["codes"]).split():
            code, _, points = part.partition("=")
            if code.startswith("e"):
                most(f"damper:{code}", -float(points))
            else:
                most(f"code:{code}", float(points))
    return facts
