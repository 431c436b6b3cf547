"""What a finding of an IP-caller type says of the caller and of the listed address."""

from collections.abc import Mapping

from vedette.findings.explanation import Section
from vedette.findings.model import Finding
from vedette.guardduty.access_key import who_called
from vedette.guardduty.other_side import UNPLACED, other_side


def sections(finding: Finding, document: Mapping[str, object]) -> tuple[Section, ...]:
    """Return who made the latest call, and from where."""
    remote = other_side(finding, document)
    return who_called(finding, document), Section("From where", {**remote, "location": remote["location"] or UNPLACED})
