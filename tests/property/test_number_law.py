"""Laws of numbers: none that a record may hold ends a run, costs another record anything, or makes a sum overflow."""

import io
import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlglot
import view_tables
from commands import run
from engines import ENGINES
from extremes import INTEGERS, NUMBERS, TEXTS, Hurt, as_envelope, as_parquet, as_text, as_trail, records
from flow_notation import MIDNIGHT, Log, lines_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from reading_blobs import blob_of, read_bytes
from scanning import Outcome, lists_of, scan
from sqlglot import expressions as exp
from trails import event

from vedette.engine.dialect import spark_sql
from vedette.logs.blob import Blob
from vedette.logs.flow.fields import COLUMN_OF, LARGEST
from vedette.rules.thresholds import setting_names
from vedette.settings.model import LARGEST_THRESHOLD
from vedette.sql.counts import MOST_COUNTED
from vedette.sql.graph import fill
from vedette.sql.packets import DATA_BYTES, IPV6_BYTES, LARGEST_TOTAL, total
from vedette.state import State, all_states
from vedette.views import all_views

pytest_plugins = ["sparks"]

PATIENT = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCANS = ("Recon:EC2/Portscan",)
STORY = lines_of(["12:00:00 10.0.0.9 > 192.0.2.7 501-540 refused every=1"], Log())
MOMENT = 1_773_446_400_000
STORED = {"integer": pa.int64(), "word": pa.string(), "decimal": pa.decimal128(20, 0)}
KINDS = [
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.float32(), pa.float64(), pa.decimal128(38, 0), pa.decimal128(38, 3), pa.decimal256(76, 0), pa.string()),
]
# All at once, so that no number hides behind one that makes its record unusable: each in each field.
EVERYTHING: list[Hurt] = [{name: text} for name in NUMBERS for text in TEXTS]
HUGE: Hurt = {"bytes": str(2**63 - 1), "packets": str(2**63 - 1)}

hurts = st.lists(
    st.dictionaries(st.sampled_from(NUMBERS), st.sampled_from(TEXTS), min_size=1, max_size=4), min_size=1, max_size=6
)


def in_two(version: int, lines: Sequence[str]) -> list[Blob]:
    """Return the story, and what is to cost it nothing: in its own file and, where the format is the same, behind the story."""
    head = " ".join(records([{}], 2)[0])
    behind = list(lines[1:]) if version == 2 else []
    return [blob_of("\n".join([head, *STORY, *behind]).encode(), "a.log"), blob_of("\n".join(lines).encode(), "b.log")]


@cache
def alone(form: str) -> Blob:
    """Return the story without anything else, in a form."""
    rows = [dict(zip(records([{}], 2)[0], line.split(), strict=True)) for line in STORY]
    if form == "text":
        return in_two(5, [])[0]
    return blob_of(as_envelope(rows, [MOMENT]) if form == "envelope" else as_parquet(rows, STORED[form]), f"a.{form}")


@cache
def findings_of(form: str) -> frozenset[str]:
    """Return the finding of the story alone."""
    found = scan([alone(form)], finding_types=SCANS)
    assert len(found.findings) == 1
    return frozenset(found.text.splitlines())


def check_story(blobs: Sequence[Blob], form: str = "text", engine: str = "duckdb") -> Outcome:
    """Scan; check that the finding of the story is what it is without the others."""
    found = scan(blobs, finding_types=SCANS, engine=engine)
    assert findings_of(form) <= set(found.text.splitlines())
    return found


@PATIENT
@given(hurts=hurts, version=st.sampled_from([2, 5]))
@example(hurts=[HUGE], version=2)
@example(hurts=EVERYTHING, version=5)
def test_no_number_of_a_flow_record_costs_another_anything(hurts: list[Hurt], version: int) -> None:
    found = check_story(in_two(version, as_text(records(hurts, version))))
    assert found.report.bad == 0


@PATIENT
@given(hurts=hurts, times=st.lists(st.sampled_from(INTEGERS), min_size=1, max_size=3))
@example(hurts=[HUGE], times=[1])
@example(hurts=EVERYTHING, times=list(INTEGERS))
def test_no_number_of_a_message_of_cloudwatch_costs_another_anything(hurts: list[Hurt], times: list[int]) -> None:
    story = [dict(zip(records([{}], 2)[0], line.split(), strict=True)) for line in STORY]
    sent = as_envelope([*story, *records(hurts, 2)], [MOMENT, *times])
    check_story([blob_of(sent, "a.envelope")], "envelope")


