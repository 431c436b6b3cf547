"""Find the state of a store, for reading and for writing: every command that uses state asks here."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from vedette.aws import Connection
from vedette.errors import ConfigurationError, StoreError
from vedette.leftovers import temporary_folder
from vedette.private import make_folder
from vedette.settings import Settings
from vedette.state_files.folder import has_lock, locked
from vedette.state_files.generation import Generation
from vedette.state_files.location import S3, Bucket, Folder, StateLocation
from vedette.state_files.ownership import Owner, check, check_claim, check_complete, claim, is_marked, matches
from vedette.store import STATE_SUFFIX, Store, sqlite_file, state_folder, url_of
from vedette.urls import is_url, masked

_SQLITE_HEADER = b"SQLite format 3\0"
_BESIDE_STORES = ("-wal", "-shm", "-journal")


def state_place(settings: Settings, store: Store, generation: Generation | None = None) -> StateLocation | None:
    """Return where the state of an open store can be read, None for a store of one run only. Nothing is locked or written.

    ``generation`` is the one to be read, by default the store's newest.

    Raises:
        ConfigurationError: the setting ``state_folder`` names a place that cannot hold state.
        StoreError: the store does not imply a location, or what lies there is another store's.
        EngineError: the location cannot be read.
    """
    place = None if store.in_memory else _location(settings)
    if place is None:
        return None
    if isinstance(place, Folder) and not place.path.exists():
        earlier = _earlier_folder(settings, place.path)
        if earlier is not None and not is_marked(Folder(earlier)):
            place = Folder(earlier)
    check(place, _owner(settings, store, make=False), generation or store.generation())
    return place


@contextmanager
def held_place(settings: Settings, store: Store) -> Iterator[StateLocation]:
    """Hold the location of an open store's state for writing; that of a store of one run only is removed afterwards.

    A folder is locked against other writers; in a bucket, the store refuses the second of two commits.

    Raises:
        ConfigurationError: the setting ``state_folder`` names a place that cannot hold state.
        StoreError: what lies there is another store's, or another process is writing there, or it cannot be written.
        EngineError: the location cannot be read or written.
    """
    place = _location(settings)
    if place is None or store.in_memory:
        with _for_this_run(place) as own:
            yield own
        return
    store.check_writable()
    if isinstance(place, Folder):
        _adopt_earlier(settings, store, place.path)
        if not place.path.exists():  # a folder that is made would be in the way of the one that is missing
            check_complete(place, _owner(settings, store), store.generation())
        elif not has_lock(place.path):  # a folder that is refused stays as it is: the lock would be something new in it
            check_claim(place, _owner(settings, store), store.generation())
        with locked(place.path):
            place = Folder(Path(os.path.realpath(place.path)))
            claim(place, _owner(settings, store), store.generation())
            yield place
    else:
        claim(place, _owner(settings, store), store.generation())
        yield place


def _location(settings: Settings) -> StateLocation | None:
    given = settings.state_folder
    if given.startswith(S3):
        if not given.removeprefix(S3).partition("/")[0]:
            raise ConfigurationError(f"state_folder {given!r}: there is no bucket in it")
        return Bucket(given.rstrip("/"), Connection.of(settings))
    if is_url(given):
        raise ConfigurationError(f"state_folder {masked(given)!r}: give a folder, or s3://BUCKET/PREFIX")
    folder = state_folder(_url(settings), Path(given) if given else None)
    return None if folder is None else Folder(folder)


def _url(settings: Settings) -> str:
    return url_of(settings.store) or "sqlite://"


def _owner(settings: Settings, store: Store, *, make: bool = True) -> Owner:
    file = sqlite_file(_url(settings))
    return Owner(identity=store.identity(make=make), store=store.place if file is None else os.path.realpath(file))


@contextmanager
def _for_this_run(place: StateLocation | None) -> Iterator[StateLocation]:
    """Make a location that nobody else uses, within the given one if there is one, and remove it afterwards."""
    if isinstance(place, Bucket):
        own = place.below(f"run-{uuid4().hex}")
        try:
            yield own
        finally:
            for name in list(own.names()):
                own.remove(name)
        return
    within = place.path if isinstance(place, Folder) else None
    with ExitStack() as held:
        try:
            if within is not None:
                make_folder(within)
            temporary = held.enter_context(temporary_folder(within))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise StoreError(f"{within or 'the temporary folder'}: the state folder cannot be written ({reason})") from error
        yield Folder(temporary)


def _earlier_folder(settings: Settings, folder: Path) -> Path | None:
    """Return where an earlier build kept the state of a SQLite file: ``case.state`` for ``case.db``; None if it is not there."""
    file = sqlite_file(_url(settings))
    if file is None or settings.state_folder:
        return None
    earlier = Path(os.path.realpath(file)).with_suffix(".state")
    return earlier if earlier != Path(os.path.realpath(folder)) and earlier.is_dir() else None


def _adopt_earlier(settings: Settings, store: Store, folder: Path) -> None:
    """Give the folder of an earlier build its new name if it is this store's and no other's.

    Raises:
        StoreError: it may be that of another store as well, or another process is writing there.
    """
    if folder.exists():
        return
    earlier = _earlier_folder(settings, folder)
    if earlier is None or not matches(Folder(earlier), store.generation()):
        return
    with locked(earlier, create=False):
        file = Path(os.path.realpath(sqlite_file(_url(settings)) or earlier))
        if folder.exists() or not matches(Folder(earlier), store.generation()):
            return
        if others := [other.name for other in _namesakes(file) if _may_own(other, earlier)]:
            raise StoreError(
                f"{earlier} may be the state of {file.name} or of {others[0]}: rename it to {folder.name} if it belongs to the"
                f" former, else to {others[0]}.state"
            )
        try:
            earlier.rename(folder)
        except OSError as error:
            raise StoreError(f"{earlier} cannot be renamed to {folder} ({error.strerror})") from error


def _namesakes(file: Path) -> Iterator[Path]:
    """Yield the other SQLite files in a folder whose state an earlier build kept in the same place."""
    for other in sorted(file.parent.iterdir()):
        if other == file or other.stem != file.stem or other.name.endswith(_BESIDE_STORES) or not other.is_file():
            continue
        with suppress(OSError), other.open("rb") as opened:
            if opened.read(len(_SQLITE_HEADER)) == _SQLITE_HEADER and not other.samefile(file):
                yield other


def _may_own(file: Path, folder: Path) -> bool:
    if is_marked(Folder(file.with_name(file.name + STATE_SUFFIX))):
        return False
    try:
        with Store.open(url_of(str(file)), create=False) as other:
            return matches(Folder(folder), other.generation())
    except StoreError:  # it is none of ours, or too damaged to say
        return False
