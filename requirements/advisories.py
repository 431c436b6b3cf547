"""Read what is known of vulnerable releases from a file, and say which advisories concern a release.

Two forms are read: ``insecure_full.json`` of the distribution safety-db, and records of the OSV format (``.json``), in a file, a
folder or a zip archive, as OSV publishes them for a whole ecosystem. Nothing is fetched here.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

SAFETY = "insecure_full.json"
_SAFETY_NAME = "safety-db (under CC BY-NC 4.0, for non-commercial use only)"
_MARKS = re.compile(r"[<>=!~]=?\s*([^,<>=!~\s]+)")
_SHOWN = 100


class _Item(msgspec.Struct):
    """An advisory as safety-db writes it."""

    id: str
    specs: list[str]
    advisory: str = ""
    cve: str | None = None
    v: str = ""


class _Meta(msgspec.Struct):
    timestamp: float


class _Package(msgspec.Struct):
    name: str
    ecosystem: str = ""


class _Range(msgspec.Struct):
    type: str = ""
    events: list[dict[str, str]] = []


class _Affected(msgspec.Struct):
    package: _Package | None = None
    ranges: list[_Range] = []
    versions: list[str] = []


class _Record(msgspec.Struct):
    """An advisory as OSV writes it."""

    id: str
    modified: datetime
    aliases: list[str] = []
    withdrawn: str | None = None
    summary: str = ""
    details: str = ""
    affected: list[_Affected] = []


class UnreadableError(Exception):
    """The data cannot be read; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """What one advisory says of one distribution: its ids, what it affects as written, and in words."""

    ids: tuple[str, ...]
    affects: str
    said: str = ""
    specifiers: tuple[str, ...] = ()
    versions: frozenset[str] = frozenset()

    def concerns(self, version: str) -> bool | None:
        """Tell whether a version is affected; None if what the advisory says of versions cannot be read."""
        if version in self.versions:
            return True
        try:
            return any(SpecifierSet(text).contains(version, prereleases=True) for text in self.specifiers)
        except InvalidSpecifier:
            return None

    def mentions(self) -> Iterator[Version]:
        """Yield the versions that the advisory mentions."""
        for text in (*self.versions, *(mark for item in self.specifiers for mark in _MARKS.findall(item))):
            try:
                yield Version(text)
            except InvalidVersion:
                continue


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisories:
    """A data set: its name, the date of its newest statement, and the advisories by normalised name of a distribution."""

    name: str
    date: datetime | None
    found: Mapping[str, tuple[Advisory, ...]] = field(default_factory=dict)

    def newest_known(self, name: str) -> Version | None:
        """Return the latest version of a distribution that the data mention, None if they do not mention it."""
        return max((version for item in self.found.get(name, ()) for version in item.mentions()), default=None)


def read(path: Path) -> Advisories:
    """Return the advisories in a file or folder.

    Raises:
        UnreadableError: it is not there, is damaged, or holds no advisory of a Python distribution.
    """
    try:
        is_safety = path.name == SAFETY
        found, dates = _safety(path) if is_safety else _osv(_records(path))
    except (OSError, ValueError, KeyError, OverflowError, msgspec.MsgspecError, zipfile.BadZipFile) as error:
        raise UnreadableError(f"{path.name} cannot be read as advisories ({type(error).__name__}: {error})") from error
    if not found:
        raise UnreadableError(f"{path.name} holds no advisory of a Python distribution")
    return Advisories(
        name=_SAFETY_NAME if is_safety else path.name,
        date=max(dates, default=None),
        found={name: tuple(items) for name, items in found.items()},
    )


def _safety(path: Path) -> tuple[dict[str, list[Advisory]], list[datetime]]:
    data = msgspec.json.decode(path.read_bytes(), type=dict[str, msgspec.Raw])
    date = datetime.fromtimestamp(msgspec.json.decode(data.pop("$meta"), type=_Meta).timestamp, UTC)
    found: dict[str, list[Advisory]] = {}
    for name, raw in data.items():
        for item in msgspec.json.decode(raw, type=list[_Item]):
            advisory = Advisory(
                ids=tuple(text for text in (item.id, *(item.cve or "").split(",")) if text),
                affects=item.v or " or ".join(item.specs),
                said=_short(item.advisory),
                specifiers=tuple(item.specs),
            )
            found.setdefault(canonicalize_name(name), []).append(advisory)
    return found, [date]


def _records(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        yield from (item.read_bytes() for item in sorted(path.rglob("*.json")))
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist() if name.endswith(".json"))
    else:
        yield path.read_bytes()


def _osv(records: Iterable[bytes]) -> tuple[dict[str, list[Advisory]], list[datetime]]:
    found: dict[str, list[Advisory]] = {}
    dates: list[datetime] = []
    decoder = msgspec.json.Decoder(_Record)
    for record in map(decoder.decode, records):
        dates.append(record.modified.astimezone(UTC))
        for affected in record.affected if record.withdrawn is None else ():
            if affected.package is None or affected.package.ecosystem.partition(":")[0] != "PyPI":
                continue
            specifiers = tuple(specifier for span in affected.ranges for specifier in _specifiers(span))
            advisory = Advisory(
                ids=(record.id, *record.aliases),
                affects=" or ".join(specifiers) or f"{len(affected.versions)} versions",
                said=_short(record.summary or record.details),
                specifiers=specifiers,
                versions=frozenset(affected.versions),
            )
            found.setdefault(canonicalize_name(affected.package.name), []).append(advisory)
    return found, dates


def _specifiers(span: _Range) -> Iterator[str]:
    """Yield a specifier for each span of versions from where a fault was introduced to where it was fixed."""
    begin = None
    for event in span.events if span.type == "ECOSYSTEM" else ():
        if "introduced" in event:
            begin = f">={event['introduced']}"
        elif begin is not None and ("fixed" in event or "last_affected" in event):
            yield f"{begin},<{event['fixed']}" if "fixed" in event else f"{begin},<={event['last_affected']}"
            begin = None
    if begin is not None:
        yield begin


def _short(text: str) -> str:
    """Return a text as one printable line."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
