"""A list is loaded with its age and validity; a line that must not count is refused with its number and reason."""

import gzip
import hashlib
import json
import math
import os
import pickle
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network, summarize_address_range
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.errors import ListError, NotFoundError
from vedette.intel import Entry, Kind, ThreatList, lists
from vedette.intel.bundled import bundled_lists
from vedette.intel.entries import Entries, as_network
from vedette.intel.feeds import FEEDS, find_feed
from vedette.intel.formats import Item, all_list_formats
from vedette.intel.history import diff
from vedette.intel.index import Index
from vedette.intel.lists import compare, load_list
from vedette.intel.rules import networks_of, reason_class
from vedette.list_kinds import CALLER_KINDS, kind_of

DAY = datetime(2024, 5, 6, tzinfo=UTC)


def load(text: str, kind: Kind = Kind.CUSTOM, most_entries: int = lists.MOST_ENTRIES) -> ThreatList:
    return load_list(text.encode(), name="list", kind=kind, format="TXT", most_entries=most_entries)


# What is refused


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("scan.example.net", "domain: only addresses are matched"),
        ("*.example.net", "domain: only addresses are matched"),
        ("localhost", "not an address: expected an IPv4 or IPv6 address, network or range"),
        ("http://203.0.113.9/", "not an address: expected an IPv4 or IPv6 address, network or range"),
        ("203.0.113.9:443", "not an address: 203.0.113.9:443 has a port"),
        ("fe80::1%eth0", "not an address: fe80::1%eth0 has a zone"),
        ("203.0.113.0/33", "not an address: '33' is not a prefix length of IPv4"),
        ("203.0.113.0/024", "not an address: '024' is not a prefix length of IPv4"),
        ("203.0.113.0/", "not an address: '' is not a prefix length of IPv4"),
        ("203.0.113.0/255.255.255.0", "not an address: '255.255.255.0' is not a prefix length of IPv4"),
        ("2001:db8::/129", "not an address: '129' is not a prefix length of IPv6"),
        ("256.0.0.1", "not an address: expected an IPv4 or IPv6 address, network or range"),
        ("203.000.113.009", "leading zeros: 203.000.113.009 may mean another address"),
        ("253.252.51.07", "leading zeros: 253.252.51.07 may mean another address"),
        ("0.0.0.0/0", "too broad: nothing broader than /8 is matched for IPv4"),
        ("::/0", "too broad: nothing broader than /19 is matched for IPv6"),
        ("12.0.0.0/7", "too broad: nothing broader than /8 is matched for IPv4"),
        ("2600::/18", "too broad: nothing broader than /19 is matched for IPv6"),
        ("::ffff:0:0/96", "too broad: nothing broader than /8 is matched for IPv4"),
        ("1.0.0.0-9.255.255.255", "too broad: nothing broader than /8 is matched for IPv4"),
        ("10.1.2.3", "special range: overlaps 10.0.0.0/8 (private)"),
        ("10.0.0.0/8", "special range: overlaps 10.0.0.0/8 (private)"),
        ("172.0.0.0/8", "special range: overlaps 172.16.0.0/12 (private)"),
        ("100.64.1.0/24", "special range: overlaps 100.64.0.0/10 (cgnat)"),
        ("169.254.169.254", "special range: overlaps 169.254.0.0/16 (link-local)"),
        ("127.0.0.1", "special range: overlaps 127.0.0.0/8 (loopback)"),
        ("224.0.0.1", "special range: overlaps 224.0.0.0/4 (multicast)"),
        ("fd00::/32", "special range: overlaps fc00::/7 (private)"),
        ("::ffff:10.0.0.1", "special range: overlaps 10.0.0.0/8 (private)"),
        ("9.255.255.250-10.0.0.5", "special range: overlaps 10.0.0.0/8 (private)"),
        ("203.0.113.9-203.0.113.1", "not an address: a range goes from a lower to a higher address of one family"),
        ("203.0.113.9-2001:db8::1", "not an address: a range goes from a lower to a higher address of one family"),
    ],
)
def test_an_entry_that_must_not_count_is_refused_with_its_line_and_reason(text: str, reason: str) -> None:
    loaded = load(f"198.51.100.7\n\n{text}\n")
    assert [str(entry.network) for entry in loaded.entries] == ["198.51.100.7/32"]
    (refusal,) = loaded.refusals
    assert (refusal.line, refusal.text, refusal.reason) == (3, text, reason)
    assert loaded.refused == {reason_class(reason): 1}


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("203.0.113.7/24", ["203.0.113.0/24"]),  # host bits: the network is meant
        ("12.0.0.0/8", ["12.0.0.0/8"]),
        ("2600::/19", ["2600::/19"]),
        ("2001:DB8::7/32", ["2001:db8::/32"]),
        ("::ffff:203.0.113.7", ["203.0.113.7/32"]),
        ("::ffff:203.0.113.0/120", ["203.0.113.0/24"]),
        ("64:ff9b::203.0.113.7", ["203.0.113.7/32"]),
        ("192.0.2.0-192.0.2.2", ["192.0.2.0/31", "192.0.2.2/32"]),
        ("192.0.2.5 - 192.0.2.5", ["192.0.2.5/32"]),
        ("2001:db8::-2001:db8::3", ["2001:db8::/126"]),
    ],
)
def test_what_may_count_counts_as_its_networks(text: str, networks: list[str]) -> None:
    loaded = load(text + "\n")
    assert [str(entry.network) for entry in loaded.entries] == networks
    assert {entry.line for entry in loaded.entries} == {1}
    assert loaded.refused == {}


