"""What the document of a finding says of the other side: its address, location, network, and the lists that hold it. Pure."""

from collections.abc import Mapping

from vedette.findings.model import Finding
from vedette.guardduty.reading import member, ours, remote_ip, structures

UNPLACED = "unknown (no geolocation database)"
"""The text for an unknown location of a caller."""

_NAMED_LISTS = 5


def other_side(finding: Finding, document: Mapping[str, object]) -> dict[str, object]:
    """Return what is known of the other side by name; empty text for what is not known."""
    remote, own = remote_ip(document), ours(document)
    place = (member(remote, "city").get("cityName"), member(remote, "country").get("countryName"))
    lists = (f"{item['name']} ({item['kind']}, line {item['line']}: {item['network']})" for item in structures(own, "lists"))
    return {
        "address": finding.seen.target,
        "location": ", ".join(str(part) for part in place if part),
        "network": _network(member(remote, "organization")),
        "lists": "; ".join(list(lists)[:_NAMED_LISTS]),
        "regions": ", ".join(member(own, "regions")),
    }


def _network(organization: Mapping[str, object]) -> str:
    number = f"AS{organization['asn']}" if organization.get("asn") else ""
    return " ".join(str(part) for part in (number, organization.get("asnOrg")) if part)
