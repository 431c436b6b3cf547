"""Authorised scanners: who may scan, and until when. Their findings are archived, with the reason (methods 2.3, 7 item 3).

An entry is ``WHO``, ``WHO until DAY`` or ``WHO until DAY: REASON``. WHO is an instance id, an interface id, an image id (ami-…),
an address or network, or ``tag:NAME=VALUE``. It holds to the end of the day, in UTC.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from vedette.exceptions.entry import Entry, read_all
from vedette.findings import Finding
from vedette.findings.severity import LOW

_ID = re.compile(r"(?:i|eni|ami)-[0-9a-zA-Z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """One entry, and whom it names by one of ``identifier``, ``network`` and ``tag``."""

    entry: Entry
    identifier: str = ""
    network: IPv4Network | IPv6Network | None = None
    tag: tuple[str, str] | None = None

    def names(self, details: Mapping[str, object]) -> bool:
        """Say whether it names the instance that GuardDuty's ``instanceDetails`` describe."""
        interfaces = [item for item in _list(details.get("networkInterfaces")) if isinstance(item, Mapping)]
        if self.identifier:
            known = {details.get("instanceId"), details.get("imageId"), *(item.get("networkInterfaceId") for item in interfaces)}
            return self.identifier in known
        if self.tag is not None:
            tags = [item for item in _list(details.get("tags")) if isinstance(item, Mapping)]
            return any((item.get("key"), item.get("value")) == self.tag for item in tags)
        return any(self._holds(address) for item in interfaces for address in _addresses(item))

    def _holds(self, address: str) -> bool:
        try:
            return self.network is not None and ip_address(address) in self.network
        except ValueError:
            return False


def parse(entries: Iterable[str]) -> tuple[Permit, ...]:
    """Read the entries of the setting.

    Raises:
        ConfigurationError: some of them cannot be read; all are named.
    """
    return read_all(entries, "authorised_scanners", _permit)


def _permit(entry: Entry) -> Permit:
    who = entry.who
    if who.startswith("tag:"):
        name, equals, value = who.removeprefix("tag:").partition("=")
        if not (name and equals):
            raise ValueError("a tag is written tag:NAME=VALUE")
        return Permit(entry=entry, tag=(name, value))
    if _ID.fullmatch(who):
        return Permit(entry=entry, identifier=who)
    return Permit(entry=entry, network=ip_network(who))


def permit_of(permits: Iterable[Permit], details: Mapping[str, object], at: datetime) -> Permit | None:
    """Return the first permit that names the instance and holds at that time."""
    return next((item for item in permits if item.entry.holds(at) and item.names(details)), None)


def permitted(finding: Finding, permits: Iterable[Permit]) -> Finding:
    """Return a finding of an authorised scan archived, with severity 2 and the reason, any other finding unchanged."""
    details = finding.seen.resource.get("instanceDetails")
    if finding.resource_role != "ACTOR" or not isinstance(details, Mapping):
        return finding
    permit = permit_of(permits, details, finding.seen.first.time)
    if permit is None:
        return finding
    why = f"Authorised scanner ({permit.entry.text}): archived, severity {LOW:g}."
    summary = replace(finding.summary, severity=LOW, reasons=(why, *finding.summary.reasons))
    return replace(finding, archived=True, summary=summary)


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _addresses(interface: Mapping[str, object]) -> Iterable[str]:
    yield str(interface.get("privateIpAddress") or "")
    yield str(interface.get("publicIp") or "")
    yield from (str(address) for address in _list(interface.get("ipv6Addresses")))
    for item in _list(interface.get("privateIpAddresses")):
        if isinstance(item, Mapping):
            yield str(item.get("privateIpAddress") or "")