@given(st.integers(12 << 24, (99 << 24) - 1), st.integers(0, 5_000))
def test_a_range_is_the_fewest_networks(first: int, size: int) -> None:
    left, right = ip_address(first), ip_address(first + size)
    found = networks_of(f"{left}-{right}")
    assert not isinstance(found, str)
    assert [as_network(numbers) for numbers in found] == [*summarize_address_range(left, right)]


def test_duplicates_are_refused_and_name_the_first() -> None:
    loaded = load("203.0.113.9\n203.0.113.9/32\n203.0.113.0/24\n::ffff:203.0.113.9\n203.0.113.77/24\n")
    assert [str(entry.network) for entry in loaded.entries] == ["203.0.113.9/32", "203.0.113.0/24"]
    assert [(refusal.line, refusal.reason) for refusal in loaded.refusals] == [
        (2, "duplicate: the same network as in line 1"),
        (4, "duplicate: the same network as in line 1"),
        (5, "duplicate: the same network as in line 3"),
    ]


def dated(*rows: tuple[str, datetime | None, datetime | None]) -> ThreatList:
    """Load a bundle of indicators with validities."""
    objects = [
        {"type": "indicator", "id": f"indicator--{n}", "pattern": f"[ipv4-addr:value = '{address}']"}
        | ({"valid_from": start.isoformat()} if start else {})
        | ({"valid_until": end.isoformat()} if end else {})
        for n, (address, start, end) in enumerate(rows)
    ]
    text = json.dumps({"type": "bundle", "objects": objects}, indent=1)
    return load_list(text.encode(), name="list", kind=Kind.MALICIOUS)


def test_a_network_may_have_several_validities_but_not_the_same_twice() -> None:
    one, two = (DAY, DAY + timedelta(days=1)), (DAY + timedelta(days=9), None)
    loaded = dated(("203.0.113.9", *one), ("203.0.113.9", *two), ("203.0.113.9", *one))
    assert [(entry.valid_from, entry.valid_to) for entry in loaded.entries] == [one, two]
    assert loaded.refused == {"duplicate": 1}


def test_a_validity_that_ends_before_it_begins_is_refused() -> None:
    loaded = dated(("203.0.113.9", DAY, DAY - timedelta(seconds=1)), ("203.0.113.8", DAY, DAY))
    assert [str(entry.network) for entry in loaded.entries] == ["203.0.113.8/32"]
    assert loaded.refusals[0].reason == "not applicable: its validity ends before it begins"


