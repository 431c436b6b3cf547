"""Views alone: every case of this folder on both engines. ``README.md`` says how a case is written."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
import yaml
from engines import needs_spark
from view_tables import Case, connect, difference, divided, query, read_case, together

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytest_plugins = ["sparks"]
FOLDER = Path(__file__).parent
_QUERIES_A_JOB = 12
# Plans are large and rows few: nothing that makes a plan better is worth its time.
_QUICK = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.constraintPropagation.enabled": "false",
}

Cells = Sequence[str | None]


DOCUMENTS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))}
# Columns are looked at when a case runs, so that to collect them costs little.
NAMES = [
    pytest.param(view, item["name"], id=f"{view}: {item['name']}")
    for view, document in DOCUMENTS.items()
    for item in document["cases"]
]


@cache
def case_of(view: str, name: str) -> Case:
    (item,) = (item for item in DOCUMENTS[view]["cases"] if item["name"] == name)
    return read_case(view, DOCUMENTS[view], item)


def compare(case: Case, rows: Iterable[Cells]) -> None:
    if wrong := difference(case, rows):
        pytest.fail(f"missing (-) and unexpected (+) rows:\n{wrong}", pytrace=False)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as made:
        yield made


@pytest.mark.parametrize(("view", "name"), NAMES)
def test_on_duckdb(view: str, name: str, connection: duckdb.DuckDBPyConnection) -> None:
    case = case_of(view, name)
    rows = connection.sql(query(case, "duckdb")).fetchall()
    compare(case, [row[0] for row in rows])


class SparkRows:
    """The rows of all cases of a view, from the first time that one of them is asked for: a query costs more than its rows."""

    def __init__(self, session: "SparkSession") -> None:
        self._session = session
        self.rows_of = cache(self._rows_of)

    def _rows_of(self, view: str) -> dict[str, list[Cells]]:
        cases = [case_of(view, item["name"]) for item in DOCUMENTS[view]["cases"]]
        groups = [list(group) for _, group in groupby(sorted(cases, key=_numbers), key=_numbers)] if cases[0].apart else []
        units = [(together(group), group) for group in groups] or [(case, [case]) for case in cases]
        jobs = [units[first : first + _QUERIES_A_JOB] for first in range(0, len(units), _QUERIES_A_JOB)]
        with ThreadPoolExecutor(2) as pool:
            return {name: rows for found in pool.map(self._run, jobs) for name, rows in found.items()}

    def _run(self, units: Sequence[tuple[Case, Sequence[Case]]]) -> dict[str, list[Cells]]:
        queries = [f"(select {number} as number, cells from ({query(case, 'spark')}))" for number, (case, _) in enumerate(units)]
        found: list[list[Cells]] = [[] for _ in units]
        for row in self._session.sql(" union all ".join(queries)).collect():
            found[row["number"]].append(row["cells"])
        each = [
            (cases, divided(cases, whole, rows) if whole.apart else [rows])
            for (whole, cases), rows in zip(units, found, strict=True)
        ]
        return {case.name: rows for cases, parts in each for case, rows in zip(cases, parts, strict=True)}


def _numbers(case: Case) -> str:
    """Return the numbers of a case that differ, as a text to group by."""
    return str(sorted(case.numbers.items()))


@pytest.fixture(scope="module")
def spark_rows(spark: None) -> Iterator[SparkRows]:
    from pyspark.sql import SparkSession

    session = SparkSession.builder.getOrCreate()
    before = {name: session.conf.get(name) for name in _QUICK}
    for name, value in _QUICK.items():
        session.conf.set(name, value)
    yield SparkRows(session)
    for name, value in before.items():
        session.conf.set(name, value)


@needs_spark
@pytest.mark.xdist_group("spark")
@pytest.mark.parametrize(("view", "name"), NAMES)
def test_on_spark(view: str, name: str, spark_rows: SparkRows) -> None:
    compare(case_of(view, name), spark_rows.rows_of(view)[name])
