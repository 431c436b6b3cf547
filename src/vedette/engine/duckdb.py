"""The DuckDB engine: one process runs the SQL, several read."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pyarrow as pa

from vedette.engine import Knowledge, Reading, ReadPlan, StepResult
from vedette.engine.fact_tables import AddressTables, FactTable
from vedette.engine.faults import duckdb_fault, written_fault
from vedette.engine.functions import FUNCTIONS
from vedette.engine.plain_folder import plain_folder
from vedette.engine.spool import load, read_blobs
from vedette.engine.step import Script
from vedette.errors import EngineError
from vedette.logs.blob import Blob
from vedette.rules import Rules
from vedette.schema import TABLES
from vedette.state import State
from vedette.state_files.generation import Generation, Part
from vedette.state_files.location import Folder

_ROWS = 10_000


class DuckDBEngine:
    """Runs rules over the parts in one folder. Made for one writer; see ``Engine`` for what it does."""

    # Larger ones are hardly faster, and take more memory.
    usual_slice: ClassVar[Mapping[str, int]] = {"cloudtrail": 500_000, "flows": 2_000_000}

    def __init__(self, folder: Path, rules: Rules, knowledge: Knowledge, *, memory_limit: str = "1GB", threads: int = 0) -> None:
        with ExitStack() as opened:
            plain = opened.enter_context(plain_folder(folder))
            self._connection = connect(plain, memory_limit, threads)
            opened.callback(self._connection.close)
            self._script = Script(DuckDBPort(self._connection, plain, AddressTables(knowledge)), rules, knowledge)
            self._opened = opened.pop_all()

    @property
    def tables(self) -> frozenset[str]:
        """The record tables that the rules read; records of others need not be kept."""
        return self._script.tables

    def read(self, blobs: Iterable[Blob], plan: ReadPlan) -> Iterator[Reading]:
        """Read blobs into pending parts."""
        return read_blobs(blobs, plan)

    def step(self, generation: Generation, until: datetime | None) -> StepResult:
        """Run the detections over what is pending before ``until`` and fold it."""
        return self._script.step(generation, until)

    def close(self) -> None:
        """Close the connection."""
        self._opened.close()


class DuckDBPort:
    """Does what the script of a step asks for on one connection; see ``Port``. A thread of its own writes the state files."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path, addresses: AddressTables) -> None:
        self._connection = connection
        self._folder = folder
        self._addresses = addresses
        self._writer = ThreadPoolExecutor(1)
        self._writing: list[Future[None]] = []

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold a step, and wait for its files. Tables stay until the next step replaces them."""
        self._writer, self._writing = ThreadPoolExecutor(1), []
        try:
            yield
            for writing in self._writing:
                writing.result()
        except duckdb.Error as error:
            raise EngineError(duckdb_fault(error, self._folder)) from error
        finally:
            self._writer.shutdown(cancel_futures=True)

    def load(self, name: str, table: str, parts: Sequence[Part], until_us: int | None) -> None:
        """Map the files of the parts into memory."""
        rows = [load(Folder(self._folder), part, until_us) for part in parts]
        self.register(name, pa.concat_tables(rows) if rows else TABLES[table].empty_table())

    def open(self, name: str, state: State, parts: Sequence[Part]) -> None:
        """Make a view of the parts' files."""
        if not parts:
            self.register(f"{name}_none", state.schema.empty_table())
            self.view(name, f"select * from {name}_none")
            return
        files = ", ".join(_quoted(self._folder / part.path) for part in parts)
        self.view(name, f"select {', '.join(state.schema.names)} from read_parquet([{files}])")

    def register(self, name: str, rows: pa.Table) -> None:
        """Let DuckDB read the rows where they are."""
        self._connection.register(name, rows)

    def look_up(self, facts: FactTable) -> None:
        """Make the facts in this process."""
        self.register(facts.name, facts.make(self._addresses, self._connection.sql(facts.distinct).to_arrow_table()))

    def view(self, name: str, sql: str) -> None:
        """Make a view."""
        self._connection.execute(f"create or replace temp view {name} as {sql}")

    def keep(self, name: str, sql: str) -> int:
        """Make a temporary table."""
        return self._table(f"temp table {name}", sql)

    def narrow(self, table: str, sql: str) -> None:
        """Make a view: a copy of the slice would take memory, and few views read its records."""
        self.view(table, sql)

    def rows(self, sql: str) -> Iterator[dict[str, Any]]:
        """Yield the result as it is computed."""
        for batch in self._connection.sql(sql).to_arrow_reader(_ROWS):
            yield from batch.to_pylist()

    def fold(self, state: State, sql: str, oldest: int, folder: str) -> tuple[Part, ...]:
        """Make the table and have its partitions written, a file each."""
        table, column = f"{state.name}_new", state.partition
        # No temporary table: those are their connection's own, and the thread that writes has another.
        self._table(f"table {table}", sql)
        counts = f"select {column} as number, count(*) as rows from {table} where {column} >= {oldest} group by all order by all"
        rows = {row["number"]: row["rows"] for row in self.rows(counts)}
        if not state.whole:
            return tuple(self._write(state, f"{column} = {number}", folder, number, count) for number, count in rows.items())
        return (self._write(state, f"{column} >= {oldest}", folder, None, sum(rows.values())),) if rows else ()

    def _table(self, what: str, sql: str) -> int:
        ((rows,),) = self._connection.execute(f"create or replace {what} as {sql}").fetchall()
        return int(rows)

    def _write(self, state: State, condition: str, folder: str, number: int | None, rows: int) -> Part:
        path = f"{folder}/{state.name}-{'all' if number is None else number}.parquet"
        query = f"select {', '.join(state.schema.names)} from {state.name}_new where {condition}"
        self._writing.append(self._writer.submit(_write_file, self._connection.cursor(), query, self._folder / path))
        return Part(path=path, table=state.name, day=number, rows=rows)


def connect(folder: Path, memory_limit: str = "1GB", threads: int = 0) -> duckdb.DuckDBPyConnection:
    """Return a connection to a database in memory, with our functions; what does not fit goes to files below ``folder``.

    Raises:
        EngineError: DuckDB does not start.
    """
    overflow = folder / "overflow"
    shutil.rmtree(overflow, ignore_errors=True)  # left by a process that was killed
    options: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(overflow),
        # What comes out is ordered by the queries that need it; keeping the order of what goes in costs memory.
        "preserve_insertion_order": "false",
        # Tables of a step are read once or twice and dropped: no checkpoint, usual every 16 MiB, need compress them.
        "checkpoint_threshold": "1TiB",
    }
    if threads:
        options["threads"] = min(threads, os.cpu_count() or 1)  # each takes memory, and more than cores are of no use
    try:
        connection = duckdb.connect(":memory:", config=options)
        connection.execute("set timezone = 'UTC'")
        connection.execute("set enable_progress_bar = false")  # standard output belongs to the findings
        for function in FUNCTIONS:
            connection.execute(f"create macro {function.name}({function.parameter}) as {function.duckdb}")
    except duckdb.Error as error:
        raise EngineError(f"with memory_limit {memory_limit!r}: {duckdb_fault(error, folder)}") from error
    return connection


def _write_file(cursor: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            path.unlink()  # left by a step that was never committed
        cursor.execute(f"copy ({query}) to {_quoted(path)} (format parquet)")
    except OSError as error:
        raise EngineError(f"{path}: cannot be written ({error.strerror or error})") from error
    except duckdb.IOException as error:
        raise EngineError(f"{path}: cannot be written ({written_fault(error)})") from error
    finally:
        cursor.close()


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
