"""Receipts in both databases: found by name, place, content and beginning; those that the first revision wrote stay valid."""

from collections.abc import Iterator
from hashlib import sha256

import pytest
from sqlalchemy import text

from vedette.logs.content import heads
from vedette.logs.receipt import ALWAYS, Content, Receipt
from vedette.state_files.generation import Generation
from vedette.store import Store
from vedette.store.database import connect, writing
from vedette.store.documents import digest
from vedette.store.receipts import MOST_ALIKE

pytest_plugins = ["databases"]

DATA = bytes(range(256)) * 40


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def receipt(size: int, name: str = "a", version: str = "", **more: object) -> Receipt:
    """Return the receipt of the first bytes of the data."""
    content = Content(size=size, digest=sha256(DATA[:size]).hexdigest(), head=heads(DATA[:size])[-1])
    return Receipt(name=name, version=version or str(size), place=f"/{name}", content=content, records=size // 10, **more)  # type: ignore[arg-type]


def commit(store: Store, *receipts: Receipt | tuple[str, str]) -> None:
    before = store.generation()
    store.commit(findings=[], receipts=receipts, generation=Generation(number=before.number + 1 if before else 1))


def alike(store: Store, place: str, size: int, content: str = "") -> set[tuple[str, str]]:
    return {(item.name, item.version) for item in store.alike(place, heads(DATA[:size]), content, size)}


def test_a_receipt_comes_back_as_it_was_written(store: Store) -> None:
    whole = receipt(5000, last="x" * 32, spans=((None, 5), (7, 9)))
    commit(store, whole)
    (found,) = store.receipts([("a", "5000")])
    assert found == Receipt(
        name="a", version="5000", content=whole.content, records=500, last="x" * 32, spans=((None, 5), (7, 9))
    )
    assert store.receipts(contents=[sha256(DATA[:5000]).hexdigest()]) == [found]
    assert store.known([("a", "5000")]) == set()
    commit(store, receipt(5000, last="x" * 32))
    assert store.known([("a", "5000")]) == {("a", "5000")}
    assert [item.spans for item in store.receipts([("a", "5000")])] == [ALWAYS]


def test_what_a_blob_begins_with_is_found_by_its_place_and_by_its_beginning(store: Store) -> None:
    commit(store, receipt(100), receipt(300, "b"), receipt(5000, "c"), receipt(9000, "d"), ("e", "1"))
    assert alike(store, "/new", 6000) == {("a", "100"), ("b", "300"), ("c", "5000")}
    assert alike(store, "/new", 200) == {("a", "100")}
    assert store.present(["/a", "/new", "e"], heads(DATA[:300])) == ({"/a"}, {heads(DATA[:64])[-1], heads(DATA[:256])[-1]})
    assert {(item.name, item.version) for item in store.alike("/b", [], "", 1000)} == {("b", "300")}


def test_of_many_beginnings_the_longest_are_compared_and_the_same_bytes_are_always_found(store: Store) -> None:
    many = [receipt(70 + number % 20, f"n{number}", "1") for number in range(3 * MOST_ALIKE)]
    commit(store, *many)
    found = store.alike("/new", heads(DATA[:100]), "", 100)
    assert (len(found), min(item.content.size for item in found if item.content)) == (MOST_ALIKE, 82)
    by_content = store.alike("/new", heads(DATA[:100]), sha256(DATA[:70]).hexdigest(), 100)
    assert any(item.content == many[0].content for item in by_content)


def test_receipts_of_the_first_revision_are_honoured(store_url: str) -> None:
    """They say nothing of what was read: the blob is known by name and version, as it was then."""
    Store.open(store_url).close()
    engine = connect(store_url, create=False)
    with writing(engine) as connection:
        values = {"digest": digest("old.gz", "v1")}
        names = "digest, name, version, generation"
        connection.execute(text(f"insert into receipts ({names}) values (:digest, 'old.gz', 'v1', 5)"), values)
    engine.dispose()
    with Store.open(store_url) as store:
        assert store.known([("old.gz", "v1"), ("old.gz", "v2")]) == {("old.gz", "v1")}
        assert store.receipts([("old.gz", "v1")]) == [Receipt(name="old.gz", version="v1")]
        assert store.present(["old.gz"], []) == (set(), set())
        commit(store, ("old.gz", "v1"))
        assert store.known([("old.gz", "v1")]) == {("old.gz", "v1")}
