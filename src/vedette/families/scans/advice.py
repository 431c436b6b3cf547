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
        "Ask the owner of the instance whether this was intended. If it is a scanner of your own, add it to authorised_scanners, "
        "with an end date; if nobody intended it, continue."
    )
    description = ("--description", f"vedette {finding.id[:12]}")
    yield Step(
        "Preserve the evidence: take snapshots of its volumes before changing anything. Do not stop it: memory would be lost.",
        instance_command(finding, "create-snapshots", "--instance-specification", "InstanceId={}", *description),
    )
    yield Step(
        "Isolate it: give the interface a security group without rules (insert its ID). Established connections may continue.",
        interface_command(finding, "modify-network-interface-attribute", "--network-interface-id", "--groups", "GROUP_ID"),
    )
    role = str(member(details_of(finding), "iamInstanceProfile").get("arn") or "").rpartition("/")[2]
    of = f"the role of instance profile {role}" if role else "its role, if it has one"
    yield Step(f"Revoke the sessions of {of}: whoever controls the instance has its credentials.")
    if found := [str(int(port)) for port in finding.seen.tallies.get("open", {})]:
        more = f" and {len(found) - _NAMED_PORTS} more" if len(found) > _NAMED_PORTS else ""
        yield Step(f"Investigate the hosts that answered (port {', '.join(found[:_NAMED_PORTS])}{more}): likely next targets.")
