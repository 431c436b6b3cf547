"""What to do next about a finding of an IP-caller type."""

from vedette.findings.explanation import Step
from vedette.findings.model import Finding
from vedette.guardduty import access_key


def next_steps(finding: Finding) -> tuple[Step, ...]:
    """Return the steps, the most urgent first; an address of the user's own may be listed by mistake."""
    if not finding.seen.facts.get("own_egress"):
        return access_key.next_steps(finding)
    return (
        Step(f"Find out who called through {finding.seen.target}: all of them should be known."),
        Step("If they are, tell the list's publisher that the entry is wrong, or put the address on a trusted list."),
    )
