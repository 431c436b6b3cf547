"""Whatever the umask, only their owner reads stores, state, findings and reports; what exists keeps its mode."""

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from baselines import learn
from commands import run
from notation import blob, calls

from vedette.private import make_file, make_folder, replacing
from vedette.state_files.folder import locked
from vedette.state_files.location import Folder
from vedette.store import Store

UMASKS = [0, 0o022]
LINES = [f"2026-03-14T12:{minute:02}:00Z alice 198.51.100.7 ec2:DescribeInstances" for minute in range(5)]


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
        assert os.umask(mask) == mask, "a command left another umask behind"
    finally:
        os.umask(before)


def others_may(folder: Path) -> dict[str, str]:
    """Return what others than the owner may do with what lies in a folder."""
    found = {
        path.relative_to(folder).as_posix(): stat.S_IMODE(path.lstat().st_mode)
        for path in folder.rglob("*")
        if not path.is_symlink()
    }
    return {name: oct(mode) for name, mode in found.items() if mode & 0o077}


class Watched(Store):
    """A store that notes, at each commit, what others may do with what lies in a folder then."""

    seen: dict[str, str] = {}  # noqa: RUF012 - emptied by the test
    names: set[str] = set()  # noqa: RUF012
    folder = Path()

    def commit(self, **given: object) -> None:
        """Look, then commit."""
        Watched.seen |= others_may(self.folder)
        Watched.names |= {path.name for path in self.folder.rglob("*")}
        super().commit(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("mask", UMASKS)
def test_what_commands_write_is_private(tmp_path: Path, mask: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given, made, temporary = tmp_path / "given", tmp_path / "made", tmp_path / "temporary"
    for folder in (given, made, temporary):
        folder.mkdir(mode=0o700)
    given_log = blob(calls(LINES), "log.json.gz")
    with given_log.open() as opened:
        (given / "log.json.gz").write_bytes(opened.read())
    (given / "list.txt").write_text("198.51.100.7\n")
    monkeypatch.chdir(made)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setattr("vedette.store.Store", Watched)
    Watched.seen, Watched.names, Watched.folder = {}, set(), tmp_path
    scan = ["scan", str(given / "log.json.gz"), "--custom-list", str(given / "list.txt"), "--workers", "1", "--store", "case.db"]
    with umask(mask):
        assert run(*scan, "--output", "findings.csv", "--format", "csv", "--run-report", "report.json").status == 0
        assert run("lists", "add", str(given / "list.txt"), "--store", "case.db").status == 0
        assert run("baseline", "export", "baseline.zip", "--store", "case.db").status == 0
        assert run("baseline", "import", "baseline.zip", "--store", "deep.db").status == 0
        (made / "vedette.toml").write_text("state_folder = 'a/b/state'\n")
        (made / "vedette.toml").chmod(0o600)
        assert run("baseline", "import", "baseline.zip", "--store", "other.db").status == 0
    written = {"case.db", "case.db.state", "findings.csv", "report.json", "baseline.zip", "deep.db", "other.db", "a"}
    assert written <= set(os.listdir(made))  # noqa: PTH208
    assert any(made.glob("case.db.state/states/*/*.parquet"))
    assert any(made.glob("a/b/state/states/*/*.parquet"))
    assert {"case.db-wal", "case.db-shm", "lock", "owner.json", "spool"} <= Watched.names  # they were there, while it ran
    assert {name: mode for name, mode in Watched.seen.items() if not name.startswith("given/")} == {}
    assert others_may(made) == {}


@pytest.mark.parametrize("mask", UMASKS)
def test_what_is_made_by_the_library_is_private(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        with Store.open(f"sqlite:///{tmp_path}/case.db") as store:
            store.identity()
            assert {path.name for path in tmp_path.iterdir()} == {"case.db", "case.db-wal", "case.db-shm"}
            assert others_may(tmp_path) == {}
        with locked(tmp_path / "a" / "b"), Folder(tmp_path / "a" / "b").writing("spool/c.arrow") as file:
            file.write(b"half")
            assert len(list((tmp_path / "a" / "b" / "spool").iterdir())) == 1  # a draft
            assert others_may(tmp_path) == {}
        Folder(tmp_path / "a").write_note("note", "text", replace=True)
    assert others_may(tmp_path) == {}


def test_what_exists_keeps_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    learn("case.db", "alice", tmp_path)
    modes = {"case.db": 0o660, "case.db.state": 0o750, "baseline.zip": 0o644}
    (tmp_path / "baseline.zip").write_text("old")
    for name, mode in modes.items():
        (tmp_path / name).chmod(mode)
    assert learn("case.db", "bob", tmp_path).status == 0
    assert run("baseline", "export", "baseline.zip", "--store", "case.db").status == 0
    assert (tmp_path / "baseline.zip").read_bytes().startswith(b"PK")
    assert {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in modes} == modes


def test_a_link_goes_on_to_lead_to_the_file_that_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real/file")
    for text in (b"new", b"newer"):
        with replacing(tmp_path / "link") as file:
            file.write(text)
        assert (tmp_path / "real" / "file").read_bytes() == text
        assert (tmp_path / "link").is_symlink()
    assert os.listdir(tmp_path / "real") == ["file"]  # noqa: PTH208


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")

    def fail() -> None:
        with replacing(tmp_path / "file") as file:
            file.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (tmp_path / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    learn(f"{tmp_path}/case.db", "alice", tmp_path)
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()), daemon=True)
    reader.start()
    assert run("baseline", "export", f"{tmp_path}/pipe", "--store", f"{tmp_path}/case.db").status == 0
    reader.join(60)
    assert read[0].startswith(b"PK")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_folders_that_several_make_at_once_are_made_once(tmp_path: Path) -> None:
    failed: list[OSError] = []

    def make() -> None:
        try:
            make_folder(tmp_path / "a" / "b" / "c" / "d")
            make_file(tmp_path / "a" / "b" / "c" / "d" / "file")
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert others_may(tmp_path) == {}
    (tmp_path / "plain").touch()
    for place in (tmp_path / "plain", tmp_path / "plain" / "below"):
        with pytest.raises(OSError, match=r"plain"):
            make_folder(place)


def test_an_inventory_that_is_pulled_is_private(tmp_path: Path) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415

    from vedette.inventory.files import Manifest  # noqa: PLC0415
    from vedette.inventory.pull import _write  # noqa: PLC0415

    folder = tmp_path / "inventory" / "123456789012" / "us-east-1"
    manifest = Manifest(taken_at=datetime(2026, 3, 14, tzinfo=UTC), account_id="123456789012", region="us-east-1", notes=())
    for mask in UMASKS:
        with umask(mask):
            _write(folder, {"describe-instances.json": {}}, manifest)
        assert len(list(folder.iterdir())) == 2
        assert others_may(tmp_path) == {}
