"""Keep findings, receipts, generations and threat lists in one database.

Every write is one transaction: after a crash, either all of it or nothing has been written.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from threading import RLock
from types import TracebackType
from typing import Self, Unpack

from sqlalchemy import Connection, Engine, delete, func, select

from vedette import clock
from vedette.epoch import microseconds, moment
from vedette.errors import NotFoundError, StoreError
from vedette.findings.identity import Identity
from vedette.findings.model import Finding
from vedette.intel import ThreatList
from vedette.intel.entries import Entries
from vedette.intel.lists import compare
from vedette.logs.receipt import Receipt
from vedette.state_files.generation import Generation
from vedette.store import finding_rows
from vedette.store import receipts as receipt_rows
from vedette.store.database import (
    has_one_connection,
    identity_of,
    is_read_only,
    make_identity,
    mapped_errors,
    opened_and_prepared,
    writing,
)
from vedette.store.documents import json_text, read_json
from vedette.store.lists import ListSummary, header_text, imported, list_of, open_count, packed, summary_of, unpacked
from vedette.store.selection import SORTED_AT_MOST, Filters, conditions, page
from vedette.store.tables import FINDINGS, GENERATIONS, LIST_ENTRIES, LISTS, RUN_REPORTS
from vedette.store.url import EPHEMERAL, shown
from vedette.urls import is_in_memory, secrets_of

KEPT_REPORTS = 1_000
_ACTIVE = "ACTIVE"


@dataclass(frozen=True, slots=True)
class StoredReport:
    """The run report of a step, with the generation that the step wrote and the time."""

    generation: int
    written_at: datetime
    content: Mapping[str, object]


class Store:
    """An open store. Create it with ``open`` or ``ephemeral``; close it, or use it in a ``with`` statement.

    It may be used by several threads. Every method raises ``StoreError`` if the database fails.
    """

    def __init__(self, engine: Engine, place: str, secrets: tuple[str, ...] = ()) -> None:
        self._engine = engine
        self._secrets = secrets
        self.place = place
        self._lock: AbstractContextManager[object] = RLock() if has_one_connection(engine) else nullcontext()

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Self:
        """Open a store and migrate its tables to the newest revision; with ``create``, create it if there is none.

        Raises:
            StoreError: the database cannot be reached or written, holds something else, or was written by a newer version.
        """
        url = EPHEMERAL if is_in_memory(url) else url
        place, secrets = shown(url), secrets_of(url)
        with mapped_errors(place, "opened", secrets):
            engine = opened_and_prepared(url, place, create=create)
        return cls(engine, place, secrets)

    @classmethod
    def ephemeral(cls) -> Self:
        """Create a store in memory, whose content is lost when it is closed."""
        return cls.open(EPHEMERAL)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the store."""
        self.close()

    @property
    def in_memory(self) -> bool:
        """Whether the store is in memory, so that its state is of no use after the run."""
        return self.place == EPHEMERAL

    def check_writable(self) -> None:
        """Check that the store was not opened for reading only.

        Raises:
            StoreError: it was, because its file or its folder cannot be written.
        """
        if is_read_only(self._engine):
            raise StoreError(f"the store {self.place} cannot be written (the file or its folder is read-only)")

    def identity(self, *, make: bool = True) -> str:
        """Return what tells this store from all others; a store of an earlier build gets it, or it is "" without ``make``."""
        with self._reading() as connection:
            known = identity_of(connection)
        if known is not None or not make or is_read_only(self._engine):
            return known or ""
        with self._writing() as connection:
            make_identity(connection)
            return identity_of(connection) or ""

    # Steps

    def generation(self) -> Generation | None:
        """Return the newest generation, or None before the first commit."""
        with self._reading() as connection:
            return _generation(connection)

    def known(self, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those pairs of name and version whose blobs were read, with nothing left out."""
        with self._reading() as connection:
            return receipt_rows.known(connection, pairs)

    def receipts(self, pairs: Iterable[tuple[str, str]] = (), contents: Iterable[str] = ()) -> list[Receipt]:
        """Return the receipts with these names and versions, and those of blobs with these SHA-256 digests."""
        with self._reading() as connection:
            return [*receipt_rows.of_pairs(connection, pairs), *receipt_rows.of_contents(connection, contents)]

    def present(self, places: Iterable[str], heads: Iterable[str]) -> tuple[set[str], set[str]]:
        """Return those places of blobs, and those beginnings (``logs.content.heads``), of which there are receipts."""
        with self._reading() as connection:
            return receipt_rows.present(connection, places, heads)

    def alike(self, place: str, heads: Iterable[str], content: str, size: int) -> list[Receipt]:
        """Return receipts of blobs of at most ``size`` bytes that a blob may be, or may begin with.

        They have its place, one of its beginnings, or its SHA-256; of each kind the ``receipts.MOST_ALIKE`` longest.
        """
        with self._reading() as connection:
            return receipt_rows.alike(connection, place, heads, content, size)

    def open_findings(self, identities: Iterable[Identity]) -> list[Finding]:
        """Return the findings that sightings of these identities may continue, sorted by start.

        These are all of their episodes, including archived ones: what belongs to an archived finding must not become a new one.
        """
        with self._reading() as connection:
            return finding_rows.of_identities(connection, identities)

    def commit(
        self,
        *,
        findings: Iterable[Finding],
        receipts: Iterable[Receipt | tuple[str, str]],
        generation: Generation,
        report: Mapping[str, object] | None = None,
    ) -> None:
        """Write the results of a step in one transaction. Repeating the same commit changes nothing.

        A pair of name and version is the receipt of a blob of which no more is known.

        Raises:
            StoreError: the generation is not the successor of the stored one (another process wrote meanwhile), or the
                database fails; nothing has been written then.
        """
        content = generation.to_json()
        with self._writing() as connection:
            _check_follows(_generation(connection), generation, content, self.place)
            finding_rows.write(connection, findings)
            receipt_rows.write(connection, receipts, generation.number)
            now = microseconds(clock.now())
            connection.execute(delete(GENERATIONS).where(GENERATIONS.c.number < generation.number))
            row: dict[str, object] = {"number": generation.number, "committed_at": now, "content": content}
            finding_rows.upsert(connection, GENERATIONS, [row])
            if report is not None:
                row = {"generation": generation.number, "written_at": now, "content": json_text(report)}
                finding_rows.upsert(connection, RUN_REPORTS, [row])
                oldest = generation.number - KEPT_REPORTS
                connection.execute(delete(RUN_REPORTS).where(RUN_REPORTS.c.generation <= oldest))

    def reports(self, limit: int = 20) -> list[StoredReport]:
        """Return the reports of the newest steps, newest first."""
        query = select(RUN_REPORTS).order_by(RUN_REPORTS.c.generation.desc()).limit(limit)
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return [StoredReport(row.generation, moment(row.written_at), read_json(row.content, dict)) for row in rows]

    # Findings

    def findings(
        self,
        *,
        order: str = "updated_at",
        descending: bool = True,
        limit: int | None = 50,
        after: str | None = None,
        sorted_at_most: int = SORTED_AT_MOST,
        **filters: Unpack[Filters],
    ) -> list[Finding]:
        """Return one page of the findings that meet the filters; ``after`` is the ``cursor`` of the previous page's last finding.

        Up to ``sorted_at_most`` matching findings are fetched and sorted; if there are more, the index of the order is scanned.

        Raises:
            ConfigurationError: there is no such order, or ``after`` is not a cursor of it.
        """
        with self._reading() as connection:
            query = page(
                connection,
                filters,
                order,
                descending=descending,
                limit=limit,
                after=after,
                sorted_at_most=sorted_at_most,
            )
            rows = connection.execute(query).all()
            return finding_rows.of_ids(connection, {row.id: row.archived for row in rows})

    def count(self, **filters: Unpack[Filters]) -> int:
        """Return the number of findings that meet the filters."""
        with self._reading() as connection:
            return connection.scalar(select(func.count()).select_from(FINDINGS).where(*conditions(filters))) or 0

    def count_by(self, group: str, **filters: Unpack[Filters]) -> dict[str | float | bool, int]:
        """Return the number of findings that meet the filters per value of ``group``.

        ``group`` is severity, finding_type, account_id, region or archived.

        Raises:
            ConfigurationError: findings cannot be counted by ``group``.
        """
        with self._reading() as connection:
            return finding_rows.counted(connection, group, filters)

    def finding(self, name: str) -> Finding:
        """Return the finding with the ID ``name``, or with the only ID that begins with it.

        Raises:
            NotFoundError: there is none (the nearest ID is suggested), or there are several (some are listed).
        """
        with self._reading() as connection:
            return finding_rows.of_whole_ids(connection, [finding_rows.resolve(connection, name)])[0]

    def findings_of(self, ids: Iterable[str]) -> list[Finding]:
        """Return the findings with the given complete IDs, in that order; IDs that do not exist are left out."""
        with self._reading() as connection:
            return finding_rows.of_whole_ids(connection, ids)

    def archive(self, ids: Iterable[str]) -> int:
        """Archive findings; return how many were not archived before. Unknown IDs are ignored."""
        with self._writing() as connection:
            return finding_rows.set_archived(connection, ids, archived=True)

    def unarchive(self, ids: Iterable[str]) -> int:
        """Unarchive findings; return how many were archived before. Unknown IDs are ignored."""
        with self._writing() as connection:
            return finding_rows.set_archived(connection, ids, archived=False)

    # Threat lists

    def put_list(self, threat_list: ThreatList, at: datetime) -> str:
        """Import a list at time ``at``; return a warning, or "".

        Earlier entries are kept: those that vanished end at ``at`` (``intel.history``). A list without a valid entry does not
        replace one that has entries: it is not imported, and the warning says so.
        """
        with self._writing() as connection:
            previous = _entries(connection, threat_list.name)
            if previous and threat_list.status != _ACTIVE:
                return f"{threat_list.name}: nothing in it is valid, so the {len(previous):,} earlier entries are kept"
            before = range(open_count(previous, at) if previous else 0)
            entries = imported(previous, threat_list, at)
            now_open = open_count(entries, at)
            row: dict[str, object] = {
                "name": threat_list.name,
                "kind": threat_list.kind.value,
                "format": threat_list.format,
                "status": threat_list.status,
                "imported_at": microseconds(at),
                "entries_open": now_open,
                "entries_closed": len(entries) - now_open,
                "refused": sum(threat_list.refused.values()),
                "header": header_text(threat_list),
            }
            finding_rows.upsert(connection, LISTS, [row])
            finding_rows.upsert(connection, LIST_ENTRIES, [{"name": threat_list.name, "content": packed(entries)}])
        warning = compare(before, range(now_open))
        return f"{threat_list.name}: {warning}" if warning else ""

    def lists(self) -> list[ListSummary]:
        """Return the summaries of all lists, sorted by name."""
        with self._reading() as connection:
            rows = connection.execute(select(LISTS).order_by(LISTS.c.name)).all()
        return [summary_of(row) for row in rows]

    def get_list(self, name: str) -> ThreatList:
        """Return a list with all its entries, including those that ended.

        Raises:
            NotFoundError: there is no list of that name (the most similar is suggested).
        """
        with self._reading() as connection:
            row = connection.execute(select(LISTS.c.header).where(LISTS.c.name == name)).one_or_none()
            if row is None:
                raise _no_list(connection, name)
            return list_of(row.header, _entries(connection, name) or Entries())

    def threat_lists(self) -> list[ThreatList]:
        """Return the active lists, sorted by name, with all their entries, including those that ended."""
        with self._reading() as connection:
            query = select(LISTS.c.name, LISTS.c.header).where(LISTS.c.status == _ACTIVE).order_by(LISTS.c.name)
            rows = connection.execute(query).all()
            return [list_of(row.header, _entries(connection, row.name) or Entries()) for row in rows]

    def remove_list(self, name: str) -> None:
        """Delete a list and its history: no event matches it any more, whatever its time. Findings keep their evidence.

        Raises:
            NotFoundError: there is no list of that name (the most similar is suggested).
        """
        with self._writing() as connection:
            if not connection.execute(delete(LISTS).where(LISTS.c.name == name)).rowcount:
                raise _no_list(connection, name)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._lock, mapped_errors(self.place, "read", self._secrets), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._lock, mapped_errors(self.place, "written", self._secrets), writing(self._engine) as connection:
            yield connection


def _generation(connection: Connection) -> Generation | None:
    query = select(GENERATIONS.c.content).order_by(GENERATIONS.c.number.desc()).limit(1)
    content = connection.scalar(query)
    return None if content is None else Generation.from_json(content)


def _check_follows(stored: Generation | None, new: Generation, content: str, place: str) -> None:
    if stored is None or new.number == stored.number + 1:
        return
    if new.number != stored.number or content != stored.to_json():
        raise StoreError(
            f"generation {new.number} cannot follow generation {stored.number} in the store {place}:"
            " another process has written to it meanwhile, or the step started from an older state"
        )


def _entries(connection: Connection, name: str) -> Entries | None:
    content = connection.scalar(select(LIST_ENTRIES.c.content).where(LIST_ENTRIES.c.name == name))
    return None if content is None else unpacked(content, name)


def _no_list(connection: Connection, name: str) -> NotFoundError:
    names = connection.scalars(select(LISTS.c.name)).all()
    near = get_close_matches(name, names, n=1)
    return NotFoundError(f"there is no list {name!r} in the store{f'; did you mean {near[0]}?' if near else ''}")
