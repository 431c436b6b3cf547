"""What commands that are killed work on, and what a folder holds afterwards: read with SQLite and JSON alone."""

import gzip
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from notation import call

from vedette.store.lists import unpacked

START = datetime(2026, 3, 14, tzinfo=UTC)
HOURS = 8
STATE, STORE, SNAPSHOT = "case.db.state", "case.db", Path("inventory/123456789012/us-east-1")
WHO = [("alice", "198.51.100.7"), ("bob", "198.51.100.9"), ("carol", "203.0.113.1"), ("role:A/b", "198.51.100.7")] * 2
COLUMNS = {
    "findings": "*",
    "finding_documents": "*",
    "receipts": "digest, name, version, size, content, records, last_record, spans",
    "lists": "*",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A command to be killed, how often, and the commands that come before it; ``types`` are the finding types if not all."""

    name: str
    kills: int
    command: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    types: str = ""


CALLERS = "Recon:IAMUser/MaliciousIPCaller.Custom,Recon:IAMUser/TorIPCaller"
SCAN = ("scan", "logs", "-", "--custom-list", "bad.txt", "--store", STORE, "--format", "csv")
SETUPS = (
    Setup(name="first scan", kills=10, command=SCAN, types=CALLERS),
    Setup(
        name="scan",
        kills=14,
        command=SCAN,
        before=(("scan", "logs/0", *SCAN[3:]), ("grow",)),
        types=CALLERS,
    ),
    Setup(
        name="lists add",
        kills=14,
        command=("lists", "add", "new/one.txt", "new/two.txt", "--store", STORE),
        before=(("lists", "add", "old/one.txt", "--store", STORE),),
    ),
    Setup(
        name="baseline import",
        kills=12,
        command=("baseline", "import", "baseline.zip", "--merge", "--store", STORE),
        before=(
            ("scan", "logs", "--store", "other.db"),
            ("baseline", "export", "baseline.zip", "--store", "other.db"),
            ("scan", "logs/0", "--store", STORE),
        ),
        types="Recon:IAMUser/UserPermissions",
    ),
    Setup(name="inventory pull", kills=10, command=("inventory", "pull", "--out", "inventory", "--region", "us-east-1")),
)


def build(place: Path) -> None:
    """Write what all commands begin with: logs, lists, an earlier snapshot, and a folder for temporary files."""
    for folder in ("logs/0", "logs/1", "tmp", "old", "new", SNAPSHOT):
        (place / folder).mkdir(parents=True)
    for hour in range(HOURS):
        delivered = START + timedelta(hours=hour + 1)
        name = f"123456789012_CloudTrail_us-east-1_{delivered:%Y%m%dT%H%MZ}_{hour:016}.json.gz"
        data = gzip.compress(json.dumps({"Records": records(hour)}).encode(), mtime=0)
        (place / f"logs/{hour * 2 // HOURS}" / name).write_bytes(data)
    (place / "logs/0/grows.json").write_text(lines(1))
    (place / "piped").write_text(lines(2))
    (place / "bad.txt").write_text("198.51.100.7\n198.51.100.9\n")
    (place / "old/one.txt").write_text("192.0.2.1\n192.0.2.2\n")
    (place / "new/one.txt").write_text("192.0.2.2\n192.0.2.3\n")
    (place / "new/two.txt").write_text("198.51.100.0/24\n")
    for name in ("snapshot.json", "describe-vpcs.json", "get-managed-prefix-list-entries-pl-0f.json"):
        (place / SNAPSHOT / name).write_text("an earlier one")


def grow(place: Path) -> None:
    """Let the file that grows grow, in which a record was cut off."""
    with (place / "logs/0/grows.json").open("a") as file:
        file.write(lines(5))


def records(hour: int, first: int = 0) -> list[dict[str, object]]:
    """Return eight calls of an hour."""
    return [
        call(f"{START + timedelta(hours=hour, minutes=7 * n):%Y-%m-%dT%H:%M:%SZ} {who} {address} ec2:DescribeInstances", number)
        for n, (who, address) in enumerate(WHO)
        for number in [n + 100 * hour + first]
    ]


def lines(hour: int) -> str:
    """Return eight other calls, one a line."""
    return "".join(json.dumps(record) + "\n" for record in records(hour, 10_000))


def world(place: Path) -> dict[str, Any]:
    """Return what a folder holds, but no numbers, names of state files, and order: those may differ."""
    found: dict[str, Any] = {name: "" for name in names(place) if not name.startswith(STATE)}
    for path in (place / SNAPSHOT).iterdir():
        found[str(path.relative_to(place))] = path.read_text()
    if (place / STORE).exists():
        found |= {table: rows(place, f"select {columns} from {table}") for table, columns in COLUMNS.items()}
        packed = rows(place, "select name, content from list_entries")
        found["list_entries"] = {name: sorted(map(repr, unpacked(content, name))) for name, content in packed}
        generation = generation_of(place)
        states = {
            name: sorted((part["day"] or 0, part["rows"]) for part in parts) for name, parts in generation["states"].items()
        }
        found["generation"] = (generation["watermark"], generation["counts"], states, len(generation["pending"]))
    return found


def faults(place: Path) -> list[str]:
    """Return what must not be, at any time after a kill: a generation whose files are missing, or a snapshot of two pulls."""
    found = []
    if (place / STORE).exists() and "generations" in {name for (name,) in rows(place, "select name from sqlite_master")}:
        wanted = {f"{STATE}/{part}" for part in files(generation_of(place))}
        found += [f"missing: {name}" for name in wanted - set(names(place))]
    snapshot = {path.name: path.read_text() for path in (place / SNAPSHOT).iterdir()}
    old = {name for name, text in snapshot.items() if text == "an earlier one"}
    drafts = [name for name in snapshot if name.startswith(".")]
    if "snapshot.json" in snapshot and old and old | set(drafts) != set(snapshot):
        found.append(f"a snapshot of two pulls: {sorted(snapshot)}")
    if "snapshot.json" not in snapshot and not drafts:
        found.append("a snapshot that does not show that it is not whole")
    return found


def leftovers(place: Path) -> list[str]:
    """Return the files that nothing refers to, once a command has ended well."""
    kept = {f"{STATE}/lock", f"{STATE}/owner.json"}
    kept |= {f"{STATE}/{name}" for name in files(generation_of(place))} if (place / STATE).exists() else set()
    strays = [name for name in names(place) if (name.startswith(f"{STATE}/") and name not in kept) or name.startswith("tmp/")]
    empty = [str(path) for path in (place / STATE).glob("states/*") if not any(path.iterdir())]
    return [*strays, *empty, *(name for name in names(place) if "/." in name)]


def names(place: Path) -> list[str]:
    """Return the names of all files, sorted."""
    ours = {"errors", f"{STORE}-wal", f"{STORE}-shm"}
    return sorted(name for path in place.rglob("*") if path.is_file() and (name := str(path.relative_to(place))) not in ours)


def rows(place: Path, query: str) -> Sequence[tuple[Any, ...]]:
    """Return the rows of a query, sorted."""
    with closing(sqlite3.connect(place / STORE)) as store:
        return sorted(store.execute(query).fetchall(), key=repr)


def generation_of(place: Path) -> dict[str, Any]:
    """Return the newest generation, one without files if there is none."""
    found = rows(place, "select number, content from generations")
    return json.loads(max(found)[1]) if found else {"watermark": None, "counts": {}, "states": {}, "pending": []}


def files(generation: dict[str, Any]) -> set[str]:
    """Return the state files that a generation names."""
    parts = [part for parts in generation["states"].values() for part in parts] + generation["pending"]
    return {part["path"] for part in parts}
