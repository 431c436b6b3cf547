"""What a port-probe finding means in words: title, description, severity, the probed ports, and the reasons."""

import json
from collections.abc import Iterable, Mapping

from vedette.families.probes.sighting import LEVELS, OPEN, SERVED
from vedette.findings.model import Evidence, Finding, Sighting, Summary
from vedette.findings.ordering import ordered_evidence
from vedette.findings.severity import HIGH, LOW, lowered
from vedette.findings.tallies import most_frequent
from vedette.guardduty.blocks import ip_details, port_details

_SEVERE = frozenset({9200, 9300})
_CONTROL = frozenset({2375, 2379, 3306, 5432, 5984, 6379, 10250, 11211, 27017, 50070})
_KEPT_PORTS = 20
_NAMED = 5


def summarise(finding: Finding, thresholds: Mapping[str, int | float]) -> Summary:
    """Put a merged port-probe finding into words.

    Severity (methods 3.3): 2; 8 where an Elasticsearch port answered, and other datastores if the threshold says so; one step
    lower where the scanners reach the instance through a load balancer.
    """
    seen = finding.seen
    ports = [int(port) for port in seen.tallies.get("ports", {})]
    severe = _SEVERE | (_CONTROL if thresholds["severe_control_ports"] else frozenset())
    severity = HIGH if severe & set(ports) else LOW
    if seen.facts.get("via_load_balancer"):
        severity = lowered(severity)
    names = _names(seen)
    return Summary(
        title=f"A known scanner probed an unprotected port on EC2 instance {seen.resource_key}.",
        description=(
            f"EC2 instance {seen.resource_key} has {_counted(len(ports), 'port')} that answered "
            f"{_counted(len(seen.tallies.get('scanners', {})), 'known scanner')}: {_listed(ports)}."
        ),
        severity=severity,
        reasons=tuple(_reasons(seen, ports, severe)),
        thresholds={name: float(value) for name, value in thresholds.items()},
        observed=_observed(seen),
        additional={"threatName": "Scanner", "threatListName": names[0] if names else ""},
        action={"portProbeAction": {"blocked": False, "portProbeDetails": _details(seen)}},
    )


def _names(seen: Sighting) -> list[str]:
    found: dict[str, None] = {}
    for item in ordered_evidence(seen.evidence):
        if item.list_kind == "scanner":
            found[item.list_name] = None
    return list(found) or [item.list_name for item in ordered_evidence(seen.evidence)]


def _details(seen: Sighting) -> list[dict[str, object]]:
    """Return one item per port, with the latest scanner of it (contract 1.9)."""
    latest: dict[int, tuple[object, dict[str, object]]] = {}
    for key, tally in sorted(seen.tallies.get("probes", {}).items()):
        probe = json.loads(key)
        port = int(probe["port"])
        item = {
            "localPortDetails": port_details(port),
            "localIpDetails": ip_details(str(probe["local"])),
            "remoteIpDetails": probe["remote"],
        }
        order = (tally.last, key)
        if port not in latest or order > latest[port][0]:  # type: ignore[operator]  # both are a time and a text
            latest[port] = (order, item)
    return [item for _, (_, item) in sorted(latest.items())][:_KEPT_PORTS]


def _reasons(seen: Sighting, ports: list[int], severe: frozenset[int]) -> Iterable[str]:
    scanners = seen.tallies.get("scanners", {})
    for port in ports[:_KEPT_PORTS]:
        level = LEVELS[int(seen.facts.get(f"level:{port:05}", OPEN))]
        answer = "sent data back" if level == "served" else "completed the handshake" if level == "open" else level
        count = seen.tallies["ports"][f"{port:05}"].count
        yield f"Port {port} {answer} ({_counted(count, 'probe')})."
    if len(ports) > _KEPT_PORTS:
        yield f"{_counted(len(ports) - _KEPT_PORTS, 'more port')} answered."
    most = most_frequent(scanners)
    yield (
        "Scanners: "
        + ", ".join(f"{address} ({tally.count})" for address, tally in most[:_NAMED])
        + (f" and {len(most) - _NAMED} more." if len(most) > _NAMED else ".")
    )
    for item in ordered_evidence(seen.evidence)[:_NAMED]:
        yield f"{item.network} is on {item.list_kind} list {item.list_name} (line {item.line}){_stale(item)}."
    yield from _configuration(seen)
    if seen.facts.get("malicious"):
        yield "At least one of the scanners is known to be malicious."
    if hit := sorted(severe & set(ports)):
        yield f"Port {hit[0]} belongs to a datastore that exposes its contents: severity 8."
    if seen.facts.get("via_load_balancer"):
        yield "The instance has no public address: the scanners reach it through a load balancer, severity one step lower."
    if not seen.resource_key.startswith("i-"):
        yield "Identity assumed: these records name no instance, and the interface is in no inventory."


def _configuration(seen: Sighting) -> Iterable[str]:
    for key in list(seen.tallies.get("configuration", {}))[:_KEPT_PORTS]:
        said = json.loads(key)
        verdict = f"Configuration of port {said['port']}: {said['verdict']}"
        yield verdict + (f", decided by {said['rule']}." if said["rule"] else f". {' '.join(said['steps'][:1])}")
        if said["verdict"] == "deny":
            denied = f"Port {said['port']} answered although the configuration denies it"
            yield f"{denied}: the rules changed, or the traffic is relayed."
        if said["command"]:
            yield f"To close port {said['port']}: {said['command']}"


def _stale(item: Evidence) -> str:
    return ", which was past its maximum age" if item.stale else ""


def _observed(seen: Sighting) -> dict[str, float]:
    ports = seen.tallies.get("ports", {})
    served = sum(1 for port in ports if seen.facts.get(f"level:{port}", 0) >= SERVED)
    scanners = float(len(seen.tallies.get("scanners", {})))
    return {"probes": float(seen.count), "ports": float(len(ports)), "ports_served": float(served), "scanners": scanners}


def _listed(ports: list[int]) -> str:
    return ", ".join(map(str, ports[:_KEPT_PORTS])) + (" and more" if len(ports) > _KEPT_PORTS else "")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
