"""A list that is imported again and again: one entry per period of a network, and events match as the list was at their time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.intel import Entry, Kind, ThreatList
from vedette.intel.entries import Entries
from vedette.intel.history import diff
from vedette.store.lists import imported

START = datetime(2024, 5, 6, tzinfo=UTC)
NETWORK = ip_network("203.0.113.9/32")


OTHER = Entry(network=ip_network("192.0.2.1/32"), line=9)  # a list without any entry would not be imported


def day(number: float | None) -> datetime | None:
    return None if number is None else START + timedelta(days=number)


def at(number: float) -> datetime:
    return START + timedelta(days=number)


def entry(begin: float | None = None, end: float | None = None, word: str = "", network: str = "203.0.113.9/32") -> Entry:
    return Entry(network=ip_network(network), line=1, category=word, valid_from=day(begin), valid_to=day(end))


def put(stored: Entries | None, listed: Sequence[Entry], when: float) -> Entries:
    """Import a list as the store does."""
    return imported(stored, ThreatList(name="list", kind=Kind.CUSTOM, format="STIX2", entries=listed), at(when))


def imported_in_turn(lists: Sequence[Sequence[Entry]]) -> Entries | None:
    """Import one list a day, from the start on; return what the store has then."""
    stored = None
    for day, items in enumerate(lists):
        stored = put(stored, items, day)
    return stored


def periods(stored: Entries | None) -> list[tuple[float | None, float | None]]:
    def number(time: datetime | None) -> float | None:
        return None if time is None else (time - START) / timedelta(days=1)

    return [(number(item.valid_from), number(item.valid_to)) for item in stored or ()]


def holds(entries: Sequence[Entry], when: float) -> bool:
    moment = at(when)
    return any(
        (item.valid_from is None or item.valid_from <= moment) and (item.valid_to is None or moment <= item.valid_to)
        for item in entries
    )


# One entry, however often the list is imported


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([[entry(-300, 400 + n)] for n in range(6)], [(-300, 405)]),  # the end slides
        ([[entry(-300, 400 - n)] for n in range(6)], [(-300, 395)]),  # and back
        ([[entry(n - 1, n + 30)] for n in range(6)], [(-1, 35)]),  # beginning and end slide
        ([[entry(None, n + 30)] for n in range(6)], [(None, 35)]),
        ([[entry(-1, None)], [entry(-1, 30)], [entry(-1, None)], [entry(-1, 40)]], [(-1, 40)]),  # the end comes and goes
        ([[entry(-1, 30)], [entry(None, 40)], [entry()]], [(-1, None)]),
        ([[entry()], [entry(-1, 30)], [entry(-2, 30)]], [(None, 30)]),
        ([[entry(-1, 30, "old name")], [entry(-1, 31, "new name")]], [(-1, 31)]),
        ([[entry(10, 30)], [entry(12, 32)], [entry(40, 50)]], [(40, 50)]),  # none of them has begun yet
        ([[entry(-9, -2)], [entry(-9, -2)]], [(-9, -2)]),  # ended before the first import
        ([[entry(-9, 30)], [entry(-9, -2)], [entry(-9, -2)]], [(-9, 1)]),  # shortened to the past: in force until then
        ([[entry(-9, 30)], [entry(-9, -2)], [entry(-9, 30)]], [(-9, 30)]),
        ([[entry(-9, 30)], [], [entry(-9, 30)], [], [entry(-9, 31)]], [(-9, 31)]),  # the list states that it held all the time
    ],
)
def test_a_period_that_the_list_goes_on_with_stays_one_entry(
    listed: Sequence[Sequence[Entry]], expected: list[tuple[float | None, float | None]]
) -> None:
    assert periods(imported_in_turn(listed)) == expected


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([[entry()], [], [entry()]], [(None, 1), (2, None)]),  # it was gone for a day
        ([[entry(-9, -2)], [entry(-9, -2), entry()]], [(-9, -2), (1, None)]),
        ([[entry(-9, 30)], [entry(5, 30)]], [(-9, 1), (5, 30)]),  # it begins again later
        ([[entry(-9, 30, "a"), entry(-9, 30, "b")], [entry(-9, 31, "b"), entry(-9, 32, "a")]], [(-9, 32), (-9, 31)]),
    ],
)
def test_periods_with_a_gap_between_them_stay_apart(
    listed: Sequence[Sequence[Entry]], expected: list[tuple[float | None, float | None]]
) -> None:
    assert periods(imported_in_turn(listed)) == expected


def test_a_store_that_has_one_entry_per_import_recovers() -> None:
    grown = Entries([*(entry(-300, n) for n in range(5)), entry(-300, 400)])
    assert periods(put(grown, [entry(-300, 401)], 6)) == [(-300, 401)]
    named = Entries([entry(-300, 1, "other"), entry(-300, 400)])  # what another name says is not dropped
    assert periods(put(named, [entry(-300, 401)], 6)) == [(-300, 1), (-300, 401)]


def test_a_network_that_a_later_import_only_adds_is_valid_from_that_import() -> None:
    first = put(None, [entry()], 0)
    later = put(first, [entry(), entry(network="192.0.2.1/32")], 1)
    assert periods(later) == [(None, None), (1, None)]
    assert periods(put(Entries(), [entry()], 1)) == [(None, None)]  # nothing was stored: the first import


def test_a_change_counts_what_it_opened_closed_and_kept() -> None:
    change = diff([entry(-9, 30), entry(network="192.0.2.1/32")], [entry(-9, 31), entry(network="192.0.2.2/32")], at(1))
    assert (len(change.opened), len(change.closed), change.kept) == (1, 1, 1)
    assert change.closed == (replace(entry(network="192.0.2.1/32"), valid_to=day(1)),)


# For any lists

ends = st.one_of(st.none(), st.integers(-6, 20))
entries = st.builds(entry, ends, ends, st.sampled_from(["", "a"])).filter(
    lambda item: item.valid_from is None or item.valid_to is None or item.valid_from <= item.valid_to
)
lists = st.lists(st.lists(entries, max_size=3, unique=True), min_size=1, max_size=5)


@given(lists)
@settings(max_examples=200, deadline=None)
def test_an_event_matches_as_the_list_was_at_its_time(listed: list[list[Entry]]) -> None:
    """What was in force at a time is found for ever, and what is found was in force, or is said by the list to have been."""
    stored = Entries()
    for when, items in enumerate(listed):
        stored = put(stored, [*items, OTHER], when * 2)
    stored = Entries(item for item in stored if item.network == NETWORK)
    for moment in (n + 0.5 for n in range(2 * len(listed) + 10)):
        current = listed[min(int(moment // 2), len(listed) - 1)]
        if holds(current, moment):
            assert holds(stored, moment), (moment, periods(stored))
        elif holds(stored, moment):
            since = listed[min(int(moment // 2), len(listed) - 1) :]
            stated = [item for items in since for item in items if item.valid_from is not None]
            assert holds(stated, moment), (moment, periods(stored))


@given(lists)
@settings(max_examples=100, deadline=None)
def test_an_import_of_the_same_list_changes_nothing(listed: list[list[Entry]]) -> None:
    stored = Entries()
    for when, items in enumerate(listed):
        stored = put(stored, [*items, OTHER], when * 2)
    last = 2 * len(listed)
    once = put(stored, [*listed[-1], OTHER], last - 1.9)
    again = put(once, [*listed[-1], OTHER], last - 1.8)
    assert sorted(periods(again), key=str) == sorted(periods(once), key=str)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.booleans())
def test_however_an_end_slides_there_is_one_entry(ends: list[int], begins: bool) -> None:
    stored = None
    for when, end in enumerate(ends):
        stored = put(stored, [entry(-5 if begins else None, when + end)], when)
    assert periods(stored) == [(-5 if begins else None, len(ends) - 1 + ends[-1])]
