"""What to do next about a finding of an IP-caller type."""

from vedette.findings.explanation import Step
from vedette.findings.model import Finding
from vedette.guardduty import access_key


def next_steps(finding: Finding) -> tuple[Step, ...]:
    """Return the steps, the most urgent first; an address of the user's own may be listed by mistake."""
    if not finding.seen.facts.get("own_egress"):
        return access_key.next_steps(finding)
    return (
        Step(f"Identify the callers behind {finding.seen.target}: you should know all of them."),
        Step("If you do, report the entry to the list's publisher as a false positive, or add the address to a trusted list."),
    )