@PATIENT
@given(hurts=hurts, kind=st.sampled_from(KINDS), form=st.sampled_from(["integer", "word", "decimal"]))
@example(hurts=[HUGE], kind=pa.int64(), form="integer")
@example(hurts=EVERYTHING, kind=pa.decimal128(38, 0), form="word")
def test_no_number_of_a_parquet_file_costs_another_anything(hurts: list[Hurt], kind: pa.DataType, form: str) -> None:
    story = [dict(zip(records([{}], 2)[0], line.split(), strict=True)) for line in STORY]
    together = blob_of(as_parquet([*story, *records(hurts, 2)], STORED[form]), f"a.{form}")
    check_story([together, blob_of(as_parquet(records(hurts, 5), kind), "b.parquet")], form)


@PATIENT
@given(st.dictionaries(st.sampled_from(sorted(event())), st.sampled_from([*INTEGERS, 1.5, -1e300]), min_size=1, max_size=5))
@example(dict.fromkeys(["requestParameters", "eventTime", "eventID"], 10**30))
def test_no_number_of_a_cloudtrail_record_costs_another_anything(numbers: dict[str, object]) -> None:
    tor = lists_of({"tor": ["198.51.100.7"]})
    sound = as_trail([event(1, sourceIPAddress="198.51.100.7")], "a.json")
    parameters = {"attribute": numbers, "userName": next(iter(numbers.values()))}
    inner = {**event()["userIdentity"], **dict.fromkeys(("type", "accountId", "sessionContext"), next(iter(numbers.values())))}
    hurt = [event(2, **numbers), event(3, requestParameters=parameters), event(4, userIdentity=inner)]
    alone = scan([sound], tor, finding_types=("Recon:IAMUser/TorIPCaller",))
    assert len(alone.findings) == 1
    away = [{**record, "sourceIPAddress": numbers.get("sourceIPAddress", "192.0.2.1")} for record in hurt]
    found = scan([sound, as_trail(away, "b.json")], tor, finding_types=("Recon:IAMUser/TorIPCaller",))
    assert set(alone.text.splitlines()) <= set(found.text.splitlines())


