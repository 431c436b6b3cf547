"""Refuse files for results that are what the run reads or keeps itself, under whatever name, before anything runs."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vedette.errors import ConfigurationError, VedetteError
from vedette.list_kinds import LIST_KINDS, name_and_path
from vedette.terminal.command import STANDARD_STREAM
from vedette.terminal.output import is_special
from vedette.urls import is_url

if TYPE_CHECKING:
    from vedette.settings import Settings

_BESIDE_STORE = ("", "-wal", "-shm", "-journal")

_Identity = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Used:
    """A file that a run reads or keeps, and what it is; of a folder (``whole``), everything in it."""

    what: str
    place: str | Path
    whole: bool = False


def check_outputs(outputs: Mapping[str, Path | None], used: Iterable[Used]) -> None:
    """Check that files for results, by their options, are neither one another nor anything that the run uses.

    None is standard output. A device or a pipe may be read as well, since nothing in it is overwritten.

    Raises:
        ConfigurationError: one is; the message names both.
    """
    files = {option: path for option, path in outputs.items() if path is not None}
    _check_apart(files)
    identities = {option: own for option, path in files.items() if _stays(path) and (own := _identity(path)) is not None}
    for item in used if identities else ():
        place = Path(item.place)
        for option, own in identities.items():
            if _is_in(files[option], own, place) if item.whole else _identity(place) == own:
                raise ConfigurationError(
                    f"{option} {files[option]}: that {'lies in' if item.whole else 'is'} {item.what} {place}, which must not be"
                    " overwritten; give another file"
                )


def _check_apart(files: Mapping[str, Path]) -> None:
    """Check that no two files are the same, and that none is a file to which standard output or standard error goes."""
    earlier: dict[_Identity, str] = {}
    streams = dict(_streams())
    for option, path in files.items():
        own = _identity(path)
        if own is None or path.is_char_device():
            continue
        if own in streams and not is_special(path):  # /dev/stdout is written as the stream that it is
            raise ConfigurationError(f"{option} {path}: {streams[own]} goes there; give another file")
        if own in earlier:
            raise ConfigurationError(f"{option} {path}: what is meant for {earlier[own]} goes there; give another file")
        earlier[own] = f"{option} {path}"


def used_by(
    settings: "Settings", config: Path | None, *, sources: Sequence[str] = (), baseline: Path | None = None
) -> Iterator[Used]:
    """Yield what a run with these settings reads and keeps: settings, store, state, lists, databases, inventory, and its logs."""
    from vedette.settings import settings_file  # noqa: PLC0415  # slow to import, as what follows: --help answers at once

    if (file := settings_file(config)) is not None:
        yield Used("the settings file", file)
    yield from _store(settings)
    for kind in LIST_KINDS:
        for text in map(str, getattr(settings, kind.setting)):
            yield Used("the list", name_and_path(text)[1])
    for place in settings.geoip:
        yield Used("the geolocation database", place)
    if baseline is not None:
        yield Used("the baseline", baseline)
    if settings.inventory:
        yield from _inventory(settings.inventory)
    for source in sources:
        yield from _logs(source)


def _store(settings: "Settings") -> Iterator[Used]:
    """Yield the files of the store, and the folders of its state, those of earlier builds, too."""
    from vedette.store import STATE_SUFFIX, sqlite_file, url_of  # noqa: PLC0415

    if settings.state_folder and not is_url(settings.state_folder):
        yield Used("the state folder", settings.state_folder, whole=True)
    try:
        file = sqlite_file(url_of(settings.store)) if settings.store else None
    except VedetteError:  # who opens it says that it is none
        return
    if file is None:
        return
    real = Path(os.path.realpath(file))
    for ending in _BESIDE_STORE:
        yield Used("the store" if not ending else "a file of the store", f"{file}{ending}")
        if real != file:
            yield Used("the store" if not ending else "a file of the store", f"{real}{ending}")
    for folder in (real.with_name(real.name + STATE_SUFFIX), real.with_suffix(STATE_SUFFIX)):
        yield Used("the state folder", folder, whole=True)


def _inventory(folder: str) -> Iterator[Used]:
    from vedette.inventory.files import MANIFEST  # noqa: PLC0415
    from vedette.inventory.kinds import kind_of  # noqa: PLC0415

    for place, _, names in os.walk(folder):
        for name in names:
            if name == MANIFEST or kind_of(name) is not None:
                yield Used("a file of the inventory", Path(place, name))


def _logs(source: str) -> Iterator[Used]:
    """Yield the files of a location, those that are left out for their dates, too."""
    from vedette.sources.files import files_of  # noqa: PLC0415

    if source == STANDARD_STREAM:
        with suppress(OSError, ValueError, AttributeError):  # closed, or no stream of the system
            yield Used("the log on standard input", f"/dev/fd/{sys.stdin.fileno()}")
    elif not is_url(source):
        with suppress(VedetteError):  # who reads it says why it cannot be listed
            yield from (Used("the log", path) for path in files_of(source))


def _identity(path: Path) -> _Identity | None:
    """Return what two names of a file have in common: the file itself, or where it would be made; None if that is nowhere."""
    try:
        facts = path.stat()
    except (OSError, ValueError):
        real = Path(os.path.realpath(path))
        try:
            above = real.parent.stat()
        except (OSError, ValueError):
            return None
        return above.st_dev, above.st_ino, real.name
    return facts.st_dev, facts.st_ino, ""


def _is_in(path: Path, own: _Identity, folder: Path) -> bool:
    """Tell whether a file is, or lies below, a folder, or is another name of a file there."""
    whole = _identity(folder)
    real = Path(os.path.realpath(path))
    if whole is None or whole in {own, *map(_identity, real.parents)}:
        return whole is not None
    if not path.exists() or path.stat().st_nlink == 1:
        return False
    return any(_identity(Path(place, name)) == own for place, _, names in os.walk(folder) for name in names)


def _streams() -> Iterator[tuple[_Identity, str]]:
    """Yield standard output and standard error where these are files."""
    for descriptor, what in ((1, "standard output"), (2, "standard error")):
        with suppress(OSError):
            facts = os.fstat(descriptor)
            if stat.S_ISREG(facts.st_mode):
                yield (facts.st_dev, facts.st_ino, ""), what


def _stays(path: Path) -> bool:
    """Tell whether what is written to a path stays there, and takes the place of what was there: not in a device or a pipe."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return True
    return stat.S_ISREG(mode) or stat.S_ISBLK(mode)
