"""Write results to a file that is whole or not there: a draft beside it is renamed; devices and pipes are written as they are."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from vedette.errors import OutputError, ReaderGoneError
from vedette.leftovers import make_draft

_NEW = 0o666
_LINKS = 40  # the most links that the kernel follows
_NO_DRAFT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})  # of the folder; the file itself may be writable
_NO_RENAMING = frozenset(
    {errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM}
)  # a file that is mounted, or that of somebody else


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """Open a file for text. A regular file appears when the block has ended, and stays as it was if it fails.

    Raises:
        ReaderGoneError: ``path`` is a pipe whose reader has ended.
        OutputError: the file cannot be written.
    """
    try:
        if is_special(path):
            with path.open("a", encoding="utf-8", newline="") as file:  # of a stream of ours, what it holds stays
                yield file
        else:
            yield from _drafted(Path(os.path.realpath(path)))
    except BrokenPipeError as error:
        raise ReaderGoneError(f"{path}: what reads it has ended") from error
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error


def _drafted(path: Path) -> Iterator[TextIO]:
    try:
        draft, holding = make_draft(path.parent)
    except OSError as error:
        if error.errno not in _NO_DRAFT or not path.exists():
            raise
        yield from _in_place(path)
        return
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # some disks say only now that they are full
        _put(draft, path)
    finally:
        draft.unlink(missing_ok=True)
        os.close(holding)


def _put(draft: Path, path: Path) -> None:
    """Make the draft the file, with the permissions that it has, or else those of any new file."""
    with suppress(PermissionError):
        draft.chmod(stat.S_IMODE(path.stat().st_mode) if path.exists() else _NEW & ~_umask())
    try:
        draft.replace(path)
    except OSError as error:
        if error.errno not in _NO_RENAMING:
            raise
        for file in _in_place(path):
            file.write(draft.read_text(encoding="utf-8"))


def _umask() -> int:
    mask = os.umask(0o077)  # it cannot be read without being set
    os.umask(mask)
    return mask


def _in_place(path: Path) -> Iterator[TextIO]:
    """Write the file itself; if that fails, leave it empty rather than half."""
    with path.open("w", encoding="utf-8", newline="") as file:
        try:
            yield file
            file.flush()
        except BaseException:
            with suppress(OSError):
                os.ftruncate(file.fileno(), 0)
            raise


def is_special(path: Path) -> bool:
    """Tell whether a path is, or leads to, a device, a pipe or a stream of this process, which no draft can replace."""
    step = path.absolute()
    for _ in range(_LINKS):
        if step.parts[1:2] == ("proc",) or step.parts[1:3] == ("dev", "fd"):
            return True
        if not step.is_symlink():
            break
        step = step.parent / step.readlink()
    return path.exists() and not path.is_file()
