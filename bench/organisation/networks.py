"""Define the networks that an organisation and its attackers call from, within the documentation ranges.

Each is a small block of addresses with an operator, a country and a class of its own, since the documentation ranges are too
small for realistic sizes. ``networks.csv`` lists them as the source of a geolocation database.
"""

from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

NetworkKind = Literal["hosting", "vpn", "residential", "office"]

_FIRST_ASN = 64_512  # the range for private use
_ORDINARY = tuple(
    str(block) for whole in ("192.0.2.0/24", "198.51.100.0/24") for block in ip_network(whole).subnets(new_prefix=28)
)
_STRANGE = tuple(str(block) for block in ip_network("203.0.113.0/24").subnets(new_prefix=30))
_FIRST_STRANGE_V6 = 0x1000
_STRANGE_COUNTRIES = ("RO", "MD", "SG", "BR", "SC", "PA", "VN", "KZ")

_KNOWN: tuple[tuple[str, str, NetworkKind], ...] = (
    ("Example Office Berlin", "DE", "office"),
    ("Example Office Austin", "US", "office"),
    ("Example Office Dublin", "IE", "office"),
    ("Example Company VPN", "DE", "office"),
    ("Example Company VPN West", "US", "office"),
    ("Rhine Broadband", "DE", "residential"),
    ("Spree Cable", "DE", "residential"),
    ("Isar Mobile", "DE", "residential"),
    ("Lone Star Fiber", "US", "residential"),
    ("Prairie Cable", "US", "residential"),
    ("Gulf Wireless", "US", "residential"),
    ("Liffey Telecom", "IE", "residential"),
    ("Shannon Broadband", "IE", "residential"),
    ("Hotel Guest Net Paris", "FR", "residential"),
    ("Hotel Guest Net Madrid", "ES", "residential"),
    ("Hotel Guest Net Milan", "IT", "residential"),
    ("Hotel Guest Net Porto", "PT", "residential"),
    ("Conference Wireless London", "GB", "residential"),
    ("Airport Wireless Tokyo", "JP", "residential"),
    ("Example Cloud Egress A", "DE", "hosting"),
    ("Example Cloud Egress B", "US", "hosting"),
    ("Build Runners One", "US", "hosting"),
    ("Build Runners Two", "US", "hosting"),
    ("Build Runners Three", "NL", "hosting"),
    ("Partner Datacenter North", "NL", "hosting"),
    ("Partner Office South", "DE", "office"),
    ("Posture Scanner Cloud", "US", "hosting"),
)


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network: its operator, autonomous system number, country, class, and address blocks."""

    organisation: str
    asn: int
    country: str
    kind: NetworkKind
    blocks: tuple[str, ...]

    @cached_property
    def addresses(self) -> tuple[str, ...]:
        """Some addresses of the network, alternating between its blocks."""
        both = [[str(block[number]) for number in range(1, 15) if number < block.num_addresses - 1] for block in self._networks]
        longest = max(map(len, both))
        return tuple(family[number % len(family)] for number in range(longest) for family in both)

    def address(self, number: int) -> str:
        """Return one of the addresses, always the same one for a number."""
        return self.addresses[number % len(self.addresses)]

    def lines(self) -> list[str]:
        """Return the lines of the network in ``networks.csv``."""
        return [f"{block},{self.asn},{self.organisation},{self.country},{self.kind}\n" for block in self.blocks]

    @cached_property
    def _networks(self) -> list[IPv4Network | IPv6Network]:
        return [ip_network(block) for block in self.blocks]


CSV_HEADER = "network,asn,organisation,country,kind\n"

KNOWN: dict[str, Network] = {
    name: Network(
        organisation=name,
        asn=_FIRST_ASN + number,
        country=country,
        kind=kind,
        blocks=(_ORDINARY[number], f"2001:db8:{number + 1:x}::/48"),
    )
    for number, (name, country, kind) in enumerate(_KNOWN)
}


def of(word: str, kind: NetworkKind, country: str = "") -> list[Network]:
    """Return the known networks of a class whose name begins with a word, of one country or (if "") of all."""
    return [
        network
        for name, network in KNOWN.items()
        if name.startswith(word) and network.kind == kind and country in {"", network.country}
    ]


def strange(number: int, kind: NetworkKind) -> Network:
    """Return a network that nobody in the organisation calls from, a different one for each number."""
    v6 = f"2001:db8:{_FIRST_STRANGE_V6 + number:x}::/48"
    country = _STRANGE_COUNTRIES[number % len(_STRANGE_COUNTRIES)]
    return Network(
        organisation=f"{'Faraway Broadband' if kind == 'residential' else 'Cheap Servers'} {number + 1}",
        asn=_FIRST_ASN + len(_KNOWN) + number,
        country=country,
        kind=kind,
        blocks=(_STRANGE[number],) if number < len(_STRANGE) else (v6,),
    )
