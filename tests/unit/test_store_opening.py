"""Opening stores, and what is said of places that are none."""

import json
import sqlite3
from pathlib import Path
from threading import Thread

import pytest
from stores import START, finding

from vedette.errors import StoreError
from vedette.state_files.generation import Generation
from vedette.store import Store, state_folder

pytest_plugins = ["databases"]

FIRST = Generation(number=1, watermark=START)


def test_a_missing_store_is_not_made_unasked(tmp_path: Path) -> None:
    place = tmp_path / "vedette.db"
    with pytest.raises(StoreError, match="does not exist"):
        Store.open(f"sqlite:///{place}", create=False)
    assert not place.exists()
    place.touch()
    with pytest.raises(StoreError, match="does not contain a store of vedette yet"):
        Store.open(f"sqlite:///{place}", create=False)


def test_an_empty_database_is_not_filled_unasked(postgresql_url: str) -> None:
    with pytest.raises(StoreError, match="does not contain a store of vedette yet"):
        Store.open(postgresql_url, create=False)


def test_places_that_cannot_hold_a_store_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is no database at all, but a text that is long enough\n" * 100)
    with pytest.raises(StoreError, match=r"text\.db cannot be opened \(file is not a database\)"):
        Store.open(f"sqlite:///{tmp_path}/text.db")
    with pytest.raises(StoreError, match="it is a folder"):
        Store.open(f"sqlite:///{tmp_path}")
    with pytest.raises(StoreError, match=r"the folder .*missing does not exist"):
        Store.open(f"sqlite:///{tmp_path}/missing/vedette.db")


@pytest.mark.parametrize("url", ["vedette.db", "mysql://u:secret@host/db", "sqlite:", "postgres", "", "sqlite+aiosqlite:///x.db"])
def test_a_url_of_no_known_kind_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match=r"is not a store: give sqlite:///FILE or postgresql\+psycopg://HOST/DATABASE") as raised:
        Store.open(url)
    assert "secret" not in str(raised.value)


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(StoreError, match="cannot be opened") as raised:
        Store.open("postgresql+psycopg://user:secret@127.0.0.1:1/db")
    assert "secret" not in str(raised.value)
    assert "127.0.0.1:1" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "other.db"
    with sqlite3.connect(place) as connection:
        connection.execute("create table customers (name text)")
    connection.close()
    with pytest.raises(StoreError, match="is not a store of vedette: it has a table 'customers'"):
        Store.open(f"sqlite:///{place}")
    with sqlite3.connect(place) as connection:
        assert connection.execute("select name from sqlite_master").fetchall() == [("customers",)]
    connection.close()


def test_a_damaged_document_is_an_error_of_the_store(tmp_path: Path) -> None:
    place = tmp_path / "vedette.db"
    with Store.open(f"sqlite:///{place}") as store:
        store.commit(findings=[finding(1)], receipts=[], generation=FIRST)
        with sqlite3.connect(place) as connection:
            connection.execute("update finding_documents set document = substr(document, 1, 100)")
        connection.close()
        with pytest.raises(StoreError, match="the store holds a damaged Finding"):
            store.findings()


def test_a_store_that_breaks_later_is_an_error_of_the_store(tmp_path: Path) -> None:
    place = tmp_path / "vedette.db"
    with Store.open(f"sqlite:///{place}") as store:
        with sqlite3.connect(place) as connection:
            connection.execute("drop table receipts")
        connection.close()
        with pytest.raises(StoreError, match=r"vedette\.db cannot be written \(no such table: receipts\)"):
            store.commit(findings=[finding(1)], receipts=[("a", "1")], generation=FIRST)
        with pytest.raises(StoreError, match="cannot be read"):
            store.known([("a", "1")])
        assert store.count() == 0


def test_the_documents_can_be_read_by_people(tmp_path: Path) -> None:
    place = tmp_path / "vedette.db"
    with Store.open(f"sqlite:///{place}") as store:
        store.commit(findings=[finding(1)], receipts=[], generation=FIRST)
    with sqlite3.connect(place) as connection:
        ((text,),) = connection.execute("select document from finding_documents").fetchall()
    connection.close()
    assert json.loads(text)["seen"]["finding_type"] == "Recon:IAMUser/TorIPCaller"


def test_a_new_store_can_be_opened_by_several_at_once(store_url: str) -> None:
    counts: list[int] = []

    def open_and_count() -> None:
        with Store.open(store_url) as store:
            store.archive([finding(1).id])
            counts.append(store.count())

    threads = [Thread(target=open_and_count) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert counts == [0] * 5


# State folders


def test_state_files_lie_beside_a_file_store() -> None:
    assert state_folder("sqlite:///data/vedette.db") == Path("data/vedette.db.state")
    assert state_folder("sqlite:////var/lib/vedette/vedette.db?timeout=5") == Path("/var/lib/vedette/vedette.db.state")
    assert state_folder("sqlite:///vedette") == Path("vedette.state")
    assert state_folder("sqlite:///vedette.db", Path("elsewhere")) == Path("elsewhere")


def test_a_store_in_memory_has_no_state_folder() -> None:
    assert state_folder("sqlite://") is None
    assert state_folder("sqlite:///:memory:") is None


def test_a_server_needs_to_be_told_its_state_folder() -> None:
    url = "postgresql+psycopg://user:secret@host/db"
    with pytest.raises(StoreError, match="set state_folder to the folder of its state files") as raised:
        state_folder(url)
    assert "secret" not in str(raised.value)
    assert state_folder(url, Path("state")) == Path("state")
