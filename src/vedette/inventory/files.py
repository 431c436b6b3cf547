"""Read folders of saved responses into snapshots, and report every fault with its file and place."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, cast

import msgspec

from vedette.errors import ConfigurationError
from vedette.inventory.kinds import ENTRIES, GROUPS, INSTANCES, INTERFACES, SUBNETS, Kind, kind_of
from vedette.inventory.saved import Item, Record, check
from vedette.leftovers import DRAFT

MANIFEST = "snapshot.json"
_SHOWN_FAULTS = 20
_MOST_BYTES = 512 << 20  # of a file
_PREFIX_LIST_ID = re.compile(r"pl-[0-9A-Za-z]+")
_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d+")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


class Manifest(msgspec.Struct, frozen=True):
    """The description of a snapshot that ``pull`` writes next to the responses."""

    taken_at: Annotated[datetime, msgspec.Meta(tz=True)]
    account_id: str = ""
    region: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The responses in one folder, of one account and region ("" if unknown) at one time.

    ``records`` are by kind; ``entries`` are the networks of prefix lists by ID; ``notes`` name what is incomplete.
    """

    folder: str
    account_id: str
    region: str
    taken_at: datetime
    records: Mapping[str, tuple[Record, ...]]
    entries: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]

    @property
    def scope(self) -> tuple[str, str]:
        """The account and region; the folder replaces an unknown one."""
        return self.account_id or self.folder, self.region or self.folder

    def of(self, kind: Kind[Item]) -> tuple[Item, ...]:
        """Return the records of a kind."""
        return cast("tuple[Item, ...]", self.records.get(kind.name, ()))

    def has(self, kind: Kind[Item]) -> bool:
        """Tell whether there is a file of the kind, even one without records."""
        return kind.name in self.records


@dataclass(slots=True)
class _Folder:
    """What has been read from one folder so far."""

    records: dict[str, list[Record]] = field(default_factory=dict)
    entries: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    changed_at: float = 0.0


def read_snapshots(root: Path) -> tuple[Snapshot, ...]:
    """Read every folder below ``root`` that contains saved responses; return the oldest snapshot first.

    Raises:
        ConfigurationError: there is none, or a file cannot be used; the message lists the faults.
    """
    if not root.is_dir():
        raise ConfigurationError(f"{root}: not a folder with saved describe-*.json files")
    faults: list[str] = []
    found: list[Snapshot] = []
    for folder, _, names in os.walk(root):
        here = Path(folder)
        paths = [(here / name, kind) for name in sorted(names) if (kind := kind_of(name)) is not None]
        if paths:
            found.append(_snapshot(root, here, paths, faults))
    if faults:
        more = [f"and {len(faults) - _SHOWN_FAULTS} more faults"] if len(faults) > _SHOWN_FAULTS else []
        raise ConfigurationError("\n".join([f"{root}: the inventory cannot be used", *faults[:_SHOWN_FAULTS], *more]))
    if not found:
        raise ConfigurationError(f"{root}: no saved response of EC2, such as describe-network-interfaces.json, was found")
    return tuple(sorted(found, key=lambda snapshot: (snapshot.taken_at, snapshot.folder)))


def _snapshot(root: Path, folder: Path, paths: list[tuple[Path, Kind[Record]]], faults: list[str]) -> Snapshot:
    read = _Folder()
    for path, kind in paths:
        try:
            _read(path, kind, read, faults)
        except (OSError, ValueError, RecursionError) as error:
            faults.append(f"{path}: {_reason(error)}")
    manifest = _manifest(root, folder, faults)
    if not (folder / MANIFEST).exists() and any(folder.glob(f"{DRAFT}*")):
        read.notes.append("a pull was interrupted here: files of two snapshots may be mixed until it is done again")
    place = folder.absolute()
    names = (place.name, place.parent.name)
    records = {name: tuple(items) for name, items in read.records.items()}
    return Snapshot(
        folder=folder.relative_to(root).as_posix(),
        account_id=(manifest.account_id if manifest else "") or _match(_ACCOUNT, names) or _owner(records),
        region=(manifest.region if manifest else "") or _match(_REGION, names[:1]) or _zone_region(records),
        taken_at=manifest.taken_at.astimezone(UTC) if manifest else datetime.fromtimestamp(read.changed_at, tz=UTC),
        records=records,
        entries={name: tuple(items) for name, items in read.entries.items()},
        notes=(*(manifest.notes if manifest else ()), *read.notes),
    )


