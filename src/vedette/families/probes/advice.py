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
            yield Step(f"If port {port} does not need to be reachable from the internet, close it.", str(said["command"]))
        elif said.get("verdict") == "deny":
            yield Step(
                f"Find out why port {port} is reachable: a load balancer or proxy, or a rule that changed since the snapshot."
            )
        else:
            yield Step(f"Find the rule that lets the internet reach port {port}, and remove it.", _groups_command(finding))
    if some := [str(port) for port in ports if port in _ADMINISTRATION]:
        yield Step(f"Restrict port {', '.join(some)} to the networks of your administrators, or use Session Manager.")
    if any(seen.facts.get(f"level:{port:05}", 0) >= SERVED for port in ports):
        yield Step("Review the service's own log from the first probe onwards: it sent data back, and only that log shows what.")
    tag = f"Key=recon:public-ports,Value={' '.join(map(str, ports[:_NAMED_PORTS]))}"
    yield Step(
        "If it is meant to answer, declare it in the setting public_ports or with a tag: probes then raise no finding.",
        instance_command(finding, "create-tags", "--resources", "{}", "--tags", tag),
    )


def _groups_command(finding: Finding) -> str:
    query = ("--query", "NetworkInterfaces[].Groups")
    return interface_command(finding, "describe-network-interfaces", "--network-interface-ids", *query)
