"""Country, city, network and provider of an address, from MaxMind-format databases that the user gives.

Databases are told apart by their own type (City, Country, ASN, ISP …); others count when their records hold ``country_code``
or the like. Several may be given: the first that knows a field wins. What no database knows is "" (contract 7.2); coordinates are
then None.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from itertools import islice
from pathlib import Path

import maxminddb

from vedette.errors import GeoError
from vedette.network.address import AddressClass, address_class, parse

_MAXMIND_TYPES = ("city", "country", "enterprise", "asn", "isp")
_LOOKED_AT = 50
_UNREADABLE = (maxminddb.InvalidDatabaseError, OSError, ValueError, EOFError, UnicodeDecodeError, KeyError, TypeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where an address is and whose it is; ``lat`` and ``lon`` in degrees."""

    country_code: str = ""
    country_name: str = ""
    city_name: str = ""
    lat: float | None = None
    lon: float | None = None
    asn: str = ""
    asn_org: str = ""
    isp: str = ""
    org: str = ""


NOWHERE = Location()
PRIVATE = "private"

# Words in the names of those who let hosts, tunnels and proxies to anybody.
_HOSTING = re.compile(
    r"host|server|cloud|vps|vpn|proxy|data ?cent|colo|ocean|ovh|hetzner|linode|vultr|leaseweb|contabo|m247|choopa|amazon|google"
    r"|azure|oracle|alibaba|tencent|datacamp|scaleway|online s\.?a\.?s|rackspace|dedicated",
    re.IGNORECASE,
)


def is_hosting(owner: str) -> bool:
    """Say whether the name of a network's owner is that of a hosting, VPN or proxy provider; "" is not known, so not."""
    return _HOSTING.search(owner) is not None


def network_of(address: str, asn: str, *, public: bool) -> str:
    """Return the network of an address: its autonomous system, else the block of 2^16 (IPv4) or of a /32 (IPv6) around it.

    Private addresses are one network: they come through endpoints in the user's own VPCs.
    """
    if not public:
        return PRIVATE
    if asn:
        return f"AS{asn}"
    if ":" in address:
        return str(ip_network(f"{address}/32", strict=False))
    return ".".join(address.split(".")[:2]) + ".0.0/16"


class Geo:
    """Open databases. Picklable: a worker process opens them again."""

    __slots__ = ("_readers", "paths")

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.paths = paths
        self._readers = [_opened(path) for path in paths]

    @classmethod
    def open(cls, paths: Iterable[Path | str]) -> "Geo":
        """Open databases; without any, every place is ``NOWHERE``.

        Raises:
            GeoError: a file cannot be read, is no database, or says nothing about places and networks.
        """
        return cls(tuple(str(path) for path in paths))

    def __reduce__(self) -> tuple[type["Geo"], tuple[tuple[str, ...]]]:
        """Send only the paths."""
        return Geo, (self.paths,)

    def lookup(self, text: str) -> Location:
        """Return what the databases know of an address; ``NOWHERE`` for what is no public address."""
        address = parse(text)
        if address is None or not self._readers or address_class(address) is not AddressClass.PUBLIC:
            return NOWHERE
        places = [_place(record) for reader in self._readers if (record := _record(reader, address.text))]
        return _merged(places)

    def close(self) -> None:
        """Close the files."""
        for reader in self._readers:
            reader.close()


def _opened(path: str) -> maxminddb.Reader:
    try:
        reader = maxminddb.open_database(path)
    except _UNREADABLE as error:
        raise GeoError(f"{path}: is no readable geolocation database ({error})") from error
    kind = str(reader.metadata().database_type)
    try:
        # Types of MaxMind's own need no look inside; others are known by what their records hold.
        useful = any(word in kind.lower() for word in _MAXMIND_TYPES) or any(
            isinstance(record, dict) and _place(record) != NOWHERE for _, record in islice(reader, _LOOKED_AT)
        )
    except _UNREADABLE as error:
        reader.close()
        raise GeoError(f"{path}: is a damaged geolocation database ({error})") from error
    if not useful:
        reader.close()
        raise GeoError(f"{path}: a database of type {kind!r} says nothing about countries, cities or networks")
    return reader


def _record(reader: maxminddb.Reader, text: str) -> dict[str, object] | None:
    """Return a database's record; None where it has none, is damaged there, or lacks the address family."""
    try:
        record = reader.get(text)
    except _UNREADABLE:
        return None
    return record if isinstance(record, dict) else None


def _place(record: Mapping[str, object]) -> Location:
    """Read the record of any known database type."""
    country = _block(record, "country") or _block(record, "registered_country")
    location = _block(record, "location")
    return Location(
        country_code=_text(country, "iso_code") or _text(record, "country_code"),
        country_name=_name(country) or _text(record, "country_name"),
        city_name=_name(_block(record, "city")) or _text(record, "city"),
        lat=_degrees(location, "latitude"),
        lon=_degrees(location, "longitude"),
        asn=_number(record, "autonomous_system_number") or _number(record, "asn"),
        asn_org=_text(record, "autonomous_system_organization") or _text(record, "as_name"),
        isp=_text(record, "isp"),
        org=_text(record, "organization"),
    )


def _merged(places: list[Location]) -> Location:
    def first(values: Iterable[str]) -> str:
        return next((value for value in values if value), "")

    located = next((place for place in places if place.lat is not None and place.lon is not None), NOWHERE)
    return Location(
        country_code=first(place.country_code for place in places),
        country_name=first(place.country_name for place in places),
        city_name=first(place.city_name for place in places),
        lat=located.lat,
        lon=located.lon,
        asn=first(place.asn for place in places),
        asn_org=first(place.asn_org for place in places),
        isp=first(place.isp for place in places),
        org=first(place.org for place in places),
    )


def _block(record: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _text(record: Mapping[str, object], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""


def _name(block: Mapping[str, object]) -> str:
    return _text(_block(block, "names"), "en")


def _number(record: Mapping[str, object], key: str) -> str:
    value = record.get(key)
    if isinstance(value, str):
        value = value.removeprefix("AS")
        return value if value.isdecimal() else ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _degrees(block: Mapping[str, object], key: str) -> float | None:
    value = block.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
