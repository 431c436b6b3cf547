"""What a finding says of the caller, the instance and the other side: names with their values, for people to read. Pure."""

import json
from collections.abc import Mapping
from typing import cast

from vedette.findings.model import Finding
from vedette.guardduty.document import OURS


def at(value: Mapping[str, object], *path: str) -> Mapping[str, object]:
    """Return the mapping at a path of names, an empty one where there is none."""
    for step in path:
        inner = value.get(step)
        value = inner if isinstance(inner, Mapping) else {}
    return value


def flow_said(text: str) -> str:
    """Return the other side, port and outcome of a kept flow record, "" for a call."""
    said = json.loads(text)
    return f"{said['remote']} {said['port']} {said['outcome']}" if "outcome" in said else ""


def instance_facts(finding: Finding, facts: Mapping[str, object]) -> dict[str, object]:
    """Return what the document ``facts`` says of the instance; None for what is not known."""
    details = at(facts, "resource", "instanceDetails")
    interfaces = cast("list[Mapping[str, object]]", details.get("networkInterfaces") or [{}])
    tags = cast("list[Mapping[str, object]]", details.get("tags") or [])
    groups = cast("list[Mapping[str, object]]", interfaces[0].get("securityGroups") or [])
    return {
        "instance": details.get("instanceId"),
        "name": next((tag.get("value") for tag in tags if tag.get("key") == "Name"), None),
        "type": details.get("instanceType"),
        "profile": at(details, "iamInstanceProfile").get("arn"),
        "interface": interfaces[0].get("networkInterfaceId"),
        "private IP": interfaces[0].get("privateIpAddress"),
        "public IP": interfaces[0].get("publicIp"),
        "groups": ", ".join(str(group.get("groupId")) for group in groups),
        "subnet": interfaces[0].get("subnetId"),
        "VPC": interfaces[0].get("vpcId"),
        "account": finding.seen.account_id,
    }


def caller_facts(finding: Finding, facts: Mapping[str, object]) -> dict[str, object]:
    """Return what the document ``facts`` says of the latest caller; None for what is not known."""
    details = at(facts, "resource", "accessKeyDetails")
    return {
        "name": details.get("userName"),
        "type": details.get("userType"),
        "access key": details.get("accessKeyId"),
        "principal": details.get("principalId"),
        "instance": at(facts, "resource", "instanceDetails").get("instanceId"),
        "grouped by": finding.seen.resource_key,
        "account": finding.seen.account_id,
    }


def remote_facts(finding: Finding, facts: Mapping[str, object]) -> dict[str, object]:
    """Return what the document ``facts`` says of the other side; empty text for what is not known."""
    ours = at(facts, "service", "additionalInfo", OURS)
    call = finding.resource_type == "AccessKey"
    place = at(facts, "service", "action", "awsApiCallAction" if call else "networkConnectionAction", "remoteIpDetails")
    organization = at(place, "organization")
    location = [at(place, "city").get("cityName"), at(place, "country").get("countryName")]
    network = [f"AS{organization['asn']}" if organization.get("asn") else "", organization.get("asnOrg")]
    lists = cast("list[Mapping[str, object]]", ours.get("lists", []))
    named = [f"{item['name']} ({item['kind']}, line {item['line']}: {item['network']})" for item in lists[:5]]
    return {
        "address": finding.seen.target,
        "place": ", ".join(str(part) for part in location if part) or ("unknown (no geolocation database)" if call else ""),
        "network": " ".join(str(part) for part in network if part),
        "lists": "; ".join(named),
        "regions": ", ".join(at(ours, "regions")),
    }
