"""Opening stores, and what is said of places that are none."""

import json
import os
import random
import sqlite3
from pathlib import Path
from threading import Thread

import pytest
from commands import run
from stores import START, finding

from vedette.errors import StoreError
from vedette.state_files.generation import Generation
from vedette.store import Store, state_folder
from vedette.store.url import server_of

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


def sentence(*words: str) -> str:
    """Run a command that must be refused in one sentence, and return it."""
    ended = run(*words)
    assert ended.status in {2, 6}, ended
    assert (ended.out, ended.err.count("\n")) == ("", 1), ended
    assert len(ended.err) < 1_000
    return ended.err


COMMANDS = [("findings", "list"), ("baseline", "show"), ("lists", "add", "list.txt"), ("scan", "log.json", "--workers", "1")]


def test_what_cannot_be_a_store_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.json").write_text('{"Records": []}')
    (tmp_path / "list.txt").write_text("198.51.100.7\n")
    (tmp_path / "folder").mkdir()
    os.mkfifo("pipe")
    (tmp_path / "to-pipe").symlink_to("pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "random.db").write_bytes(random.Random(1).randbytes(20_000))
    with Store.open(f"sqlite:///{tmp_path}/good.db") as store:
        store.commit(findings=[finding(1)], receipts=[], generation=FIRST)
    good = (tmp_path / "good.db").read_bytes()
    for size in (1, 20, 99, 100, 101, 1_000, 4_096, 5_000, 12_288, len(good) // 2, len(good) - 4_096, len(good) - 1):
        (tmp_path / f"{size}.db").write_bytes(good[:size])
    shuffled = bytearray(good)
    shuffled[4_096:] = random.Random(2).randbytes(len(good) - 4_096)
    (tmp_path / "damaged.db").write_bytes(shuffled)
    whole = {f"{len(good) - 1}.db", f"{len(good) - 4_096}.db"}  # of which most can be read
    names = {path.name for path in tmp_path.iterdir()} - {"good.db", *whole}
    names |= {
        "",
        ".",
        "..",
        "/",
        "/dev/zero",
        "/dev/full",
        "no/such.db",
        "log.json/x",
        "x" * 300,
        "x" * 250,
        "x" * 100_000,
        "x/" * 50_000,
    }
    for number, name in enumerate(sorted(names)):
        for command in {COMMANDS[0], COMMANDS[number % len(COMMANDS)]}:
            sentence(*command, "--store", name)
    for name in whole:
        assert run("findings", "list", "--store", name).status in {0, 6}
    assert not (tmp_path / ("x" * 250)).exists()
    (tmp_path / "empty.db").touch()
    assert "does not contain a store of vedette yet" in sentence("findings", "list", "--store", "empty.db")
    assert run("lists", "add", "list.txt", "--store", "empty.db").status == 0
    (tmp_path / "vedette.toml").write_text('store = "a\\u0000b"\n')
    sentence("findings", "list")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://host:abc/db", "its port is not a number"),
        ("postgresql://host:0/db", "its port is not a number"),
        ("postgresql://host:65536/db", "its port is not a number"),
        ("postgresql://host:\uff15/db", "its port is not a number"),
        ("postgresql://ho st/db", "not the name of one"),
        ("postgresql://[::1/db", "not the name of one"),
        ("postgresql://user:a@b@c/d@e/db", "write @ as %40"),
        ("postgresql://127.0.0.1:1/db?port=abc", "cannot be opened"),
        ("postgresql://127.0.0.1:1/db?no_such=1", "cannot be opened"),
        ("postgresql://127.0.0.1:1/db?connect_timeout=x", "cannot be opened"),
        ("postgresql://%00/db", "cannot be opened"),
        ("postgresql://127.0.0.1:1/%00", "cannot be opened"),
        ("postgresql://", "cannot be opened"),
        ("sqlite:///x.db?mode=ro", "no parameter 'mode'"),
        ("sqlite:///x.db?timeout=x", "timeout is a number"),
        ("sqlite:///x%00y.db", "not the name of a file"),
    ],
)
def test_a_url_that_names_no_store_is_told_in_one_sentence(url: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "/no/such/socket")
    assert words in sentence("findings", "list", "--store", url)


def test_a_url_of_a_server_means_what_it_says() -> None:
    found = server_of("postgresql+psycopg://us%40er:p%40%2F%3A%3Fw@[::1]:5433/d%20b?sslmode=require&host=a&host=b")
    assert (found.user, found.password, found.host, found.port, found.database) == ("us@er", "p@/:?w", "::1", 5433, "d b")
    assert found.parameters == (("sslmode", "require"), ("host", "a"), ("host", "b"))
    bare = server_of("postgresql:///db")
    assert (bare.user, bare.password, bare.host, bare.port, bare.database) == ("", "", "", None, "db")
    assert [server_of(f"postgresql://user:{word}@host").password for word in ("p#w", "a:b")] == ["p#w", "a:b"]
    assert [server_of(f"postgresql://{place}/db").host for place in ("h", "u@h:1", "[::1]", "h:")] == ["h", "h", "::1", "h"]


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
