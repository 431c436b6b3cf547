"""The folder of state files beside a store: locked while somebody writes, swept of what no generation names."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vedette.errors import StoreError
from vedette.state_files.location import StateLocation

_LOCK = "lock"
_KINDS = (".arrow", ".parquet")


@contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """Hold the folder for one writer; make it when it is not there.

    Raises:
        StoreError: another process holds it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("w")
    except OSError as error:
        raise StoreError(f"{folder}: the state folder cannot be written ({error.strerror})") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreError(f"{folder}: another vedette is writing here; wait for it to end") from error
        yield folder


def sweep(place: StateLocation, used: set[str]) -> int:
    """Remove the state files that are not ``used`` (names relative to the place); return how many.

    They are what a crash left behind, or what a commit has just replaced.
    """
    unused = [name for name in place.names() if name.endswith(_KINDS) and name not in used]
    for name in unused:
        place.remove(name)
    return len(unused)
