"""Look at a SQLite file before it is opened, and connect to it: by its name, never as a part of a URL."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import copyfile
from urllib.parse import quote_from_bytes

from vedette.errors import StoreError
from vedette.leftovers import temporary_folder
from vedette.private import make_file

_SHOWN = 80  # characters of a name that is too long
_LONGEST_PATH = 4_000
_LONGEST_NAME = 255 - len("-journal")  # the longest ending of the files that SQLite puts beside it
# The beginning of a SQLite file; in it, bytes of a page, number of changes, pages, and the changes when the pages were counted.
_HEADER = b"SQLite format 3\0"
_HEADER_BYTES = 100
_SIZES = ((16, 18), (24, 28), (28, 32), (92, 96))


def checked(path: Path, *, create: bool) -> bool:
    """Check that a file is a SQLite file, or create an empty one; return whether it can be written, which ``create`` demands.

    Raises:
        StoreError: it is something else, is missing and ``create`` is off, or cannot be created or written.
        OSError: it cannot be read.
    """
    _check_kind(path)
    if not path.exists():
        _check_place(path, create=create)
        make_file(Path(os.path.realpath(path)))
    if fault := _fault(path):
        raise StoreError(f"the store {path} cannot be opened ({fault})")
    writable = os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK)
    if create and not writable:
        raise StoreError(f"the store {path} cannot be written (the file or its folder is read-only)")
    return writable


def _check_kind(path: Path) -> None:
    if len(os.fsencode(path.name)) > _LONGEST_NAME or len(os.fsencode(path)) > _LONGEST_PATH:
        raise StoreError(f"the store {str(path)[:_SHOWN]}… cannot be opened (its name is too long)")
    if path.is_dir():
        raise StoreError(f"the store {path} cannot be opened (it is a folder)")
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        raise StoreError(f"the store {path} cannot be opened (it is a device, a pipe or a socket)")


def _check_place(path: Path, *, create: bool) -> None:
    if not create:
        raise StoreError(f"the store {path} does not exist")
    if not path.parent.is_dir():
        raise StoreError(f"the store {path} cannot be created (the folder {path.parent} does not exist)")
    if not os.access(path.parent, os.W_OK):
        raise StoreError(f"the store {path} cannot be created (the folder {path.parent} cannot be written)")


def _fault(path: Path) -> str:
    """Return what is wrong with a file that SQLite would not notice, or "".

    SQLite takes a small file of any kind for an empty database, and writes over it; and that the end of a file is missing, only
    when it comes to what is not there.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        size = os.fstat(file.fileno()).st_size
    if not header:
        return ""
    if not header.startswith(_HEADER):
        return "file is not a database"
    if len(header) < _HEADER_BYTES:
        return "its end is missing"
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:  # the file may be changing
        return ""
    page_bytes, changes, pages, known_at = (int.from_bytes(header[start:end]) for start, end in _SIZES)
    return "its end is missing" if changes == known_at and pages * (page_bytes if page_bytes > 1 else 1 << 16) > size else ""


def connected_to_write(path: Path, seconds: float) -> sqlite3.Connection:
    """Connect to a file that can be written, waiting at most some seconds for other writers."""
    return sqlite3.connect(path, timeout=seconds, check_same_thread=False)


def connected_to_read(path: Path, seconds: float) -> sqlite3.Connection:
    """Connect to a file that cannot be written, where SQLite's write-ahead log cannot be opened as usual.

    Without a log the file is all there is, and cannot change. With one whose index lies beside it, SQLite reads both. A log alone
    was left by a crash: it is read in a copy.
    """
    log, index = (path.with_name(path.name + ending) for ending in ("-wal", "-shm"))
    way = "immutable=1"
    if log.exists() and log.stat().st_size:
        if not index.exists():
            return _connected_to_copy(path, log)
        way = "mode=ro"
    uri = f"file:{quote_from_bytes(os.fsencode(path))}?{way}"
    return sqlite3.connect(uri, uri=True, timeout=seconds, check_same_thread=False)


def _connected_to_copy(path: Path, log: Path) -> sqlite3.Connection:
    """Load a file and its log into memory."""
    with temporary_folder() as folder:
        copy = folder / "copy"
        copyfile(path, copy)
        copyfile(log, copy.with_name("copy-wal"))
        memory = sqlite3.connect(":memory:", check_same_thread=False)
        with closing(sqlite3.connect(copy)) as source:
            source.backup(memory)
    return memory
