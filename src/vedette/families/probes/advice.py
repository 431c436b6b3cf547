"""What to do next about probed ports: close them, or say that they are meant to answer; the service knows what it sent."""

import json
from collections.abc import Iterator

from vedette.families.probes.sighting import SERVED
from vedette.findings.explanation import Step
from vedette.findings.model import Finding
from vedette.guardduty.instance import instance_command, interface_command

_NAMED_PORTS = 5
# Ports from which people administer a host: few sources need them.
_ADMINISTRATION = frozenset({22, 3389, 5985, 5986})


def next_steps(finding: Finding) -> tuple[Step, ...]:
    """Return the steps, the most urgent first."""
    return tuple(_steps(finding))


def _steps(finding: Finding) -> Iterator[Step]:
    seen = finding.seen
    ports = [int(port) for port in seen.tallies.get("ports", {})]
    configured = {int(said["port"]): said for said in map(json.loads, seen.tallies.get("configuration", {}))}
    for port in ports[:_NAMED_PORTS]:
        said = configured.get(port, {})
        if said.get("command"):
            yield Step(f"If port {port} need not answer the internet, close it.", str(said["command"]))
        elif said.get("verdict") == "deny":
            yield Step(f"Find out who passes port {port} on: a balancer or proxy, or a rule that was changed since the snapshot.")
        else:
            yield Step(f"Find the rule that lets the internet reach port {port}, and take it away.", _groups_command(finding))
    if some := [str(port) for port in ports if port in _ADMINISTRATION]:
        yield Step(f"Let only the networks of those who administer it reach port {', '.join(some)}, or use Session Manager.")
    if any(seen.facts.get(f"level:{port:05}", 0) >= SERVED for port in ports):
        yield Step("Read the service's own log from the first probe on: it sent data back, and only it knows which.")
    tag = f"Key=recon:public-ports,Value={' '.join(map(str, ports[:_NAMED_PORTS]))}"
    yield Step(
        "If it is meant to answer, say so with public_ports in the settings or a tag: then it is counted and raises nothing.",
        instance_command(finding, "create-tags", "--resources", "{}", "--tags", tag),
    )


def _groups_command(finding: Finding) -> str:
    query = ("--query", "NetworkInterfaces[].Groups")
    return interface_command(finding, "describe-network-interfaces", "--network-interface-ids", *query)
