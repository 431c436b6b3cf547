"""The port between the script of a step and an engine: what the script asks for, each method once per engine.

SQL comes in DuckDB's dialect, its numbers filled in, and uses only functions that mean the same on both engines. The tables and
views that it names are those that the script has made by this port, in this step.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pyarrow as pa

from vedette.engine.fact_tables import FactTable
from vedette.state import State
from vedette.state_files.generation import Part


class Port(Protocol):
    """One connection to an engine, used by one step at a time.

    A name may be given again in a later step, and then means what was made last.
    """

    def working(self) -> AbstractContextManager[None]:
        """Hold what one step makes. All other methods are called within; at the end all state files are written.

        However the block ends, tables, views and computed results may be given up then.

        Raises:
            EngineError: the engine failed within the block, or a state file could not be written; foreign errors are its cause.
        """

    def load(self, name: str, table: str, parts: Sequence[Part], until_us: int | None) -> None:
        """Make a table of the rows of pending parts that lie before ``until_us`` (None: all), an empty one without parts.

        ``table`` is the key of ``schema.TABLES`` that gives the columns; those that no query names may be missing.

        Raises:
            EngineError: a file is gone or damaged (at the latest when the rows are read).
        """

    def open(self, name: str, state: State, parts: Sequence[Part]) -> None:
        """Make a table of the rows of some parts of a state table (columns of ``state.schema``), an empty one without parts."""

    def register(self, name: str, rows: pa.Table) -> None:
        """Make a table of rows that the driver holds."""

    def look_up(self, facts: FactTable) -> None:
        """Make the table of facts about the values that ``facts.distinct`` returns, where the engine runs Python best."""

    def view(self, name: str, sql: str) -> None:
        """Give a query a name; it runs whenever the name is read."""

    def keep(self, name: str, sql: str) -> int:
        """Run a query now and hold the result under a name until the step ends; return its number of rows."""

    def narrow(self, table: str, sql: str) -> None:
        """Let a query that drops some records of ``<table>_read`` stand for a record table.

        Every record is in it, so each engine chooses what costs it less: to run the query at each reading, or to hold the result.
        """

    def rows(self, sql: str) -> Iterator[dict[str, Any]]:
        """Yield the result of a query, a dictionary per row; read all of it before the next call of a method."""

    def fold(self, state: State, sql: str, oldest: int, folder: str) -> tuple[Part, ...]:
        """Hold the result of a query as ``<state>_new``, and write its partitions from number ``oldest`` on as new files.

        The query returns the columns of ``state.schema``, in order. Return a part per partition, or one of the whole where the
        state says so; its path begins with ``folder``. Files may still be on their way until ``working`` ends.
        """
