"""Export the baseline of a store to one file, import such a file into another store, and remove a principal from a baseline.

The file is a ZIP archive with one Parquet file per table and day, and ``baseline.json``. It may come from anybody: a file that is
not exactly as ``export`` writes it, or larger than a baseline can be, is refused with a message that names the offending part.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from vedette.baseline.tables import API_DAYS, DAYS, FOLDS, MARKS, TRAITS, folded, load, schema_of
from vedette.clock import now
from vedette.errors import ConfigurationError
from vedette.private import replacing
from vedette.state_files.generation import Generation, Part
from vedette.state_files.location import StateLocation
from vedette.state_files.tables import parts_by_day, write_table

if TYPE_CHECKING:
    import pyarrow.parquet as pq

FORMAT, VERSION = "vedette-baseline", 1
_ABOUT = "baseline.json"
_ENTRY = re.compile(rf"({DAYS}|{API_DAYS}|{TRAITS})/(0|[1-9]\d{{0,5}})\.parquet|({MARKS})/all\.parquet")
_OLDEST = (1980, 1, 1, 0, 0, 0)  # a fixed time: the same state always gives the same file

# Limits for a file that somebody else may have written; an export stays far below them.
_MOST_ENTRIES = 400
_MOST_STORED = 256 << 20
_MOST_ROWS = 5_000_000
_MOST_BYTES = 1 << 30
_BATCH = 2_048
_LONGEST = 8_192
_LARGEST = 1 << 40
_LAST_DAY = 200_000
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Carried:
    """The content of an export: its first and last day, counted since 1970 (None if it is empty), and the rows per table."""

    days: tuple[int, int] | None
    rows: dict[str, int]


def export(generation: Generation, location: StateLocation, path: Path) -> Carried:
    """Write the baseline of a state to a file, whole or not at all.

    Raises:
        ConfigurationError: the file cannot be written.
        EngineError: a state file is missing or damaged.
    """
    rows = dict.fromkeys(FOLDS, 0)
    days: set[int] = set()
    try:
        with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name in FOLDS:
                for day, parts in parts_by_day(generation.states.get(name, ())):
                    table = folded(name, _bounded(pa.concat_tables([load(location, name, part) for part in parts])))
                    rows[name] += table.num_rows
                    days |= set() if day is None else {day}
                    archive.writestr(_member(f"{name}/{'all' if day is None else day}.parquet"), _parquet(table))
            carried = Carried((min(days), max(days)) if days else None, rows)
            about = {"format": FORMAT, "version": VERSION, "days": carried.days, "rows": rows}
            archive.writestr(_member(_ABOUT), json.dumps(about, indent=1))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written ({error.strerror or error})") from error
    return carried


def imported(path: Path, generation: Generation, location: StateLocation, *, merge: bool = False) -> Generation:
    """Write an exported baseline to new state files, and return the generation that includes them; nothing is committed.

    With ``merge``, the counts of days that both sides hold are added up; without it, such days are an error.

    Raises:
        ConfigurationError: the file is not an exported baseline, or contains days that the state already holds, or future ones.
        EngineError: a state file is missing or damaged, or the location cannot be written.
    """
    number = generation.number + 1
    states = dict(generation.states)
    written: list[Part] = []
    try:
        with _opened(path) as archive:
            entries = _entries(path, archive)
            _check_past(path, entries)
            if not merge:
                _check_apart(path, generation, entries)
            for info, name, day in entries:
                old = tuple(part for part in states.get(name, ()) if part.day == day)
                tables = [load(location, name, part) for part in old]
                table = folded(name, pa.concat_tables([*tables, _read(path, archive, info, name, day)]))
                written.append(write_table(location, number, name, day, table))
                states[name] = (*(part for part in states.get(name, ()) if part not in old), written[-1])
    except BaseException:
        for part in written:
            location.remove(part.path)
        raise
    return replace(generation, number=number, states=states)


def forgotten(generation: Generation, location: StateLocation, principal: str) -> tuple[Generation, int]:
    """Write the baseline without a principal; return the generation without it, and the number of rows removed.

    Nothing is committed. If no row belongs to the principal, the given generation is returned.

    Raises:
        EngineError: a state file is missing or damaged, or the location cannot be written.
    """
    number, gone = generation.number + 1, 0
    states = dict(generation.states)
    for name in FOLDS:
        for day, parts in parts_by_day(generation.states.get(name, ())):
            table = pa.concat_tables([load(location, name, part) for part in parts])
            kept = table.filter(pc.not_equal(table["principal"], pa.scalar(principal)))
            if kept.num_rows < table.num_rows:
                gone += table.num_rows - kept.num_rows
                others = tuple(part for part in states[name] if part not in parts)
                states[name] = (*others, write_table(location, number, name, day, kept)) if kept.num_rows else others
    return (replace(generation, number=number, states=states) if gone else generation), gone


def _member(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, _OLDEST)


def _parquet(table: pa.Table) -> bytes:
    import pyarrow.parquet as pq  # noqa: PLC0415  # slow to import, and most runs do not carry a baseline

    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _texts(table: pa.Table | pa.RecordBatch) -> list[str]:
    return [field.name for field in table.schema if pa.types.is_string(field.type)]


def _bounded(table: pa.Table) -> pa.Table:
    """Drop the rows that an import would refuse: no name in AWS is that long, and every principal has a name."""
    kept = table.filter(pc.is_valid(table["principal"]))
    for name in _texts(table):
        kept = kept.filter(pc.less_equal(pc.fill_null(pc.binary_length(kept[name]), 0), pa.scalar(_LONGEST)))
    return kept


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        if path.exists() and not path.is_file():  # a device or a pipe never ends
            raise ConfigurationError(f"{path}: is not a file")
        if (size := path.stat().st_size) > _MOST_BYTES:
            raise ConfigurationError(f"{path}: is larger than a baseline can be ({size:,} bytes; the most is {_MOST_BYTES:,})")
        with zipfile.ZipFile(path) as archive:
            yield archive
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, UnicodeError) as error:
        raise ConfigurationError(f"{path}: is not an exported baseline ({error})") from error


def _entries(path: Path, archive: zipfile.ZipFile) -> list[tuple[zipfile.ZipInfo, str, int | None]]:
    found: dict[str, tuple[zipfile.ZipInfo, str, int | None]] = {}
    infos = archive.infolist()
    if len(infos) > _MOST_ENTRIES:
        raise ConfigurationError(
            f"{path}: is not an exported baseline ({len(infos)} files in it, at most {_MOST_ENTRIES} are allowed)"
        )
    for info in infos:
        match = _ENTRY.fullmatch(info.filename)
        if info.filename in found or (match is None and info.filename != _ABOUT):
            raise ConfigurationError(f"{path}: is not an exported baseline ({info.filename[:80]!r} does not belong in one)")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > _MOST_STORED:
            raise ConfigurationError(f"{path}: {info.filename} is compressed, or larger than {_MOST_STORED:,} bytes")
        if match is not None:
            found[info.filename] = (info, match[1] or match[3], int(match[2]) if match[2] else None)
    about = _about(archive) if _ABOUT in archive.namelist() else {}
    if about.get("format") != FORMAT:
        raise ConfigurationError(f"{path}: is not an exported baseline ({_ABOUT} does not say so)")
    if about.get("version") != VERSION:
        raise ConfigurationError(
            f"{path}: is a baseline of version {str(about.get('version'))[:20]!r}; only version {VERSION} can be read"
        )
    return list(found.values())


def _about(archive: zipfile.ZipFile) -> dict[str, object]:
    try:
        with archive.open(_ABOUT) as file:
            about = json.loads(file.read(1 << 16))
    except (ValueError, RecursionError):
        return {}
    return about if isinstance(about, dict) else {}


def _check_past(path: Path, entries: Iterable[tuple[zipfile.ZipInfo, str, int | None]]) -> None:
    """Check that no day is later than tomorrow, which is as much as clocks may differ."""
    newest = max((day for _, _, day in entries if day is not None), default=0)
    if newest > (now().date() - _EPOCH).days + 1:
        raise ConfigurationError(
            f"{path}: holds the day {_EPOCH + timedelta(days=newest)}, which is in the future: run vedette baseline repair on the"
            " store that it is from, and export again; if this machine's clock is wrong, set it"
        )


def _check_apart(path: Path, generation: Generation, entries: Iterable[tuple[zipfile.ZipInfo, str, int | None]]) -> None:
    known = {(name, part.day) for name in FOLDS for part in generation.states.get(name, ()) if part.day is not None}
    both = sorted({day for _, name, day in entries if day is not None and (name, day) in known})
    if both:
        first, last = (_EPOCH + timedelta(days=day) for day in (both[0], both[-1]))
        raise ConfigurationError(
            f"{path}: {len(both)} of its days from {first} to {last} are already in the store; --merge adds up the counts of both"
        )


def _read(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, day: int | None) -> pa.Table:
    import pyarrow.parquet as pq  # noqa: PLC0415

    member_name = f"{path}: {info.filename}"
    with archive.open(info) as member:
        data = member.read(_MOST_STORED)
    try:
        with pq.ParquetFile(pa.BufferReader(data)) as file:
            return _checked(member_name, file, name, day)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"{member_name}: is not a Parquet table ({error})") from error


def _checked(member_name: str, file: "pq.ParquetFile", name: str, day: int | None) -> pa.Table:
    schema = schema_of(name)
    if not file.schema_arrow.equals(schema):
        raise ConfigurationError(f"{member_name}: has other columns than {name} ({', '.join(schema.names)})")
    if file.metadata.num_rows > _MOST_ROWS:
        raise ConfigurationError(f"{member_name}: has {file.metadata.num_rows:,} rows; at most {_MOST_ROWS:,} are allowed")
    batches, size = [], 0
    for batch in file.iter_batches(batch_size=_BATCH):
        if fault := _fault(batch, day):
            raise ConfigurationError(f"{member_name}: {fault}")
        size += batch.nbytes
        if size > _MOST_BYTES:
            raise ConfigurationError(f"{member_name}: is larger than {_MOST_BYTES:,} bytes")
        batches.append(batch)
    return pa.Table.from_batches(batches, file.schema_arrow).cast(schema)


def _fault(batch: pa.RecordBatch, day: int | None) -> str:
    """Return what is wrong with the rows, or "" if nothing is."""
    batch.validate(full=True)
    if not batch.num_rows:
        return ""
    for field in batch.schema:
        column = batch.column(field.name)
        if pa.types.is_string(field.type):
            longest = max((len(value.encode()) for value in column.unique().to_pylist() if value is not None), default=0)
            if longest > _LONGEST:
                return f"{field.name} holds a text of {longest:,} bytes; at most {_LONGEST:,} are allowed"
            if field.name == "principal" and column.null_count:
                return "principal holds a null value"
            continue
        ends = pc.min_max(column)
        low, high = ends["min"].as_py(), ends["max"].as_py()
        limit = _LAST_DAY if field.name.endswith("day") else _LARGEST
        if column.null_count or low is None or low < 0 or high > limit:
            return f"{field.name} is not between 0 and {limit:,}"
        if field.name == "day" and day is not None and (low, high) != (day, day):
            return f"holds days from {low} to {high}, not only {day}"
    return ""
