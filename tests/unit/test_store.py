"""The store by example: what is written is found again, on SQLite files and on PostgreSQL, and nothing is half written."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from stores import ACCOUNT, HOUR, START, finding, severe

from vedette.errors import ConfigurationError, NotFoundError, StoreError
from vedette.findings import Finding, identity
from vedette.state_files.generation import Generation, Part
from vedette.store import Store, cursor
from vedette.store.tables import ORDERS

pytest_plugins = ["databases"]

FIRST = Generation(number=1, watermark=START)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def commit(store: Store, *findings: Finding) -> None:
    """Commit findings as the next step."""
    before = store.generation()
    store.commit(findings=findings, receipts=[], generation=Generation(number=before.number + 1 if before else 1))


def numbers(findings: list[Finding]) -> list[int]:
    """Return which findings these are."""
    return [int(found.id[:8], 16) for found in findings]


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.generation() is None
    assert store.known([("a", "1")]) == set()
    assert store.open_findings([identity(finding().seen)]) == []
    assert store.findings() == []
    assert store.count() == 0
    assert store.reports() == []
    assert store.lists() == []


def test_a_commit_is_found_by_the_next_process(store_url: str) -> None:
    generation = Generation(
        number=7,
        watermark=START,
        states={"caller_activity": (Part(path="7/a.parquet", table="caller_activity", day=19_783, rows=2),)},
        counts={"records": 12},
    )
    with Store.open(store_url) as store:
        store.commit(findings=[finding(1), finding(2)], receipts=[("a.gz", "v1")], generation=generation, report={"read": 12})
    with Store.open(store_url, create=False) as store:
        assert store.generation() == generation
        assert store.findings(order="first_seen", descending=False) == [finding(1), finding(2)]
        assert store.known([("a.gz", "v1"), ("a.gz", "v2"), ("b.gz", "v1")]) == {("a.gz", "v1")}
        (report,) = store.reports()
        assert (report.generation, report.content) == (7, {"read": 12})
        assert abs((report.written_at - datetime.now(UTC)).total_seconds()) < 600


def test_the_same_commit_again_changes_nothing(store: Store) -> None:
    for _ in range(2):
        store.commit(findings=[finding(1)], receipts=[("a", "1")], generation=FIRST, report={"n": 1})
    assert store.findings() == [finding(1)]
    assert len(store.reports()) == 1
    assert store.generation() == FIRST


def test_a_finding_is_written_over_the_one_of_its_id(store: Store) -> None:
    commit(store, finding(1), finding(2))
    commit(store, finding(1, count=99, archived=True))
    assert store.finding(finding(1).id) == finding(1, count=99, archived=True)
    assert store.count() == 2
    assert [found.seen.count for found in store.findings(order="count", limit=1)] == [99]


@pytest.mark.parametrize("number", [1, 2, 4, 9])
def test_a_generation_that_does_not_follow_is_refused_and_writes_nothing(store: Store, number: int) -> None:
    store.commit(findings=[finding(1)], receipts=[], generation=Generation(number=2, watermark=START))
    other = Generation(number=number, watermark=START + HOUR)
    with pytest.raises(StoreError, match=f"generation {number} cannot follow generation 2"):
        store.commit(findings=[finding(5)], receipts=[("b", "1")], generation=other)
    assert numbers(store.findings()) == [1]
    assert store.known([("b", "1")]) == set()
    store.commit(findings=[], receipts=[], generation=Generation(number=3, watermark=START + HOUR))


def test_an_error_while_findings_are_made_leaves_the_old_world(store: Store) -> None:
    def failing() -> Iterator[Finding]:
        yield from (finding(number) for number in range(600))
        raise RuntimeError("no more")

    commit(store, finding(1, count=77))
    with pytest.raises(RuntimeError, match="no more"):
        store.commit(findings=failing(), receipts=[("a", "1")], generation=Generation(number=2))
    assert [found.seen.count for found in store.findings()] == [77]
    assert store.generation() == Generation(number=1)


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[3])
from sqlalchemy import event
from stores import finding
from vedette.state_files.generation import Generation
from vedette.store import Store

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def findings():
    for number in range(1200):
        yield finding(number, count=5)
    if sys.argv[2] == "between":
        kill()

store = Store.open(sys.argv[1])
if sys.argv[2] == "before commit":
    event.listen(store._engine, "commit", kill)
store.commit(findings=findings(), receipts=[("b", "1")], generation=Generation(number=2), report={"n": 2})
kill()
"""


