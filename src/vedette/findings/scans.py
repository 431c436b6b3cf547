"""What a row of the port-scan query says: an instance's tries of an hour become a sighting. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from vedette.findings.model import KEPT_SAMPLES, Moment, Sample, Sighting, Tally
from vedette.findings.order import canonical
from vedette.findings.rows import Row, dicts, text, whole

FINDING_TYPE = "Recon:EC2/Portscan"
RULES = {
    1: "flags",
    2: "service_port",
    3: "rejected_egress",
    4: "ephemeral_port",
    5: "one_way",
    6: "syn_size",
    7: "first_seen",
}
"""Names of the rules that say who opened a conversation (methods 1.2 item 6), by their number in the views."""

FAILED = frozenset({"rejected", "refused", "no_reply"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Names of ports as GuardDuty writes them (contract 1.7).
_PORT_NAMES = {21: "FTP", 22: "SSH", 25: "SMTP", 53: "DNS", 80: "HTTP", 443: "HTTPS", 3389: "RDP", 5985: "WinRM"}
_PROTOCOLS = {6: "TCP", 17: "UDP"}


def describe(row: Row) -> Sighting:
    """Turn a row into a sighting.

    Columns: ``evidence`` is a list of tries (us, address, port, protocol, outcome, rule, kinds, local_port, sensitive, object,
    position), ``tries`` counts them, ``fired_us`` is when they were first enough; the rest are the interface's facts and the
    largest counts of the windows.
    """
    tries = sorted(dicts(row.get("evidence")), key=_order)
    last = tries[-1]
    instance = text(row.get("instance_id"))
    interface = text(row.get("interface_id"))
    region = text(row.get("region"))
    return Sighting(
        finding_type=FINDING_TYPE,
        account_id=text(row.get("account_id")),
        region=region,
        partition=partition(region),
        resource_key=instance or interface,
        target=text(row.get("target")),
        first=_moment(tries[0]),
        last=_moment(last),
        count=whole(row.get("tries")),
        resource=instance_resource(row, text(row.get("local_address"))),
        action={"actionType": "NETWORK_CONNECTION", "networkConnectionAction": _connection(row, last)},
        tallies=_tallies(tries, region),
        samples={"records": tuple(sorted(map(_sample, tries))[:KEPT_SAMPLES])},
        facts=_facts(row),
        origin=moment_of(whole(row["fired_us"])),
    )


def partition(region: str) -> str:
    """Return the AWS partition of a region."""
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def port_details(port: int) -> dict[str, object]:
    """Return a port with GuardDuty's name of it."""
    return {"port": port, "portName": _PORT_NAMES.get(port, "Unknown")}


def ip_details(address: str) -> dict[str, object]:
    """Return an address under the name of its family."""
    return {"ipAddressV6" if ":" in address else "ipAddressV4": address}


def instance_resource(row: Row, address: str) -> dict[str, object]:
    """Return GuardDuty's resource of an instance, as much as flow records say of it; an inventory says the rest."""
    interface: dict[str, object] = {"networkInterfaceId": text(row.get("interface_id"))}
    if ":" in address:
        interface["ipv6Addresses"] = [address]
    else:
        interface["privateIpAddress"] = address
        interface["privateIpAddresses"] = [{"privateIpAddress": address}]
    for name, column in (("subnetId", "subnet_id"), ("vpcId", "vpc_id")):
        if value := text(row.get(column)):
            interface[name] = value
    details: dict[str, object] = {"networkInterfaces": [interface]}
    if instance := text(row.get("instance_id")):
        details["instanceId"] = instance
    return {"resourceType": "Instance", "instanceDetails": details}


def moment_of(microseconds: int) -> datetime:
    """Return the time so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _order(item: Row) -> tuple[int, str, int, int]:
    return whole(item["us"]), text(item["address"]), whole(item["port"]), whole(item["protocol"])


def _moment(item: Row) -> Moment:
    return Moment(moment_of(whole(item["us"])), f"{text(item['address'])}/{whole(item['port']):05}/{whole(item['protocol'])}")


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


def _tallies(tries: Iterable[Row], region: str) -> dict[str, dict[str, Tally]]:
    found: dict[str, dict[str, Tally]] = {}
    for item in tries:
        at = moment_of(whole(item["us"]))
        outcome, port = text(item["outcome"]), f"{whole(item['port']):05}"
        keys = [
            ("ports", port),
            ("failed" if outcome in FAILED else "open", port),
            ("hosts", text(item["address"])),
            ("outcomes", outcome),
            ("rules", RULES.get(whole(item["rule"]), "unknown")),
            ("regions", region),
            *(("kinds", kind) for kind in text(item["kinds"]).split()),
        ]
        if whole(item["sensitive"]):
            keys.append(("sensitive", port))
        for name, key in keys:
            counts = found.setdefault(name, {})
            old = counts.get(key)
            counts[key] = Tally(1, at, at) if old is None else Tally(old.count + 1, min(old.first, at), max(old.last, at))
    return found


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
