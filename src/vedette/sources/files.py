"""List files: a path, a folder and everything below it, a pattern with ``*``, ``?``, ``[…]`` and ``**``, or ``-`` for stdin."""

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import translate
from hashlib import sha256
from pathlib import Path
from re import Pattern
from re import compile as compile_pattern
from typing import BinaryIO

from vedette.aws import Connection
from vedette.errors import NothingToReadError, SourceError
from vedette.leftovers import temporary_file
from vedette.logs.blob import Blob
from vedette.sources import MOST_BYTES, Source, Span

STANDARD_INPUT = "-"

_COPIED_BYTES = 1 << 20
_DEVICE_BYTES = 1 << 20
_WILDCARDS = frozenset("*?[")
_ANY_DEPTH = "**"


def blobs(
    location: str,
    span: Span,
    connection: Connection,  # noqa: ARG001 - files need no connection
    most_bytes: int = MOST_BYTES,
) -> Iterator[Blob]:
    """Yield the files of a location in the order of their names; see ``Source``.

    Names that begin with a dot are left out unless the location names them itself; a folder that is reached again through links
    is read once. One below the location that cannot be listed is a blob that cannot be opened, so that it is reported like a
    file. A location that exists is not a pattern, whatever characters it contains. Pipes are spooled to a temporary file, which
    is deleted when the process ends.
    """
    if location == STANDARD_INPUT:
        yield _spooled_input(most_bytes)
        return
    root, pattern = _split(os.path.expanduser(location))  # noqa: PTH111 - a Path would drop the trailing slash
    if not os.path.lexists(root):
        raise SourceError(_missing_message(location, root))
    if not pattern.parts and not os.path.isdir(root):  # noqa: PTH112 - that of a Path raises errors
        yield _named(root, most_bytes)
        return
    left_out = found = 0
    for item in _walk(root, pattern):
        if span.admits(str(item)):
            found += 1
            yield item.blob() if isinstance(item, _Unlisted) else _blob(item)
        else:
            left_out += 1
    if not found:
        raise NothingToReadError(_nothing_message(location, pattern, left_out))


def files_of(location: str) -> Iterator[Path]:
    """Yield the files of a location, whatever their dates, and what it names itself, without opening any.

    Raises:
        SourceError: the location cannot be listed.
    """
    root, pattern = _split(os.path.expanduser(location))  # noqa: PTH111 - as above
    if not pattern.parts and not os.path.isdir(root):  # noqa: PTH112
        yield root
        return
    yield from (item for item in _walk(root, pattern) if isinstance(item, Path))


SOURCE = Source(schemes=("",), blobs=blobs)


