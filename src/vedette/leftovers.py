"""Remove what killed processes left behind: drafts of files, and temporary files and folders.

Whoever makes one holds a lock on it, which ends with the process, however that ends. What nobody holds is nobody's any more.
Where a file system knows no locks, nothing is removed.
"""

import atexit
import fcntl
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from uuid import uuid4

DRAFT = ".vedette-"
_TEMPORARY = "vedette-run-"
_OURS = re.compile(rf"(?:{re.escape(DRAFT)}|{_TEMPORARY})[0-9a-f]{{32}}")
_FILE_MODE = 0o600
_FOLDER_MODE = 0o700
_OPENED = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def make_draft(folder: Path) -> tuple[Path, int]:
    """Create an empty draft in a folder, after removing those that were left there; return it, and a descriptor that holds it.

    Raises:
        OSError: it cannot be created.
    """
    sweep(folder)
    return _made(folder, DRAFT, is_folder=False)


@contextmanager
def temporary_folder(within: Path | None = None) -> Iterator[Path]:
    """Make a folder for the duration of the block, in a folder or where temporary files are kept; those left there are removed.

    Raises:
        OSError: it cannot be created.
    """
    place = within or Path(gettempdir())
    sweep(place)
    path, holding = _made(place, _TEMPORARY, is_folder=True)
    try:
        yield Path(os.path.realpath(path))
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(holding)


def temporary_file() -> Path:
    """Create an empty file where such are kept, which is removed when this process ends; those left there are removed.

    Raises:
        OSError: it cannot be created.
    """
    place = Path(gettempdir())
    sweep(place)
    path, _ = _made(place, _TEMPORARY, is_folder=False)  # held as long as the process lives
    atexit.register(path.unlink, missing_ok=True)
    return path


def sweep(folder: Path) -> int:
    """Remove the drafts, and the temporary files and folders, that this user's killed processes left; return how many."""
    try:
        with os.scandir(folder) as entries:
            found = [Path(entry.path) for entry in entries if _OURS.fullmatch(entry.name)]
    except OSError:
        return 0
    return sum(_removed(path) for path in found)


def _made(folder: Path, prefix: str, *, is_folder: bool) -> tuple[Path, int]:
    while True:
        path = folder / f"{prefix}{uuid4().hex}"
        if is_folder:
            path.mkdir(mode=_FOLDER_MODE)
        else:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, _FILE_MODE))
        with suppress(FileNotFoundError):  # another process has just swept it
            holding = os.open(path, _OPENED)
            with suppress(OSError):
                fcntl.flock(holding, fcntl.LOCK_EX)
            if _is(path, holding):
                return path, holding
            os.close(holding)


def _is(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _removed(path: Path) -> bool:
    """Remove a file or folder of this user that nobody holds; tell whether it was removed."""
    try:
        holding = os.open(path, _OPENED)
    except OSError:
        return False
    try:
        facts = os.fstat(holding)
        if facts.st_uid != os.geteuid():
            return False
        fcntl.flock(holding, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISDIR(facts.st_mode):
            shutil.rmtree(path, ignore_errors=True)
        elif stat.S_ISREG(facts.st_mode):
            path.unlink()
        return not path.exists()
    except OSError:
        return False
    finally:
        os.close(holding)
