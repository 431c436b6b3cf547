"""The index names every entry that covers an address, and when; facts and matches are its tables."""

import math
import pickle
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pyarrow as pa
import pytest

from vedette.intel import Entry, Kind, ThreatList
from vedette.intel.address_facts import FACTS, MATCHES, NO_PRECEDENCE, address_facts, address_matches
from vedette.intel.index import FAR_FUTURE, FAR_PAST, Index
from vedette.list_kinds import CALLER_KINDS
from vedette.network.address import parse

DAY = datetime(2024, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def listed(name: str, *texts: str | Entry, kind: Kind = Kind.CUSTOM, **more: object) -> ThreatList:
    entries = [
        text if isinstance(text, Entry) else Entry(network=ip_network(text), line=line) for line, text in enumerate(texts, 1)
    ]
    return ThreatList(name=name, kind=kind, format="TXT", entries=entries, **more)  # type: ignore[arg-type]


def dated(start: datetime | None, end: datetime | None, text: str = "203.0.113.9/32") -> Entry:
    return Entry(network=ip_network(text), line=1, valid_from=start, valid_to=end)


def found(index: Index, text: str) -> list[tuple[str, int]]:
    return [(match.source.name, match.entry.line) for match in index.lookup(text)]


def test_all_entries_around_an_address_are_found_in_order_of_lists_and_lines() -> None:
    index = Index.build(
        [
            listed("one", "203.0.113.9/32", "203.0.0.0/16", "198.51.100.0/24"),
            listed("two", "203.0.113.0/24", "203.0.113.9/32", "12.0.0.0/8"),
        ]
    )
    assert found(index, "203.0.113.9") == [("one", 1), ("one", 2), ("two", 1), ("two", 2)]
    assert found(index, "203.0.113.8") == [("one", 2), ("two", 1)]
    assert found(index, "203.0.114.0") == [("one", 2)]
    assert found(index, "203.1.0.0") == []
    assert found(index, "12.255.255.255") == [("two", 3)]
    assert len(index) == 6


@pytest.mark.parametrize(("first", "last", "before", "after"), [("203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0")])
def test_a_network_ends_where_it_ends(first: str, last: str, before: str, after: str) -> None:
    index = Index.build([listed("one", "203.0.113.0/24")])
    assert [index.covers(text) for text in (before, first, last, after)] == [False, True, True, False]


def test_networks_beside_each_other_and_with_one_start_are_told_apart() -> None:
    index = Index.build([listed("one", "203.0.112.0/24", "203.0.112.0/23", "203.0.113.0/24", "203.0.113.0/32")])
    assert found(index, "203.0.112.7") == [("one", 1), ("one", 2)]
    assert found(index, "203.0.113.0") == [("one", 2), ("one", 3), ("one", 4)]
    assert found(index, "203.0.113.1") == [("one", 2), ("one", 3)]


def test_ipv6_networks_of_one_upper_half_are_told_apart() -> None:
    index = Index.build([listed("one", "2001:db8::/32", "2001:db8::8/125", "2001:db8::ff/128", "2001:db9::/32")])
    assert found(index, "2001:db8::7") == [("one", 1)]
    assert found(index, "2001:db8::f") == [("one", 1), ("one", 2)]
    assert found(index, "2001:db8::ff") == [("one", 1), ("one", 3)]
    assert found(index, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff") == [("one", 1)]
    assert found(index, "2001:db9::") == [("one", 4)]
    assert found(index, "2001:dba::") == []


def test_the_end_of_the_space_is_covered() -> None:
    index = Index.build([listed("one", "223.255.255.255/32", "3fff::/19")])
    assert found(index, "223.255.255.255") == [("one", 1)]
    assert found(index, "3fff:1fff:ffff:ffff:ffff:ffff:ffff:ffff") == [("one", 2)]


def test_ipv4_inside_ipv6_is_the_ipv4_address() -> None:
    index = Index.build([listed("one", "203.0.113.9/32")])
    assert found(index, "::ffff:203.0.113.9") == found(index, "64:ff9b::cb00:7109") == [("one", 1)]


@pytest.mark.parametrize("text", ["ec2.amazonaws.com", "AWS Internal", "", "203.0.113.09", "203.0.113.9:443"])
def test_what_is_no_address_is_on_no_list(text: str) -> None:
    assert found(Index.build([listed("one", "203.0.113.9/32")]), text) == []


@pytest.mark.parametrize(
    "text", ["10.0.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254", "127.0.0.1", "224.0.0.1", "fe80::1"]
)
def test_special_ranges_are_dropped_before_matching(text: str) -> None:
    network = f"{text}/{32 if '.' in text else 128}"
    assert found(Index.build([listed("a list with bogons in it", network)]), text) == []


def test_lists_in_error_take_no_part() -> None:
    index = Index.build([listed("one", "203.0.113.9/32", status="ERROR"), listed("two", "203.0.113.9/32")])
    assert found(index, "203.0.113.9") == [("two", 1)]


def test_an_index_of_nothing_finds_nothing() -> None:
    for index in (Index.build([]), Index.build([listed("one")])):
        assert (len(index), found(index, "203.0.113.9"), index.covers("2001:db8::1")) == (0, [], False)


def test_an_index_is_sent_to_another_process() -> None:
    index = Index.build([listed("one", "203.0.113.0/24", "2001:db8::/32")])
    again = pickle.loads(pickle.dumps(index))  # noqa: S301 - our own
    assert found(again, "203.0.113.9") == [("one", 1)]
    assert found(again, "2001:db8::9") == [("one", 2)]


# When


def times(entry: Entry, kind: Kind = Kind.CUSTOM, grace: float = 0) -> tuple[datetime, datetime]:
    (match,) = Index.build([listed("one", entry, kind=kind, grace_days=grace)]).lookup("203.0.113.9")
    return match.matches_from, match.matches_to


def test_an_entry_without_ends_always_matches() -> None:
    assert times(dated(None, None), grace=14) == (FAR_PAST, FAR_FUTURE)


@pytest.mark.parametrize("grace", [0, 1, 14])
def test_a_validity_has_a_day_of_slack_before_and_the_grace_of_the_list_behind(grace: int) -> None:
    end = DAY + timedelta(days=3)
    index = Index.build([listed("one", dated(DAY, end), grace_days=grace)])
    (match,) = index.lookup("203.0.113.9")
    assert (match.matches_from, match.matches_to) == (DAY - 24 * HOUR, end + timedelta(days=grace))
    second = timedelta(microseconds=1)
    for moment, matched in (
        (DAY - 24 * HOUR - second, False),
        (DAY - 24 * HOUR, True),
        (end + timedelta(days=grace), True),
        (end + timedelta(days=grace) + second, False),
    ):
        assert match.at(moment) is matched
        assert bool(index.match_at("203.0.113.9", moment)) is matched


def test_validities_beyond_all_calendars_are_open() -> None:
    assert times(dated(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)), grace=14) == (FAR_PAST, FAR_FUTURE)
    assert times(dated(None, DAY), grace=math.inf)[1] == FAR_FUTURE


def test_only_the_entries_of_the_time_match() -> None:
    last_year = Entry(network=ip_network("203.0.113.0/24"), line=1, valid_to=DAY - timedelta(days=365))
    index = Index.build([listed("one", last_year, Entry(network=ip_network("203.0.113.9/32"), line=2, valid_from=DAY))])
    assert [match.entry.line for match in index.match_at("203.0.113.9", DAY - timedelta(days=400))] == [1]
    assert [match.entry.line for match in index.match_at("203.0.113.9", DAY)] == [2]
    assert [match.entry.line for match in index.match_at("203.0.113.9", DAY - timedelta(days=30))] == []


@pytest.mark.parametrize(
    ("as_of", "max_age", "stale_after"), [(DAY, 7, DAY + timedelta(days=7)), (DAY, math.inf, FAR_FUTURE), (None, 1, FAR_FUTURE)]
)
def test_a_list_is_stale_when_it_is_older_than_it_may_be(as_of: datetime | None, max_age: float, stale_after: datetime) -> None:
    index = Index.build([listed("one", "203.0.113.9/32", as_of=as_of, max_age_days=max_age)])
    assert index.sources[0].stale_after == stale_after


# Tables


def test_facts_are_a_row_a_distinct_text() -> None:
    index = Index.build([listed("one", "203.0.113.0/24")])
    texts = ["203.0.113.9", None, "AWS Internal", "203.0.113.9", "10.0.0.1", "::ffff:203.0.113.9", "2001:DB8::1", "253.252.51.07"]
    table = address_facts(texts, index)
    assert table.schema.equals(FACTS)
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("203.0.113.9", "203.0.113.9", 4, "public", True, True),
        ("AWS Internal", None, None, "none", False, False),
        ("10.0.0.1", "10.0.0.1", 4, "private", False, False),
        ("::ffff:203.0.113.9", "203.0.113.9", 4, "public", True, True),
        ("2001:DB8::1", "2001:db8::1", 6, "public", True, False),
        ("253.252.51.07", None, None, "none", False, False),
    ]


