"""Real lists beside the checkout are loaded to the last entry; the numbers were found with grep, sort, jq and by hand."""

import ipaddress
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vedette.errors import ListError
from vedette.intel import Kind, ThreatList
from vedette.intel.index import Index
from vedette.intel.lists import load_list
from vedette.network.geo import NOWHERE, Geo, Location

pytestmark = pytest.mark.corpus

FIREHOL, MISP = "firehol-2018-10", "misp-warninglists"

# Plain lists: format, entries, refusals. Each was counted as distinct first words of lines that are no comment.
PLAIN: dict[str, tuple[str, int, dict[str, int]]] = {
    f"{FIREHOL}/et_block.netset": ("IPSET", 2_792, {}),
    f"{FIREHOL}/et_compromised.ipset": ("IPSET", 827, {}),
    f"{FIREHOL}/et_tor.ipset": ("IPSET", 6_102, {}),
    f"{FIREHOL}/feodo.ipset": ("IPSET", 1_900, {}),
    f"{FIREHOL}/spamhaus_drop.netset": ("IPSET", 777, {}),
    f"{FIREHOL}/spamhaus_edrop.netset": ("IPSET", 102, {}),
    f"{FIREHOL}/tor_exits.ipset": ("IPSET", 897, {}),
    "ipsum/ipsum.txt": ("IPSET", 120_430, {}),
    "ipsum/levels-3.txt": ("TXT", 14_217, {}),
    "ipsum/levels-4.txt": ("TXT", 5_354, {}),
    "ipsum/levels-5.txt": ("TXT", 1_413, {}),
    "ipsum/levels-6.txt": ("TXT", 318, {}),
    "ipsum/levels-7.txt": ("TXT", 70, {}),
    "ipsum/levels-8.txt": ("TXT", 23, {}),
    "maltrail/mass_scanner.txt": ("IPSET", 18_835, {"duplicate": 380, "not an address": 5}),
    "maltrail/mass_scanner_cidr.txt": ("IPSET", 1_102, {"duplicate": 4}),
    "tor-secops/tor-exit-nodes.lst": ("TXT", 1_746, {}),
    "tor-secops/tor-nodes.lst": ("TXT", 8_054, {}),
}
# Warning lists: entries, refusals.
WARNING: dict[str, tuple[int, dict[str, int]]] = {
    "akamai": (268, {}),
    "amazon-aws": (3_847, {}),
    "censys-scanning": (13, {}),
    "cloudflare": (22, {}),
    "fastly": (21, {}),
    "findip-host": (0, {"domain": 24}),
    "googlebot": (65, {}),
    "ipv6-linklocal": (0, {"too broad": 1}),
    "multicast": (0, {"special range": 16}),
    "openai-gptbot": (2, {}),
    "public-dns-v4": (62_745, {}),
    "rfc1918": (0, {"special range": 3}),
    "rfc5735": (3, {"special range": 10, "too broad": 2}),  # the three are documentation ranges
    "rfc6598": (0, {"special range": 1}),
    "shodan-scanning": (42, {}),
    "sinkholes": (107, {}),
    "smtp-sending-ips": (1_002, {}),
    "stackpath": (247, {}),
    "tenable-cloud-ipv4": (39, {}),
    "umbrella-blockpage-v4": (6, {}),
    "wikimedia": (10, {}),
}
BOTH, RANGE = ["198.51.100.7/32", "203.0.113.9/32"], "192.0.2.0/25"
# Lists of the formats that GuardDuty accepts: networks, refusals. See the corpus's own page for what they are to hold.
FORMATS: dict[str, tuple[list[str], dict[str, int]]] = {
    "alienvault-ip-ALIEN_VAULT.txt": (BOTH, {}),
    "alienvault-entity-ALIEN_VAULT.txt": (["192.0.2.1/32", "192.0.2.2/32"], {"domain": 2}),
    "fireeye-ip-FIRE_EYE.csv": ([*BOTH, RANGE], {}),
    "fireeye-entity-FIRE_EYE.csv": ([*BOTH, RANGE, "203.0.113.64/26", "203.0.113.65/32"], {"domain": 1}),
    "otx-ip-OTX_CSV.csv": ([*BOTH, RANGE], {}),
    "otx-entity-OTX_CSV.csv": ([*BOTH, RANGE], {"domain": 1}),
    "plaintext-TXT.txt": ([*BOTH, RANGE], {}),
    "plaintext-entity-TXT.txt": (["203.0.113.9/32", RANGE], {"domain": 2}),
    "proofpoint-ip-PROOF_POINT.csv": (BOTH, {}),
    "proofpoint-entity-PROOF_POINT.csv": ([], {"domain": 2}),
    "stix-ip-STIX.xml": ([*BOTH, RANGE], {}),
    "stix-entity-STIX.xml": ([], {"domain": 1}),
    "stix-ip-STIX-not-wellformed.xml": ([], {"unreadable": 1}),
}
C2_LIST = ["198.51.100.2/32", "198.51.100.17/32", "203.0.113.19/32"]
# Indicators: networks, refusals. Most published examples use 10.0.0.0, which is private.
STIX1: dict[str, tuple[list[str], dict[str, int]]] = {
    "IP_Watchlist-1.2.xml": ([], {"special range": 3}),
    "block-network-traffic.xml": ([], {"special range": 1}),
    "command-and-control-ip-list.xml": (C2_LIST, {}),
    "indicator-for-c2-ip-address.xml": ([], {"special range": 1}),
    "indicator-for-malicious-url.xml": ([], {"not an address": 1}),
    "malware-indicator-for-file-hash.xml": ([], {"not an address": 1}),
    "python-stix-sample.xml": ([], {"special range": 3}),
}
STIX2: dict[str, tuple[list[str], dict[str, int]]] = {
    "command-and-control-ip-list": (C2_LIST, {}),
    "indicator-for-c2-ip-address": ([], {"special range": 1}),
    "indicator-for-malicious-url": ([], {"not an address": 1}),
    "ioc-indicator": ([], {"not applicable": 1}),
    "multiple-reports-in-package": ([], {}),
    "socket-address-pattern": (["198.51.100.2/32"], {}),
    "valid-command-and-control-ip-list": (C2_LIST, {}),
    "valid-indicator-for-c2-ip-address": ([], {"special range": 1}),
    "valid-indicator-for-malicious-url": ([], {"not an address": 1}),
    "valid-multiple-reports-in-package": ([], {}),
}


