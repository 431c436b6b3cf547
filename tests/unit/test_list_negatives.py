"""What a list takes back, excepts or calls harmless accuses nobody, in every format; beside each case stands one that counts."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from list_files import FIRE_EYE_COLUMNS, address_object, bundle, fire_eye, indicator, load, networks, refused, stix

from vedette.errors import ListError
from vedette.intel import Kind, ThreatList
from vedette.intel.formats import all_list_formats
from vedette.intel.index import Index
from vedette.intel.lists import load_list
from vedette.intel.text import date

BAD, OTHER = "203.0.113.9", "203.0.113.8"


def accuses(loaded: ThreatList, address: str) -> bool:
    return Index.build([loaded]).covers(address)


def spans_of(loaded: ThreatList) -> list[tuple[str, str, str]]:
    """Return the networks with the years in which their validity begins and ends."""

    def year(time: datetime | None) -> str:
        return "-" if time is None else str(time.year)

    return [(str(item.network), year(item.valid_from), year(item.valid_to)) for item in loaded.entries]


# Plain lists: TXT and IPSET


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        # an exception is taken out of the network that contains it, wherever it stands
        ("add bad 203.0.113.0/24\nadd bad 203.0.113.9 nomatch\n", False),
        ("add bad 203.0.113.9 nomatch\nadd bad 203.0.113.0/24\n", False),
        ("add bad 203.0.113.0/24\nadd bad 203.0.113.9 timeout 60 nomatch\n", False),
        ('add bad 203.0.113.0/24\nadd bad 203.0.113.9 nomatch comment "of ours"\n', False),
        ("-exist add bad 203.0.113.0/24\n-exist add bad 203.0.113.9/32 nomatch\n", False),
        ("-A bad 203.0.113.0/24\n--add bad 203.0.113.8/31 nomatch\n", False),
        ("Name: bad\nMembers:\n203.0.113.0/24\n203.0.113.9 nomatch\n", False),
        ("# remark\n203.0.113.0/24\n203.0.113.9 timeout 60 nomatch\n", False),
        ("203.0.113.0/24\n!203.0.113.9\n", False),
        ("203.0.113.0/24\n! 203.0.113.9 # ours\n", False),
        ("!203.0.113.8-203.0.113.9\n203.0.113.0/24\n", False),
        ("!::ffff:203.0.113.9\n203.0.113.0/24\n", False),
        ("203.0.113.9\n!203.0.113.9\n", False),
        ("add bad 203.0.113.0/24\nadd bad 203.0.113.8 nomatch\n", True),
        ('add bad 203.0.113.9 comment "nomatch"\n', True),
        ("add bad 203.0.113.9 comment nomatch\n", True),
        ("add nomatch 203.0.113.9\n", True),
        ("203.0.113.9 # nomatch\n", True),
        ("203.0.113.9 nomatch Inc. scanner\n", True),
        ("203.0.113.9 ! hostile\n", True),
        ("203.0.113.0/24\n203.0.113.9 nomatch # ours\n", False),
        ("203.0.113.0/24\n203.0.113.9 // nomatch\n", True),
        ("203.0.113.0/24\n! 203.0.113.9 is the worst of them\n", True),
        ("!203.0.113.0/24\n203.0.113.9\n", True),  # the longest prefix decides
        ("!203.0.112.0/23\n203.0.113.0/24\n", True),
        # what a later command removes
        ("add bad 203.0.113.9\ndel bad 203.0.113.9/32\n", False),
        ("add bad 203.0.113.9\nflush bad\nadd bad 203.0.113.8\n", False),
        ("add bad 203.0.113.9\nflush\nadd bad 203.0.113.8\n", False),
        ("add bad 203.0.113.9\n-D bad 203.0.113.9\nadd bad 203.0.113.8\n", False),
        ("create bad hash:ip\nadd bad 203.0.113.9\ndestroy bad\nadd worse 203.0.113.8\n", False),
        ("del bad 203.0.113.9\nadd bad 203.0.113.9\n", True),
        ("add bad 203.0.113.9\ndel other 203.0.113.9\n", True),
        ("add bad 203.0.113.9\nflush other\n", True),
        ("add bad 203.0.113.9\ndel bad 203.0.113.8\n", True),
        ('add bad 203.0.113.9 comment "del bad 203.0.113.9"\n', True),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_exception_or_removal_of_a_plain_list_counts(text: str, counts: bool, encoding: str) -> None:  # a case
    loaded = load(text.encode(encoding), None if encoding == "utf-8" else "IPSET")
    assert accuses(loaded, BAD) is counts


@given(st.lists(st.tuples(st.integers(0, 63), st.integers(26, 32), st.booleans()), max_size=12))
def test_the_longest_prefix_decides(lines: list[tuple[int, int, bool]]) -> None:
    some = [(ip_network((int(ip_address("203.0.113.0")) + offset, size), strict=False), out) for offset, size, out in lines]
    loaded = load("".join(f"{'!' if out else ''}{network}\n" for network, out in some), "TXT")
    for address in ip_network("203.0.113.0/26"):
        around = [(network.prefixlen, out) for network, out in some if address in network]
        listed = bool(around) and not max(around)[1]
        assert accuses(loaded, str(address)) is listed, address


def test_an_exception_counts_though_the_list_is_longer_than_allowed() -> None:
    text = "203.0.113.0/24\n" + "".join(f"198.51.100.{n}\n" for n in range(9)) + "!203.0.113.9\n"
    loaded = load_list(text.encode(), name="list", kind=Kind.CUSTOM, most_entries=10)
    assert not accuses(loaded, BAD)
    assert "more than 10 entries" in loaded.refusals[0].reason


@pytest.mark.parametrize(
    "line", ["!", "! ", "!10.0.0.0/8", "!scan.example.net", "!0.0.0.0/0", "add bad", "del", "flush bad 1 2", "!!!"]
)
def test_a_strange_exception_takes_nothing_out(line: str) -> None:
    loaded = load(f"203.0.113.9\n{line}\n", "IPSET")
    assert networks(loaded) == ["203.0.113.9/32"]


# Texts in the place of an address, in every format


def in_format(name: str, text: str) -> str:
    """Return a list of the format with one text in the place of an address, and one address."""
    return {
        "TXT": f"{text}\n{OTHER}\n",
        "IPSET": f"# remark\n{text}\n{OTHER}\n",
        "OTX_CSV": f"Indicator type, Indicator, Description\nIPv4, {text}, word\nIPv4, {OTHER}, word\n",
        "ALIEN_VAULT": f"{OTHER}#4#2#Scanning Host#DE##51.0,9.0#3\n{text}#4#2#Scanning Host#DE##51.0,9.0#3\n",
        "PROOF_POINT": f"ip, category, score\n{text}, 1, 90\n{OTHER}, 1, 90\n",
        "FIRE_EYE": f"{FIRE_EYE_COLUMNS}\n{fire_eye(ip=text)}\n{fire_eye(ip=OTHER)}\n",
        "STIX": stix(f"<stix:Observables>{address_object(text)}{address_object(OTHER)}</stix:Observables>"),
        "STIX2": bundle(observed(1, text), observed(2, OTHER)),
        "MISP": json.dumps({"name": "A", "list": [text, OTHER]}),
        "ONIONOO": json.dumps({"relays": [{"exit_addresses": [text, OTHER]}]}),
        "TOR_EXITS": f"ExitNode {'0' * 40}\nExitAddress {text} 2024-02-27 09:00:00\nExitAddress {OTHER} 2024-02-27 09:00:00\n",
    }[name]


MAPPED = {
    "::ffff:198.51.100.0/120": ["198.51.100.0/24"],
    "::ffff:198.51.100.1-::ffff:198.51.100.2": ["198.51.100.1/32", "198.51.100.2/32"],
    "64:ff9b::198.51.100.4-64:ff9b::198.51.100.5": ["198.51.100.4/31"],
    "::ffff:198.51.100.4-198.51.100.5": ["198.51.100.4/31"],
    "::FFFF:C633:6401": ["198.51.100.1/32"],
    "198.51.100.7/24": ["198.51.100.0/24"],
    "198.51.100.1-198.51.100.2": ["198.51.100.1/32", "198.51.100.2/32"],
}
REFUSED = {
    "198.51.100.7:443": "not an address",
    "[2001:db8::1]:443": "not an address",
    "2001:db8::1%eth0": "not an address",
    "198.51.100.007": "leading zeros",
    "198.51.100.0/024": "not an address",
    "0.0.0.0/0": "too broad",
    "::/0": "too broad",
    "::ffff:0:0/96": "too broad",
    "::ffff:0.0.0.0-::ffff:255.255.255.255": "too broad",
    "::ffff:10.0.0.1-::ffff:10.0.0.9": "special range",
    "::ffff:198.51.100.9-::ffff:198.51.100.1": "not an address",
    "::ffff:198.51.100.1-2001:db8::1": "special range",
}


@pytest.mark.parametrize("name", list(all_list_formats()))
@pytest.mark.parametrize("text", list(MAPPED))
def test_every_format_knows_mapped_addresses_ranges_and_host_bits(name: str, text: str) -> None:
    assert sorted(networks(load(in_format(name, text), name))) == sorted([*MAPPED[text], f"{OTHER}/32"])


@pytest.mark.parametrize("name", list(all_list_formats()))
@pytest.mark.parametrize("text", list(REFUSED))
def test_every_format_refuses_what_is_no_address_or_too_much(name: str, text: str) -> None:
    loaded = load(in_format(name, text), name)
    assert networks(loaded) == [f"{OTHER}/32"]
    assert loaded.refused == {REFUSED[text]: 1} or text == "::ffff:198.51.100.1-2001:db8::1"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("203.0.113.8 -203.0.113.9 word", "203.0.113.8/31=word"),
        ("203.0.113.8- 203.0.113.9", "203.0.113.8/31="),
        ("203.0.113.8 \u2013 203.0.113.9", "203.0.113.8/31="),
        ("203.0.113.8 / 31 word", "203.0.113.8/31=word"),
        ("203.0.113.8 - bad actor", "203.0.113.8/32=- bad actor"),
        ("203.0.113.8 / 24hours", "203.0.113.8/32=24hours"),
    ],
)
def test_blanks_in_a_range_or_network_do_not_cut_it_short(line: str, expected: str) -> None:
    assert [f"{item.network}={item.category}" for item in load(f"# remark\n{line}\n").entries] == [expected]


# MISP, Onionoo, OTX, FireEye, ProofPoint


def test_misp_events_are_no_lists() -> None:
    event = json.dumps({"Event": {"Attribute": [{"type": "ip-src", "value": BAD, "to_ids": False}]}})
    with pytest.raises(ListError, match="not in a known list format"):
        load(event)
    assert load(event, "MISP").status == "ERROR"


def test_one_value_or_relay_that_cannot_be_read_leaves_the_others() -> None:
    loaded = load(json.dumps({"name": None, "version": 1.5, "list": [5, BAD, None, {"a": []}, OTHER]}))
    assert (networks(loaded), loaded.refused) == ([f"{BAD}/32", f"{OTHER}/32"], {"not an address": 3})
    loaded = load(json.dumps({"relays_published": 1, "relays": [{"nickname": 5}, {"exit_addresses": [BAD]}, 7]}))
    assert (networks(loaded), loaded.refused) == ([f"{BAD}/32"], {"unreadable": 2})


@pytest.mark.parametrize(
    ("relay", "expected"),
    [
        ({"or_addresses": [f"{BAD}:9001"]}, [(f"{BAD}/32", "-", "-")]),
        ({"or_addresses": [f"{BAD}:9001"], "exit_policy_summary": {"reject": ["25", "1-65534"]}}, [(f"{BAD}/32", "-", "-")]),
        ({"or_addresses": [f"{BAD}:9001"], "exit_policy_summary": {"reject": ["1-65535"]}}, []),
        ({"exit_addresses": [BAD], "exit_policy_summary": {"reject": ["1-65535"]}}, [(f"{BAD}/32", "-", "-")]),  # measured
        ({"exit_addresses": [BAD], "flags": ["Running"]}, []),
        ({"exit_addresses": [BAD], "flags": ["Exit"]}, [(f"{BAD}/32", "-", "-")]),
        ({"exit_addresses": [BAD], "running": True, "last_seen": "2024-02-27 09:00:00"}, [(f"{BAD}/32", "-", "-")]),
        ({"exit_addresses": [BAD], "running": False, "last_seen": "2024-02-27 09:00:00"}, [(f"{BAD}/32", "-", "2024")]),
        ({"exit_addresses": [BAD], "running": False}, []),
    ],
)
def test_onionoo_counts_relays_that_let_something_exit_while_they_run(
    relay: Mapping[str, object], expected: list[tuple[str, str, str]]
) -> None:
    loaded = load(json.dumps({"relays": [{"nickname": "a", **relay}]}), "ONIONOO")
    assert spans_of(loaded) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (f"IPv4,{BAD},word,1,", [(f"{BAD}/32", "-", "-")]),
        (f"IPv4,{BAD},word,true,never", [(f"{BAD}/32", "-", "-")]),
        (f"IPv4,{BAD},word,0,", []),
        (f"IPv4,{BAD},word,False,", []),
        (f"IPv4,{BAD},word,1,2024-02-27T00:00:00", [(f"{BAD}/32", "-", "2024")]),
        (f"IPv4,{BAD},word,1,soon", []),
        (f"IPv4,{BAD}", [(f"{BAD}/32", "-", "-")]),
    ],
)
def test_otx_knows_inactive_and_expired_indicators(row: str, expected: list[tuple[str, str, str]]) -> None:
    assert spans_of(load(f"Indicator type,Indicator,Description,is_active,expiration\n{row}\n")) == expected


@pytest.mark.parametrize(
    ("score", "counts"), [("0", False), ("0.0", False), ("-5", False), ("1", True), ("0.1", True), ("", True)]
)
def test_proof_point_with_a_score_of_0_does_not_count(score: str, counts: bool) -> None:  # a case
    assert accuses(load(f"ip, category, score, first_seen\n{BAD}, 1, {score}, \n"), BAD) is counts


@pytest.mark.parametrize(
    ("word", "counts"), [("Victim", False), ("benign", False), ("Attacker", True), ("Related", True), ("", True)]
)
def test_fire_eye_accuses_no_victim(word: str, counts: bool) -> None:  # a case
    header = load(f"{FIRE_EYE_COLUMNS}\n{fire_eye(ip=BAD, networkIdentifier=word)}\n")
    without = load(fire_eye(reportId="1", ip=BAD, networkIdentifier=word) + "\n", "FIRE_EYE")
    assert (accuses(header, BAD), accuses(without, BAD)) == (counts, counts)


# STIX 2


def observed(number: int, address: str, **more: object) -> dict[str, object]:
    return {"type": "ipv4-addr", "id": f"ipv4-addr--{number}", "value": address, **more}


def relation(source: str, target: str, kind: str = "based-on", **more: object) -> dict[str, object]:
    ends = {"relationship_type": kind, "source_ref": source, "target_ref": target}
    return {"type": "relationship", "id": f"relationship--{source}{target}", **ends, **more}


def data(number: int, *addresses: int, **more: object) -> dict[str, object]:
    refs = [f"ipv4-addr--{item}" for item in addresses]
    return {"type": "observed-data", "id": f"observed-data--{number}", "object_refs": refs, **more}


ADDRESS = observed(1, BAD)
# An indicator of another address, so that a bundle is never a plain list.
ANOTHER = indicator("[ipv4-addr:value = '198.51.100.99']", id="indicator--another")


def related(**more: object) -> Iterable[dict[str, object]]:
    """Return an indicator of no address, and an address that it accuses."""
    return indicator("[file:name = 'x']", id="indicator--2") | more, ADDRESS, relation("indicator--2", "ipv4-addr--1"), ANOTHER


HARMLESS: list[dict[str, object]] = [
    {"revoked": True},
    {"revoked": "true"},
    {"indicator_types": ["benign"]},
    {"indicator_types": "Benign"},
    {"indicator_types": ["malicious-activity", "benign"]},
    {"indicator_types": ["anomalous-activity"]},
    {"labels": ["benign"]},
    {"labels": ["false-positive"]},
    {"labels": ['misp:to_ids="False"']},
    {"confidence": 0},
    {"valid_until": "soon"},
]
ACCUSING: list[dict[str, object]] = [
    {},
    {"revoked": False},
    {"revoked": None},
    {"indicator_types": ["malicious-activity"]},
    {"indicator_types": ["anomalous-activity", "malicious-activity"]},
    {"indicator_types": ["unknown"]},
    {"indicator_types": None},
    {"labels": ["benign-looking"]},
    {"labels": ['misp:to_ids="True"']},
    {"confidence": 1},
    {"name": "benign"},
    {"valid_until": "2099-01-01T00:00:00Z"},
]


@pytest.mark.parametrize(("more", "counts"), [*((more, False) for more in HARMLESS), *((more, True) for more in ACCUSING)])
def test_a_harmless_indicator_accuses_neither_by_its_pattern_nor_by_its_relations(
    more: dict[str, object],
    counts: bool,  # a case
) -> None:
    assert accuses(load(bundle(indicator(f"[ipv4-addr:value = '{BAD}']") | more)), BAD) is counts
    assert accuses(load(bundle(*related(**more))), BAD) is counts
    through = (indicator("[file:name = 'x']", id="indicator--2") | more, ADDRESS, data(1, 1), ANOTHER)
    assert accuses(load(bundle(*through, relation("indicator--2", "observed-data--1"))), BAD) is counts


@pytest.mark.parametrize(
    ("objects", "counts"),
    [
        ([ADDRESS, relation("indicator--another", "ipv4-addr--1"), ANOTHER], True),
        ([ADDRESS, relation("indicator--another", "ipv4-addr--1", revoked=True), ANOTHER], False),
        ([ADDRESS | {"revoked": True}, relation("indicator--another", "ipv4-addr--1"), ANOTHER], False),
        ([ADDRESS, relation("indicator--another", "ipv4-addr--1", "indicates"), ANOTHER], True),
        ([ADDRESS, relation("indicator--another", "ipv4-addr--1", "targets"), ANOTHER], False),
        ([ADDRESS, relation("indicator--another", "ipv4-addr--1", "derived-from"), ANOTHER], False),
        ([ADDRESS, relation("ipv4-addr--1", "indicator--another"), ANOTHER], False),
        ([ADDRESS, {"type": "infrastructure", "id": "i"}, relation("i", "ipv4-addr--1", "consists-of")], True),
        ([ADDRESS, {"type": "infrastructure", "id": "i", "revoked": True}, relation("i", "ipv4-addr--1", "consists-of")], False),
        # two accuse it, and one of them is taken back
        ([*related(revoked=True), relation("indicator--another", "ipv4-addr--1")], True),
        # only what is taken back stands in the bundle: it does not become a plain list
        ([indicator("[file:name = 'x']", revoked=True), ADDRESS], False),
        # a plain list
        ([ADDRESS], True),
        ([ADDRESS | {"revoked": True}], False),
        ([ADDRESS, data(1, 1)], True),
        ([ADDRESS, data(1, 1, revoked=True)], False),
        ([ADDRESS, data(1, 1, labels=['misp:to_ids="False"'])], False),
        ([ADDRESS, data(1, 1, revoked=True), data(2, 1)], True),
        ([ADDRESS, data(1, 2, revoked=True)], True),
        ([ADDRESS, data(1, 1), relation("indicator--another", "observed-data--1"), ANOTHER], True),
        ([ADDRESS, data(1, 1, revoked=True), relation("indicator--another", "observed-data--1"), ANOTHER], False),
    ],
)
def test_what_is_taken_back_accuses_nobody(objects: list[dict[str, object]], counts: bool) -> None:  # a case
    assert accuses(load(bundle(*objects)), BAD) is counts
    assert accuses(load(bundle(*reversed(objects))), BAD) is counts


OLD, NEW = {"modified": "2024-01-01T00:00:00.000Z"}, {"modified": "2024-01-01T00:00:00.001Z"}


@pytest.mark.parametrize(
    ("versions", "counts"),
    [
        ([OLD, NEW | {"revoked": True}], False),
        ([OLD | {"revoked": True}, NEW], True),
        ([OLD, OLD | {"revoked": True}], False),
        ([{}, OLD | {"revoked": True}], False),
        ([{}, {"revoked": True}], False),
        ([OLD, NEW | {"indicator_types": ["benign"]}], False),
        ([OLD, NEW], True),
        ([OLD, NEW | {"pattern": "[ipv4-addr:value = '198.51.100.1']"}], False),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_newest_version_of_an_object_counts(
    versions: list[dict[str, object]],
    counts: bool,  # a case
    turned: bool,  # a case
) -> None:
    some = versions[::-1] if turned else versions
    loaded = load(bundle(*(indicator(f"[ipv4-addr:value = '{BAD}']") | version for version in some)))
    assert accuses(loaded, BAD) is counts
    if "pattern" not in versions[-1]:
        links = [relation("indicator--another", "ipv4-addr--1") | version for version in some]
        assert accuses(load(bundle(ADDRESS, ANOTHER, *links)), BAD) is counts


def test_versions_of_different_objects_do_not_meet() -> None:
    one = indicator(f"[ipv4-addr:value = '{BAD}']", id="indicator--1", **OLD)
    two = indicator("[ipv4-addr:value = '198.51.100.1']", id="indicator--2", revoked=True, **NEW)
    assert accuses(load(bundle(one, two)), BAD)
    same = [observed(1, BAD), observed(1, OTHER)]  # observed addresses have no versions
    assert networks(load(bundle(*same))) == [f"{BAD}/32", f"{OTHER}/32"]


@pytest.mark.parametrize(
    ("more", "link", "expected"),
    [
        ({}, {}, [("-", "-")]),
        ({"valid_until": "2024-01-01T00:00:00Z"}, {}, [("-", "2024")]),
        ({"valid_from": "2020-01-01T00:00:00Z", "valid_until": "2024-01-01T00:00:00Z"}, {}, [("2020", "2024")]),
        ({"valid_until": "2024-01-01T00:00:00Z"}, {"stop_time": "2022-01-01T00:00:00Z"}, [("-", "2022")]),
        ({"valid_from": "2020-01-01T00:00:00Z"}, {"start_time": "2021-01-01T00:00:00Z"}, [("2021", "-")]),
        ({"valid_from": "2020-01-01T00:00:00Z"}, {"stop_time": "2019-01-01T00:00:00Z"}, []),
    ],
)
def test_an_observed_address_is_valid_as_long_as_what_accuses_it(
    more: dict[str, object], link: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    some = [indicator("[file:name = 'x']", id="indicator--2") | more, ADDRESS, relation("indicator--2", "ipv4-addr--1", **link)]
    assert [(begin, end) for _, begin, end in spans_of(load(bundle(*some)))] == expected


def test_an_address_has_each_validity_of_those_that_accuse_it() -> None:
    first = indicator("[file:name = 'x']", id="indicator--1", valid_until="2021-01-01T00:00:00Z")
    second = indicator("[file:name = 'x']", id="indicator--2", valid_from="2024-01-01T00:00:00Z")
    links = [relation("indicator--1", "ipv4-addr--1"), relation("indicator--2", "ipv4-addr--1")]
    assert spans_of(load(bundle(first, second, ADDRESS, *links))) == [(f"{BAD}/32", "-", "2021"), (f"{BAD}/32", "2024", "-")]


# STIX 1


def in_observable(name: str, address: str) -> str:
    return address_object(address).replace("<cybox:Observable>", f'<cybox:Observable id="{name}">')


def refers(name: str, attributes: str = "") -> str:
    return f'<cybox:Observable idref="{name}"{attributes}/>'


def indicates(inner: str, attributes: str = "") -> str:
    return f"<stix:Indicators><stix:Indicator{attributes}>{inner}</stix:Indicator></stix:Indicators>"


def joined(word: str, *parts: str) -> str:
    inner = "".join(parts)
    composition = f'<cybox:Observable_Composition operator="{word}">{inner}</cybox:Observable_Composition>'
    return f'<cybox:Observable id="both">{composition}</cybox:Observable>'


FOUND = in_observable("bad", BAD)
TIMES = (
    "<indicator:Valid_Time_Position><indicator:Start_Time>2020-01-01T00:00:00Z</indicator:Start_Time>"
    "<indicator:End_Time>{}</indicator:End_Time></indicator:Valid_Time_Position>"
)
CONFIDENCE = "<indicator:Confidence><indicator:Value>{}</indicator:Value></indicator:Confidence>"


@pytest.mark.parametrize(
    ("body", "counts"),
    [
        (FOUND + indicates(refers("bad")), True),
        (FOUND + indicates(refers("bad"), ' negate="true"'), False),
        (FOUND + indicates(refers("bad"), ' negate="1"'), False),
        (FOUND + indicates(refers("bad"), ' negate="false"'), True),
        (FOUND + indicates(refers("bad", ' negate="true"')), False),
        (FOUND + indicates(refers("bad"), ' negate="true"') + indicates(refers("bad")), True),
        (FOUND + indicates(refers("other"), ' negate="true"'), True),
        (FOUND + joined("OR", refers("bad"), refers("x")) + indicates(refers("both"), ' negate="true"'), False),
        (FOUND + joined("OR", refers("bad"), refers("x")) + indicates(refers("both")), True),
        (FOUND + joined("AND", refers("bad"), refers("x")) + indicates(refers("both")), False),
        (FOUND + joined("AND", refers("bad")) + indicates(refers("both")), True),
        (joined("AND", FOUND, in_observable("x", OTHER)), False),
        (joined("OR", FOUND, in_observable("x", OTHER)), True),
        (joined("AND", joined("OR", FOUND), in_observable("x", OTHER)), False),
        (indicates(address_object(BAD) + "<indicator:Type>Benign</indicator:Type>"), False),
        (indicates(address_object(BAD) + "<indicator:Type>IP Watchlist</indicator:Type>"), True),
        (indicates(address_object(BAD) + CONFIDENCE.format("None")), False),
        (indicates(address_object(BAD) + CONFIDENCE.format("Low")), True),
        (indicates(address_object(BAD) + TIMES.format("soon")), False),
        (indicates(address_object(BAD) + TIMES.format("2024-01-01T00:00:00Z")), True),
        (FOUND + indicates(refers("bad") + TIMES.format("soon")), False),
        (f'<i:Incident xmlns:i="i"><i:Victim>{address_object(BAD)}</i:Victim></i:Incident>', False),
        (f'<i:Incident xmlns:i="i"><i:Attacker>{address_object(BAD)}</i:Attacker></i:Incident>', True),
        (address_object(BAD).replace(' category="ipv4-addr"', ' is_spoofed="true"'), False),
        (address_object(BAD).replace(' category="ipv4-addr"', ' is_spoofed="false"'), True),
        (address_object(f"{BAD}##comma##{OTHER}", attributes=' condition="Equals" apply_condition="NONE"'), False),
        (address_object(f"{BAD}##comma##{OTHER}", attributes=' condition="Equals" apply_condition="ALL"'), False),
        (address_object(f"{BAD}##comma##{OTHER}", attributes=' condition="Equals" apply_condition="ANY"'), True),
    ],
)
def test_stix_1_accuses_only_what_counts_by_itself(body: str, counts: bool) -> None:  # a case
    assert accuses(load(stix(body)), BAD) is counts


def test_stix_1_gives_an_observable_the_title_and_validity_of_what_refers_to_it() -> None:
    title = "<indicator:Title>C2 server</indicator:Title>"
    loaded = load(stix(FOUND + indicates(title + refers("bad") + TIMES.format("2024-01-01T00:00:00Z"))))
    assert spans_of(loaded) == [(f"{BAD}/32", "2020", "2024")]
    assert loaded.entries[0].category == "C2 server"


def test_stix_1_ends_with_references_in_a_circle() -> None:
    circle = "".join(f'<cybox:Observable id="{a}">{refers(b)}</cybox:Observable>' for a, b in ("pq", "qp"))
    loaded = load(stix(circle + FOUND))
    assert networks(loaded) == [f"{BAD}/32"]
    assert refused(loaded) == []


# Dates


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2024-02-27 09:00:00", 9),
        ("2024-02-27 09:00:00 UTC", 9),
        ("2024-02-27 09:00:00Z", 9),
        ("2024-02-27 09:00:00 Z", 9),
        ("2024-02-27T09:00:00+01:00", 8),
        ("2024-02-27 09:00:00 +0100", 8),
        ("2024-02-27 09:00:00 +01:00", 8),
        ("2024-02-27 09:00 -0500", 14),
        ("2024-02-27 09:00:00 CET", 8),
        ("2024-02-27 09:00:00 EST", 14),
        ("Tue, 27 Feb 2024 09:00:00 +0100", 8),
        ("Tue, 27 Feb 2024 09:00:00 CET", 8),
        ("Tue Feb 27 09:00:00 UTC 2024", 9),
        ("Tue Feb 27 09:00:00 CET 2024", 8),
        ("Tue Feb 27 09:00:00 +0100 2024", 8),
        ("Tue Feb 27 09:00:00 2024", 9),
        ("2024-02-27 09:00:00 by hand", 9),
    ],
)
def test_the_zone_of_a_lists_date_counts_also_behind_a_blank(text: str, hour: int) -> None:
    assert date(text) == datetime(2024, 2, 27, hour, tzinfo=UTC)
    assert load(f"# last update: {text}\n{BAD}\n").as_of == datetime(2024, 2, 27, hour, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2024-02-27 09:00:00 +9900", "2024-02-30 09:00 CET", "0001-01-01 00:00:00 +0100", "CET", ""])
def test_an_impossible_date_is_none(text: str) -> None:
    assert date(text) is None