def test_validities_of_one_network_are_bounded() -> None:
    rows = [("203.0.113.9", DAY + timedelta(days=n), None) for n in range(lists.MOST_VALIDITIES + 3)]
    loaded = dated(*rows)
    assert len(loaded.entries) == lists.MOST_VALIDITIES
    assert loaded.refused == {"duplicate": 3}


def test_refusals_are_counted_beyond_those_that_are_kept() -> None:
    loaded = load("10.0.0.1\n" * 1_500 + "203.0.113.9\n")
    assert (len(loaded.refusals), loaded.refused) == (lists.KEPT_REFUSALS, {"special range": 1_500})


def test_entries_are_bounded() -> None:
    loaded = load("".join(f"203.0.113.{n}\n" for n in range(9)), most_entries=3)
    assert len(loaded.entries) == 3
    assert loaded.refusals[0].reason == "unreadable: more than 3 entries; the rest is left out"


# A list that cannot be used


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# only\n# comments\n", "10.0.0.0/8\n192.168.0.1\n", "scan.example.net\n", "0.0.0.0/0\n"]
)
def test_a_list_with_nothing_valid_is_in_error_and_takes_no_part(text: str) -> None:
    loaded = load_list(text.encode(), name="list", kind=Kind.MALICIOUS)
    assert (loaded.status, len(loaded.entries)) == ("ERROR", 0)
    assert len(Index.build([loaded]).sources) == 0


def test_a_file_that_is_not_there_raises(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"nothing\.txt: cannot be read \(No such file or directory\)"):
        load_list(tmp_path / "nothing.txt", name="list", kind=Kind.TOR)
    with pytest.raises(ListError, match="cannot be read"):
        load_list(tmp_path, name="list", kind=Kind.TOR)
    with pytest.raises(ListError, match="cannot be read"):
        load_list("a\0b", name="list", kind=Kind.TOR)


def test_a_file_that_is_too_large_raises(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"203.0.113.9\n" * 100)
    assert load_list(path, name="list", kind=Kind.TOR, max_bytes=1_200).status == "ACTIVE"
    with pytest.raises(ListError, match=r"list\.txt: larger than 1,199 bytes"):
        load_list(path, name="list", kind=Kind.TOR, max_bytes=1_199)


def test_a_bomb_raises() -> None:
    with pytest.raises(ListError, match=r"bomb: decompresses to more than 100,000 bytes"):
        load_list(gzip.compress(b"\n" * 10_000_000), name="list", kind=Kind.TOR, location="bomb", max_bytes=100_000)


def test_a_damaged_archive_raises() -> None:
    with pytest.raises(ListError, match=r"list: cannot be decompressed"):
        load_list(gzip.compress(b"203.0.113.9\n" * 100)[:-20], name="list", kind=Kind.TOR)


# What is known of a list


def test_a_list_is_loaded_from_a_file_with_its_age_and_digest(tmp_path: Path) -> None:
    path = tmp_path / "list.txt.gz"
    stored = gzip.compress(b"203.0.113.9\n")
    path.write_bytes(stored)
    os.utime(path, (DAY.timestamp(), DAY.timestamp()))
    loaded = load_list(path, name="mine", kind=Kind.TOR, licence="MIT", verdict="research")
    assert loaded == ThreatList(
        name="mine",
        kind=Kind.TOR,
        format="TXT",
        entries=Entries([Entry(network=ip_network("203.0.113.9/32"), line=1)]),
        digest=hashlib.sha256(stored).hexdigest(),
        as_of=DAY,
        max_age_days=1,
        grace_days=1,
        licence="MIT",
        location=str(path),
        verdict="research",
    )