@pytest.fixture(scope="session")
def lists(corpus: Path) -> Path:
    return corpus / "threatlists"


def load(path: Path, kind: Kind = Kind.MALICIOUS) -> ThreatList:
    return load_list(path, name=path.name, kind=kind)


def plain_words(path: Path) -> Iterator[str]:
    """Yield the first word of each line that is no comment, read in another way than ours."""
    for line in path.read_text(encoding="utf-8").split("\n"):
        word = re.split(r"[\s#;]", line.strip(), maxsplit=1)[0]
        if word:
            yield word


def networks(loaded: ThreatList) -> list[str]:
    return [str(entry.network) for entry in loaded.entries]


@pytest.mark.parametrize("name", list(PLAIN))
def test_plain_lists_have_their_entries(lists: Path, name: str) -> None:
    loaded = load(lists / name)
    assert (loaded.format, len(loaded.entries), loaded.refused) == PLAIN[name]
    expected = []
    for word in plain_words(lists / name):
        try:
            expected.append(str(ipaddress.ip_network(word, strict=False)))
        except ValueError:
            continue
    assert networks(loaded) == list(dict.fromkeys(expected))


@pytest.mark.parametrize("name", list(WARNING))
def test_warning_lists_have_their_entries(lists: Path, name: str) -> None:
    path = lists / MISP / f"{name}.json"
    loaded = load(path)
    entries, refused = WARNING[name]
    assert (loaded.format, len(loaded.entries), loaded.refused) == ("MISP", entries, refused)
    assert loaded.status == ("ACTIVE" if entries else "ERROR")
    values = json.loads(path.read_text(encoding="utf-8"))["list"]
    assert len(values) == entries + sum(refused.values())
    lines = path.read_text(encoding="utf-8").split("\n")
    for entry in loaded.entries[:200]:
        assert str(entry.network.network_address) in str(
            ipaddress.ip_network(lines[entry.line - 1].strip(' ",'), strict=False).network_address
        )


@pytest.mark.parametrize("name", list(FORMATS))
def test_the_formats_that_guardduty_accepts(lists: Path, name: str) -> None:
    loaded = load(lists / "list-formats" / name)
    expected, refused = FORMATS[name]
    assert loaded.format == name.removesuffix("-not-wellformed.xml").partition(".")[0].rpartition("-")[2]
    assert (sorted(networks(loaded)), loaded.refused) == (sorted(expected), refused)


