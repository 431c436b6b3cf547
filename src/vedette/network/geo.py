"""Look up the country, city, network and provider of an address in MaxMind-format databases that the user provides.

Databases are recognised by the type they declare (City, Country, ASN, ISP …), others by records that hold ``country_code``
or the like. Of several databases, the first that knows a field wins. A field that none knows is "" (contract 7.2), a coordinate
None. A database that is damaged in one place knows nothing there, and ``damaged`` counts how often that was met.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from math import isfinite
from pathlib import Path

from vedette.errors import GeoError
from vedette.network.address import Address, AddressClass, address_class, parse
from vedette.network.maxmind import DamagedError, Database, Wanted, scalars

_MAXMIND_TYPES = ("city", "country", "enterprise", "asn", "isp")
_LARGEST_ASN = (1 << 32) - 1
_NAMES: Wanted = {"names": scalars("en")}
_COUNTRY: Wanted = {**scalars("iso_code"), **_NAMES}
_LATITUDE, _LONGITUDE = 90.0, 180.0
_WANTED: Wanted = {
    "country": _COUNTRY,
    "registered_country": _COUNTRY,
    "city": _NAMES,
    "location": scalars("latitude", "longitude"),
    **scalars("country_code", "country_name", "asn", "as_name", "isp", "organization"),
    **scalars("autonomous_system_number", "autonomous_system_organization"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where an address is and who owns it; ``lat`` and ``lon`` in degrees."""

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

# Words in the names of providers that rent servers, VPNs and proxies to anybody.
_HOSTING = re.compile(
    r"host|server|cloud|vps|vpn|proxy|data ?cent|colo|ocean|ovh|hetzner|linode|vultr|leaseweb|contabo|m247|choopa|amazon|google"
    r"|azure|oracle|alibaba|tencent|datacamp|scaleway|online s\.?a\.?s|rackspace|dedicated",
    re.IGNORECASE,
)


def is_hosting(owner: str) -> bool:
    """Tell whether the owner of a network is, by its name, a hosting, VPN or proxy provider; an unknown owner ("") is not."""
    return _HOSTING.search(owner) is not None


def network_of(address: str, asn: str, *, public: bool) -> str:
    """Return the network of an address: its autonomous system if known, else the /16 (IPv4) or /32 (IPv6) block that holds it.

    All private addresses are one network: they come through endpoints in the user's own VPCs.
    """
    if not public:
        return PRIVATE
    if asn:
        return f"AS{asn}"
    if ":" in address:
        return str(ip_network(f"{address}/32", strict=False))
    return ".".join(address.split(".")[:2]) + ".0.0/16"


class Geo:
    """A set of open databases, with the number of lookups that met damage. Picklable: a worker process opens them again."""

    __slots__ = ("_databases", "damaged", "paths")

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.paths = paths
        self.damaged = dict.fromkeys(paths, 0)
        self._databases = [(path, _opened(path)) for path in paths]

    @classmethod
    def open(cls, paths: Iterable[Path | str]) -> "Geo":
        """Open databases; without any, every lookup returns ``NOWHERE``.

        Raises:
            GeoError: a file cannot be read, is not a database, or holds nothing about locations and networks.
        """
        return cls(tuple(str(path) for path in paths))

    def __reduce__(self) -> tuple[type["Geo"], tuple[tuple[str, ...]]]:
        """Pickle only the paths."""
        return Geo, (self.paths,)

    def lookup(self, text: str) -> Location:
        """Return what the databases know about an address; ``NOWHERE`` if the text is not a public address."""
        address = parse(text)
        if address is None or not self._databases or address_class(address) is not AddressClass.PUBLIC:
            return NOWHERE
        records = (self._record(path, database, address) for path, database in self._databases)
        return _merged([_location(record) for record in records if record])

    def _record(self, path: str, database: Database, address: Address) -> dict[str, object] | None:
        try:
            return database.get(address, _WANTED)
        except DamagedError:
            self.damaged[path] += 1
            return None

    def close(self) -> None:
        """Forget the databases."""
        self._databases.clear()


def _opened(path: str) -> Database:
    database = Database(path)
    samples = list(database.samples(_WANTED))
    if samples and not any(record is not None for record in samples):
        raise GeoError(f"{path}: a damaged geolocation database (none of its first {len(samples)} records can be read)")
    # MaxMind's own types are known to be useful; others are judged by a sample of their records.
    useful = any(word in database.kind.lower() for word in _MAXMIND_TYPES)
    if not useful and not any(record and _location(record) != NOWHERE for record in samples):
        raise GeoError(f"{path}: a database of type {database.kind!r} holds nothing about countries, cities or networks")
    return database


def _location(record: Mapping[str, object]) -> Location:
    """Return the location in a record of any known database type."""
    country = _block(record, "country") or _block(record, "registered_country")
    coordinates = _block(record, "location")
    return Location(
        country_code=_text(country, "iso_code") or _text(record, "country_code"),
        country_name=_name(country) or _text(record, "country_name"),
        city_name=_name(_block(record, "city")) or _text(record, "city"),
        lat=_degrees(coordinates, "latitude", _LATITUDE),
        lon=_degrees(coordinates, "longitude", _LONGITUDE),
        asn=_number(record, "autonomous_system_number") or _number(record, "asn"),
        asn_org=_text(record, "autonomous_system_organization") or _text(record, "as_name"),
        isp=_text(record, "isp"),
        org=_text(record, "organization"),
    )


def _merged(locations: list[Location]) -> Location:
    def first(values: Iterable[str]) -> str:
        return next((value for value in values if value), "")

    located = next((item for item in locations if item.lat is not None and item.lon is not None), NOWHERE)
    return Location(
        country_code=first(item.country_code for item in locations),
        country_name=first(item.country_name for item in locations),
        city_name=first(item.city_name for item in locations),
        lat=located.lat,
        lon=located.lon,
        asn=first(item.asn for item in locations),
        asn_org=first(item.asn_org for item in locations),
        isp=first(item.isp for item in locations),
        org=first(item.org for item in locations),
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
    """Return the number of an autonomous system, "" if there is none that exists."""
    value = record.get(key)
    if isinstance(value, str):
        digits = value.removeprefix("AS")
        return digits if digits.isdecimal() and digits.isascii() and len(digits) <= len(str(_LARGEST_ASN)) else ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_ASN else ""


def _degrees(block: Mapping[str, object], key: str, largest: float) -> float | None:
    value = block.get(key)
    known = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and abs(value) <= largest
    return float(value) if known and isinstance(value, int | float) else None