def test_the_day_of_a_list_is_given_or_stated_or_the_files(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# date: 2024-02-27\n203.0.113.9\n", encoding="utf-8")
    assert load_list(path, name="list", kind=Kind.TOR).as_of == datetime(2024, 2, 27, tzinfo=UTC)
    assert load_list(path, name="list", kind=Kind.TOR, as_of=DAY).as_of == DAY
    assert load_list(b"203.0.113.9\n", name="list", kind=Kind.TOR).as_of is None


@pytest.mark.parametrize(
    ("kind", "max_age", "grace"),
    [
        (Kind.TOR, 1, 1),
        (Kind.MALICIOUS, 7, 14),
        (Kind.SCANNER, 7, 14),
        (Kind.CUSTOM, math.inf, 0),
        (Kind.TRUSTED, math.inf, 0),
    ],
)
def test_age_and_grace_are_those_of_the_kind_unless_given(kind: Kind, max_age: float, grace: float) -> None:
    loaded = load("203.0.113.9\n", kind)
    assert (loaded.max_age_days, loaded.grace_days) == (max_age, grace)
    given_both = load_list(b"203.0.113.9\n", name="list", kind=kind, max_age_days=0, grace_days=0)
    assert (given_both.max_age_days, given_both.grace_days) == (0, 0)


@pytest.mark.parametrize(
    ("before", "after", "warning"),
    [
        (100, 120, ""),
        (100, 80, ""),
        (100, 121, "grew from 100 to 121 entries (+21%)"),
        (1_000, 0, "shrank from 1,000 to 0 entries (-100%)"),
        (0, 5, ""),
    ],
)
def test_a_sudden_change_is_told(before: int, after: int, warning: str) -> None:
    assert compare(range(before), range(after)) == warning


# Entries in columns


def entry(text: str, line: int = 1, start: datetime | None = None, end: datetime | None = None, word: str = "") -> Entry:
    return Entry(network=ip_network(text), line=line, category=word, valid_from=start, valid_to=end)


def test_entries_in_columns_are_the_entries() -> None:
    some = [
        entry("203.0.113.9/32", 1, word="a"),
        entry("2001:db8::/48", 4_000_000_000, DAY, None, "b"),
        entry("12.0.0.0/8", 3, None, DAY, "a"),
    ]
    columns = Entries(some)
    assert list(columns) == some
    assert columns[1] == columns[-2] == some[1]
    assert columns[:2] == tuple(some[:2])
    assert some[2] in columns
    assert (columns == Entries(some), columns == Entries(some[:2]), columns == some) == (True, False, False)
    assert hash(columns) == hash(Entries(some))
    assert pickle.loads(pickle.dumps(columns)) == columns  # noqa: S301 - our own
    assert Entries.of(columns) is columns
    with pytest.raises(IndexError):
        columns[3]


# Imports are diffs


def test_the_first_import_is_open_at_both_ends() -> None:
    change = diff([], [entry("203.0.113.9/32")], DAY)
    assert change.entries == change.opened == (entry("203.0.113.9/32"),)
    assert (change.closed, change.kept) == ((), 0)


def test_an_import_keeps_closes_and_opens() -> None:
    before = [
        entry("203.0.113.1/32", 1, word="old"),
        entry("203.0.113.2/32", 2),
        entry("203.0.113.3/32", 3, None, DAY - timedelta(9)),
    ]
    after = diff(before, [entry("203.0.113.1/32", 7, word="new"), entry("203.0.113.3/32", 8)], DAY)
    assert after.entries == (
        before[0],  # still listed: with its first line and word
        entry("203.0.113.2/32", 2, None, DAY),  # gone: closed
        before[2],  # history
        entry("203.0.113.3/32", 8, DAY, None),  # back again: opened anew
    )
    assert (after.opened, after.closed, after.kept) == (after.entries[3:], after.entries[1:2], 1)


def test_an_import_of_the_same_list_changes_nothing() -> None:
    listed = [entry("203.0.113.1/32", 1), entry("203.0.113.2/32", 2, DAY, DAY + timedelta(9))]
    first = diff([], listed, DAY)
    again = diff(first.entries, listed, DAY + timedelta(days=1))
    assert (again.entries, again.kept, again.opened, again.closed) == (first.entries, 2, (), ())


# The snapshot


def test_the_snapshot_is_dated_licensed_and_whole() -> None:
    snapshot = bundled_lists()
    assert [(item.name, item.kind, item.verdict) for item in snapshot] == [
        ("bundled-tor-exits", Kind.TOR, "unknown"),
        ("bundled-malicious", Kind.MALICIOUS, "malicious"),
        ("bundled-scanners", Kind.SCANNER, "unknown"),
        ("bundled-research-scanners", Kind.SCANNER, "research"),
    ]
    for item in snapshot:
        assert item.status == "ACTIVE"
        assert item.refused == {}
        assert item.as_of is not None
        assert item.licence
        assert item.location.startswith("bundled:")
        assert len(item.entries) > 1_000


def test_the_snapshot_says_in_each_file_where_it_is_from() -> None:
    folder = Path(lists.__file__).parent / "snapshot"
    for item in bundled_lists():
        header = [
            line
            for line in gzip.decompress((folder / item.location.partition(":")[2]).read_bytes()).decode().splitlines()
            if line[:1] == "#"
        ]
        words = {line[2:].partition(":")[0] for line in header}
        assert {"source", "licence", "date"} <= words
        (licences,) = [line.partition(": ")[2] for line in header if line.startswith("# licence")]
        assert licences.replace("; ", " and ") == item.licence
        if "MIT" in licences:
            assert any("Copyright" in line for line in header)  # which the licence wants kept


def test_the_snapshot_counts_as_stale_from_its_date_on() -> None:
    for item in bundled_lists():
        assert item.as_of is not None
        source = Index.build([item]).sources[0]
        assert source.stale_after == item.as_of + timedelta(days=kind_of(item.kind).max_age_days)
        (match, *_) = Index.build([item]).lookup(str(item.entries[0].network.network_address))
        assert match.at(source.stale_after + timedelta(days=1))  # it matches, and says that it is old


def test_no_address_is_a_research_scanner_and_an_unknown_one() -> None:
    unknown, research = (item for item in bundled_lists() if item.kind is Kind.SCANNER)
    index = Index.build([research])
    assert not any(index.covers(str(one.network.network_address)) for one in unknown.entries)


# The table of feeds


def test_feeds_are_a_sound_table() -> None:
    assert len({feed.name for feed in FEEDS}) == len({feed.url for feed in FEEDS}) == len(FEEDS)
    for feed in FEEDS:
        assert feed.url.startswith("https://")
        assert feed.format in all_list_formats()
        assert feed.kind in {Kind.TOR, Kind.MALICIOUS, Kind.SCANNER}
        assert feed.licence
        assert 0 < feed.refresh_hours <= feed.max_age_days * 24
        assert feed.meaning.endswith(".")
        assert feed.verdict in {"malicious", "unknown", "research"}


def test_an_unknown_feed_names_the_nearest() -> None:
    assert find_feed("tor-exit-addresses").kind is Kind.TOR
    with pytest.raises(NotFoundError, match=r"'tor-exits' is not a known feed; did you mean tor-"):
        find_feed("tor-exits")


def test_precedence_is_that_of_guardduty_and_the_users_own_first() -> None:
    assert CALLER_KINDS == (Kind.TRUSTED, Kind.CUSTOM, Kind.TOR, Kind.MALICIOUS)


def test_an_item_has_open_ends_unless_told() -> None:
    assert Item(1, "203.0.113.9") == (1, "203.0.113.9", "", None, None)


def test_an_entry_that_ended_and_is_still_listed_is_not_listed_twice() -> None:
    ended = entry("203.0.113.9/32", 1, DAY - timedelta(9), DAY - timedelta(2))
    change = diff([ended], [ended], DAY)
    assert (change.entries, change.opened, change.closed) == ((ended,), (), ())
    back = entry("203.0.113.9/32")
    change = diff([ended], [ended, back], DAY)  # and one that is listed again is new
    assert change.entries == (ended, entry("203.0.113.9/32", 1, DAY))
