"""What to do next about an instance that scans: ask, keep the evidence, cut it off, then see what it found."""

from collections.abc import Iterator

from vedette.findings.explanation import Step
from vedette.findings.model import Finding
from vedette.guardduty.instance import details_of, instance_command, interface_command
from vedette.guardduty.reading import member

_NAMED_PORTS = 5


def next_steps(finding: Finding) -> tuple[Step, ...]:
    """Return the steps, the most urgent first."""
    return tuple(_steps(finding))


def _steps(finding: Finding) -> Iterator[Step]:
    yield Step(
        "Ask the owner of the instance whether this was meant. A scanner of your own is named in authorised_scanners, "
        "with an end date; if nobody meant it, go on."
    )
    description = ("--description", f"vedette {finding.id[:12]}")
    yield Step(
        "Keep the evidence: take snapshots of its volumes before anything is changed. Don't stop it, since memory would be lost.",
        instance_command(finding, "create-snapshots", "--instance-specification", "InstanceId={}", *description),
    )
    yield Step(
        "Isolate it: give the interface a security group that has no rules (put its id in). Connections that stand may go on.",
        interface_command(finding, "modify-network-interface-attribute", "--network-interface-id", "--groups", "GROUP_ID"),
    )
    role = str(member(details_of(finding), "iamInstanceProfile").get("arn") or "").rpartition("/")[2]
    of = f"the role of instance profile {role}" if role else "its role, if it has one"
    yield Step(f"End the sessions of {of}: whoever has the instance has its credentials.")
    if found := [str(int(port)) for port in finding.seen.tallies.get("open", {})]:
        more = f" and {len(found) - _NAMED_PORTS} more" if len(found) > _NAMED_PORTS else ""
        yield Step(f"Look at the hosts that answered (port {', '.join(found[:_NAMED_PORTS])}{more}): they are what comes next.")
