"""Adds to a sighting what is known besides the logs: details of the instance from the inventory, and places of addresses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time

from vedette.findings import Sighting, Tally
from vedette.findings.ordering import canonical
from vedette.findings.tallies import count
from vedette.guardduty.blocks import place_of
from vedette.guardduty.reading import interface_id, member
from vedette.inventory import Inventory
from vedette.network.geo import Geo, Location

TCP = 6
NOON = time(12)
SCANNER = "the scanner"
_LONGEST_PLACE = 120  # characters: anybody may have made a database


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What a pipeline knows about instances and addresses."""

    inventory: Inventory | None = None
    geo: Geo | None = None

    def __call__(self, sighting: Sighting) -> Sighting:
        """Return the sighting with details of its instance, places of its addresses, and whether a load balancer is involved."""
        interface = interface_id(member(sighting.resource, "instanceDetails"))
        return self._located(self._placed(self._configured(self._detailed(sighting, interface), interface)))

    def _detailed(self, sighting: Sighting, interface: str) -> Sighting:
        details = sighting.resource.get("instanceDetails")
        if self.inventory is None or not isinstance(details, Mapping):
            return sighting
        known = self.inventory.interface(interface)
        instance_id = str(details.get("instanceId") or (known.instance_id if known else "") or "")
        facts = dict(sighting.facts)
        if known is not None and not (known.public_addresses or known.ipv6_addresses):
            facts["via_load_balancer"] = 1.0
        full = self.inventory.instance_details(instance_id) if instance_id else None
        resource = sighting.resource if full is None else {**sighting.resource, "instanceDetails": full}
        return replace(sighting, resource=resource, facts=facts, resource_key=instance_id or sighting.resource_key)

    def _configured(self, sighting: Sighting, interface: str) -> Sighting:
        """Add for each probed port whether the configuration lets the scanners in, and which rule decides (methods 3.2).

        Every scanner is judged and none is named, so that the text does not depend on how the input was divided into slices.
        """
        probes = sighting.tallies.get("probes", {})
        if self.inventory is None or not probes:
            return sighting
        found: dict[str, Tally] = {}
        for key, tally in sorted(probes.items()):
            probe = json.loads(key)
            port = int(probe["port"])
            remote = probe["remote"].get("ipAddressV4") or probe["remote"].get("ipAddressV6") or ""
            count(found, canonical({"port": port, **self._reachable(interface, str(remote), port, tally.first)}), tally)
        return replace(sighting, tallies={**sighting.tallies, "configuration": found})

    def _reachable(self, interface: str, remote: str, port: int, at: datetime) -> dict[str, object]:
        assert self.inventory is not None  # noqa: S101  # called only where there is one
        # A sighting is of one day: all of it is judged as of noon.
        if not self.inventory.is_current(datetime.combine(at.date(), NOON, UTC), interface):
            return {"verdict": "unknown", "rule": "", "command": "", "steps": ["No snapshot was taken within 24 hours of it."]}
        judged = self.inventory.reachability(remote=remote, protocol=TCP, port=port, interface_id=interface)
        rule, *steps = (text.replace(remote, SCANNER) for text in (judged.deciding_rule, *judged.steps))
        return {"verdict": judged.verdict, "rule": rule, "command": judged.command, "steps": steps}

    def _placed(self, sighting: Sighting) -> Sighting:
        connection = sighting.action.get("networkConnectionAction")
        remote = connection.get("remoteIpDetails") if isinstance(connection, Mapping) else None
        if self.geo is None or not isinstance(connection, Mapping) or not isinstance(remote, Mapping):
            return sighting
        place = self.geo.lookup(str(remote.get("ipAddressV4") or remote.get("ipAddressV6") or ""))
        placed = {**remote, **place_of(_row(place))}
        return replace(sighting, action={**sighting.action, "networkConnectionAction": {**connection, "remoteIpDetails": placed}})

    def _located(self, sighting: Sighting) -> Sighting:
        """Add the networks and countries of a discovery finding's addresses, as ``AS64500 Example Hosting (NL)``."""
        addresses = sighting.tallies.get("addresses", {})
        if self.geo is None or not addresses:
            return sighting
        found: dict[str, Tally] = {}
        for address, tally in addresses.items():
            if text := _place_text(self.geo.lookup(address)):
                count(found, text, tally)
        return replace(sighting, tallies={**sighting.tallies, "places": found}) if found else sighting


def _place_text(place: Location) -> str:
    """Return the network, its owner and the country of a place, "" where none of them is known."""
    owner = " ".join(part for part in (f"AS{place.asn}" if place.asn else "", place.asn_org or place.org or place.isp) if part)
    country = f"({place.country_code})" if owner and place.country_code else place.country_code
    return " ".join(part for part in (owner, country) if part)[:_LONGEST_PLACE]


def _row(place: Location) -> dict[str, object]:
    names = ("country_name", "city_name", "asn", "asn_org", "isp", "org")
    known: dict[str, object] = {name: getattr(place, name) or None for name in names}
    return known | {"latitude": place.lat, "longitude": place.lon}
