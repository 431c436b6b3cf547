"""A store that cannot be written can be read: on a file system that is mounted read-only, and in a folder without permission."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from alembic import command
from baselines import baseline_of, content, learn
from commands import Ended, run
from patience import HUNG
from sqlalchemy import text
from stores import finding

from vedette.errors import StoreError
from vedette.exposure.ports import ANSWERS
from vedette.state_files.generation import Generation
from vedette.store import Store
from vedette.store.database import connect, migration_config, writing

SCRIPT = Path(__file__).parents[1] / "support" / "commands_elsewhere.py"
# A process that may not override permissions, even as root; with the folder as it was made, and mounted read-only.
WITHOUT_PERMISSION = "exec setpriv --bounding-set -dac_override,-dac_read_search,-fowner {python} {script}"
MOUNTED = "mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} && exec {python} {script}"

READING = [
    ["findings", "list"],
    ["findings", "list", "--format", "csv"],
    ["findings", "show", finding(1).id],
    ["explain", finding(1).id],
    ["baseline", "show"],
    ["baseline", "show", "alice"],
    ["exposure"],
    ["what-if", "threshold=3"],
    ["lists", "ls"],
]

Elsewhere = Callable[[Sequence[Sequence[str]]], list[Ended]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a store that was closed, and with two that a crash left: with and without the index of the log."""
    place = tmp_path / "read-only"
    place.mkdir()
    store = f"{place}/closed.db"
    learn(store, "alice", tmp_path)
    with Store.open(f"sqlite:///{store}") as opened:
        generation = opened.generation()
        assert generation is not None
        newer = replace(generation, number=generation.number + 1, states={**generation.states, ANSWERS: ()})
        opened.commit(findings=[finding(1), finding(2)], receipts=[], generation=newer)
        for name, endings in (("crashed.db", ("", "-wal", "-shm")), ("log-only.db", ("", "-wal"))):
            for ending in endings:
                shutil.copy(f"{store}{ending}", place / f"{name}{ending}")
            shutil.copytree(f"{store}.state", place / f"{name}.state")
            assert (place / f"{name}-wal").stat().st_size > 0
    (place / "empty.db").touch()
    return place


@pytest.fixture(params=["mount", "permission"])
def elsewhere(request: pytest.FixtureRequest, folder: Path) -> Iterator[Elsewhere]:
    """Run commands where the folder cannot be written."""
    pattern = MOUNTED if request.param == "mount" else WITHOUT_PERMISSION
    program = pattern.format(folder=folder, python=sys.executable, script=SCRIPT)
    unshared = ["unshare", "-rm", "sh", "-ec", program]
    try:
        subprocess.run([*unshared[:-1], program.replace(f"{sys.executable} {SCRIPT}", "true")], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no namespaces here, so stores that cannot be written were not read ({error})")
    if request.param == "permission":
        folder.chmod(0o555)

    def commands(wanted: Sequence[Sequence[str]]) -> list[Ended]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(
            unshared, input=json.dumps(wanted), capture_output=True, text=True, timeout=HUNG, check=True, env=environment
        )
        return [Ended(**ended) for ended in json.loads(done.stdout)]

    yield commands
    folder.chmod(0o755)


def test_a_store_that_cannot_be_written_can_be_read(folder: Path, tmp_path: Path, elsewhere: Elsewhere) -> None:
    reads = {"closed.db": len(READING), "crashed.db": 1, "log-only.db": 1}  # how many of the commands that read are run
    exported = ["baseline", "export", str(tmp_path / "out.zip")]
    writing = [
        ["lists", "add", baseline_of("bob", tmp_path / "bob.zip")],
        ["baseline", "import", str(tmp_path / "bob.zip")],
        ["baseline", "forget", "alice"],
        ["scan", str(tmp_path / "log.json"), "--workers", "1"],
    ]
    (tmp_path / "log.json").write_text('{"Records": []}')
    writing[0][2] = str(tmp_path / "list.txt")
    (tmp_path / "list.txt").write_text("198.51.100.7\n")
    before = content(folder)
    commands = [
        [*words, "--store", str(folder / name)] for name in reads for words in [*READING[: reads[name]], exported, *writing]
    ]
    nothing = [["findings", "list", "--store", str(folder / name)] for name in ("empty.db", "missing.db")]
    new = [["scan", str(tmp_path / "log.json"), "--workers", "1", "--store", str(folder / "new.db")]]
    ended = elsewhere([*commands, *nothing, *new])
    assert content(folder) == before
    assert (tmp_path / "out.zip").read_bytes().startswith(b"PK")
    assert [item.status for item in ended[-3:]] == [6, 6, 6]
    assert [item.err.count("\n") for item in ended[-3:]] == [1, 1, 1]
    folder.chmod(0o755)
    left = iter(ended)
    for name, number in reads.items():
        for words in READING[:number]:  # as where it can be written
            assert next(left) == (expected := run(*words, "--store", str(folder / name)))
            assert expected.status == 0
            assert words[1:] != ["list"] or finding(2).id in expected.out  # which was in the log only
        assert next(left).status == 0
        for item in islice(left, len(writing)):
            assert (item.status, item.out, item.err.count("\n")) == (6, "", 1), item


def test_a_store_of_an_earlier_build_that_cannot_be_written_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "old.db"
    path.touch()
    engine = connect(f"sqlite:///{path}", create=False)
    with writing(engine) as connection:
        command.upgrade(migration_config(connection), "0001")
        connection.execute(text("insert into meta values ('vedette_version', '0.1')"))
    engine.dispose()
    monkeypatch.setattr("vedette.store.database.HEAD", "0001")
    with Store.open(f"sqlite:///{path}") as store:
        store.commit(findings=[finding(1)], receipts=[], generation=Generation(number=1))
    monkeypatch.undo()
    before = path.read_bytes()
    permitted = os.access
    monkeypatch.setattr("os.access", lambda place, mode: mode != os.W_OK and permitted(place, mode))
    with Store.open(f"sqlite:///{path}", create=False) as store:
        assert [item.id for item in store.findings()] == [finding(1).id]
        with pytest.raises(StoreError, match=r"old\.db cannot be written"):
            store.archive([finding(1).id])
        with pytest.raises(StoreError, match=r"old\.db cannot be written"):
            store.check_writable()
    assert path.read_bytes() == before