@dataclass(frozen=True, slots=True)
class FileOpener:
    """Opens a file for reading; picklable, so that it can be opened in another process."""

    path: Path

    def __call__(self) -> BinaryIO:
        """Open the file for reading.

        Raises:
            SourceError: it no longer exists or access is denied.
        """
        try:
            return self.path.open("rb")
        except OSError as error:
            raise SourceError(f"file {str(self.path)!r} cannot be opened: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """Opens nothing: what was listed cannot be read, for a reason."""

    reason: str

    def __call__(self) -> BinaryIO:
        """Raise the reason.

        Raises:
            SourceError: always.
        """
        raise SourceError(self.reason)


@dataclass(frozen=True, slots=True)
class _Unlisted:
    """A folder that cannot be listed, for a reason."""

    path: Path
    reason: str

    def __str__(self) -> str:
        """Return the path as that of a folder."""
        return f"{self.path}/"

    def blob(self) -> Blob:
        """Return the folder as a blob that cannot be opened."""
        return Blob(name=_name(str(self)), version="", size=None, opener=_Unreadable(self.reason))


@dataclass(frozen=True, slots=True)
class _Pattern:
    """The parts of a pattern, matched against a path one name at a time; a state is the set of parts that may come next.

    A folder that matches the whole pattern matches together with everything below it, as if it were given by name.
    """

    parts: tuple[str, ...] = ()
    matchers: tuple[Pattern[str], ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "matchers", tuple(compile_pattern(translate(part)) for part in self.parts))

    @property
    def start(self) -> frozenset[int]:
        """The state before the first name."""
        return self._closed({0})

    def after(self, state: frozenset[int], name: str) -> frozenset[int]:
        """Return the state after one more name; it is empty if nothing below can match."""
        following = set()
        for place in state:
            if place == len(self.parts) or self.parts[place] == _ANY_DEPTH:
                following.add(place)
            elif self.matchers[place].match(name):
                following.add(place + 1)
        return self._closed(following)

    def complete(self, state: frozenset[int]) -> bool:
        """Tell whether the names so far match the whole pattern."""
        return len(self.parts) in state

    def _closed(self, state: set[int]) -> frozenset[int]:
        for place, part in enumerate(self.parts):
            if part == _ANY_DEPTH and place in state:
                state.add(place + 1)
        return frozenset(state)


def _split(location: str) -> tuple[Path, _Pattern]:
    """Split a location into its leading plain path and the pattern below that path, which is empty if there is none."""
    path = Path(location)
    if os.path.lexists(path):
        return path, _Pattern()
    plain = Path()
    for depth, part in enumerate(path.parts):
        if not _WILDCARDS.isdisjoint(part) and not os.path.lexists(plain / part):
            return plain, _Pattern(path.parts[depth:])
        plain /= part
    return path, _Pattern()


def _walk(root: Path, pattern: _Pattern) -> Iterator[Path | _Unlisted]:
    """Yield the files below a folder that match the pattern, in the order of their full names, and folders that cannot be listed.

    Raises:
        SourceError: the folder itself cannot be listed.
    """
    seen: set[tuple[int, int, frozenset[int]]] = set()
    waiting = [(root, pattern.start, True)]  # not recursive: folders may be nested deeper than calls
    while waiting:
        path, state, is_folder = waiting.pop()
        if not is_folder:
            if os.path.isfile(path) or not os.path.exists(path):  # noqa: PTH110, PTH113 - those of a Path raise errors
                yield path  # a dangling link too: opening it reports the error, instead of skipping it silently
            continue
        try:
            names = _names(path, state, seen)
        except OSError as error:
            reason = f"folder {str(path)!r} cannot be listed: {error.strerror}"
            if path is root:
                raise SourceError(reason) from error
            yield _Unlisted(path, reason)
            continue
        for name in reversed(names):
            following = pattern.after(state, name.removesuffix("/"))
            if following if name.endswith("/") else pattern.complete(following):
                waiting.append((path / name, following, name.endswith("/")))


def _names(folder: Path, state: frozenset[int], seen: set[tuple[int, int, frozenset[int]]]) -> list[str]:
    """Return the sorted names in a folder, those of folders with a slash; none if it was ``seen`` in this state before."""
    identity = folder.stat()
    if (key := (identity.st_dev, identity.st_ino, state)) in seen:
        return []
    seen.add(key)
    with os.scandir(folder) as entries:
        # A folder sorts with its slash: "a-b" comes before "a/c", as in the listing of a bucket.
        return sorted(entry.name + "/" * _is_folder(entry) for entry in entries if not entry.name.startswith("."))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or to where nobody may look: opening it reports the error
        return False


def _named(path: Path, most_bytes: int) -> Blob:
    """Return the blob of a path that was given by name: a file, or a pipe such as the shell's ``<(…)``."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise SourceError(f"{str(path)!r} is a link to {_target(path)!r}, which does not exist") from error
    except OSError as error:
        raise SourceError(f"{str(path)!r} cannot be opened: {error.strerror}") from error
    if stat.S_ISREG(mode):
        return _blob(path)
    with FileOpener(path)() as stream:
        return _spooled(stream, str(path), most_bytes)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # it has vanished
        return "nothing"


def _name(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


def _blob(path: Path) -> Blob:
    name = _name(str(path))
    try:
        facts = path.stat()
    except OSError:
        return Blob(name=name, version="", size=None, opener=FileOpener(path))
    if not stat.S_ISREG(facts.st_mode):  # replaced since it was listed
        return Blob(name=name, version="", size=None, opener=_Unreadable(f"{name!r} is not a file"))
    return Blob(name=name, version=f"{facts.st_size}-{facts.st_mtime_ns}", size=facts.st_size, opener=FileOpener(path))


def _spooled_input(most_bytes: int) -> Blob:
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise SourceError("standard input is closed")
    return _spooled(stream, STANDARD_INPUT, most_bytes)


def _spooled(stream: BinaryIO, name: str, most_bytes: int) -> Blob:
    """Copy a stream to a temporary file, because it cannot be read by worker processes, nor read twice."""
    digest, size = sha256(), 0
    bound, why = _bound(stream, most_bytes)
    try:
        path = temporary_file()
        with path.open("wb") as copy:
            while piece := stream.read(min(_COPIED_BYTES, bound + 1 - size)):
                size += len(piece)
                if size > bound:
                    raise SourceError(f"{_display_name(name)} does not end within {bound:,} bytes ({why})")
                digest.update(piece)
                copy.write(piece)
    except OSError as error:
        raise SourceError(f"{_display_name(name)} cannot be copied to a temporary file: {error.strerror}") from error
    if not size:
        raise NothingToReadError(f"{_display_name(name)} is empty")
    return Blob(name=name, version=digest.hexdigest(), size=size, opener=FileOpener(path))


def _bound(stream: BinaryIO, most_bytes: int) -> tuple[int, str]:
    """Return how many bytes of a stream are read at most, and why no more; devices such as /dev/zero never end."""
    try:
        is_device = stat.S_ISCHR(os.fstat(stream.fileno()).st_mode) and not stream.isatty()
    except (OSError, ValueError):  # not a stream of the system
        is_device = False
    if is_device and most_bytes > _DEVICE_BYTES:
        return _DEVICE_BYTES, "it is a device, of which no more is read, whatever max_blob_bytes is"
    return most_bytes, "max_blob_bytes"


def _display_name(name: str) -> str:
    return "standard input" if name == STANDARD_INPUT else repr(name)


def _missing_message(location: str, path: Path) -> str:
    """Return a message that says which part of a path does not exist, with the most similar name there, if any."""
    parent, missing = path.parent, path.name
    while not os.path.lexists(parent):
        parent, missing = parent.parent, parent.name
    if not os.path.isdir(parent):  # noqa: PTH112 - as above
        return f"{location!r} does not exist: {str(parent)!r} is not a folder"
    try:
        alike = get_close_matches(missing, sorted(found.name for found in parent.iterdir()), n=1)
    except OSError:
        alike = []
    hint = f"has {alike[0]!r}, not {missing!r}" if alike else f"has no {missing!r}"
    return f"{location!r} does not exist: {'this folder' if parent == Path() else repr(str(parent))} {hint}"


def _nothing_message(location: str, pattern: _Pattern, left_out: int) -> str:
    if left_out:
        return f"{location!r} has {left_out} files, but judging by their names none can hold records of the span"
    return f"no file matches {location!r}" if pattern.parts else f"folder {location!r} contains no files"
