"""State tables of the DuckDB engine: Parquet files by day or hour, of which a fold rewrites only the touched."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Self

import duckdb

from vedette.detections import Number
from vedette.engine.plan import EPOCH
from vedette.errors import EngineError
from vedette.state import State
from vedette.state_files.generation import Generation, Part
from vedette.views import fill


class Partitions:
    """The state tables of one step: what they were, and what they are after the fold (``parts``).

    Files are written while the step goes on, by a thread of their own; at the end of the block all are there.

    Raises:
        EngineError: a file cannot be written; at the end of the block.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path, generation: Generation, watermark: datetime) -> None:
        self._connection = connection
        self._folder = folder
        self._name = f"states/{generation.number + 1:08}"
        self._before = generation.states
        self._today = (watermark - EPOCH).days
        self._writer = ThreadPoolExecutor(1)
        self._writing: list[Future[None]] = []
        self.parts: dict[str, tuple[Part, ...]] = dict(generation.states)

    def __enter__(self) -> Self:
        """Let the step begin."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Wait for the files."""
        self._writer.shutdown(cancel_futures=raised[0] is not None)
        if raised[0] is None:
            for writing in self._writing:
                writing.result()

    def open(self, state: State) -> None:
        """Make the table as it was, under its own name, and under ``<name>_before`` for those who must not see the fold."""
        self._view(state, state.name, self._before.get(state.name, ()))
        self._view(state, f"{state.name}_before", self._before.get(state.name, ()))

    def fold(self, state: State, numbers: Mapping[str, Number]) -> None:
        """Fold the slice into the table: write the touched partitions anew, carry the others over, forget the oldest."""
        before = self._before.get(state.name, ())
        self._connection.execute(f"create or replace temp table {state.name}_rows as {fill(state.rows, numbers)}")
        query = f"select distinct {state.partition} from {state.name}_rows"
        numbered = {row[0] for row in self._connection.sql(query).fetchall()}
        touched = tuple(part for part in before if state.whole or part.day in numbered)
        self._view(state, f"{state.name}_old", touched)
        new = fill(state.fold, numbers) if touched else f"select * from {state.name}_rows"
        # No temporary table: those are their connection's own, and the thread that writes has another.
        self._connection.execute(f"create or replace table {state.name}_new as {new}")
        oldest = state.oldest(self._today)
        untouched = tuple(part for part in before if part not in touched)
        remembered = tuple(part for part in untouched if part.day is None or part.day >= oldest)
        self.parts[state.name] = (*remembered, *self._write(state, oldest))
        # This slice still sees the rows that are now forgotten: later slices are newer and never ask for them.
        self._view(state, f"{state.name}_kept", untouched)
        self._connection.execute(
            f"create or replace temp view {state.name} as "
            f"select * from {state.name}_kept union all select * from {state.name}_new"
        )

    def _write(self, state: State, oldest: int) -> list[Part]:
        column = state.partition
        query = f"select {column}, count(*) from {state.name}_new where {column} >= {oldest} group by {column} order by {column}"
        rows = dict(self._connection.sql(query).fetchall())
        if state.whole:
            return [self._write_part(state, None, sum(rows.values()), f"{column} >= {oldest}")] if rows else []
        return [self._write_part(state, number, count, f"{column} = {number}") for number, count in rows.items()]

    def _write_part(self, state: State, number: int | None, rows: int, condition: str) -> Part:
        name = f"{self._name}/{state.name}-{'all' if number is None else number}.parquet"
        query = f"select {', '.join(state.schema.names)} from {state.name}_new where {condition}"
        self._writing.append(self._writer.submit(_write_file, self._connection.cursor(), query, self._folder / name))
        return Part(path=name, table=state.name, day=number, rows=rows, first_us=None, last_us=None)

    def _view(self, state: State, name: str, parts: tuple[Part, ...]) -> None:
        if not parts:
            self._connection.register(f"{name}_none", state.schema.empty_table())
            self._connection.execute(f"create or replace temp view {name} as select * from {name}_none")
            return
        files = ", ".join(_quoted(self._folder / part.path) for part in parts)
        columns = ", ".join(state.schema.names)
        self._connection.execute(f"create or replace temp view {name} as select {columns} from read_parquet([{files}])")


def _write_file(cursor: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            path.unlink()  # left by a step that was never committed
        cursor.execute(f"copy ({query}) to {_quoted(path)} (format parquet)")
    except (OSError, duckdb.IOException) as error:
        raise EngineError(f"{path}: cannot be written ({error})") from error
    finally:
        cursor.close()


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
