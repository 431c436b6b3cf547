"""What a row of the port-scan query says: an instance's attempts within an hour become a sighting. Pure."""

from collections.abc import Iterable

from vedette.epoch import moment
from vedette.findings.model import Moment, Sample, Sighting, Tally
from vedette.findings.ordering import canonical
from vedette.findings.rows import Row, dicts, text, whole
from vedette.findings.tallies import count_all
from vedette.guardduty.blocks import instance_resource, ip_details, partition, port_details

RULES = {
    1: "flags",
    2: "service_port",
    3: "rejected_egress",
    4: "ephemeral_port",
    5: "one_way",
    6: "syn_size",
    7: "first_seen",
}
"""Names of the rules that decide who opened a conversation (methods 1.2 item 6), by their number in the views."""

_PROTOCOLS = {6: "TCP", 17: "UDP"}


def describe(row: Row, finding_type: str) -> Sighting:
    """Turn a row into a sighting.

    Columns: ``first`` and ``last`` are attempts (us, address, port, protocol; the last has outcome and local_port too);
    ``samples`` are the first of them; ``tallies`` counts by port, host and so on (part, port, name, rule, attempts, first_us,
    last_us); ``attempts`` counts all of them; ``triggered_us`` is when they were first enough; the rest are the interface's facts
    and the largest counts of the windows.
    """
    (first,), (last,) = dicts([row["first"]]), dicts([row["last"]])
    instance = text(row.get("instance_id"))
    interface = text(row.get("interface_id"))
    region = text(row.get("region"))
    attempts = whole(row.get("attempts"))
    return Sighting(
        finding_type=finding_type,
        account_id=text(row.get("account_id")),
        region=region,
        partition=partition(region),
        resource_key=instance or interface,
        target=text(row.get("target")),
        first=_moment(first),
        last=_moment(last),
        count=attempts,
        resource=instance_resource(row, text(row.get("local_address"))),
        action={"actionType": "NETWORK_CONNECTION", "networkConnectionAction": _connection(row, last)},
        tallies={
            **_tallies(dicts(row.get("tallies"))),
            "regions": {region: Tally(attempts, _moment(first).time, _moment(last).time)},
        },
        samples={"records": tuple(sorted(map(_sample, dicts(row.get("samples")))))},
        facts=_facts(row),
        origin=moment(whole(row["triggered_us"])),
    )


def _moment(item: Row) -> Moment:
    return Moment(moment(whole(item["us"])), f"{text(item['address'])}/{whole(item['port']):05}/{whole(item['protocol'])}")


def _connection(row: Row, last: Row) -> dict[str, object]:
    return {
        "connectionDirection": "OUTBOUND",
        "protocol": _PROTOCOLS[whole(last["protocol"])],
        "blocked": text(last["outcome"]) == "rejected",
        "localIpDetails": ip_details(text(row.get("local_address"))),
        "localNetworkInterface": text(row.get("interface_id")),
        "localPortDetails": port_details(whole(last["local_port"])),
        "remoteIpDetails": ip_details(text(last["address"])),
        "remotePortDetails": port_details(whole(last["port"])),
    }


def _tallies(parts: Iterable[Row]) -> dict[str, dict[str, Tally]]:
    found: dict[str, dict[str, Tally]] = {}
    for part in parts:
        tally = Tally(whole(part["attempts"]), moment(whole(part["first_us"])), moment(whole(part["last_us"])))
        count_all(found, _keys(part), tally)
    return found


def _keys(part: Row) -> list[tuple[str, str]]:
    """Return the names and keys under which a part is counted: a failed port is also one of all ports, and so is an open one."""
    port, name = f"{whole(part.get('port')):05}", text(part.get("name"))
    keys = {
        "failed_port": [("ports", port), ("failed", port)],
        "open_port": [("ports", port), ("open", port)],
        "sensitive_port": [("sensitive", port)],
        "address": [("hosts", name)],
        "outcome": [("outcomes", name)],
        "rule": [("rules", RULES.get(whole(part.get("rule")), "unknown"))],
        "kinds": [("kinds", kind) for kind in name.split()],
    }
    return keys[text(part["part"])]


def _sample(item: Row) -> Sample:
    said = {
        "api": None,
        "eventId": None,
        "object": item.get("object"),
        "position": item.get("position"),
        "remote": text(item["address"]),
        "port": whole(item["port"]),
        "outcome": text(item["outcome"]),
    }
    return Sample(_moment(item), canonical(said))


def _facts(row: Row) -> dict[str, float]:
    names = ("fast_tried", "medium_tried", "slow_tried", "slow_hours", "assumed", "control", "severe", "high_port")
    facts = {name: float(whole(row.get(name))) for name in names}
    facts |= {f"{name}_failed": whole(row.get(f"{name}_weight")) / 10 for name in ("fast", "medium", "slow")}
    return facts | {"negative_low_port": -float(whole(row.get("low_port")))}
