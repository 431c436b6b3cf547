"""Apply the rules for lists of every format: which networks an entry's text describes, or why it is refused.

A reason begins with its class (``reason_class``), so that refusals can be counted per class:

- ``domain``: a domain name; only addresses are matched,
- ``not an address``: anything else that is not an address, network or range,
- ``leading zeros``: octets such as 07, which some programs read as octal,
- ``too broad``: broader than /8 (IPv4) or /19 (IPv6),
- ``special range``: overlaps private, CGNAT, link-local, loopback, multicast or reserved space,
- ``duplicate``: the same network again, with the same validity,
- ``not applicable``: the list itself says that the entry does not count (revoked, excluded, negated, needs more than an address),
- ``unreadable``: the file cannot be read from there on.

Host bits (``203.0.113.7/24``) are accepted: lists often have them, and the enclosing network is meant.
"""

import re

from vedette.intel.entries import Numbers
from vedette.network.address import IPV4, IPV6, MAPPED_PREFIXES, parse_number, special_overlap

DOMAIN = "domain: only addresses are matched"
BROADEST = {IPV4: 8, IPV6: 19}
_BITS = {IPV4: 32, IPV6: 128}
_MAPPED_LENGTH = 96
_LARGEST_OCTET = 255
_BROADEST_SIZE = {version: 1 << (_BITS[version] - length) for version, length in BROADEST.items()}
_LENGTHS = {str(length): length for length in range(129)}
_WHOLLY_PUBLIC = tuple(special_overlap(IPV4, octet << 24, (octet + 1 << 24) - 1) is None for octet in range(256))
_LONGEST_DOMAIN = 254
_DOMAIN = re.compile(r"(?:\*\.)?(?:[\w-]{1,63}\.)+[^\W\d][\w-]{0,62}\.?")
_ZEROS = re.compile(r"0*\d{1,3}(?:\.0*\d{1,3}){3}(?:/\d+)?")
_PORT = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]+\]):\d+")
_SHOWN = 60


def reason_class(reason: str) -> str:
    """Return the class of a refusal's reason: the text before the colon."""
    return reason.partition(":")[0]


def networks_of(text: str) -> tuple[Numbers, ...] | str:
    """Return the networks that an entry's text describes (several for a range), or the reason why it is refused."""
    address, slash, prefix = text.partition("/")
    parsed = parse_number(address)
    if parsed is None:
        return _range(text)
    version, first = parsed
    length = _LENGTHS.get(prefix) if slash else _BITS[version]
    if length is None or length > _BITS[version]:
        return f"not an address: {prefix[:_SHOWN]!r} is not a prefix length of IPv{version}"
    if length >= _MAPPED_LENGTH and version == IPV6:
        version, first = _unwrapped(parsed)
        length -= _MAPPED_LENGTH if version == IPV4 else 0
    size = 1 << (_BITS[version] - length)
    first -= first & (size - 1)
    if version == IPV4 and length >= BROADEST[IPV4] and _WHOLLY_PUBLIC[first >> 24]:
        return ((IPV4, first, length),)  # the most common case: saves two calls per entry
    refusal = _refusal(version, first, first + size - 1)
    return refusal or ((version, first, length),)


def _unwrapped(address: tuple[int, int]) -> tuple[int, int]:
    """Return an address as version and number, IPv4 inside IPv6 as IPv4."""
    version, number = address
    return (IPV4, number & 0xFFFF_FFFF) if version == IPV6 and number >> 32 in MAPPED_PREFIXES else address


def _refusal(version: int, first: int, last: int) -> str:
    """Return why a span of addresses cannot be listed, "" if it can."""
    if last - first >= _BROADEST_SIZE[version]:
        return f"too broad: nothing broader than /{BROADEST[version]} is matched for IPv{version}"
    if overlap := special_overlap(version, first, last):
        return f"special range: overlaps {overlap[0]} ({overlap[1]})"
    return ""


def _range(text: str) -> tuple[Numbers, ...] | str:
    """Return the networks of a range ``first-last``, or the reason why the text is refused."""
    left, dash, right = text.partition("-")
    first, last = parse_number(left.strip()), parse_number(right.strip()) if dash else None
    if first is None or last is None:
        return _reason_not_address(text)
    first, last = _unwrapped(first), _unwrapped(last)
    if first[0] != last[0] or first[1] > last[1]:
        return "not an address: a range goes from a lower to a higher address of one family"
    version = first[0]
    return _refusal(version, first[1], last[1]) or tuple(summarised(version, first[1], last[1]))


def summarised(version: int, first: int, last: int) -> list[Numbers]:
    """Return the smallest list of networks that cover exactly the addresses ``first`` to ``last``."""
    networks: list[Numbers] = []
    while first <= last:
        free = (first & -first).bit_length() - 1 if first else _BITS[version]
        step = min(free, (last - first + 1).bit_length() - 1)
        networks.append((version, first, _BITS[version] - step))
        first += 1 << step
    return networks


def _reason_not_address(text: str) -> str:
    shown = text[:_SHOWN]
    if _ZEROS.fullmatch(shown):
        numbers = [int(octet) for octet in shown.partition("/")[0].split(".")]
        if max(numbers) <= _LARGEST_OCTET:
            return f"leading zeros: {shown} may mean another address"
    if _PORT.fullmatch(shown):
        return f"not an address: {shown} has a port"
    if "%" in shown and ":" in shown:
        return f"not an address: {shown} has a zone"
    if len(text) <= _LONGEST_DOMAIN and _DOMAIN.fullmatch(text):
        return DOMAIN
    return "not an address: expected an IPv4 or IPv6 address, network or range"


def is_listable(text: str) -> bool:
    """Tell whether a text is an address, network or range, even one that is refused in a list."""
    networks = networks_of(text)
    return not isinstance(networks, str) or reason_class(networks) in {"special range", "too broad", "leading zeros"}