def _read(path: Path, kind: Kind[Record], read: _Folder, faults: list[str]) -> None:
    read.changed_at = max(read.changed_at, path.stat().st_mtime)
    document = msgspec.json.decode(_utf8(_content(path)), type=dict[str, msgspec.Raw])
    if kind.member not in document:
        faults.append(f"{path}: has no member {kind.member!r}, so it is not a response of {kind.name}")
        return
    if bytes(document.get("NextToken", b"null")) not in {b"null", b'""'}:
        read.notes.append(f"{path.name}: contains only the first page of the response")
    member = document[kind.member]
    items = [member] if kind.single else msgspec.json.decode(member, type=list[msgspec.Raw])
    decoder = msgspec.json.Decoder(kind.record, dec_hook=check)
    records = read.records.setdefault(kind.name, [])
    start = len(records)
    for position, item in enumerate(items):
        try:
            records.append(decoder.decode(item))
        except (ValueError, RecursionError) as error:
            faults.append(f"{path}: {_reason(error, f'{kind.member}[{position}]')}")
    if kind.name == ENTRIES.name:
        _keep_entries(path, document, records[start:], read)


def _keep_entries(path: Path, document: Mapping[str, msgspec.Raw], records: list[Record], read: _Folder) -> None:
    """Keep the networks of a prefix list under its ID, which the response itself lacks: it is taken from the file's name."""
    named = msgspec.json.decode(document.get("PrefixListId", b"null"))
    found = _PREFIX_LIST_ID.search(named if isinstance(named, str) else path.stem)
    if found is None:
        read.notes.append(f"{path.name}: the name contains no prefix list ID; rename the file to {ENTRIES.name}-pl-….json")
        return
    read.entries.setdefault(found[0], []).extend(str(getattr(record, "cidr", "")) for record in records)


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise ValueError("is not a file")
    if (size := path.stat().st_size) > _MOST_BYTES:
        raise ValueError(f"is larger than {_MOST_BYTES:,} bytes")
    with path.open("rb") as file:
        return file.read(size)  # not of _MOST_BYTES: so much would be allocated


def _manifest(root: Path, folder: Path, faults: list[str]) -> Manifest | None:
    """Return the manifest of the folder, or else the nearest above it up to ``root``; None if there is none."""
    for above in (folder, *folder.parents):
        path = above / MANIFEST
        if path.is_file():
            try:
                return msgspec.json.decode(_utf8(_content(path)), type=Manifest)
            except (OSError, ValueError, RecursionError) as error:
                if (fault := f"{path}: {_reason(error)}") not in faults:
                    faults.append(fault)
                return None
        if above == root:
            break
    return None


def _utf8(data: bytes) -> bytes:
    """Return the text as UTF-8: PowerShell's ``>`` writes UTF-16, and Windows editors a byte order mark."""
    return data.decode("utf-16").encode() if data.startswith(_UTF16) else data.removeprefix(_UTF8_MARK)


def _reason(error: Exception, item: str = "") -> str:
    """Return what is wrong, preceded by the place in the file if it is known."""
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror})"
    text = "nested too deeply" if isinstance(error, RecursionError) else str(error)
    what, found, inner = text.rpartition(" - at `$")
    place, reason = (f"{item}{inner.removesuffix('`')}", what) if found and inner.endswith("`") else (item, text)
    place = place.removeprefix(".")
    return f"{place}: {reason}" if place else reason


def _match(pattern: re.Pattern[str], names: tuple[str, ...]) -> str:
    return next((name for name in names if pattern.fullmatch(name)), "")


def _owner(records: Mapping[str, tuple[Record, ...]]) -> str:
    """Return the account that owns the most resources; in a shared VPC there are several owners."""
    kinds = (INSTANCES, INTERFACES, GROUPS)
    return _most(str(getattr(record, "owner_id", None) or "") for kind in kinds for record in records.get(kind.name, ()))


def _zone_region(records: Mapping[str, tuple[Record, ...]]) -> str:
    """Return the region of the most availability zones named in the records."""
    zones = [
        getattr(record, "availability_zone", None) for kind in (INTERFACES, SUBNETS) for record in records.get(kind.name, ())
    ]
    for reservation in cast("tuple[object, ...]", records.get(INSTANCES.name, ())):
        zones += [getattr(item.placement, "availability_zone", None) for item in getattr(reservation, "instances", ())]
    return _most(region_of(zone or "") for zone in zones)


def region_of(zone: str) -> str:
    """Return the region of an availability zone or local zone, "" if the text is neither."""
    found = _REGION.match(zone)
    return found[0] if found else ""


def _most(values: Iterator[str]) -> str:
    counted = Counter(value for value in values if value)
    return min(counted, key=lambda value: (-counted[value], value)) if counted else ""
