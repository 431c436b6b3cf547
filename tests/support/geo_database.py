"""Writes small databases in MaxMind's format, for tests of places: a search tree of 24-bit records, and data of few types."""

import struct
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, ip_network

_MARKER = b"\xab\xcd\xefMaxMind.com"
_SEPARATOR = bytes(16)
MAP, ARRAY = 7, 11
_STRING, _DOUBLE, _UINT16, _UINT32, _UINT64, _BOOLEAN = 2, 3, 5, 6, 9, 14
_WIDTHS = {  # as the format wants them; all other numbers may have any
    "build_epoch": _UINT64,
    "record_size": _UINT16,
    "ip_version": _UINT16,
    "binary_format_major_version": _UINT16,
    "binary_format_minor_version": _UINT16,
}


def database(kind: str, places: Mapping[str, object], *, version: int = 6) -> bytes:
    """Return a database of type ``kind`` that holds a record a network; networks must not nest."""
    nodes: list[list[int | None]] = [[None, None]]  # a number below the separator's is a node, from there on data
    data = bytearray()
    leaves: list[tuple[int, int, int]] = []  # node, side, offset in the data
    for text, record in places.items():
        offset = len(data)
        data += encoded(record)
        bits = _bits(text, version)
        node = 0
        for bit in bits[:-1]:
            following = nodes[node][bit]
            if following is None:
                nodes.append([None, None])
                following = nodes[node][bit] = len(nodes) - 1
            node = following
        leaves.append((node, bits[-1], offset))
    for node, side, offset in leaves:
        nodes[node][side] = len(nodes) + len(_SEPARATOR) + offset
    return assembled([(left, right) for left, right in nodes], bytes(data), kind, version=version)


def assembled(
    nodes: Sequence[tuple[int | None, int | None]], data: bytes, kind: str, *, version: int = 6, **others: object
) -> bytes:
    """Return a database of any tree and any data; ``others`` are what it says of itself instead of the truth."""
    tree = b"".join((len(nodes) if number is None else number).to_bytes(3, "big") for pair in nodes for number in pair)
    about = {
        "node_count": len(nodes),
        "record_size": 24,
        "ip_version": version,
        "database_type": kind,
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1_714_979_289,
        "description": {"en": "made for a test"},
        **others,
    }
    return tree + _SEPARATOR + data + _MARKER + encoded(about, _WIDTHS)


def _bits(text: str, version: int) -> list[int]:
    network = ip_network(text)
    number, length, width = int(network.network_address), network.prefixlen, 128 if version == 6 else 32
    if isinstance(network, IPv4Network) and version == 6:
        length += 96
    return [number >> (width - 1 - place) & 1 for place in range(length)]


def encoded(value: object, widths: Mapping[str, int] | None = None, key: str = "") -> bytes:
    """Return a value as the format writes it."""
    match value:
        case bool():
            return control(_BOOLEAN, int(value))
        case str():
            text = value.encode()
            return control(_STRING, len(text)) + text
        case float():
            return control(_DOUBLE, 8) + struct.pack(">d", value)
        case int():
            kind = (widths or {}).get(key, _UINT32)
            number = value.to_bytes((value.bit_length() + 7) // 8, "big")
            return control(kind, len(number)) + number
        case dict():
            pairs = (encoded(name) + encoded(inner, widths, name) for name, inner in value.items())
            return control(MAP, len(value)) + b"".join(pairs)
        case list():
            return control(ARRAY, len(value)) + b"".join(encoded(inner) for inner in value)
    raise TypeError(f"{value!r} cannot be written")


def control(kind: int, size: int) -> bytes:
    """Return what stands before a value: its type and its size."""
    first = kind << 5 if kind < 8 else 0
    extended = bytes([kind - 7]) if kind >= 8 else b""
    if size < 29:
        return bytes([first | size]) + extended
    if size < 29 + 256:
        return bytes([first | 29]) + extended + bytes([size - 29])
    if size < 65_821:
        return bytes([first | 30]) + extended + (size - 285).to_bytes(2, "big")
    return bytes([first | 31]) + extended + (size - 65_821).to_bytes(3, "big")
