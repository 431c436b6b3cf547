"""Writes list files of each format in few words, loads them, and says briefly what they hold."""

import json
from collections.abc import Mapping

from vedette.intel import Kind, ThreatList
from vedette.intel.lists import load_list

FIRE_EYE_COLUMNS = (  # contract 3.3
    "reportId, title, threatScape, audience, intelligenceType, publishDate, reportLink, webLink, emailIdentifier, "
    "senderAddress, senderName, sourceDomain, sourceIp, subject, recipient, emailLanguage, fileName, fileSize, "
    "fuzzyHash, fileIdentifier, md5, sha1, sha256, description, fileType, packer, userAgent, registry, "
    "fileCompilationDateTime, filePath, asn, cidr, domain, domainTimeOfLookup, networkIdentifier, ip, port, protocol, "
    "registrantEmail, registrantName, networkType, url, malwareFamily, malwareFamilyId, actor, actorId, "
    "observationTime"
)


def fire_eye(**fields: str) -> str:
    names = FIRE_EYE_COLUMNS.split(", ")
    assert len(names) == 47
    return ", ".join(fields.get(name, "") for name in names)


def stix(observables: str) -> str:
    return f"""<?xml version="1.0"?>
<stix:STIX_Package xmlns:stix="http://stix.mitre.org/stix-1" xmlns:cybox="http://cybox.mitre.org/cybox-2"
    xmlns:indicator="http://stix.mitre.org/Indicator-2" xmlns:A="http://cybox.mitre.org/objects#AddressObject-2"
    xmlns:D="http://cybox.mitre.org/objects#DomainNameObject-1"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="1.2" timestamp="2024-02-27T09:00:00Z">
{observables}
</stix:STIX_Package>
"""


def address_object(value: str, *, category: str = "ipv4-addr", attributes: str = "") -> str:
    return (
        f'<cybox:Observable><cybox:Object><cybox:Properties xsi:type="A:AddressObjectType" category="{category}">\n'
        f"<A:Address_Value{attributes}>{value}</A:Address_Value></cybox:Properties></cybox:Object></cybox:Observable>"
    )


def bundle(*objects: Mapping[str, object], version: str | None = None) -> str:
    whole: dict[str, object] = {"type": "bundle", "id": "bundle--1", "objects": objects}
    return json.dumps(whole | ({"spec_version": version} if version else {}), indent=1)


def indicator(pattern: str, **more: object) -> dict[str, object]:
    return {"type": "indicator", "id": "indicator--1", "spec_version": "2.1", "pattern_type": "stix", "pattern": pattern, **more}


def load(text: str | bytes, wanted: str | None = None, kind: Kind = Kind.MALICIOUS) -> ThreatList:
    return load_list(text.encode() if isinstance(text, str) else text, name="list", kind=kind, format=wanted)


def networks(loaded: ThreatList) -> list[str]:
    return [str(entry.network) for entry in loaded.entries]


def told(loaded: ThreatList) -> list[tuple[int, str, str]]:
    return [(entry.line, str(entry.network), entry.category) for entry in loaded.entries]


def refused(loaded: ThreatList) -> list[tuple[int, str]]:
    return [(refusal.line, refusal.reason.partition(":")[0]) for refusal in loaded.refusals]