def test_a_scan_of_every_extreme_ends_well_and_says_what_was_not_usable(tmp_path: Path) -> None:
    for blob in in_two(5, as_text(records(EVERYTHING, 5))):
        with blob.opener() as stream:
            (tmp_path / blob.name).write_bytes(stream.read())
    ended = run("scan", str(tmp_path), "--format", "csv")
    assert ended.status == 0, ended.err
    assert "Recon:EC2/Portscan" in ended.out
    assert set(re.findall(r"(\w+) \d", ended.counts["values not usable"])) >= {"bytes", "packets", "dst_port", "protocol"}


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_both_engines_find_the_same_among_extremes(engine: str) -> None:
    blobs = in_two(2, as_text(records([HUGE, *EVERYTHING[:: len(TEXTS) // 4]], 2)))
    assert check_story(blobs, engine=engine).text == scan(blobs, finding_types=SCANS).text


# Of any type, a column holds what each of its values says alone.

whole = st.one_of(st.sampled_from(INTEGERS), st.integers(-(2**65), 2**65), st.integers(0, 70_000)).map(str)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(LARGEST)), st.sampled_from(KINDS), st.lists(whole, min_size=1, max_size=8))
@example("dst_port", pa.int16(), ["-1", "20000", "32767"])
@example("bytes", pa.int32(), ["-1", "1500000000"])
@example("src_port", pa.uint8(), ["200", "255"])
def test_a_value_of_parquet_is_what_it_is_alone(column: str, kind: pa.DataType, texts: list[str]) -> None:
    (field,) = (field for field, name in COLUMN_OF.items() if name == column)
    data = as_parquet([{"srcaddr": "192.0.2.1", field: text} for text in texts], kind)
    stored = [None if value is None else int(Decimal(value)) for value in parquet.read_table(io.BytesIO(data))[field].to_pylist()]
    usable = [value if value is not None and 0 <= value <= LARGEST[column] else None for value in stored]
    lost = usable.count(None) - stored.count(None)
    read = read_bytes(data)
    assert read.column(column) == usable
    assert read.counts.nulled == ({column: lost} if lost else {})


@pytest.mark.parametrize("value", [True, [1], {"a": 1}], ids=str)
def test_what_a_column_of_no_usable_type_holds_is_counted(value: object) -> None:
    read = read_bytes(as_parquet([{"srcaddr": "192.0.2.1", "dstport": value}] * 3))
    assert read.column("dst_port") == [None] * 3
    assert read.counts.nulled == {"dst_port": 3}


def test_decimals_and_floats_are_read_as_they_were_meant() -> None:
    rows = [{"srcaddr": "192.0.2.1", "dstport": text} for text in ("22", "22.5", "0", "443.000")]
    for kind in (pa.float64(), pa.decimal128(20, 3), pa.decimal256(70, 30), pa.string()):
        read = read_bytes(as_parquet(rows, kind))
        assert read.column("dst_port") == [22, None, 0, 443]
        assert read.counts.nulled == {"dst_port": 1}


# Sums

SUMS = [
    *((amount, times) for amount in (0, 1, LARGEST["packets"], LARGEST["bytes"], 2**62, 2**63 - 1) for times in (1, 2, 3)),
    *((LARGEST["bytes"], times) for times in (127, 128, 129, 40_000)),
]


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_a_sum_of_traffic_stops_where_it_would_overflow(engine: str) -> None:
    keys = [number for number, (_, times) in enumerate(SUMS) for _ in range(times)]
    amounts = [amount for amount, times in SUMS for _ in range(times)]
    table = pa.table({"k": pa.array([-1, *keys]), "amount": pa.array([None, *amounts], pa.int64())})
    sql = f"select k, {total('amount')} as amount from summed group by k order by k"
    expected = [(-1, None), *((number, min(amount * times, LARGEST_TOTAL)) for number, (amount, times) in enumerate(SUMS))]
    if engine == "spark":
        from pyspark.sql import SparkSession

        session = SparkSession.getActiveSession()
        assert session is not None
        session.createDataFrame(table).createOrReplaceTempView("summed")
        try:
            assert [tuple(row) for row in session.sql(spark_sql(sql)).collect()] == expected
        finally:
            session.catalog.dropTempView("summed")
    else:
        connection = view_tables.connect().register("summed", table)
        assert connection.execute(sql).fetchall() == expected


def test_what_is_computed_of_sums_fits_into_64_bits() -> None:
    largest_packet = 2 * (DATA_BYTES + IPV6_BYTES)  # more than any number that packets are multiplied with
    assert largest_packet * LARGEST["packets"] < 2**63
    assert largest_packet * LARGEST_TOTAL < 2**63
    products = [
        int(factor) for view in all_views().values() for factor in re.findall(r"(\d+) (?:\+ header\) )?\* \w*packets", view.sql)
    ]
    assert max(products) + IPV6_BYTES <= largest_packet
    assert 128 * LARGEST["bytes"] <= LARGEST_TOTAL  # what stops is no traffic: the fastest interface is at its bound 128 times


ADDED = [state for state in all_states().values() if "sum(" in state.fold]


@pytest.mark.parametrize("state", ADDED, ids=lambda state: state.name)
def test_a_state_may_be_folded_for_ever(state: State) -> None:
    """Fold what is at the bounds of the columns, and fold the result again: after years a count stops, and nothing else grows."""
    rows = pa.table({field.name: [_largest(field.type)] for field in state.schema}, schema=state.schema)
    connection, old = view_tables.connect(), rows
    connection.register(f"{state.name}_rows", rows)
    for _ in range(3):
        connection.register(f"{state.name}_old", old)
        folded = connection.sql(fill(state.fold, view_tables.numbers())).to_arrow_table()
        old = folded.select(state.schema.names).cast(state.schema)
        assert old.num_rows == 1
    counts = [name for name in state.schema.names if f"as {name}" in state.fold and f"sum(least({name}," in state.fold]
    assert counts
    assert {old[name][0].as_py() for name in counts} == {MOST_COUNTED}


def _largest(kind: pa.DataType) -> Any:  # noqa: ANN401 - whatever the type holds
    if pa.types.is_struct(kind):
        return {field.name: _largest(field.type) for field in kind}
    if pa.types.is_integer(kind):
        return 2**63 - 1
    if pa.types.is_timestamp(kind):
        return MIDNIGHT
    return True if pa.types.is_boolean(kind) else "x"


def test_every_sum_is_read() -> None:
    for view in all_views().values():
        (query,) = sqlglot.parse(view.sql, read="duckdb")
        assert query is not None
        sums = {alias.alias for alias in query.find_all(exp.Alias) if alias.find(exp.Sum) and not alias.find(exp.Select)}
        unread = {name for name in sums if len(re.findall(rf"\b{name}\b", view.sql)) == 1}
        assert unread <= set(view_tables.columns()[view.name].names), view.name


def test_thresholds_may_be_as_large_as_the_settings_allow() -> None:
    blobs = [*in_two(2, as_text(records([{}], 2))), as_trail([event(1)], "c.json")]
    found = scan(blobs, thresholds=dict.fromkeys(setting_names(), LARGEST_THRESHOLD))
    assert found.findings == ()
