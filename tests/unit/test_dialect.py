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


def _of_day(moment: datetime) -> int:
    return (moment.hour * 3_600 + moment.minute * 60 + moment.second) * 1_000_000 + moment.microsecond


def _written(moment: datetime) -> str:
    return f"timestamp '{moment:%Y-%m-%d %H:%M:%S.%f}'"


# What a function gives: of a value as SQL writes it, the same text for both engines.
INSIDE = {
    "10.0.0.0": True, "10.255.255.255": True, "9.255.255.255": False, "11.0.0.0": False, "100.0.0.1": False, "1.0.0.1": False,
    "172.15.255.255": False, "172.16.0.0": True, "172.20.0.1": True, "172.31.255.255": True, "172.32.0.0": False,
    "172.1.0.1": False, "172.160.0.1": False, "172.3.16.1": False, "17.2.16.1": False,
    "192.168.0.0": True, "192.168.255.255": True, "192.167.255.255": False, "192.169.0.0": False, "192.16.8.1": False,
    "100.63.255.255": False, "100.64.0.0": True, "100.99.0.1": True, "100.100.0.1": True, "100.127.255.255": True,
    "100.128.0.0": False, "100.6.4.1": False, "100.12.7.1": False,
    "fc00::": True, "fd00::1": True, "fdff:ffff::1": True, "fe80::1": False, "fb00::1": False, "2001:db8::1": False, "::1": False,
    "192.0.2.1": False, "198.51.100.7": False, "203.0.113.9": False, "": False,
}  # fmt: skip
RESULTS: dict[str, dict[str, object]] = {
    "microseconds": {_written(at): (at - MOMENTS[0]).days * 86_400_000_000 + _of_day(at) for at in MOMENTS},
    "day_number": {_written(at): (at - MOMENTS[0]).days for at in MOMENTS},
    "one_bit": {str(place): 2**place for place in (0, 1, 31, 32, 59, 62)},
    "bits_set": {str(number): number.bit_count() for number in (0, 1, 7, 2**31, 2**59 + 5, 2**60 - 1)},
    "is_inside": {f"'{address}'": inside for address, inside in INSIDE.items()},
    "team": {
        "'sso:Admin:jo@example.com'": "sso:Admin",
        "'arn:aws:iam::123456789012:role/ops/Deploy'": "role:Deploy",
        "'arn:aws:iam::123456789012:user/alice'": "",
    },
}


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
    for value, expected in RESULTS[function.name].items():
        typed = value.replace("timestamp", "timestamptz")
        assert connection.execute(f"select {function.name}({typed})").fetchone() == (expected,), value


@pytest.mark.xdist_group("spark")
@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_function_of_ours_in_spark(function: Function) -> None:
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    assert session is not None
    values = RESULTS[function.name]
    (found,) = session.sql("select " + ", ".join(f"{function.name}({value})" for value in values)).collect()
    assert dict(zip(values, found, strict=True)) == values


BEHIND = "over (order by us range between 600 preceding and current row)"
AHEAD = "over (order by us range between current row and 600 following)"
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
    "equal rows have equal hashes": (
        "select count(distinct hash(x, y)) from (values (1, 'a'), (1, 'a'), (2, 'a'), (1, null), (null, 'a')) t(x, y)",
        4,
    ),
    "a hash of nulls is a value": ("select count(hash(x)) from (values (cast(null as bigint)), (1)) t(x)", 2),
    "kept by a semi join": ("select count(*) from (values (1), (2)) a(x) semi join (values (2), (2)) b(y) on x = y", 1),
    "dropped by an anti join": ("select min(x) from (values (1), (2)) a(x) anti join (values (2), (2)) b(y) on x = y", 1),
    "largest truth": ("select max(x) from (values (false), (true)) t(x)", True),
    "bits of all": ("select bit_or(x) from (values (1), (null), (6)) t(x)", 7),
    "bits of none": ("select bit_or(x) is null from (values (cast(null as bigint))) t(x)", True),
    "whole division": ("select 7 // 2 + x from (values (0)) t(x)", 3),
    "least leaves nulls out": ("select least(x, 3) from (values (cast(null as bigint))) t(x)", 3),
    "times around": (f"select max(n) from (select count(*) {BEHIND} as n from (values (0), (600), (1200), (1201)) t(us))", 2),
    "times ahead": (
        f"select min(f) from (select min(case when us = 600 then us end) {AHEAD} as f from (values (0), (600), (1200)) t(us))",
        600,
    ),
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
