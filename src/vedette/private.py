"""Create files and folders that only their owner can read, whatever the umask; what exists keeps its mode."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from vedette.leftovers import make_draft

FILE_MODE = 0o600
FOLDER_MODE = 0o700
_UMASK = 0o077


@contextmanager
def private_umask() -> Iterator[None]:
    """Let everything that this process and its children create meanwhile be private; made for a command's whole run."""
    before = os.umask(_UMASK)
    try:
        yield
    finally:
        os.umask(before)


def make_folder(path: Path) -> None:
    """Create a folder, and those above it that are missing.

    Raises:
        OSError: it cannot be created, or is something else.
    """
    missing = []
    while not path.is_dir():
        missing.append(path)
        if path.parent == path:
            break
        path = path.parent
    for folder in reversed(missing):
        try:
            folder.mkdir(mode=FOLDER_MODE)
        except FileExistsError:  # another process was faster, or it is no folder
            if not folder.is_dir():
                raise


def make_file(path: Path) -> None:
    """Create an empty file unless there is one.

    Raises:
        OSError: it cannot be created.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, FILE_MODE))


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a draft for writing that takes the place of a file once the block ends without an error; its mode stays.

    What is not a regular file, such as a device or a pipe, is written to itself.

    Raises:
        OSError: the file cannot be written.
    """
    try:
        before = path.stat().st_mode
    except FileNotFoundError:
        before = stat.S_IFREG | FILE_MODE
    if not stat.S_ISREG(before):
        with TemporaryFile() as whole:  # a format may need to go back in what it wrote
            yield cast("BinaryIO", whole)
            whole.seek(0)
            with path.open("wb") as file:
                copyfileobj(whole, file)
        return
    target = Path(os.path.realpath(path))  # a link goes on to lead to the file
    draft, holding = make_draft(target.parent)
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(stat.S_IMODE(before))
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    finally:
        os.close(holding)
