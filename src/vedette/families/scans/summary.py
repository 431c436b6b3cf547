"""What a port-scan finding means in words: title, description, severity, and the reasons with their numbers."""

from collections.abc import Iterable, Mapping

from vedette.families.scans.usual_ports import USUAL_PORTS
from vedette.findings.identity import timestamp
from vedette.findings.model import Finding, Sighting, Summary
from vedette.findings.severity import HIGH, MEDIUM
from vedette.findings.tallies import most_frequent

SAMPLE = 20  # entries of GuardDuty's portsScannedSample
_NAMED = 50
# At least this many ports hint at nmap when this share is in its usual set, which holds 1.5 % of all ports, and a third of those
# below 1024.
_TELLING, _USUAL_PERCENT = 20, 80

_KINDS = {
    "vertical_fast": "many ports on one host within ten minutes",
    "vertical_open_target": "many open ports on one host, none of them used",
    "vertical_sensitive": "database, shell and remote-control ports on one host",
    "vertical_medium": "many ports on one host within an hour",
    "vertical_slow": "many ports on one host over several hours",
    "horizontal_fast": "one port on many hosts within ten minutes",
    "horizontal_dark": "one port on many addresses, some of them unused",
    "horizontal_medium": "one port on many hosts within an hour",
    "horizontal_slow": "one port on many hosts over several hours",
    "block": "several ports on each of several hosts within ten minutes",
}
_OUTCOMES = {
    "refused": "refused (RST)",
    "rejected": "rejected by a security group or network ACL",
    "no_reply": "without any reply",
    "half_open": "open, left half-open",
    "touched": "open, not used",
    "established": "open, used",
    "one_sided": "logged on one side only",
}


def summarise(finding: Finding, thresholds: Mapping[str, int | float]) -> Summary:
    """Put a merged port-scan finding into words.

    Severity (methods 2.4): 5; 8 when an open sensitive port was found on an internal host of another subnet.
    """
    seen = finding.seen
    kinds = _kinds(seen)
    severity = HIGH if seen.facts.get("severe") else MEDIUM
    return Summary(
        title=f"Outbound port scan by EC2 instance {seen.resource_key}.",
        description=(
            f"EC2 instance {seen.resource_key} is scanning ports on {_target(seen)}: {_KINDS.get(kinds[0], kinds[0])}. "
            "After compromising an instance, attackers look for what can be reached from it."
        ),
        severity=severity,
        reasons=tuple(_reasons(seen, kinds, thresholds)),
        thresholds={name: float(value) for name, value in thresholds.items()},
        observed=_observed(seen),
        additional={
            "portsScannedSample": [int(port) for port in list(seen.tallies.get("ports", {}))[:SAMPLE]],
            "scanKind": kinds[0],
            "scanKinds": kinds,
            "failedPorts": _ports(seen, "failed"),
            "openPorts": _ports(seen, "open"),
            "remoteHosts": list(seen.tallies.get("hosts", {}))[:_NAMED],
            "outcomes": {name: tally.count for name, tally in seen.tallies.get("outcomes", {}).items()},
            "initiatorRules": {name: tally.count for name, tally in seen.tallies.get("rules", {}).items()},
            "toolHint": _tool(seen),
        },
    )


def _kinds(seen: Sighting) -> list[str]:
    """Return the kinds that triggered, in order of time."""
    found = seen.tallies.get("kinds", {})
    order = list(_KINDS)
    return sorted(found, key=lambda kind: (found[kind].first, order.index(kind) if kind in order else len(order))) or ["unknown"]


def _target(seen: Sighting) -> str:
    hosts = len(seen.tallies.get("hosts", {}))
    if seen.target == "block":
        return f"{hosts} hosts"
    return f"{hosts} hosts (port {seen.target})" if "/" in seen.target else f"remote host {seen.target}"


def _reasons(seen: Sighting, kinds: list[str], thresholds: Mapping[str, int | float]) -> Iterable[str]:
    for kind in kinds:
        yield f"{kind}: {_KINDS.get(kind, kind)}{_measured(seen, kind, thresholds)}."
    most = most_frequent(seen.tallies.get("outcomes", {}))
    outcomes = "; ".join(f"{tally.count:,} {_OUTCOMES.get(name, name)}" for name, tally in most)
    period = f"between {timestamp(seen.first.time)} and {timestamp(seen.last.time)}"
    yield f"{seen.count:,} first-time connection attempts {period}: {outcomes}."
    rules = seen.tallies.get("rules", {})
    yield (
        "The opener of each conversation was determined by: "
        + ", ".join(f"{name} ({rules[name].count:,})" for name in sorted(rules))
        + "."
    )
    if seen.facts.get("severe"):
        yield "An open database, shell or similar port was found on an internal host in another subnet: severity 8."
    if seen.facts.get("control"):
        required = f"{thresholds['dynamic_failed']:g} failed dynamic ports were required"
        yield f"A control connection with the host is established: {required}."
    if seen.facts.get("assumed"):
        yield "The interface communicated with one host only, so its own address is assumed to be the opener."
    if not str(seen.resource_key).startswith("i-"):
        yield "Identity assumed: these records name no instance, and the interface is in no inventory."


def _measured(seen: Sighting, kind: str, thresholds: Mapping[str, int | float]) -> str:
    speed = kind.rpartition("_")[2]
    facts = seen.facts
    if speed not in {"fast", "medium", "slow"} or not facts.get(f"{speed}_tried"):
        return ""
    vertical = kind.startswith("vertical")
    failed = {
        ("fast", True): "fast_failed",
        ("medium", True): "medium_failed",
        ("slow", True): "slow_failed",
        ("fast", False): "hosts_failed",
        ("medium", False): "medium_hosts_failed",
        ("slow", False): "slow_hosts_failed",
    }[speed, vertical]
    return f" (threshold {thresholds[failed]:g} failed, observed {facts[f'{speed}_failed']:g} of {facts[f'{speed}_tried']:g})"


def _observed(seen: Sighting) -> dict[str, float]:
    names = ("fast_tried", "fast_failed", "medium_tried", "medium_failed", "slow_tried", "slow_failed", "slow_hours")
    return {
        "tries": float(seen.count),
        "ports": float(len(seen.tallies.get("ports", {}))),
        "hosts": float(len(seen.tallies.get("hosts", {}))),
        **{name: seen.facts.get(name, 0.0) for name in names},
    }


def _ports(seen: Sighting, name: str) -> dict[str, object]:
    ports = [int(port) for port in seen.tallies.get(name, {})]
    return {"total": len(ports), "first": ports[:_NAMED]}


def _tool(seen: Sighting) -> str:
    """Return what the source ports and the choice of ports say about the tool."""
    hints = []
    low, high = -seen.facts.get("negative_low_port", 0.0), seen.facts.get("high_port", 0.0)
    if low == high:
        hints.append(f"all from source port {high:g}: a raw SYN scanner (nmap -sS, masscan, zmap)")
    elif high - low <= 4 * max(seen.count, 1):
        hints.append("source ports close together: a connect scanner")
    ports = {int(port) for port in seen.tallies.get("ports", {})}
    usual = len(ports & USUAL_PORTS)
    if len(ports) >= _TELLING and 100 * usual >= _USUAL_PERCENT * len(ports):
        hints.append(f"{100 * usual // len(ports)} % of the ports are among the 1,000 that nmap tries by default")
    return "; ".join(hints)
