"""Every list format is known by its content, read with its quirks, and never raises; other formats leave it alone."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from list_files import FIRE_EYE_COLUMNS, address_object, bundle, fire_eye, indicator, load, networks, refused, stix, told

from vedette.errors import ListError
from vedette.intel import Kind, rules
from vedette.intel.bundled import bundled_lists
from vedette.intel.feeds import FEEDS
from vedette.intel.formats import Item, all_list_formats
from vedette.intel.lists import find_format

SAMPLES: dict[str, str] = {
    "TXT": "203.0.113.9\n\n198.51.100.0/24\n2001:db8::/32\n",
    "IPSET": "# a list\n# last update: 2024-02-27\n203.0.113.9 # scan.example.net\n198.51.100.0/24 ; SBL1\n",
    "OTX_CSV": "Indicator type, Indicator, Description\nIPv4, 203.0.113.9, lab\nCIDR, 198.51.100.0/24, range\n",
    "ALIEN_VAULT": "203.0.113.9#4#2#Scanning Host#DE##51.0,9.0#3\n198.51.100.7#4#2#Spamming####1\n",
    "PROOF_POINT": "ip, category, score, first_seen, last_seen, ports (|)\n203.0.113.9, 1, 90, 2020-01-01, 2020-02-01, 22|80\n",
    "FIRE_EYE": f"{FIRE_EYE_COLUMNS}\n\n{fire_eye(ip='203.0.113.9', malwareFamily='FAMILY')}\n",
    "STIX": stix(f"<stix:Observables>{address_object('203.0.113.9')}</stix:Observables>"),
    "STIX2": bundle(indicator("[ipv4-addr:value = '203.0.113.9']")),
    "MISP": json.dumps({"name": "A list", "version": 20240227, "list": ["203.0.113.9", "198.51.100.0/24"]}, indent=1),
    "ONIONOO": json.dumps(
        {"version": "8.0", "relays_published": "2024-02-27 09:00:00", "relays": [{"exit_addresses": ["203.0.113.9"]}]}
    ),
    "TOR_EXITS": (
        "ExitNode 0011223344556677889900112233445566778899\nPublished 2024-02-27 08:00:00\nLastStatus 2024-02-27 08:30:00\n"
        "ExitAddress 203.0.113.9 2024-02-27 09:00:00\n"
    ),
}


# What all formats have in common


def test_there_is_a_sample_of_every_format() -> None:
    assert set(SAMPLES) == set(all_list_formats())


@pytest.mark.parametrize("name", list(SAMPLES))
@pytest.mark.parametrize("begin", ["", "\ufeff", "\n\n"])
def test_every_format_is_known_by_its_content_and_by_no_other(name: str, begin: str) -> None:
    data = (begin + SAMPLES[name]).encode()
    if begin == "\n\n" and name == "STIX":
        data = data.lstrip()  # XML begins with its declaration
    assert [one.name for one in all_list_formats().values() if one.sniff("list", data)] == [name]
    loaded = load(data)
    assert loaded.format == name
    assert "203.0.113.9/32" in networks(loaded)
    assert loaded.refused == {}


@pytest.mark.parametrize("name", list(SAMPLES))
def test_every_format_is_read_with_windows_line_ends(name: str) -> None:
    assert told(load(SAMPLES[name].replace("\n", "\r\n"))) == told(load(SAMPLES[name]))


@pytest.mark.parametrize("name", [name for name in SAMPLES if name not in {"STIX", "STIX2", "MISP", "ONIONOO"}])
def test_text_formats_are_read_from_utf_16(name: str) -> None:
    assert told(load(SAMPLES[name].encode("utf-16"), name)) == told(load(SAMPLES[name]))


@pytest.mark.parametrize("wanted", ["txt", "otx_csv", "STIX"])
def test_a_format_is_wanted_in_any_case(wanted: str) -> None:
    assert find_format("list", b"", wanted).name == wanted.upper()


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(ListError, match=r"'OTX-CSV' is not a list format .* did you mean OTX_CSV\?"):
        load("203.0.113.9", "OTX-CSV")


@pytest.mark.parametrize(
    "text",
    ["%PDF-1.7\n", "Dear colleagues,\nplease block these.\n", '{"a": 1}', "<html><body>203.0.113.9</body></html>", "\0\0\0"],
)
def test_what_is_no_list_raises(text: str) -> None:
    with pytest.raises(ListError, match="not in a known list format"):
        load(text)


chunks = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [b"\0", b"\n", b'"', b",", b"#", b"<", b">", b"{", b"]", b"\xff", b"'", b"[", b"--", b"/0", b"9" * 400, b"&a;"]
    ),
)
edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), chunks), max_size=6)


@pytest.mark.parametrize("name", list(SAMPLES))
@given(changes=edits)
@example(changes=[(0.0, 0, b"\x1f\x8b")])
@settings(max_examples=40, deadline=None)
def test_damaged_lists_raise_nothing(name: str, changes: list[tuple[float, int, bytes]]) -> None:
    data = SAMPLES[name].encode()
    for where, length, put in changes:
        at = int(where * len(data))
        data = data[:at] + put + data[at + length :]
    if data.startswith(b"\x1f\x8b"):  # then it claims to be compressed, and cannot be read at all
        with pytest.raises(ListError, match="cannot be decompressed"):
            load(data, name)
        return
    loaded = load(data, name)
    assert (loaded.status == "ACTIVE") == (len(loaded.entries) > 0)


@pytest.mark.parametrize("name", list(SAMPLES))
@given(data=st.binary(max_size=200))
@settings(max_examples=25, deadline=None)
def test_junk_raises_nothing(name: str, data: bytes) -> None:
    one = all_list_formats()[name]
    one.sniff("list", data)
    one.as_of(data)
    assert all(item.line >= 0 for item in one.parse(data))


@pytest.mark.parametrize("name", ["TXT", "IPSET", "OTX_CSV", "ALIEN_VAULT", "PROOF_POINT", "TOR_EXITS"])
def test_the_example_of_a_format_of_lines_is_an_entry(name: str) -> None:
    loaded = load(f"{all_list_formats()[name].example}\n", name)
    assert (len(loaded.entries), loaded.refused) == (1, {})


def test_the_guide_shows_every_format_feed_and_reason() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "threat-lists.md").read_text(encoding="utf-8")
    for name, one in all_list_formats().items():
        example = one.example.replace("|", "\\|")
        assert f"| `{name}` | " in guide
        assert f"| `{example}` |" in guide
    for feed in FEEDS:
        assert f"| [{feed.name}]({feed.url}) | " in guide
        assert f" | `{feed.format}` | " in guide
    for reason in re.findall(r"^- ``([a-z ]+)``: ", rules.__doc__ or "", re.MULTILINE):
        assert f"\n| {reason} | " in guide
    for item in bundled_lists():
        assert f"| `{item.name}` | {item.kind}" in guide
        assert f" | {item.as_of:%Y-%m-%d} | {len(item.entries):,} | " in guide


# One by one


def test_txt_skips_comments_and_keeps_line_numbers() -> None:
    text = (
        "203.0.113.7\n\n  198.51.100.0/24  \n# comment\n192.0.2.1 # a word\n192.0.2.2;word\n"
        "; comment\n// comment\n2001:DB8::/48\n"
    )
    loaded = load(text, "TXT")
    assert [(entry.line, str(entry.network)) for entry in loaded.entries] == [
        (1, "203.0.113.7/32"),
        (3, "198.51.100.0/24"),
        (5, "192.0.2.1/32"),
        (9, "2001:db8::/48"),
    ]
    assert refused(loaded) == [(6, "not an address")]


def test_ipset_keeps_the_word_about_an_entry() -> None:
    text = (
        "# Spamhaus-like\n; Last-Modified: Tue, 27 Feb 2024 09:00:00 GMT\n"
        "203.0.113.7 # scan.example.net\n198.51.100.0/24 ; SBL1\n192.0.2.1\t17\n192.0.2.8 - 192.0.2.11\n"
        "create set hash:net\nadd set 192.0.2.99 timeout 3600\nCOMMIT\n"
    )
    loaded = load(text)
    assert loaded.format == "IPSET"
    assert told(loaded) == [
        (3, "203.0.113.7/32", "scan.example.net"),
        (4, "198.51.100.0/24", "SBL1"),
        (5, "192.0.2.1/32", "17"),
        (6, "192.0.2.8/30", ""),
        (8, "192.0.2.99/32", ""),
    ]
    assert loaded.as_of == datetime(2024, 2, 27, 9, tzinfo=UTC)
    assert loaded.refused == {}


@pytest.mark.parametrize(
    ("header", "day"),
    [
        ("# This File Date : Sat Oct 20 02:08:08 UTC 2018", datetime(2018, 10, 20, 2, 8, 8, tzinfo=UTC)),
        ("# Last update: Sat, 22 Aug 2026 03:00:29 +0200", datetime(2026, 8, 22, 1, 0, 29, tzinfo=UTC)),
        ("# date: 2024-02-27", datetime(2024, 2, 27, tzinfo=UTC)),
        ("# generated on: 2024-02-27T09:00:00+01:00", datetime(2024, 2, 27, 8, tzinfo=UTC)),
        ("# date: yesterday", None),
        ("# updated daily", None),
    ],
)
def test_ipset_takes_the_date_of_its_header(header: str, day: datetime | None) -> None:
    assert load(f"{header}\n203.0.113.9\n").as_of == day


def test_otx_takes_addresses_and_refuses_other_indicators() -> None:
    text = (
        "Indicator type, Indicator, Description\n\nIPv4, 203.0.113.9, lab\nCIDR ,198.51.100.0/24 , range\nIPv6,2001:db8::1,six\n"
        "Domain name, scan.example.net, word\nhostname, a.example, word\nURL, http://203.0.113.1/, word\n"
        '"IPv4","203.0.113.8","a, b"\nIPv4\n'
    )
    loaded = load(text)
    assert told(loaded) == [
        (3, "203.0.113.9/32", "lab"),
        (4, "198.51.100.0/24", "range"),
        (5, "2001:db8::1/128", "six"),
        (9, "203.0.113.8/32", "a, b"),
    ]
    assert refused(loaded) == [(6, "domain"), (7, "domain"), (8, "not an address"), (10, "not an address")]


def test_alien_vault_takes_the_type_and_refuses_other_numbers_of_fields() -> None:
    loaded = load("203.0.113.9#4#2#Scanning Host#DE##51.0,9.0#3\n198.51.100.7#4\n scan.example.net #4#2#C&C####1\n")
    assert told(loaded) == [(1, "203.0.113.9/32", "Scanning Host")]
    assert refused(loaded) == [(2, "not an address"), (3, "domain")]


def test_proof_point_begins_at_first_seen_and_has_no_end() -> None:
    head = "ip, category, score, first_seen, last_seen, ports (|)\n"
    loaded = load(head + "203.0.113.9, 1, 90, 2020-01-01, 2020-02-01, 22|80\n203.0.113.8, 1, 80, , 2020-02-01,\n203.0.113.7, 1\n")
    assert [(entry.line, entry.category, entry.valid_from, entry.valid_to) for entry in loaded.entries] == [
        (2, "1", datetime(2020, 1, 1, tzinfo=UTC), None),
        (3, "1", None, None),
    ]
    assert refused(loaded) == [(4, "not an address")]


def test_fire_eye_takes_address_and_network_and_bears_missing_blanks() -> None:
    rows = [
        fire_eye(title="A report", ip="203.0.113.9", malwareFamily="FAMILY").replace(", ", ",", 3),
        " " + fire_eye(title="A report", cidr="198.51.100.0/24"),
        fire_eye(ip="192.0.2.1", cidr="192.0.2.128/25"),
        fire_eye(reportId="4711", domain="scan.example.net"),
        fire_eye(reportId="4712"),
    ]
    loaded = load(f"{FIRE_EYE_COLUMNS}\n\n" + "\n".join(rows) + "\n")
    assert told(loaded) == [
        (3, "203.0.113.9/32", "FAMILY"),
        (4, "198.51.100.0/24", "A report"),
        (5, "192.0.2.1/32", ""),
        (5, "192.0.2.128/25", ""),
    ]
    assert refused(loaded) == [(6, "domain"), (7, "not an address")]


def test_fire_eye_finds_its_columns_by_the_header() -> None:
    loaded = load("reportId, title, ip\n1, word, 203.0.113.9\n")
    assert told(loaded) == [(2, "203.0.113.9/32", "word")]


def test_an_unclosed_quote_swallows_no_list() -> None:
    head = "Indicator type, Indicator, Description\n"
    loaded = load(head + 'IPv4, 203.0.113.1, "never closed\n' + "".join(f"IPv4, 198.51.100.{n}, word\n" for n in range(100)))
    assert len(loaded.entries) >= 100


def test_stix_takes_values_ranges_and_lists() -> None:
    inclusive = ' condition="InclusiveBetween"'
    loaded = load(
        stix(
            "<stix:Observables>"
            + address_object("203.0.113.9")
            + address_object("198.51.100.0##comma##198.51.100.5", attributes=inclusive)
            + address_object("192.0.2.1##comma##192.0.2.2", attributes=' condition="Equals" apply_condition="ANY"')
            + address_object("2001:db8::1", category="ipv6-addr")
            + "</stix:Observables>"
        )
    )
    assert networks(loaded) == [
        *("203.0.113.9/32", "198.51.100.0/30", "198.51.100.4/31", "192.0.2.1/32", "192.0.2.2/32", "2001:db8::1/128"),
    ]
    assert loaded.as_of == datetime(2024, 2, 27, 9, tzinfo=UTC)
    assert [entry.line for entry in loaded.entries][:2] == [7, 8]


def test_stix_refuses_what_an_address_alone_does_not_satisfy() -> None:
    negated = address_object("203.0.113.1").replace("<cybox:Observable>", '<cybox:Observable negate="true">')
    domain = (
        '<cybox:Observable><cybox:Object><cybox:Properties xsi:type="D:DomainNameObjectType">'
        "<D:Value>scan.example.net</D:Value></cybox:Properties></cybox:Object></cybox:Observable>"
    )
    body = "".join(
        [
            negated,
            domain,
            address_object("a@example.com", category="e-mail"),
            address_object("203.0.113.2", attributes=' condition="DoesNotEqual"'),
            address_object("203.0.113.3##comma##203.0.113.4##comma##203.0.113.5", attributes=' condition="InclusiveBetween"'),
            address_object("203.0.113.9"),
        ]
    )
    loaded = load(stix(f"<stix:Observables>{body}</stix:Observables>"))
    assert networks(loaded) == ["203.0.113.9/32"]
    assert loaded.refused == {"not applicable": 3, "domain": 1, "not an address": 1}


def test_stix_takes_title_and_validity_of_an_indicator() -> None:
    times = (
        "<indicator:Valid_Time_Position><indicator:Start_Time>2024-01-01T00:00:00Z</indicator:Start_Time>"
        "<indicator:End_Time>2024-02-01T00:00:00Z</indicator:End_Time></indicator:Valid_Time_Position>"
    )
    body = f"<indicator:Title>C2 server</indicator:Title>{address_object('203.0.113.9')}{times}"
    loaded = load(stix(f"<stix:Indicators><stix:Indicator>{body}</stix:Indicator></stix:Indicators>"))
    (entry,) = loaded.entries
    assert entry.category == "C2 server"
    assert (entry.valid_from, entry.valid_to) == (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))


def test_stix_that_is_not_well_formed_gives_what_stands_before_and_its_line() -> None:
    text = SAMPLES["STIX"].replace("</stix:Observables>", '</stix:Observables>\n<a b="1"c="2"/>')
    loaded = load(text)
    assert networks(loaded) == ["203.0.113.9/32"]
    (refusal,) = loaded.refusals
    assert refusal.reason.startswith("unreadable: not well-formed STIX")
    assert refusal.line == text[: text.index("<a b")].count("\n") + 1


def test_stix_expands_no_entities_and_fetches_nothing() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY a "203.0.113.9"><!ENTITY b SYSTEM "file:///etc/hostname">]>'
    text = SAMPLES["STIX"].replace('<?xml version="1.0"?>', f'<?xml version="1.0"?>{bomb}').replace("203.0.113.9</A", "&a;</A")
    loaded = load(text)
    assert (len(loaded.entries), loaded.status) == (0, "ERROR")
    assert "are forbidden" in loaded.refusals[0].reason


def test_stix_stops_at_a_nesting_bomb() -> None:
    loaded = load(stix("<a>" * 100_000))
    assert loaded.refusals[0].reason == "unreadable: not well-formed STIX (elements nest deeper than 200)"


@pytest.mark.parametrize(
    ("pattern", "expected", "reasons"),
    [
        ("[ipv4-addr:value = '203.0.113.9']", ["203.0.113.9/32"], []),
        ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", ["198.51.100.0/24"], []),
        ("[ipv6-addr:value = '2001:db8::1']", ["2001:db8::1/128"], []),
        ("[ipv4-addr:value = '203.0.113.9' OR ipv4-addr:value = '203.0.113.8']", ["203.0.113.9/32", "203.0.113.8/32"], []),
        ("[ipv4-addr:value = '203.0.113.9'] OR [ipv4-addr:value = '203.0.113.8']", ["203.0.113.9/32", "203.0.113.8/32"], []),
        ("[ipv4-addr:value IN ('203.0.113.9', '203.0.113.8')]", ["203.0.113.9/32", "203.0.113.8/32"], []),
        ("[network-traffic:dst_ref.value = '203.0.113.9' AND network-traffic:dst_port = 443]", ["203.0.113.9/32"], []),
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.9']",
            ["203.0.113.9/32"],
            [],
        ),
        ("[ipv4-addr:value = '203.0.113.9'] WITHIN 600 SECONDS", ["203.0.113.9/32"], []),
        ("[ipv4-addr:value = '203.0.113.9' AND file:name = 'a']", [], ["not applicable"]),
        ("[ipv4-addr:value = '203.0.113.9'] AND [ipv4-addr:value = '203.0.113.8']", [], ["not applicable"]),
        ("[ipv4-addr:value = '203.0.113.9'] FOLLOWEDBY [file:name = 'a']", [], ["not applicable"]),
        ("[ipv4-addr:value != '203.0.113.9']", [], ["not applicable"]),
        ("[NOT ipv4-addr:value = '203.0.113.9']", [], ["unreadable"]),
        ("[ipv4-addr:value NOT = '203.0.113.9']", [], ["not applicable"]),
        ("[ipv4-addr:value LIKE '203.0.113.%']", [], ["not applicable"]),
        ("[domain-name:value = 'scan.example.net' OR ipv4-addr:value = '203.0.113.9']", ["203.0.113.9/32"], ["domain"]),
        ("[url:value = 'http://203.0.113.9/']", [], ["not an address"]),
        ("[ipv4-addr:value = '203.0.113.9", [], ["unreadable"]),
        ("", [], ["unreadable"]),
        ("[" * 10_000, [], ["unreadable"]),
    ],
)
def test_stix2_takes_what_satisfies_a_pattern_by_itself(pattern: str, expected: list[str], reasons: list[str]) -> None:
    loaded = load(bundle(indicator(pattern)))
    assert networks(loaded) == expected
    assert [reason for _, reason in refused(loaded)] == reasons


def test_stix2_takes_name_and_validity() -> None:
    times = {"valid_from": "2024-01-01T00:00:00Z", "valid_until": "2024-02-01T00:00:00.000Z", "modified": "2024-01-15T00:00:00Z"}
    loaded = load(bundle(indicator("[ipv4-addr:value = '203.0.113.9']", name="C2", **times)))
    (entry,) = loaded.entries
    assert (entry.category, entry.valid_from, entry.valid_to) == (
        "C2",
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 2, 1, tzinfo=UTC),
    )
    assert loaded.as_of == datetime(2024, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "more", [{"revoked": True}, {"indicator_types": ["benign"]}, {"labels": ["benign"]}, {"pattern_type": "snort"}]
)
def test_stix2_refuses_indicators_that_do_not_apply(more: dict[str, object]) -> None:
    loaded = load(bundle(indicator("[ipv4-addr:value = '203.0.113.9']") | more))
    assert loaded.refused == {"not applicable": 1}


def test_stix2_takes_observed_addresses_only_where_something_accuses_them() -> None:
    one = {"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "203.0.113.9"}
    other = {"type": "ipv4-addr", "id": "ipv4-addr--2", "value": "203.0.113.8"}
    server = {"type": "infrastructure", "id": "infrastructure--1"}
    relation = {"type": "relationship", "id": "r", "source_ref": "infrastructure--1", "target_ref": "ipv4-addr--1"}
    assert networks(load(bundle(one, other))) == ["203.0.113.9/32", "203.0.113.8/32"]
    loaded = load(bundle(one, other, server, relation))
    assert (networks(loaded), loaded.refused) == (["203.0.113.9/32"], {"not applicable": 1})


def test_stix2_of_version_2_0_is_read() -> None:
    old = {
        "type": "indicator",
        "id": "indicator--1",
        "pattern": "[ipv4-addr:value = '203.0.113.9' OR ipv4-addr:value = '203.0.113.8']",
    }
    assert networks(load(bundle(old, version="2.0"))) == ["203.0.113.9/32", "203.0.113.8/32"]


def test_stix2_bears_an_object_of_wrong_types() -> None:
    loaded = load(bundle({"type": 7}, indicator("[ipv4-addr:value = '203.0.113.9']")))
    assert (networks(loaded), loaded.refused) == (["203.0.113.9/32"], {"unreadable": 1})


def test_misp_takes_its_version_for_a_date_and_finds_the_lines() -> None:
    loaded = load(SAMPLES["MISP"])
    assert told(loaded) == [(5, "203.0.113.9/32", "A list"), (6, "198.51.100.0/24", "A list")]
    assert loaded.as_of == datetime(2024, 2, 27, tzinfo=UTC)


@pytest.mark.parametrize("version", [3, "20240231", "abc", 202402271])
def test_misp_with_another_version_has_no_date(version: object) -> None:
    assert load(json.dumps({"name": "A", "version": version, "list": ["203.0.113.9"]})).as_of is None


def test_onionoo_prefers_what_was_measured() -> None:
    relays = [
        {
            "nickname": "a",
            "flags": ["Exit"],
            "exit_addresses": ["203.0.113.9"],
            "or_addresses": ["203.0.113.1:9001", "[2001:db8::1]:9001"],
        },
        {"nickname": "b", "flags": ["Exit"], "or_addresses": ["203.0.113.2:443"]},
        {"nickname": "c", "flags": ["Guard"], "or_addresses": ["203.0.113.3:443"]},
    ]
    loaded = load(json.dumps({"relays_published": "2024-02-27 09:00:00", "relays": relays}), kind=Kind.TOR)
    assert [(str(entry.network), entry.category) for entry in loaded.entries] == [
        ("203.0.113.9/32", "exit a"),
        ("2001:db8::1/128", "exit a"),
        ("203.0.113.2/32", "exit b"),
    ]
    assert loaded.refused == {"not applicable": 1}
    assert loaded.as_of == datetime(2024, 2, 27, 9, tzinfo=UTC)


def test_tor_exits_counts_measured_addresses_only() -> None:
    text = SAMPLES["TOR_EXITS"] + "ExitAddress 203.0.113.8 2024-02-27 10:00:00\nOrAddress 203.0.113.7\n"
    loaded = load(text, kind=Kind.TOR)
    assert told(loaded) == [(4, "203.0.113.9/32", "exit"), (5, "203.0.113.8/32", "exit")]
    assert refused(loaded) == [(6, "not an address")]
    assert loaded.as_of == datetime(2024, 2, 27, 10, tzinfo=UTC)
    assert all((entry.valid_from, entry.valid_to) == (None, None) for entry in loaded.entries)


def test_categories_are_one_line_and_bounded() -> None:
    loaded = load("Indicator type, Indicator, Description\n" + f'IPv4, 203.0.113.9, "a\x1b[31m\x00{"b" * 500}"\n')
    (entry,) = loaded.entries
    assert len(entry.category) == 120
    assert entry.category.isprintable()


def test_an_item_is_unchecked() -> None:
    assert list(all_list_formats()["TXT"].parse(b"10.0.0.1\n")) == [Item(1, "10.0.0.1")]
