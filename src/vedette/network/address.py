"""Parse addresses strictly, write them canonically, and classify them.

Pure. Text that is not an address (a service name, ``AWS Internal``, leading zeros, a zone, a port, a blank) parses to None and is
never looked up (methods 4.2). IPv4 inside IPv6 (``::ffff:a.b.c.d`` and ``64:ff9b::a.b.c.d``) counts as the IPv4 address.
"""

from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from socket import AF_INET, AF_INET6, inet_pton

IPV4, IPV6 = 4, 6
LONGEST_TEXT = 45  # ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255
MAPPED_PREFIXES = (0xFFFF, 0x64FF9B << 64)  # upper 96 bits of ::ffff:0:0/96 and 64:ff9b::/96
GLOBAL_UNICAST = 0b001  # upper three bits of 2000::/3, the only IPv6 space that is allocated


class AddressClass(StrEnum):
    """The class of an address: only PUBLIC ones are matched against lists and located.

    Documentation ranges (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32) are PUBLIC: AWS's own examples use them.
    """

    PUBLIC = "public"
    PRIVATE = "private"
    CGNAT = "cgnat"
    LINK_LOCAL = "link-local"
    LOOPBACK = "loopback"
    MULTICAST = "multicast"
    BENCHMARKING = "benchmarking"
    UNSPECIFIED = "unspecified"
    RESERVED = "reserved"


@dataclass(frozen=True, slots=True)
class Address:
    """An address: its version (4 or 6), its value as an integer, and its canonical text (lower case, compressed)."""

    version: int
    integer: int
    text: str


# IANA special-purpose registries of IPv4 and IPv6, without what is globally reachable and without documentation ranges.
_SPECIAL: tuple[tuple[str, AddressClass], ...] = (
    ("0.0.0.0/8", AddressClass.UNSPECIFIED),
    ("10.0.0.0/8", AddressClass.PRIVATE),
    ("100.64.0.0/10", AddressClass.CGNAT),
    ("127.0.0.0/8", AddressClass.LOOPBACK),
    ("169.254.0.0/16", AddressClass.LINK_LOCAL),
    ("172.16.0.0/12", AddressClass.PRIVATE),
    ("192.0.0.0/24", AddressClass.RESERVED),
    ("192.88.99.0/24", AddressClass.RESERVED),
    ("192.168.0.0/16", AddressClass.PRIVATE),
    ("198.18.0.0/15", AddressClass.BENCHMARKING),
    ("224.0.0.0/4", AddressClass.MULTICAST),
    ("240.0.0.0/4", AddressClass.RESERVED),
    ("::/128", AddressClass.UNSPECIFIED),
    ("::1/128", AddressClass.LOOPBACK),
    ("64:ff9b:1::/48", AddressClass.PRIVATE),
    ("100::/64", AddressClass.RESERVED),
    ("2001::/32", AddressClass.RESERVED),
    ("2001:2::/48", AddressClass.BENCHMARKING),
    ("2001:10::/28", AddressClass.RESERVED),
    ("2001:20::/28", AddressClass.RESERVED),
    ("fc00::/7", AddressClass.PRIVATE),
    ("fe80::/10", AddressClass.LINK_LOCAL),
    ("fec0::/10", AddressClass.PRIVATE),
    ("ff00::/8", AddressClass.MULTICAST),
)
SPECIAL_NETWORKS: tuple[tuple[IPv4Network | IPv6Network, AddressClass], ...] = tuple(
    (ip_network(text), special) for text, special in _SPECIAL
)
_NETWORKS = {version: [item for item in SPECIAL_NETWORKS if item[0].version == version] for version in (IPV4, IPV6)}
_FIRST = {version: [int(network.network_address) for network, _ in items] for version, items in _NETWORKS.items()}
_LAST = {version: [int(network.broadcast_address) for network, _ in items] for version, items in _NETWORKS.items()}


def parse_number(text: str) -> tuple[int, int] | None:
    """Parse an address strictly to ``(version, number)``, without unwrapping; return None if the text is not an address."""
    if len(text) > LONGEST_TEXT or "%" in text:
        return None
    try:
        if ":" in text:
            return IPV6, int.from_bytes(inet_pton(AF_INET6, text), "big")
        return IPV4, int.from_bytes(inet_pton(AF_INET, text), "big")
    except (OSError, ValueError):  # ValueError: NUL or a character that is not ASCII
        return None


def parse(text: str) -> Address | None:
    """Parse an address strictly and unwrap IPv4 inside IPv6; return None if the text is not an address."""
    parsed = parse_number(text)
    if parsed is None:
        return None
    version, number = parsed
    if version == IPV6 and number >> 32 in MAPPED_PREFIXES:
        version, number = IPV4, number & 0xFFFF_FFFF
    return Address(version, number, address_text(version, number))


def address_text(version: int, number: int) -> str:
    """Return the canonical text of an address."""
    return str(IPv4Address(number) if version == IPV4 else IPv6Address(number))


def address_class(address: Address) -> AddressClass:
    """Return the class of an address."""
    found = special_overlap(address.version, address.integer, address.integer)
    return AddressClass.PUBLIC if found is None else found[1]


def special_overlap(version: int, first: int, last: int) -> tuple[str, AddressClass] | None:
    """Return the text and class of a special range that ``first`` … ``last`` overlaps, or None if all of it is public."""
    position = bisect_right(_FIRST[version], last) - 1
    if position >= 0 and _LAST[version][position] >= first:
        network, special = _NETWORKS[version][position]
        return str(network), special
    if version == IPV6 and (first >> 125 != GLOBAL_UNICAST or last >> 125 != GLOBAL_UNICAST):
        return "space outside 2000::/3", AddressClass.RESERVED
    return None
