"""State files in a folder and in a bucket: written whole or not at all, by the same names."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pytest
from moto.server import ThreadedMotoServer

from vedette import aws
from vedette.aws import Connection
from vedette.errors import EngineError, StoreError
from vedette.pipeline.state_place import held_place, state_place
from vedette.settings import load
from vedette.state_files.generation import Generation, Part
from vedette.state_files.location import Bucket, Folder, StateLocation
from vedette.state_files.ownership import Owner, check, claim, is_marked
from vedette.state_files.tables import write_table
from vedette.store import Store

GONE = Part(path="spool/gone.arrow", table="cloudtrail", day=None, rows=1)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StateLocation:
    if request.param == "folder":
        return Folder(tmp_path / "state")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    aws._client.cache_clear()
    connection = Connection(region="us-east-1", s3_endpoint=request.getfixturevalue("server"))
    aws.s3(connection).create_bucket(Bucket="state")
    return Bucket(f"s3://state/some/{tmp_path.name}", connection)


def write(place: StateLocation, name: str, data: bytes) -> None:
    with place.writing(name) as file:
        file.write(data)


def test_what_is_written_is_read_and_listed(place: StateLocation) -> None:
    write(place, "spool/a.arrow", b"one")
    write(place, "states/00000001/b.parquet", b"two")
    write(place, "spool/a.arrow", b"three")
    with place.reading("spool/a.arrow") as file:
        assert file.read() == b"three"
    assert sorted(place.names()) == ["spool/a.arrow", "states/00000001/b.parquet"]
    place.remove("spool/a.arrow")
    place.remove("spool/a.arrow")
    assert list(place.names()) == ["states/00000001/b.parquet"]


def test_a_write_that_fails_leaves_nothing(place: StateLocation) -> None:
    def fail() -> None:
        with place.writing("spool/a.arrow") as file:
            file.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(place.names()) == []


def test_what_is_gone_is_one_clear_error(place: StateLocation) -> None:
    with pytest.raises(EngineError, match=r"spool/gone\.arrow"), place.reading("spool/gone.arrow"):
        pass


# Whose a place is


def claimed(place: StateLocation, identity: str, generation: Generation | None = None, store: str = "/gone/case.db") -> None:
    claim(place, Owner(identity=identity, store=store), generation)


def test_a_place_has_one_owner(place: StateLocation) -> None:
    claimed(place, "one")
    write(place, "spool/a.arrow", b"one")
    claimed(place, "one")
    check(place, Owner(identity="one", store="/elsewhere/case.db"), None)
    for store, words in (("/gone/case.db", "called /gone/case.db before"), ("/gone/other.db", r"another store, /gone/case\.db")):
        with pytest.raises(StoreError, match=words):
            claimed(place, "two", store=store)
        with pytest.raises(StoreError, match=words):
            check(place, Owner(identity="two", store=store), None)
    assert list(place.names()) == ["spool/a.arrow"]


def test_of_many_stores_that_want_a_place_at_once_one_gets_it(place: StateLocation) -> None:
    if isinstance(place, Folder):
        claimed(place, "0")  # who writes there holds its lock
    won, lost = [], []

    def want(identity: str) -> None:
        try:
            claimed(place, identity)
            won.append(identity)
        except StoreError:
            lost.append(identity)

    write(place, "elsewhere/a.arrow", b"not below spool or states: nobody's")
    if isinstance(place, Folder):
        write(place, "spool/a.arrow", b"so that there is something to lose")
    threads = [Thread(target=want, args=(str(number),)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(won), len(lost)) == (1, 4)


def test_a_place_without_a_marker_is_that_of_the_store_whose_files_it_holds(place: StateLocation) -> None:
    schema = pa.schema([("a", pa.int64())])
    part = write_table(place, 1, "t", None, pa.table({"a": [1, 2, 3]}, schema=schema))
    own = Generation(number=1, states={"t": (part,)})
    for other in (
        None,
        Generation(number=1),
        replace(own, states={"t": (replace(part, rows=4),)}),
        replace(own, pending=(GONE,)),
    ):
        with pytest.raises(StoreError):
            claimed(place, "other", other)
        assert not is_marked(place)
    claimed(place, "one", own)
    with pytest.raises(StoreError, match=r"1 of the state files .* are missing"):
        claimed(place, "one", replace(own, pending=(GONE,)))


@pytest.mark.parametrize("text", ["", "{}", "[]", "{", '{"identity": 1}', "\x00", "[" * 100_000])
def test_a_damaged_marker_is_one_sentence(place: StateLocation, text: str) -> None:
    place.write_note("owner.json", text, replace=True)
    with pytest.raises(StoreError, match=r"owner\.json does not say whose state this is") as raised:
        claimed(place, "one")
    assert "\n" not in str(raised.value)
    assert place.note("owner.json") == text


def test_prefixes_of_a_bucket_are_taken_as_they_are_written(server: str) -> None:
    keys = {
        Bucket(f"s3://state/{prefix}", Connection(s3_endpoint=server))._key("a") for prefix in ("a?b", "a#b", "a%20b", "a", "a b")
    }
    assert keys == {"a?b/a", "a#b/a", "a%20b/a", "a/a", "a b/a"}


def test_runs_without_a_store_have_a_place_of_their_own(place: StateLocation, monkeypatch: pytest.MonkeyPatch) -> None:
    claimed(place, "one")
    write(place, "spool/a.arrow", b"one")
    given: dict[str, object] = {"state_folder": str(place)}
    if isinstance(place, Bucket):
        given |= {"s3_endpoint": place.connection.s3_endpoint, "region": "us-east-1"}
    settings = load(None, given)
    with Store.ephemeral() as store, held_place(settings, store) as first, held_place(settings, store) as second:
        write(first, "spool/a.arrow", b"two")
        write(second, "spool/a.arrow", b"three")
        assert str(first).startswith(str(place))
        assert list(place.names()) == ["spool/a.arrow"]
        with first.reading("spool/a.arrow") as file:
            assert file.read() == b"two"
        assert state_place(settings, store) is None
    assert list(first.names()) == list(second.names()) == []
    with place.reading("spool/a.arrow") as file:
        assert file.read() == b"one"