@pytest.mark.parametrize("moment", ["between", "before commit", "after commit"])
def test_a_killed_process_leaves_the_old_or_the_new_world(store_url: str, moment: str) -> None:
    with Store.open(store_url) as store:
        store.commit(findings=[finding(1)], receipts=[("a", "1")], generation=FIRST)
    support = str(Path(__file__).parents[1] / "support")
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, store_url, moment, support], check=False, capture_output=True, text=True
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    with Store.open(store_url) as store:
        if moment == "after commit":
            assert store.generation() == Generation(number=2)
            assert store.count() == 1200
            assert store.known([("a", "1"), ("b", "1")]) == {("a", "1"), ("b", "1")}
        else:
            assert store.generation() == FIRST
            assert store.findings() == [finding(1)]
            assert store.known([("a", "1"), ("b", "1")]) == {("a", "1")}
            assert store.reports() == []
        commit(store, finding(3))  # no lock is left behind


def test_writers_take_turns_and_readers_do_not_wait(store_url: str) -> None:
    with Store.open(store_url) as store, Store.open(store_url) as other:
        commit(store, finding(1))
        seen_meanwhile: list[int] = []

        def slow() -> Iterator[Finding]:
            yield from (finding(number) for number in range(2, 700))
            seen_meanwhile.append(other.count())

        archiver = Thread(target=other.archive, args=([finding(1).id],))

        def with_rival() -> Iterator[Finding]:
            yield from slow()
            archiver.start()  # waits until this commit is done

        store.commit(findings=with_rival(), receipts=[], generation=Generation(number=2))
        archiver.join(60)
        assert seen_meanwhile == [1]
        assert store.count() == 699
        assert numbers(store.findings(archived=True)) == [1]


def test_receipts_with_odd_names_are_known(store: Store) -> None:
    odd = [(os.fsdecode(b"caf\xe9.gz"), "1"), ("nul\x00.gz", "1"), ("?.gz", "1"), ("a", "b\x00c"), ("a\x00b", "c"), ("ab", "c")]
    store.commit(findings=[], receipts=odd[:-1], generation=FIRST)
    assert store.known(odd) == set(odd[:-1])


def test_many_receipts_are_known(store: Store) -> None:
    receipts = [(f"logs/{number}.json.gz", "etag") for number in range(1500)]
    store.commit(findings=[], receipts=receipts[::2], generation=FIRST)
    assert store.known(iter(receipts)) == set(receipts[::2])


def test_findings_of_an_identity_come_with_all_their_episodes(store: Store) -> None:
    target = finding(1).seen.target
    episodes = [finding(9, target=target), finding(1), finding(4, target=target, archived=True)]
    commit(store, *episodes, finding(2), finding(3, resource_key="other", target=target), finding(5, region="us-east-1"))
    assert numbers(store.open_findings([identity(finding(1).seen)])) == [1, 4, 9]
    wanted = [identity(finding(number).seen) for number in (5, 2, 7, 2)]
    assert numbers(store.open_findings(wanted)) == [2, 5]


def test_text_that_an_attacker_wrote_can_be_stored_and_is_kept(store: Store) -> None:
    nasty = "evil\x00\ud800'; drop table findings; --\u202e"
    written = finding(1, resource_key=nasty, target=nasty, action={"userAgent": nasty}, account_id=nasty, region=nasty)
    commit(store, written, finding(2, resource_key=nasty.replace("\x00", "\ufffd"), target=nasty, account_id=nasty, region=nasty))
    assert store.finding(written.id) == written
    assert numbers(store.open_findings([identity(written.seen)])) == [1]
    assert numbers(store.findings(account_id=nasty, region=nasty, order="account_id", descending=False)) == [1, 2]
    assert store.count(account_id="evil") == 0


