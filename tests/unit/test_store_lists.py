"""Threat lists in the store: what comes back, what an import changes, and what removing one forgets."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from vedette.errors import NotFoundError, StoreError
from vedette.intel import Entry, Kind, Refusal, ThreatList
from vedette.intel.entries import Entries
from vedette.intel.history import diff
from vedette.intel.index import Index
from vedette.intel.lists import load_list
from vedette.store import ListSummary, Store
from vedette.store.lists import imported, packed, unpacked

pytest_plugins = ["databases"]

DAY = timedelta(days=1)
MONDAY = datetime(2024, 3, 4, 6, tzinfo=UTC)
TUESDAY = MONDAY + DAY


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def entry(network: str, line: int = 1, **changes: object) -> Entry:
    return replace(Entry(network=ip_network(network), line=line), **changes)


def threat_list(*entries: Entry, name: str = "ours", **changes: object) -> ThreatList:
    made = ThreatList(name=name, kind=Kind.CUSTOM, format="TXT", entries=entries, as_of=MONDAY, digest="d")
    return replace(made, **changes)


def loaded(lines: str, **changes: object) -> ThreatList:
    made = load_list(lines.encode(), name="ours", kind=Kind.CUSTOM, format="TXT", as_of=MONDAY)
    return replace(made, **changes)


def told(given: ThreatList) -> dict[str, tuple[datetime | None, datetime | None]]:
    return {str(item.network): (item.valid_from, item.valid_to) for item in given.entries}


FULL = ThreatList(
    name="tor exits",
    kind=Kind.TOR,
    format="STIX",
    entries=(
        entry("192.0.2.0/24", 3, category="exit", valid_from=MONDAY, valid_to=MONDAY + 30 * DAY),
        entry("2001:db8:1::/48", 4_000_000_000, category="exit"),
        entry("203.0.113.7/32", 5, category="wörd\U0001f9c5", valid_to=datetime(9999, 12, 31, tzinfo=UTC)),
    ),
    refusals=(Refusal(1, "not\x00an address", "not an address: …"), Refusal(2, "\ud800", "x")),
    digest="0" * 64,
    as_of=datetime(2024, 3, 1, 1, 2, 3, 456789, tzinfo=UTC),
    max_age_days=1.5,
    grace_days=14,
    licence="CC0-1.0",
    location="https://lists.example/tor",
    verdict="malicious",
    refused={"not an address": 2},
)


def test_a_list_comes_back_as_it_was(store: Store) -> None:
    endless = threat_list(entry("198.51.100.0/24"), max_age_days=float("inf"), as_of=None)
    assert store.put_list(FULL, MONDAY) == ""
    assert store.put_list(endless, MONDAY) == ""
    back = store.get_list("tor exits")
    assert list(back.entries) == list(FULL.entries)
    assert replace(back, entries=()) == replace(FULL, entries=())
    assert store.get_list("ours").max_age_days == float("inf")
    assert [item.name for item in store.threat_lists()] == ["ours", "tor exits"]


def test_a_summary_says_what_a_list_is_without_its_entries(store: Store) -> None:
    store.put_list(FULL, TUESDAY)
    assert store.lists() == [
        ListSummary(
            name="tor exits",
            kind=Kind.TOR,
            format="STIX",
            status="ACTIVE",
            entries=3,
            ended=0,
            refused=2,
            imported_at=TUESDAY,
            as_of=FULL.as_of,
            max_age_days=1.5,
            digest="0" * 64,
            location="https://lists.example/tor",
            licence="CC0-1.0",
            verdict="malicious",
        )
    ]


def test_an_import_ends_what_vanished_and_opens_what_is_new(store: Store) -> None:
    store.put_list(loaded("192.0.2.1\n192.0.2.2\n"), MONDAY)
    store.put_list(loaded("192.0.2.2\n192.0.2.3\n", digest="e"), TUESDAY)
    stored = store.get_list("ours")
    assert told(stored) == {
        "192.0.2.1/32": (None, TUESDAY),
        "192.0.2.2/32": (None, None),
        "192.0.2.3/32": (TUESDAY, None),
    }
    assert stored.digest == "e"
    (summary,) = store.lists()
    assert (summary.entries, summary.ended, summary.imported_at) == (2, 1, TUESDAY)


def test_events_are_matched_as_the_list_was_at_their_time(store: Store) -> None:
    store.put_list(loaded("192.0.2.1\n192.0.2.9\n"), MONDAY)
    store.put_list(loaded("192.0.2.9\n"), TUESDAY)
    store.put_list(loaded("192.0.2.1\n192.0.2.9\n"), MONDAY + 30 * DAY)
    index = Index.build(store.threat_lists())
    listed = [bool(index.match_at("192.0.2.1", MONDAY + day * DAY)) for day in (-100, 0, 1, 2, 20, 29, 30, 31)]
    assert listed == [True, True, True, False, False, True, True, True]


def test_entries_that_had_ended_by_themselves_do_not_double_with_every_import(store: Store) -> None:
    ended = entry("192.0.2.1/32", valid_from=MONDAY - 9 * DAY, valid_to=MONDAY - DAY)
    without_start = entry("192.0.2.2/32", valid_to=MONDAY - DAY)
    for day in range(3):
        store.put_list(threat_list(ended, without_start, entry("192.0.2.3/32")), MONDAY + day * DAY)
    assert set(store.get_list("ours").entries) == {ended, without_start, entry("192.0.2.3/32")}
    assert len(store.get_list("ours").entries) == 3
    (summary,) = store.lists()
    assert (summary.entries, summary.ended) == (1, 2)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [entry("192.0.2.1/32")]),
        ([entry("192.0.2.1/32", 1)], [entry("192.0.2.1/32", 9, category="new word")]),
        ([entry("192.0.2.1/32")], [entry("192.0.2.1/32", valid_to=TUESDAY + DAY)]),
        ([entry("192.0.2.1/32", valid_to=TUESDAY + DAY)], [entry("192.0.2.1/32")]),
        ([entry("192.0.2.1/32", valid_from=MONDAY)], [entry("192.0.2.1/32")]),
        ([entry("192.0.2.1/32", valid_from=MONDAY)], [entry("192.0.2.1/32", valid_from=TUESDAY)]),
        ([entry("192.0.2.1/32")], [entry("192.0.2.1/32", 1), entry("192.0.2.1/32", 2, valid_from=MONDAY)]),
        ([entry("192.0.2.0/24"), entry("192.0.2.0/25")], [entry("192.0.2.0/25")]),
        ([entry("::ffff:0:0/96", 1), entry("0.0.0.0/1", 2)], [entry("0.0.0.0/1", 2)]),
        ([entry("2001:db8::/64"), entry("2001:db8::/65")], [entry("2001:db8::/65"), entry("2001:db8:0:0:8000::/65")]),
        (
            [entry("192.0.2.1/32", valid_to=MONDAY), entry("192.0.2.1/32", valid_from=MONDAY)],
            [entry("192.0.2.1/32")],
        ),
        ([entry("192.0.2.1/32", 1), entry("192.0.2.1/32", 2, valid_from=MONDAY)], [entry("192.0.2.1/32", 3)]),
    ],
)
def test_the_quick_import_says_what_the_history_says(before: list[Entry], after: list[Entry]) -> None:
    def counted(entries: Entries | tuple[Entry, ...]) -> dict[Entry, int]:
        return {item: list(entries).count(item) for item in entries}

    quick = imported(Entries(before) if before else None, threat_list(*after), TUESDAY)
    assert counted(quick) == counted(diff(before, after, TUESDAY).entries)


def test_a_list_that_grew_or_shrank_suspiciously_is_told(store: Store) -> None:
    assert store.put_list(loaded("".join(f"192.0.2.{n}\n" for n in range(10))), MONDAY) == ""
    assert store.put_list(loaded("".join(f"192.0.2.{n}\n" for n in range(12))), TUESDAY) == ""
    warning = store.put_list(loaded("".join(f"192.0.2.{n}\n" for n in range(6))), TUESDAY + DAY)
    assert warning == "ours: shrank from 12 to 6 entries (-50%)"
    assert store.put_list(loaded("".join(f"192.0.2.{n}\n" for n in range(6))), TUESDAY + 2 * DAY) == ""


def test_a_list_with_nothing_valid_does_not_replace_one_that_has(store: Store) -> None:
    broken = loaded("nothing here\n")
    assert broken.status == "ERROR"
    assert store.put_list(broken, MONDAY) == ""
    assert store.threat_lists() == []
    assert [item.status for item in store.lists()] == ["ERROR"]
    store.put_list(loaded("192.0.2.1\n"), TUESDAY)
    assert told(store.get_list("ours")) == {"192.0.2.1/32": (None, None)}
    assert "the 1 earlier entries are kept" in store.put_list(broken, TUESDAY + DAY)
    assert told(store.get_list("ours")) == {"192.0.2.1/32": (None, None)}
    assert [item.status for item in store.lists()] == ["ACTIVE"]


def test_a_removed_list_is_forgotten_with_its_history(store: Store) -> None:
    store.put_list(loaded("192.0.2.1\n"), MONDAY)
    store.put_list(threat_list(entry("192.0.2.2/32"), name="theirs"), MONDAY)
    store.remove_list("ours")
    assert [item.name for item in store.threat_lists()] == ["theirs"]
    store.put_list(loaded("192.0.2.3\n"), TUESDAY)
    assert told(store.get_list("ours")) == {"192.0.2.3/32": (None, None)}


def test_a_list_that_is_not_there_is_named_with_the_nearest(store: Store) -> None:
    store.put_list(threat_list(entry("192.0.2.2/32"), name="corp-blocklist"), MONDAY)
    with pytest.raises(NotFoundError, match="no list 'corp-blocklst' in the store; did you mean corp-blocklist"):
        store.get_list("corp-blocklst")
    with pytest.raises(NotFoundError, match=r"no list 'x' in the store$"):
        store.remove_list("x")


def test_entries_in_columns_come_back(store_url: str) -> None:
    assert list(unpacked(packed(Entries()), "x")) == []
    words = Entries([entry("192.0.2.1/32", category="half \ud800 and nul \x00")])
    assert unpacked(packed(words), "x")[0].category == "half ? and nul \ufffd"
    for damaged in (b"", b"nothing", packed(words)[:-200], packed(words)[:100]):
        with pytest.raises(StoreError, match="damaged entries of the list 'x'"):
            unpacked(damaged, "x")


def test_a_large_list_is_imported_again_in_columns() -> None:
    before, after = Entries(), Entries()
    for number in range(30_000):
        before.append((4, (16 << 24) + number, 32), number, "", (None, None))
        if number % 1000:
            after.append((4, (16 << 24) + number, 32), number, "", (None, None))
    result = unpacked(packed(imported(before, threat_list(entries=after), TUESDAY)), "x")
    assert len(result) == 30_000
    assert sum(item.valid_to == TUESDAY for item in result) == 30
