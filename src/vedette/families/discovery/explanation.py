"""What a discovery finding says of the principal that asked, and from where it asked."""

from collections.abc import Mapping

from vedette.findings.explanation import Section
from vedette.findings.model import Finding
from vedette.findings.tallies import listed
from vedette.guardduty.access_key import who_called
from vedette.guardduty.other_side import UNPLACED, other_side

_NAMED = 5


def sections(finding: Finding, document: Mapping[str, object]) -> tuple[Section, ...]:
    """Return who made the latest call, and the addresses and networks from which calls came, each with its number of calls."""
    tallies = finding.seen.tallies
    networks = listed(tallies.get("places", {}), _NAMED)
    where = {
        "addresses": listed(tallies.get("addresses", {}), _NAMED),
        "location": "" if networks else UNPLACED,
        "networks": networks,
        "regions": other_side(finding, document)["regions"],
    }
    return who_called(finding, document), Section("From where", where)
