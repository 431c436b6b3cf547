"""What killed processes left behind is removed, and nothing that somebody works on, or that is somebody else's."""

import os
from pathlib import Path
from uuid import uuid4

import pytest
from inventories import answers, save
from killed_worlds import SNAPSHOT

from vedette.engine.duckdb import connect
from vedette.inventory.files import read_snapshots
from vedette.leftovers import make_draft, sweep, temporary_file, temporary_folder
from vedette.private import replacing
from vedette.state_files.folder import sweep as sweep_state
from vedette.state_files.location import Folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_drafts_that_nobody_holds_are_removed(tmp_path: Path) -> None:
    dead = f".vedette-{uuid4().hex}"
    kept = {"vedette-run-me", ".vedette-x", f".vedette-{uuid4().hex}.txt", f"vedette-{uuid4().hex}"}
    for name in (dead, *kept):
        (tmp_path / name).touch()
    (tmp_path / f".vedette-{uuid4().hex}").symlink_to("/etc")  # of whoever can write here; only a file of ours is removed
    alive, holding = make_draft(tmp_path)
    assert names(tmp_path) - kept == {alive.name, *(path.name for path in tmp_path.iterdir() if path.is_symlink())}
    assert sweep(tmp_path) == 0
    os.close(holding)
    assert sweep(tmp_path) == 1
    assert kept < names(tmp_path)


def test_several_files_are_replaced_at_a_time(tmp_path: Path) -> None:
    with replacing(tmp_path / "a") as one, replacing(tmp_path / "b") as other:
        one.write(b"1")
        other.write(b"2")
        assert len(names(tmp_path)) == 2
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"1", "b": b"2"}


def test_temporary_files_and_folders_of_killed_processes_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / f"vedette-run-{uuid4().hex}"
    (left / "states").mkdir(parents=True)
    (left / "states/a.parquet").touch()
    with temporary_folder() as folder:
        assert names(tmp_path) == {folder.name}
        file = temporary_file()
        assert names(tmp_path) == {folder.name, file.name}
    assert names(tmp_path) == {file.name}


def test_what_lies_in_a_state_folder_for_nothing_is_removed(tmp_path: Path) -> None:
    draft = f".principal_days-1.parquet.{uuid4().hex}"
    for name in ("states/00000001/used.parquet", "states/00000002/unused.parquet", f"states/00000003/{draft}", "spool/a.arrow"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "states/00000001/notes.txt").touch()
    assert sweep_state(Folder(tmp_path), {"states/00000001/used.parquet"}) == 3
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert left == {"spool", "states", "states/00000001", "states/00000001/used.parquet", "states/00000001/notes.txt"}


def test_what_an_engine_had_no_memory_for_is_removed(tmp_path: Path) -> None:
    (tmp_path / "overflow").mkdir()
    (tmp_path / "overflow/duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"x")
    connect(tmp_path).close()
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_snapshot_whose_pull_was_interrupted_says_so(tmp_path: Path) -> None:
    folder = tmp_path / SNAPSHOT
    save(folder, answers())
    (whole,) = read_snapshots(tmp_path)
    (folder / f".vedette-{uuid4().hex}").touch()
    (folder / "snapshot.json").unlink(missing_ok=True)
    (mixed,) = read_snapshots(tmp_path)
    assert not [note for note in whole.notes if "interrupted" in note]
    assert "a pull was interrupted here: files of two snapshots may be mixed until it is done again" in mixed.notes
