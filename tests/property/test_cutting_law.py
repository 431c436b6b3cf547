"""The first law: any cutting and any order of the input within lateness gives the same findings, byte for byte.

Here of the types of listed callers; discovery types and flow records have laws of their own.
"""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from caller_types import CALLERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from notation import blob, call
from places import without_places
from scanning import Outcome, lists_of, scan

from vedette.logs.blob import Blob
from vedette.store import Store

pytest_plugins = ["sparks"]

LISTS = {
    "tor": ["198.51.100.7", "198.51.100.8"],
    "malicious/feed": ["198.51.100.0/28"],
    "custom/ours": ["198.51.100.9", "2001:db8::/64"],
    "trusted/office": ["198.51.100.3"],
}
START = datetime(2026, 3, 14, tzinfo=UTC)
LAWFUL = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SLOW = settings(LAWFUL, max_examples=2)

moments = st.one_of(
    st.integers(0, 3 * 86_400),  # three days
    st.integers(86_400 - 3, 86_400 + 3),  # about midnight, and equal times
    st.integers(40 * 86_400, 41 * 86_400),  # another episode
)
lines = st.builds(
    "{} {} {} {}{}".format,
    moments.map(lambda seconds: f"{START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"),
    st.sampled_from(["alice", "bob", "root", "role:Deploy/one", "role:Deploy/two"]),
    st.sampled_from(["198.51.100.7", "198.51.100.8", "198.51.100.9", "198.51.100.3", "203.0.113.1", "2001:db8::5"]),
    st.sampled_from(["ec2:DescribeInstances", "iam:ListUsers", "s3:ListBuckets", "ec2:RunInstances"]),
    st.sampled_from(["", " denied", " region=eu-west-1", " error=Throttling"]),
)
inputs = st.lists(lines, min_size=1, max_size=40).map(lambda found: [call(line, number) for number, line in enumerate(found)])


def delivered(records: Sequence[dict[str, object]], number: int) -> Blob:
    """Return records as a file that was delivered five minutes after the newest of them."""
    newest = max(datetime.fromisoformat(str(record["eventTime"])) for record in records) + timedelta(minutes=5)
    name = f"123456789012_CloudTrail_us-east-1_{newest:%Y%m%dT%H%MZ}_{number:016}.json.gz"
    return blob(records, name)


def cut(records: Sequence[dict[str, object]], seed: int, size: int) -> list[Blob]:
    """Deliver records in files: each file holds neighbours in time, in any order; files come in any order."""
    chance = random.Random(seed)
    queue = sorted(records, key=lambda record: str(record["eventTime"]))
    files: list[list[dict[str, object]]] = [[]]
    for record in queue:
        if files[-1] and (len(files[-1]) >= size or _apart(files[-1][0], record)):
            files.append([])
        files[-1].append(record)
    for file in files:
        chance.shuffle(file)
    blobs = [delivered(file, number) for number, file in enumerate(files)]
    chance.shuffle(blobs)
    return blobs


def _apart(first: dict[str, object], record: dict[str, object]) -> bool:
    # A file holds what came within lateness.
    times = (datetime.fromisoformat(str(item["eventTime"])) for item in (first, record))
    return abs(next(times) - next(times)) > timedelta(minutes=10)


def documents(outcome: Outcome) -> object:
    return without_places([json.loads(line) for line in outcome.text.splitlines()])


@LAWFUL
@given(records=inputs, seed=st.integers(0, 1_000), size=st.integers(1, 20), slices=st.integers(1, 50))
def test_any_cutting_gives_the_same_findings(records: list[dict[str, object]], seed: int, size: int, slices: int) -> None:
    check_cutting(records, seed, size, slices, "duckdb")


@pytest.mark.xdist_group("spark")
@SLOW
@given(records=inputs, seed=st.integers(0, 1_000), size=st.integers(5, 20), slices=st.integers(10, 50))
@pytest.mark.usefixtures("spark")
def test_any_cutting_gives_the_same_findings_on_spark(
    records: list[dict[str, object]], seed: int, size: int, slices: int
) -> None:
    check_cutting(records, seed, size, slices, "spark")


def check_cutting(records: list[dict[str, object]], seed: int, size: int, slices: int, engine: str) -> None:
    whole = scan([blob(records)], lists_of(LISTS), finding_types=CALLERS)
    pieces = scan(cut(records, seed, size), lists_of(LISTS), slice_events=slices, engine=engine, finding_types=CALLERS)
    assert documents(pieces) == documents(whole)
    assert pieces.report.late == 0
    assert sum(pieces.report.records.values()) == len(records)


@LAWFUL
@given(records=inputs, seed=st.integers(0, 1_000), slices=st.integers(1, 50))
def test_any_order_of_the_same_files_gives_the_same_bytes(records: list[dict[str, object]], seed: int, slices: int) -> None:
    files = cut(records, 0, 5)
    shuffled = list(files)
    random.Random(seed).shuffle(shuffled)
    assert scan(shuffled, lists_of(LISTS), slice_events=slices).text == scan(files, lists_of(LISTS)).text


@LAWFUL
@given(records=inputs, slices=st.integers(1, 50))
def test_reading_twice_changes_nothing(records: list[dict[str, object]], slices: int) -> None:
    check_twice(records, slices, "duckdb")


@pytest.mark.xdist_group("spark")
@SLOW
@given(records=inputs, slices=st.integers(10, 50))
@pytest.mark.usefixtures("spark")
def test_reading_twice_changes_nothing_on_spark(records: list[dict[str, object]], slices: int) -> None:
    check_twice(records, slices, "spark")


def check_twice(records: list[dict[str, object]], slices: int, engine: str) -> None:
    files = cut(records, 0, 5)
    once = scan(files, lists_of(LISTS), slice_events=slices, finding_types=CALLERS)
    both = [*files, *(_copy(file) for file in files)]
    twice = scan(both, lists_of(LISTS), slice_events=slices, engine=engine, finding_types=CALLERS)
    assert twice.text == once.text
    assert twice.report.duplicates == len(records)


def _copy(file: Blob) -> Blob:
    # Another name, so that there is no receipt; a later one, so that the first of the copies is the one that counts.
    return Blob(name=file.name.replace(".json.gz", "_copy.json.gz"), version=file.version, size=file.size, opener=file.opener)


@pytest.fixture
def store_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/store.db"


def test_a_second_run_reads_nothing_again(store_url: str) -> None:
    records = [call(f"12:0{minute} alice 198.51.100.7 ec2:DescribeInstances", minute) for minute in range(5)]
    files = cut(records, 0, 2)
    first = scan(files, lists_of(LISTS), store=store_url)
    second = scan(files, lists_of(LISTS), store=store_url)
    with Store.open(store_url) as store:
        kept = store.findings()
    assert [finding.seen.count for finding in first.findings] == [5]
    assert second.findings == ()
    assert second.report.known == len(files)
    assert kept == list(first.findings)