MANY = [
    severe(
        number,
        [2.0, 5.0, 8.0][number % 3],
        region=["eu-west-1", "us-east-1"][number % 2],
        account_id=[ACCOUNT, "210987654321"][number // 10 % 2],
        finding_type=["Recon:EC2/Portscan", "Recon:IAMUser/TorIPCaller"][number % 5 == 0],
        archived=number % 4 == 0,
        count=100 - number // 2,
        updated_at=START + (number % 7) * HOUR,
    )
    for number in range(40)
]


@pytest.fixture
def filled(store: Store) -> Store:
    commit(store, *MANY)
    return store


KEYS = {
    "updated_at": lambda found: (found.updated_at, found.id),
    "created_at": lambda found: (found.created_at, found.id),
    "first_seen": lambda found: (found.seen.first.time, found.id),
    "last_seen": lambda found: (found.seen.last.time, found.id),
    "count": lambda found: (found.seen.count, found.id),
    "severity": lambda found: (found.summary.severity, found.updated_at, found.id),
    "finding_type": lambda found: (found.seen.finding_type, found.updated_at, found.id),
    "account_id": lambda found: (found.seen.account_id, found.updated_at, found.id),
}


@pytest.mark.parametrize("descending", [True, False])
def test_pages_hold_every_finding_once_in_order(filled: Store, descending: bool) -> None:
    assert KEYS.keys() == ORDERS.keys()
    for order, key in KEYS.items():
        pages: list[Finding] = []
        after = None
        while page := filled.findings(order=order, descending=descending, limit=7, after=after):
            assert len(page) <= 7
            pages += page
            after = cursor(page[-1], order, descending=descending)
        assert pages == sorted(MANY, key=key, reverse=descending), order


FILTERS = [
    ({}, lambda _: True),
    ({"finding_type": "Recon:IAMUser/TorIPCaller"}, lambda found: found.seen.finding_type == "Recon:IAMUser/TorIPCaller"),
    ({"minimum_severity": 5.0}, lambda found: found.summary.severity >= 5),
    ({"minimum_severity": 5.1}, lambda found: found.summary.severity > 5),
    ({"account_id": ACCOUNT}, lambda found: found.seen.account_id == ACCOUNT),
    ({"region": "us-east-1"}, lambda found: found.seen.region == "us-east-1"),
    ({"archived": True}, lambda found: found.archived),
    ({"archived": False}, lambda found: not found.archived),
    ({"since": START + 3 * HOUR}, lambda found: found.updated_at >= START + 3 * HOUR),
    ({"until": START + 3 * HOUR}, lambda found: found.updated_at < START + 3 * HOUR),
    ({"since": START + HOUR, "until": START + 2 * HOUR}, lambda found: found.updated_at == START + HOUR),
    ({"account_id": "none"}, lambda _: False),
    (
        {"account_id": ACCOUNT, "archived": False, "minimum_severity": 8.0, "since": START + HOUR, "region": None},
        lambda found: (
            found.seen.account_id == ACCOUNT
            and not found.archived
            and found.summary.severity == 8
            and found.updated_at >= START + HOUR
        ),
    ),
]


@pytest.mark.parametrize("sorted_at_most", [0, 5_000], ids=["by order", "by filter"])
def test_filters_select_what_they_say_in_every_order(filled: Store, sorted_at_most: int) -> None:
    for filters, meets in FILTERS:
        expected = {found.id for found in MANY if meets(found)}
        assert filled.count(**filters) == len(expected)
        for order in ("updated_at", "severity", "count", "finding_type"):
            chosen = {**filters, "order": order, "sorted_at_most": sorted_at_most}
            first = filled.findings(limit=3, **chosen)
            rest = filled.findings(limit=None, after=cursor(first[-1], order), **chosen) if first else []
            assert {found.id for found in [*first, *rest]} == expected
            assert len(first) + len(rest) == len(expected)


def test_a_place_in_a_list_is_not_shifted_by_what_comes_in_between(filled: Store) -> None:
    first = filled.findings(limit=10)
    commit(filled, finding(99, updated_at=START + 100 * HOUR))
    second = filled.findings(limit=10, after=cursor(first[-1]))
    assert numbers([*first, *second]) == numbers(sorted(MANY, key=lambda found: (found.updated_at, found.id), reverse=True)[:20])


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ("", "is not a cursor"),
        ("zz", "is not a cursor"),
        (b"{}".hex(), "is not a cursor"),
        (b'["updated_at",true]'.hex(), "sorted otherwise"),
        (b'["updated_at",true,"x","y"]'.hex(), "is not a cursor"),
        (b'["updated_at",true,true,"y"]'.hex(), "is not a cursor"),
        (b'["updated_at",false,1,"y"]'.hex(), "sorted otherwise"),
        (cursor(finding(1), "severity"), "sorted otherwise"),
    ],
)
def test_what_is_no_place_in_a_list_is_refused(store: Store, after: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        store.findings(after=after)


def test_an_unknown_order_or_count_names_the_nearest(store: Store) -> None:
    with pytest.raises(ConfigurationError, match="did you mean severity"):
        store.findings(order="sevrity")
    with pytest.raises(ConfigurationError, match="give updated_at, created_at"):
        cursor(finding(), "x")
    with pytest.raises(ConfigurationError, match="cannot be counted by 'title': give severity"):
        store.count_by("title")


def test_counts_by_value(filled: Store) -> None:
    assert filled.count_by("severity") == {2.0: 14, 5.0: 13, 8.0: 13}
    assert filled.count_by("archived") == {False: 30, True: 10}
    assert filled.count_by("region", archived=True) == {"eu-west-1": 10}
    assert filled.count_by("finding_type", account_id="none") == {}
    assert filled.count_by("account_id", minimum_severity=8.0, archived=False) == {ACCOUNT: 5, "210987654321": 5}


def test_a_finding_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    ids = ["abc0" * 8, "abc1" * 8, "f" * 32]
    commit(store, *(replace(finding(number), id=name) for number, name in enumerate(ids)))
    assert store.finding(ids[0]).id == ids[0]
    assert store.finding(" ABC1 ").id == ids[1]
    assert store.finding("f").id == ids[2]
    with pytest.raises(NotFoundError, match=f"several findings have ids that begin with 'abc': {ids[0]}, {ids[1]}$"):
        store.finding("abc")
    with pytest.raises(NotFoundError, match=f"begins with 'abc2'; the nearest is {ids[1]}|begins with 'abc2'$"):
        store.finding("abc2")
    with pytest.raises(NotFoundError, match=f"begins with 'abc1abc2'; the nearest is {ids[1]}"):
        store.finding("abc1abc2")
    for nothing in ("", "  ", "%", "a_c", "0", "abc0" * 8 + "0", "\x00"):
        with pytest.raises(NotFoundError):
            store.finding(nothing)


def test_findings_of_whole_ids_keep_their_order(filled: Store) -> None:
    ids = [MANY[3].id, "0" * 31, MANY[1].id, MANY[3].id, MANY[2].id]
    assert numbers(filled.findings_of(ids)) == [3, 1, 2]
    assert filled.findings_of([]) == []


def test_archiving_marks_and_unmarks(store: Store) -> None:
    commit(store, finding(1), finding(2), finding(3, archived=True))
    assert store.archive([finding(1).id, finding(3).id, "unknown"]) == 1
    assert numbers(store.findings(archived=True, order="first_seen", descending=False)) == [1, 3]
    assert store.finding(finding(1).id) == finding(1, archived=True)
    assert store.unarchive([finding(1).id, finding(2).id]) == 1
    assert store.finding(finding(1).id) == finding(1)
    assert store.archive([]) == 0


def test_reports_come_newest_first(store: Store) -> None:
    for number in range(1, 5):
        store.commit(findings=[], receipts=[], generation=Generation(number=number), report={"n": number, "at": START})
    assert [report.content["n"] for report in store.reports(3)] == [4, 3, 2]


def test_an_ephemeral_store_lives_as_long_as_it_is_open() -> None:
    with Store.ephemeral() as store:
        commit(store, finding(1))
        counts: list[int] = []
        threads = [Thread(target=lambda: counts.append(store.count())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert counts == [1, 1, 1, 1]
    with Store.open("sqlite:///:memory:") as store:
        assert store.count() == 0


def test_a_value_that_cannot_be_written_is_named(store: Store) -> None:
    with pytest.raises(StoreError, match="of type complex cannot be written"):
        commit(store, finding(1, resource={"a": [1j]}))
    assert store.count() == 0
