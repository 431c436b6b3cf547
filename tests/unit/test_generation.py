"""A generation is written and read without loss, and names its files."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.errors import StoreError
from vedette.state_files.generation import Generation, Part

WATERMARK = datetime(2024, 3, 1, 12, 30, 0, 123456, tzinfo=UTC)

whole = st.integers(-(2**63), 2**63 - 1)
parts = st.builds(
    Part,
    path=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    table=st.sampled_from(["pending", "caller_activity"]),
    day=st.none() | st.integers(0, 40_000),
    rows=st.integers(0, 10**9),
    first_us=st.none() | whole,
    last_us=st.none() | whole,
    bins=st.lists(st.tuples(whole, st.integers(1, 10**9)), max_size=3).map(tuple),
)
some_parts = st.lists(parts, max_size=3).map(tuple)
generations = st.builds(
    Generation,
    number=st.integers(0, 2**63 - 1),
    watermark=st.none() | st.datetimes(timezones=st.just(UTC)),
    states=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), some_parts, max_size=3),
    pending=some_parts,
    counts=st.dictionaries(st.sampled_from(["records", "late"]), whole, max_size=2),
)


@settings(max_examples=100, deadline=None)
@given(generations)
def test_what_is_written_is_read_again(generation: Generation) -> None:
    assert Generation.from_json(generation.to_json()) == generation


def test_the_text_does_not_depend_on_the_order_of_names_or_on_the_time_zone() -> None:
    one = Generation(number=3, watermark=WATERMARK, counts={"late": 1, "records": 2}, states={"a": (), "b": ()})
    elsewhere = WATERMARK.astimezone(timezone(timedelta(hours=-5)))
    other = Generation(number=3, watermark=elsewhere, counts={"records": 2, "late": 1}, states={"b": (), "a": ()})
    assert one.to_json() == other.to_json()
    assert replace(one, number=4).to_json() != one.to_json()


def test_a_watermark_without_a_time_zone_is_a_fault() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        Generation(number=1, watermark=WATERMARK.replace(tzinfo=None)).to_json()


def test_files_in_use_are_those_of_every_table_and_of_what_waits() -> None:
    def part(path: str) -> Part:
        return Part(path=path, table="t", day=None, rows=1)

    generation = Generation(
        number=2,
        states={"a": (part("1/a-1.parquet"), part("2/a-2.parquet")), "b": (part("1/b.parquet"),), "empty": ()},
        pending=(part("2/pending.parquet"),),
    )
    assert generation.files() == {"1/a-1.parquet", "2/a-2.parquet", "1/b.parquet", "2/pending.parquet"}
    assert Generation(number=0).files() == set()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"number": "one"}', '{"watermark": null}', b"\xff\xfe", '{"number": 1, "pending": [{}]}']
)
def test_what_is_no_generation_is_refused(text: str | bytes) -> None:
    with pytest.raises(StoreError, match="is not a generation"):
        Generation.from_json(text)
