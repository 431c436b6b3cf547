"""What a row of a discovery query says: an episode's calls of one category become a sighting. Pure.

Points of an episode only grow and mitigations only fall while it goes on, so they merge by maximum: ``code:n1`` is N1's points,
``mitigation:e1`` what E1 takes off, negated.
"""

from collections.abc import Iterable
from decimal import Decimal

from vedette.epoch import moment
from vedette.findings.model import KEPT_SAMPLES, Moment, Sample, Sighting, Tally
from vedette.findings.ordering import canonical
from vedette.findings.rows import Row, dicts, text, whole
from vedette.findings.tallies import count_all
from vedette.guardduty.blocks import access_key_of, call_of, partition

_FACTS = (
    *("needed", "archive_days", "history_days", "history_calls", "history_denied", "history_span", "members", "co_occurring"),
    *("apis", "denied_apis", "apis_of_day", "from_instance", "points", "networks_known"),
)


def describe(row: Row, finding_type: str) -> Sighting:
    """Turn a row of ``discovery_findings`` into a sighting of a finding type.

    ``calls`` are the first and the last, ``kinds`` count all of them, ``count`` in sum; points are the most of each code.
    """
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
        first=Moment(moment(whole(calls[0]["us"])), text(calls[0]["record_id"])),
        last=Moment(moment(whole(last["last_us"])), text(last["record_id"])),
        count=whole(row.get("count")),
        resource={"resourceType": "AccessKey", "accessKeyDetails": access_key_of(last)},
        action={"actionType": "AWS_API_CALL", "awsApiCallAction": call_of({**last, "remote_address": _address(last)})},
        tallies=_tallies(dicts(row.get("kinds"))),
        samples={"records": tuple(sorted(map(_sample, calls))[:KEPT_SAMPLES])},
        facts=_facts(row),
    )


def _order(call: Row) -> tuple[int, str]:
    return whole(call["us"]), text(call["record_id"])


def _address(call: Row) -> str:
    return text(call.get("canonical")) or text(call.get("source_address"))


def _tallies(kinds: Iterable[Row]) -> dict[str, dict[str, Tally]]:
    found: dict[str, dict[str, Tally]] = {}
    for kind in kinds:
        tally = Tally(whole(kind["calls"]), moment(whole(kind["first_us"])), moment(whole(kind["last_us"])))
        api, network = f"{text(kind['service'])}:{text(kind['operation'])}", text(kind["network"])
        keys = (
            ("apis", api),
            ("denied", api if whole(kind["denied"]) else ""),
            ("regions", text(kind["region"])),
            ("errors", text(kind["error_code"])),
            ("networks", network),
            ("new_networks", network if whole(kind["network_new"]) else ""),
            ("known_networks", text(kind["network_known"])),
            ("countries", text(kind["country_code"])),
            ("addresses", text(kind["address"])),
            ("agents", text(kind["family"])),
            ("attacks", text(kind["attack"])),
            ("modes", text(kind["mode"])),
            ("peers", text(kind["peer_group"])),
        )
        count_all(found, ((name, key) for name, key in keys if key), tally)
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
    return Sample(Moment(moment(whole(call["us"])), text(call["record_id"])), canonical(said))


def _facts(row: Row) -> dict[str, float]:
    facts = {name: float(whole(row.get(name))) for name in _FACTS}
    facts["fewest_peer_callers"] = -float(whole(row.get("peer_callers")))
    codes = ((name, value) for name, value in row.items() if len(name) == 2 and name[1].isdecimal())  # noqa: PLR2004  # g1, e5 …
    for code, value in codes:
        if code.startswith("e"):
            facts[f"mitigation:{code}"] = -_points(value)
        else:
            facts[f"code:{code}"] = _points(value)
    return facts


def _points(value: object) -> float:
    return float(value) if isinstance(value, int | float | Decimal) else 0.0
