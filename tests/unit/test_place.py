"""State files in a folder and in a bucket: written whole or not at all, by the same names."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from vedette import aws
from vedette.aws import Connection
from vedette.errors import EngineError
from vedette.state_files.location import Bucket, Folder, StateLocation


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