@pytest.mark.parametrize("name", list(STIX1))
def test_stix_1_packages(lists: Path, name: str) -> None:
    loaded = load(lists / "stix1" / name)
    expected, refused = STIX1[name]
    assert (loaded.format, sorted(networks(loaded)), loaded.refused) == ("STIX", sorted(expected), refused)


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@pytest.mark.parametrize("name", list(STIX2))
def test_stix_2_bundles(lists: Path, name: str, version: str) -> None:
    loaded = load(lists / "stix2" / f"stix{version}-{name}.json")
    expected, refused = STIX2[name]
    assert (loaded.format, sorted(networks(loaded)), loaded.refused) == ("STIX2", sorted(expected), refused)


def test_no_list_is_forgotten(lists: Path) -> None:
    there = {str(path.relative_to(lists)) for path in lists.rglob("*") if path.is_file()}
    known = {*PLAIN, *(f"{MISP}/{name}.json" for name in WARNING), *(f"list-formats/{name}" for name in FORMATS)}
    known |= {f"stix1/{name}" for name in STIX1} | {f"stix2/stix{v}-{name}.json" for name in STIX2 for v in ("2.0", "2.1")}
    assert there == known | {"tor-secops/Last-Checked-At"}


def test_a_date_is_no_list(lists: Path) -> None:
    with pytest.raises(ListError, match="not in a known list format"):
        load(lists / "tor-secops" / "Last-Checked-At")


@pytest.mark.parametrize(
    ("name", "day"),
    [
        (f"{FIREHOL}/et_block.netset", datetime(2018, 10, 20, 2, 8, 8, tzinfo=UTC)),
        (f"{FIREHOL}/tor_exits.ipset", datetime(2018, 10, 22, 10, 4, 3, tzinfo=UTC)),
        ("ipsum/ipsum.txt", datetime(2026, 8, 22, 1, 0, 29, tzinfo=UTC)),
        (f"{MISP}/akamai.json", datetime(2024, 4, 22, tzinfo=UTC)),
        ("stix2/stix2.0-valid-command-and-control-ip-list.json", datetime(2017, 1, 27, 13, 49, 41, tzinfo=UTC)),
    ],
)
def test_the_day_of_a_list_is_what_it_states(lists: Path, name: str, day: datetime) -> None:
    as_of = load(lists / name).as_of
    assert as_of is not None
    assert as_of.replace(microsecond=0) == day


def test_all_plain_lists_at_once_are_looked_up_as_a_set_would(lists: Path) -> None:
    loaded = {name: load(lists / name) for name in PLAIN if name.startswith(("ipsum/levels", "tor", f"{FIREHOL}/tor"))}
    index = Index.build(loaded.values())
    sets = {one.name: set(networks(one)) for one in loaded.values()}
    for address in [text.partition("/")[0] for one in loaded.values() for text in networks(one)[::97]]:
        host = f"{address}/{128 if ':' in address else 32}"
        found = {match.source.name for match in index.lookup(address)}
        assert found == {name for name, some in sets.items() if host in some}


# Places


@pytest.mark.parametrize(
    ("database", "address", "place"),
    [
        (
            "maxmind-test/GeoIP2-City-Test.mmdb",
            "81.2.69.142",
            Location(country_code="GB", country_name="United Kingdom", city_name="London", lat=51.5142, lon=-0.0931),
        ),
        ("maxmind-test/GeoLite2-Country-Test.mmdb", "81.2.69.142", Location(country_code="GB", country_name="United Kingdom")),
        ("maxmind-test/GeoLite2-ASN-Test.mmdb", "1.128.0.1", Location(asn="1221", asn_org="Telstra Pty Ltd")),
        (
            "maxmind-test/GeoIP2-ISP-Test.mmdb",
            "1.128.0.1",
            Location(asn="1221", asn_org="Telstra Pty Ltd", isp="Telstra Internet", org="Telstra Internet"),
        ),
        ("geo-whois-asn-country.mmdb", "8.8.8.8", Location(country_code="US")),
        ("geo-whois-asn-country.mmdb", "10.0.0.1", NOWHERE),
    ],
)
def test_real_databases_are_read(corpus: Path, database: str, address: str, place: Location) -> None:
    assert Geo.open([corpus / "geoip" / database]).lookup(address) == place
