"""Addresses are parsed strictly, told in one way, and classed; what only resembles one is none."""

from ipaddress import ip_address, ip_network
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.network.address import (
    IPV4,
    IPV6,
    SPECIAL_NETWORKS,
    Address,
    AddressClass,
    address_class,
    parse,
    parse_number,
    special_overlap,
)


@pytest.mark.parametrize(
    ("text", "canonical", "version"),
    [
        ("198.51.100.7", "198.51.100.7", IPV4),
        ("0.0.0.0", "0.0.0.0", IPV4),
        ("255.255.255.255", "255.255.255.255", IPV4),
        ("2001:DB8:0:0::1", "2001:db8::1", IPV6),
        ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1", IPV6),
        ("::", "::", IPV6),
        ("::ffff:198.51.100.7", "198.51.100.7", IPV4),
        ("::FFFF:c633:6407", "198.51.100.7", IPV4),
        ("64:ff9b::198.51.100.7", "198.51.100.7", IPV4),
        ("64:ff9b::c633:6407", "198.51.100.7", IPV4),
        ("64:ff9b:1::198.51.100.7", "64:ff9b:1::c633:6407", IPV6),  # local use: not the well-known prefix
        ("::198.51.100.7", "::c633:6407", IPV6),  # compatible, not mapped
        ("::fffe:198.51.100.7", "::fffe:c633:6407", IPV6),
    ],
)
def test_addresses_are_parsed(text: str, canonical: str, version: int) -> None:
    assert parse(text) == Address(version, int(ip_address(canonical)), canonical)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "ec2.amazonaws.com", "AWS Internal", "AWS Internal/3", "HIDDEN_DUE_TO_SECURITY_REASONS", "-"),
        *("253.252.51.07", "010.0.0.1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.-4", "0x7f.0.0.1", "2130706433", "1.2.3.4 "),
        *(" 1.2.3.4", "1.2.3.4\n", "1.2.3.4\0", "198.51.100.7:443", "[2001:db8::1]", "[2001:db8::1]:443", "198.51.100.0/24"),
        *("fe80::1%eth0", "2001:db8::1%", ":::", "2001:db8::g", "2001:db8:1", "1::2::3", "12345::", "::ffff:198.51.100.07"),
        *("١٩٨.51.100.7", "1.2.3.4\u200b", "1" * 100_000, ":" * 100_000, "\ud800"),
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse(text) is None
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("8.8.8.8", AddressClass.PUBLIC),
        ("192.0.2.1", AddressClass.PUBLIC),  # documentation: AWS's own examples
        ("198.51.100.1", AddressClass.PUBLIC),
        ("203.0.113.1", AddressClass.PUBLIC),
        ("2001:db8::1", AddressClass.PUBLIC),
        ("2a00::1", AddressClass.PUBLIC),
        ("0.1.2.3", AddressClass.UNSPECIFIED),
        ("9.255.255.255", AddressClass.PUBLIC),
        ("10.0.0.0", AddressClass.PRIVATE),
        ("10.255.255.255", AddressClass.PRIVATE),
        ("11.0.0.0", AddressClass.PUBLIC),
        ("100.63.255.255", AddressClass.PUBLIC),
        ("100.64.0.0", AddressClass.CGNAT),
        ("100.127.255.255", AddressClass.CGNAT),
        ("100.128.0.0", AddressClass.PUBLIC),
        ("127.0.0.1", AddressClass.LOOPBACK),
        ("169.254.169.254", AddressClass.LINK_LOCAL),
        ("172.15.255.255", AddressClass.PUBLIC),
        ("172.31.255.255", AddressClass.PRIVATE),
        ("172.32.0.0", AddressClass.PUBLIC),
        ("192.168.0.1", AddressClass.PRIVATE),
        ("198.18.0.1", AddressClass.BENCHMARKING),
        ("198.20.0.0", AddressClass.PUBLIC),
        ("223.255.255.255", AddressClass.PUBLIC),
        ("224.0.0.1", AddressClass.MULTICAST),
        ("240.0.0.1", AddressClass.RESERVED),
        ("255.255.255.255", AddressClass.RESERVED),
        ("::", AddressClass.UNSPECIFIED),
        ("::1", AddressClass.LOOPBACK),
        ("::2", AddressClass.RESERVED),
        ("fd00::1", AddressClass.PRIVATE),
        ("fe80::1", AddressClass.LINK_LOCAL),
        ("ff02::1", AddressClass.MULTICAST),
        ("4000::1", AddressClass.RESERVED),
        ("2001::1", AddressClass.RESERVED),  # Teredo
        ("::ffff:10.0.0.1", AddressClass.PRIVATE),
        ("64:ff9b::10.0.0.1", AddressClass.PRIVATE),
        ("::ffff:198.51.100.7", AddressClass.PUBLIC),
    ],
)
def test_addresses_are_classed(text: str, kind: AddressClass) -> None:
    address = parse(text)
    assert address is not None
    assert address_class(address) is kind


def test_special_networks_are_sorted_and_disjoint() -> None:
    for version in (4, 6):
        spans = [(int(n.network_address), int(n.broadcast_address)) for n, _ in SPECIAL_NETWORKS if n.version == version]
        assert all(before[1] < after[0] for before, after in pairwise(spans))


def test_a_range_overlaps_the_special_space_within_it() -> None:
    def overlap(text: str) -> str | None:
        network = ip_network(text)
        found = special_overlap(network.version, int(network.network_address), int(network.broadcast_address))
        return found and found[0]

    assert overlap("8.0.0.0/6") == "10.0.0.0/8"
    assert overlap("8.0.0.0/7") is None
    assert overlap("192.168.5.0/24") == "192.168.0.0/16"
    assert overlap("2000::/16") is None
    assert overlap("2001::/16") == "2001:20::/28"
    assert overlap("4000::/16") == "space outside 2000::/3"


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_every_address_is_told_as_python_tells_it(address: object) -> None:
    found = parse(str(address))
    assert found is not None
    if found.version == ip_address(str(address)).version:
        assert found.text == str(address)


@given(st.text(max_size=50))
def test_any_text_is_parsed_as_strictly_as_python_does(text: str) -> None:
    found = parse_number(text)
    try:
        expected = ip_address(text)
    except ValueError:
        assert found is None
    else:
        assert "%" in text or found == (expected.version, int(expected))


@given(st.ip_addresses(v=4))
def test_classes_of_ipv4_agree_with_the_registry(address: object) -> None:
    found = parse(str(address))
    assert found is not None
    documentation = any(ip_address(str(address)) in ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))
    relays = ip_address(str(address)) in ip_network("192.88.99.0/24") or ip_address(str(address)) in ip_network("192.0.0.0/24")
    python = ip_address(str(address))
    if not relays:
        assert (address_class(found) is AddressClass.PUBLIC) == ((python.is_global and not python.is_multicast) or documentation)