def test_matches_are_a_row_a_text_and_entry() -> None:
    entry = Entry(
        network=ip_network("203.0.113.0/24"), line=7, category="botnet", valid_from=DAY, valid_to=DAY + timedelta(days=9)
    )
    index = Index.build(
        [
            listed("bad", entry, kind=Kind.MALICIOUS, grace_days=14, verdict="malicious", as_of=DAY, max_age_days=7),
            listed("mine", "203.0.113.9/32"),
        ]
    )
    table = address_matches(["::ffff:203.0.113.9", "203.0.113.8", "198.51.100.1", "10.0.0.1", None, "x", "203.0.113.8"], index)
    assert table.schema.equals(MATCHES)
    bad = {
        "kind": "malicious",
        "precedence": 3,
        "list_name": "bad",
        "network": "203.0.113.0/24",
        "line": 7,
        "category": "botnet",
        "verdict": "malicious",
        "valid_from": DAY - timedelta(days=1),
        "valid_to": DAY + timedelta(days=23),
        "stale_after": DAY + timedelta(days=7),
        "entry_valid_from": DAY,
        "entry_valid_to": DAY + timedelta(days=9),
    }
    mine = {
        "kind": "custom",
        "precedence": 1,
        "list_name": "mine",
        "network": "203.0.113.9/32",
        "line": 1,
        "category": "",
        "verdict": "unknown",
        "valid_from": FAR_PAST,
        "valid_to": FAR_FUTURE,
        "stale_after": FAR_FUTURE,
        "entry_valid_from": None,
        "entry_valid_to": None,
    }
    assert table.to_pylist() == [
        {"address": "::ffff:203.0.113.9", "canonical": "203.0.113.9", **bad},
        {"address": "::ffff:203.0.113.9", "canonical": "203.0.113.9", **mine},
        {"address": "203.0.113.8", "canonical": "203.0.113.8", **bad},
    ]


@pytest.mark.parametrize(
    ("kind", "precedence"),
    [(Kind.TRUSTED, 0), (Kind.CUSTOM, 1), (Kind.TOR, 2), (Kind.MALICIOUS, 3), (Kind.SCANNER, 9)],
)
def test_every_kind_has_its_precedence(kind: Kind, precedence: int) -> None:
    table = address_matches(["203.0.113.9"], Index.build([listed("one", "203.0.113.9/32", kind=kind)]))
    assert table["precedence"].to_pylist() == [precedence]
    assert MATCHES.field("precedence").type == pa.int8()
    assert len(CALLER_KINDS) <= NO_PRECEDENCE


def test_tables_of_nothing_have_their_schema() -> None:
    index = Index.build([])
    assert (address_facts([], index).num_rows, address_matches(["203.0.113.9"], index).num_rows) == (0, 0)
    assert address_facts([None], index).schema.equals(FACTS)
    assert address_matches([], index).schema.equals(MATCHES)


def test_an_address_that_was_parsed_before_is_found_as_its_text_is() -> None:
    index = Index.build([listed("one", "203.0.113.9/32")])
    address = parse("203.0.113.9")
    assert address is not None
    assert index.lookup(address) == index.lookup("203.0.113.9")
