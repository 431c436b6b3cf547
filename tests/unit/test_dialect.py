"""SQL means the same on both engines: only tried functions, and the traps of translation."""

from datetime import UTC, datetime

import duckdb
import pytest

from vedette.detections import all_detections
from vedette.engine.dialect import spark_sql
from vedette.engine.functions import FUNCTIONS, Function
from vedette.errors import EngineError
from vedette.state import all_states
from vedette.views import all_views

pytest_plugins = ["sparks"]

MOMENTS = [
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2026, 3, 14, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 3, 15, tzinfo=UTC),
    datetime(2024, 2, 29, 12, 30, tzinfo=UTC),
]
EXPECTED = {
    "microseconds": lambda moment: (moment - MOMENTS[0]).days * 86_400_000_000 + _of_day(moment),
    "day_number": lambda moment: (moment - MOMENTS[0]).days,
}


def _of_day(moment: datetime) -> int:
    return (moment.hour * 3_600 + moment.minute * 60 + moment.second) * 1_000_000 + moment.microsecond


def queries() -> list[object]:
    found = [pytest.param(view.sql, id=f"view {view.name}") for view in all_views().values()]
    found += [pytest.param(state.rows, id=f"rows {name}") for name, state in all_states().items()]
    found += [pytest.param(state.fold, id=f"fold {name}") for name, state in all_states().items()]
    return found + [pytest.param(detection.sql, id=name) for name, detection in all_detections().items()]


@pytest.mark.parametrize("sql", queries())
def test_only_functions_that_were_tried_are_used(sql: str) -> None:
    spark_sql(sql)


@pytest.mark.parametrize(
    "sql", ["select time_bucket(interval 1 hour, t) from x", "select strftime(t, '%d') from x", "select foo(t) from x"]
)
def test_other_functions_are_refused(sql: str) -> None:
    with pytest.raises(EngineError, match="functions that are not tried on both engines"):
        spark_sql(sql)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_function_of_ours_in_duckdb(function: Function) -> None:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute(f"create macro {function.name}({function.parameter}) as {function.duckdb}")
    for moment in MOMENTS:
        found = connection.execute(f"select {function.name}(timestamptz '{moment.isoformat()}')").fetchone()
        assert found == (EXPECTED[function.name](moment),)


@pytest.mark.xdist_group("spark")
@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_function_of_ours_in_spark(function: Function) -> None:
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    assert session is not None
    for moment in MOMENTS:
        found = session.sql(f"select {function.name}(timestamp '{moment.isoformat()}')").collect()[0][0]
        assert found == EXPECTED[function.name](moment)


TRAPS = {
    "text of a number": ("select 'a' || cast(x as varchar) from (values (7)) t(x)", "a7"),
    "count of distinct leaves nulls out": ("select count(distinct x) from (values (1), (null), (1)) t(x)", 1),
    "count of a column leaves nulls out": ("select count(x) from (values (1), (null)) t(x)", 1),
    "null is not distinct from null": ("select count(*) from (values (1)) t(x) where null is not distinct from null", 1),
    "nulls come last": (
        "select n from (select x, row_number() over (order by x) as n from (values (2), (null)) t(x)) where x is null",
        2,
    ),
    "smallest of rows": ("select min(struct_pack(a := x, b := y)).b from (values (1, 'z'), (1, 'a'), (2, 'b')) t(x, y)", "a"),
    "largest of rows": ("select max(struct_pack(a := x, b := y)).b from (values (1, 'z'), (2, 'b'), (2, 'a')) t(x, y)", "b"),
    "case of text is kept": ("select x from (values ('Ab')) t(x) where x = 'Ab'", "Ab"),
    "largest truth": ("select max(x) from (values (false), (true)) t(x)", True),
    "days around": (
        "select max(n) from (select sum(1) over (order by d range between 2 preceding and 1 preceding) as n from days)".replace(
            "days", "(values (1), (2), (3), (9)) t(d)"
        ),
        2,
    ),
}


@pytest.mark.xdist_group("spark")
@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_of_translation(name: str) -> None:
    from pyspark.sql import SparkSession

    sql, expected = TRAPS[name]
    assert duckdb.connect().execute(sql).fetchone() == (expected,)
    session = SparkSession.getActiveSession()
    assert session is not None
    assert session.sql(spark_sql(sql)).collect()[0][0] == expected
