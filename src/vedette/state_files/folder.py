"""Lock the folder of state files beside a store while it is written, and remove the files that no generation refers to."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vedette.errors import StoreError
from vedette.leftovers import sweep as remove_drafts
from vedette.private import make_file, make_folder
from vedette.state_files.location import STATES, Folder, StateLocation

_LOCK = "lock"
_KINDS = (".arrow", ".parquet")
_DRAFT = re.compile(r"(?:^|/)\.[^/]+\.(?:arrow|parquet)\.[0-9a-f]{32}$")


@contextmanager
def locked(folder: Path, *, create: bool = True) -> Iterator[Path]:
    """Hold the folder's lock for the duration of the block; with ``create``, create the folder if it does not exist.

    What a file called as the lock holds stays: it may be a user's.

    Raises:
        StoreError: another process holds the lock, or the folder cannot be written.
    """
    try:
        if create:
            make_folder(folder)
        make_file(folder / _LOCK)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise StoreError(f"{folder}: the state folder cannot be written ({getattr(error, 'strerror', error)})") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreError(f"{folder}: another vedette process is writing here; wait until it ends") from error
        yield folder
    finally:
        os.close(lock)


def has_lock(folder: Path) -> bool:
    """Tell whether a folder can be locked without creating anything in it."""
    return os.path.lexists(folder / _LOCK)


def sweep(location: StateLocation, used: set[str]) -> int:
    """Remove the state files that are not in ``used`` (names relative to the location); return how many were removed.

    Such files, and drafts of files, were left behind by a crash, or have just been replaced by a commit.
    """
    unused = [name for name in location.names() if (name.endswith(_KINDS) or _DRAFT.search(name)) and name not in used]
    for name in unused:
        location.remove(name)
    if isinstance(location, Folder):
        remove_drafts(location.path)
        _remove_empty(location.path / STATES)
    return len(unused)


def _remove_empty(folder: Path) -> None:
    """Remove the folders of generations of which nothing is left."""
    with suppress(FileNotFoundError):
        for generation in folder.iterdir():
            with suppress(OSError):  # there is something in it
                generation.rmdir()
