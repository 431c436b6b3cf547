"""Say whose a location of state files is: a marker in it names its store, so that no store ever touches the state of another.

A store is known by its identity, a random text that it keeps itself: a store that is moved together with its state stays theirs.
State of an earlier build has no marker. It is a store's if all files that the store names are there, with as many rows.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from vedette.errors import EngineError, StoreError
from vedette.state_files.generation import Generation, Part
from vedette.state_files.location import Folder, StateLocation

MARKER = "owner.json"
_PARQUET = ".parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A store: its identity, and how it is called (the full path of a file, or a URL without what is secret in it)."""

    identity: str
    store: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marker:
    """The owner as the marker of a location names it, and what the location was called then."""

    identity: str
    store: str
    location: str


def claim(location: StateLocation, owner: Owner, generation: Generation | None) -> None:
    """Mark a location as a store's, or check that it is; a folder must be locked. Nothing in it is changed but the marker.

    Raises:
        StoreError: it is another store's, it may be, or files that the store's generation names are missing.
        EngineError: it cannot be read or written.
    """
    new = _Marker(identity=owner.identity, store=owner.store, location=str(location))
    marker = check_claim(location, owner, generation)
    if marker is None:
        if location.write_note(MARKER, _text(new), replace=False):
            return
        marker = check_claim(location, owner, generation)  # another process was faster
    if marker != new:
        location.write_note(MARKER, _text(new), replace=True)


def check_claim(location: StateLocation, owner: Owner, generation: Generation | None) -> "_Marker | None":
    """Check that a store may claim a location, and return the marker there, if there is one; nothing is written.

    Raises:
        StoreError: as ``claim``.
        EngineError: it cannot be read.
    """
    marker, names = _marker(location), set(location.names())
    wanted = set() if generation is None else generation.files()
    if marker is None:
        _check_unmarked(location, owner, generation, names)
        return None
    abandoned = isinstance(location, Folder) and not names and not wanted  # nothing of the other store's can be lost
    if marker.identity == owner.identity or not abandoned:
        _check_owner(marker, owner, location)
        _check_copy(marker, owner, location)
        _check_none_missing(location, owner, wanted - names)
    return marker


def check_complete(location: StateLocation, owner: Owner, generation: Generation | None) -> None:
    """Check that all files that a store's generation names are there.

    Raises:
        StoreError: some are missing.
        EngineError: the location cannot be read.
    """
    if generation is not None:
        _check_none_missing(location, owner, generation.files() - set(location.names()))


def check(location: StateLocation, owner: Owner, generation: Generation | None) -> None:
    """Check that a location may be read as a store's state; nothing is written.

    Raises:
        StoreError: it is another store's.
        EngineError: it cannot be read.
    """
    marker = _marker(location)
    if marker is not None:
        _check_owner(marker, owner, location)
    elif generation is not None and not _rows_agree(location, generation, set(location.names())):
        raise StoreError(f"{location} holds the state of another store than {owner.store}: give each a state_folder of its own")


def is_marked(location: StateLocation) -> bool:
    """Tell whether a location has been claimed by some store.

    Raises:
        EngineError: it cannot be read.
    """
    return location.note(MARKER) is not None


def matches(location: StateLocation, generation: Generation | None) -> bool:
    """Tell whether an unmarked location holds the state of a store with this generation, as far as one can tell.

    Raises:
        EngineError: it cannot be read.
    """
    if generation is None or not generation.files() or _marker(location) is not None:
        return False
    names = set(location.names())
    return generation.files() <= names and _rows_agree(location, generation, names)


def _check_unmarked(location: StateLocation, owner: Owner, generation: Generation | None, names: set[str]) -> None:
    wanted = set() if generation is None else generation.files()
    if names and not wanted:
        raise StoreError(
            f"{location} holds state files, and nothing says of which store: give this store a state_folder of its own, or move"
            " the folders spool and states elsewhere"
        )
    _check_none_missing(location, owner, wanted - names)
    if generation is not None and not _rows_agree(location, generation, names):
        raise StoreError(f"{location} holds the state of another store: give this one a state_folder of its own")


def _check_owner(marker: _Marker, owner: Owner, location: StateLocation) -> None:
    if marker.identity == owner.identity:
        return
    if marker.store == owner.store:
        raise StoreError(
            f"{location} holds the state of another store that was called {owner.store} before: if stores were moved or"
            f" exchanged, move their state folders likewise; else put that store back, or rename {location} to begin anew"
        )
    raise StoreError(
        f"{location} is the state folder of another store, {marker.store}: give this one a state_folder of its own, or move"
        f" {location} to where that store is now"
    )


def _check_copy(marker: _Marker, owner: Owner, location: StateLocation) -> None:
    """Refuse a copy of a store beside the state of the original, which is still there."""
    if marker.store == owner.store or marker.location != str(location):
        return
    original = Path(marker.store)
    try:
        still_there = original.is_file() and not original.samefile(owner.store)
    except (OSError, ValueError):
        still_there = False
    if still_there:
        raise StoreError(
            f"{location} is the state folder of {marker.store}, of which {owner.store} is a copy: copy the state folder, too,"
            " and name the copy in state_folder"
        )


def _check_none_missing(location: StateLocation, owner: Owner, missing: set[str]) -> None:
    if missing:
        raise StoreError(
            f"{location}: {len(missing)} of the state files that the store {owner.store} names are missing ({min(missing)} is the"
            " first): put the state folder there that belongs to this store"
        )


def _marker(location: StateLocation) -> _Marker | None:
    text = location.note(MARKER)
    if text is None:
        return None
    try:
        content = json.loads(text)
        return _Marker(**{name: str(content[name]) for name in ("identity", "store", "location")})
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = f"{location}/{MARKER} does not say whose state this is: remove it if {location} belongs to this store"
        raise StoreError(message) from error


def _text(marker: _Marker) -> str:
    return json.dumps(asdict(marker), indent=1) + "\n"


def _rows_agree(location: StateLocation, generation: Generation, names: set[str]) -> bool:
    """Tell whether those of a generation's state tables that are there have as many rows as it says."""
    parts = (part for parts in generation.states.values() for part in parts)
    return all(_rows(location, part) == part.rows for part in parts if part.path in names and part.path.endswith(_PARQUET))


def _rows(location: StateLocation, part: Part) -> int:
    import pyarrow.parquet as pq  # noqa: PLC0415  # slow to import, and rarely needed

    try:
        with location.reading(part.path) as file:
            return pq.ParquetFile(file).metadata.num_rows
    except (pa.ArrowException, EngineError, OSError, ValueError):
        return -1
