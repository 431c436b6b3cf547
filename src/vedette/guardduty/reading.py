"""Reads GuardDuty's structures: nested members, the other side of an action, the interface and the name of a resource. Pure."""

from collections.abc import Mapping

from vedette.findings.model import Finding
from vedette.guardduty.document import OURS


def member(document: Mapping[str, object], *path: str) -> Mapping[str, object]:
    """Return the structure at a path of names, an empty one where there is none."""
    for name in path:
        inner = document.get(name)
        document = inner if isinstance(inner, Mapping) else {}
    return document


def structures(document: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    """Return the structures in the list of that name."""
    value = document.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def ours(document: Mapping[str, object]) -> Mapping[str, object]:
    """Return what a document holds of ours, for which GuardDuty has no place."""
    return member(document, "service", "additionalInfo", OURS)


def remote_ip(document: Mapping[str, object]) -> Mapping[str, object]:
    """Return the ``remoteIpDetails`` of a document's action, an empty structure where the action has none."""
    action = member(document, "service", "action")
    found = (member(action, name, "remoteIpDetails") for name in action)
    return next((details for details in found if details), {})


def remote_ips(document: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Return the ``remoteIpDetails`` of a document's action, and of each of its port probes, in their order."""
    probes = structures(member(document, "service", "action", "portProbeAction"), "portProbeDetails")
    found = [remote_ip(document), *(member(probe, "remoteIpDetails") for probe in probes)]
    return [details for details in found if details]


def interface_id(details: Mapping[str, object]) -> str:
    """Return the id of the first network interface in ``instanceDetails``, "" where there is none."""
    interfaces = structures(details, "networkInterfaces")
    return str(interfaces[0].get("networkInterfaceId") or "") if interfaces else ""


def resource_name(finding: Finding) -> str:
    """Return the user or role with its session's name, the instance, or else what the finding is grouped by."""
    details = member(finding.seen.resource, "accessKeyDetails")
    name, principal = str(details.get("userName") or ""), str(details.get("principalId") or "")
    session = principal.partition(":")[2] if details.get("userType") == "AssumedRole" else ""
    instance = str(member(finding.seen.resource, "instanceDetails").get("instanceId") or "")
    return "/".join(part for part in (name, session) if part) or instance or principal or finding.seen.resource_key
