"""Translates SQL from DuckDB's dialect to Spark's, and refuses what might not mean the same there.

sqlglot translates some functions wrongly and does not say so. Only those of ``ALLOWED`` may be used: each is tested on both
engines.
"""

from functools import cache

import sqlglot
from sqlglot import expressions as exp

from vedette.engine.functions import FUNCTIONS, RENAMED
from vedette.errors import EngineError

ALLOWED: frozenset[type] = frozenset(
    {
        exp.And,
        exp.ArrayAgg,
        exp.BitwiseOrAgg,
        exp.Case,
        exp.Cast,
        exp.Coalesce,
        exp.Count,
        exp.DPipe,
        exp.Exists,
        exp.Greatest,
        exp.If,
        exp.Lag,
        exp.Least,
        exp.Lower,
        exp.Max,
        exp.Min,
        exp.Or,
        exp.RowNumber,
        exp.Struct,
        exp.Sum,
    }
)
OURS = frozenset(function.name for function in FUNCTIONS) | RENAMED.keys()
# Functions of which each engine returns values of its own. Only ``duplicates`` uses them, to compare rows within a step: what a
# view, state or detection says must be the same on both engines, and the same after a change of engine or release.
DIFFERING = frozenset(RENAMED)


@cache
def spark_sql(sql: str) -> str:
    """Return a query in Spark's dialect.

    Raises:
        EngineError: it uses a function that is not known to mean the same on both engines.
    """
    (query,) = sqlglot.parse(sql, read="duckdb")
    if query is None:
        raise EngineError("an empty query cannot be translated")
    if unknown := sorted(unlisted(query)):
        raise EngineError(f"functions that are not tried on both engines: {', '.join(unknown)}")
    for function in query.find_all(exp.Anonymous):
        function.set("this", RENAMED.get(function.name.lower(), function.name))
    for total in query.find_all(exp.Sum):  # in 64 bits, where what does not fit would end the step: SQL says what stands for it
        total.replace(exp.Anonymous(this="try_sum", expressions=[total.this]))
    return query.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)


def differing(sql: str) -> set[str]:
    """Return the functions of a query (with numbers in the place of parameters) whose values differ between the engines."""
    queries = [query for query in sqlglot.parse(sql, read="duckdb") if query is not None]
    return {name for query in queries for function in query.find_all(exp.Func) if (name := function.name.lower()) in DIFFERING}


def unlisted(query: exp.Expr) -> set[str]:
    """Return the names of the functions of a query that are neither allowed nor ours."""
    return {
        function.name or function.sql_name()
        for function in query.find_all(exp.Func)
        if type(function) not in ALLOWED and function.name.lower() not in OURS
    }
