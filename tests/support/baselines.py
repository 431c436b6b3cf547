"""Stores with a state that says whose it is, made in a moment: a baseline of one principal is imported, and shown again."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pyarrow as pa
from commands import Ended, run

from vedette.baseline import export
from vedette.baseline.tables import DAYS, schema_of
from vedette.state_files.generation import Generation
from vedette.state_files.location import Folder
from vedette.state_files.tables import write_table

DAY = 20_514


def baseline_of(who: str, path: Path, days: int = 1) -> str:
    """Write the baseline of a principal that called once on each of some days; return the name of the file."""
    place = Folder(path.with_name(f"{path.name}.made"))
    parts = []
    for day in range(DAY, DAY + days):
        row = {"day": day, "account_id": "123456789012", "principal": who, "kind": "user", "session": ""}
        table = pa.Table.from_pylist([row | {"calls": 1, "reads": 1, "denied": 0}], schema=schema_of(DAYS))
        parts.append(write_table(place, 1, DAYS, day, table))
    export(Generation(number=1, states={DAYS: tuple(parts)}), place, path)
    return str(path)


def learn(store: str, who: str, folder: Path, *options: str) -> Ended:
    """Let a store learn a principal."""
    return run("baseline", "import", baseline_of(who, folder / f"{who}.zip"), "--merge", "--store", store, *options)


def learned(store: str, *options: str) -> list[str]:
    """Return the principals that a store has learned."""
    ended = run("baseline", "show", "--format", "json", "--store", store, *options)
    assert ended.status == 0, ended.err
    return sorted(item["principal"] for item in json.loads(ended.out)["principals"])


def as_of_an_earlier_build(store: Path, folder: Path) -> None:
    """Make a store and its state folder as builds left them that knew no markers; the folder is called as given."""
    store.with_name(f"{store.name}.state").rename(folder)
    (folder / "owner.json").unlink()
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("delete from meta where key = 'identity'")


def content(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder, but for the locks and for what SQLite puts beside a file while it is open."""
    files = (
        path for path in folder.rglob("*") if path.is_file() and path.name != "lock" and not path.name.endswith(("-wal", "-shm"))
    )
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
