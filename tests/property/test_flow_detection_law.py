"""The first law for flow records: any cutting and order, at once or as they arrive: the same scans and probes, byte for byte."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flow_notation import MIDNIGHT, Log, blob, lines_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from inventories import answers, interface, save
from places import without_places
from scanning import Outcome, lists_of, scan

from vedette.findings.merge import KEPT_KEYS
from vedette.logs.blob import Blob
from vedette.pipeline import composition
from vedette.pipeline.knowledge import gather
from vedette.settings import load
from vedette.store import Store

pytest_plugins = ["sparks"]

LISTS = {"scanner": ["198.51.100.0/28"], "research": ["198.51.100.8/31"], "trusted/office": ["198.51.100.3"]}
TYPES = ("Recon:EC2/Portscan", "Recon:EC2/PortProbeUnprotectedPort")
LAWFUL = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
ON_SPARK = settings(LAWFUL, max_examples=1)  # a story is dozens of steps
START = MIDNIGHT + timedelta(hours=22)

# Two hours before midnight and one after, often about the edge of five minutes, an hour or the day.
seconds = st.one_of(
    st.integers(0, 3 * 3_600),
    st.builds(lambda edge, near: edge + near, st.sampled_from([300, 3_600, 3_900, 7_200]), st.integers(-40, 3)),
)
moments = seconds.map(lambda number: START + timedelta(seconds=number)).map(lambda at: f"{(at - MIDNIGHT).days}/{at:%H:%M:%S}")


def _scan(moment: str, host: int, ports: int, every: int, opened: int) -> list[str]:
    """Return a scan whose first ports are open, and the others are refused."""
    first = [f"{moment} 10.0.0.9 > 192.0.2.{host} 501-{500 + opened} half_open every={every}"] if opened else []
    return [*first, f"{moment} 10.0.0.9 > 192.0.2.{host} {501 + opened}-{500 + ports} refused every={every}"]


speeds = st.sampled_from([0, 1, 7, 20, 31, 110, 400])
scans = st.builds(_scan, moments, st.integers(7, 8), st.integers(16, 60), speeds, st.integers(0, 8))
sweeps = st.builds(
    lambda moment, hosts, port, every: [f"{moment} 10.0.0.9 > 192.0.2.100-{99 + hosts} {port} filtered every={every}"],
    moments,
    st.integers(20, 60),
    st.sampled_from([445, 443]),
    st.sampled_from([1, 12, 25, 80]),
)
blocks = st.builds(
    lambda moment, ports, every: [f"{moment} 10.0.0.9 > 192.0.2.31-34 501-{500 + ports} refused every={every}"],
    moments,
    st.integers(8, 16),
    st.sampled_from([1, 5, 13]),
)
probes = st.builds(
    lambda moment, scanner, port, outcome, every: [f"{moment} 198.51.100.{scanner} > 10.0.0.9 {port} {outcome} every={every}"],
    moments,
    st.integers(0, 17),
    st.sampled_from(["22", "22,80,9200", "501-530"]),
    st.sampled_from(["established", "half_open", "refused", "rejected"]),
    st.sampled_from([1, 200]),
)
others = st.builds(
    lambda moment, line: [f"{moment} {line}"],
    moments,
    st.sampled_from(
        [
            "SKIPDATA 600",
            "10.0.0.9 > 192.0.2.7-8 21 established",
            "10.0.0.9 > 192.0.2.7-8 21 refused",
            "10.0.0.9 > 192.0.2.7 501-510 established",
            "192.0.2.201-230 > 10.0.0.9 443 established",
        ]
    ),
)
stories = st.lists(st.one_of(scans, scans, sweeps, blocks, probes, others), min_size=1, max_size=5).map(
    lambda found: [line for lines in found for line in lines]
)
logs = st.sampled_from([Log(version=2), Log(version=5)])


def cut(lines: Sequence[str], log: Log, seed: int, size: int) -> list[Blob]:
    """Deliver records in files, in order of time: each holds neighbours in time, in any order, five minutes after the newest."""
    chance = random.Random(seed)
    files: list[list[str]] = [[]]
    for line in lines:
        if files[-1] and (len(files[-1]) >= chance.randint(1, size) or began(line) - began(files[-1][0]) > timedelta(minutes=10)):
            files.append([])
        files[-1].append(line)
    return [_delivered(file, log, number, chance) for number, file in enumerate(files)]


def _delivered(lines: list[str], log: Log, number: int, chance: random.Random) -> Blob:
    at = max(map(began, lines)) + timedelta(minutes=5)
    chance.shuffle(lines)
    return blob(lines, log, f"123456789012_vpcflowlogs_us-east-1_fl-0a_{at:%Y%m%dT%H%MZ}_{number:08x}.log")


def began(line: str) -> datetime:
    """Return when a record begins, to the second."""
    return datetime.fromtimestamp(int(line.split(" ")[10]), UTC)


def documents(outcome: Outcome) -> list[object]:
    """Return the findings in order of type and target, without places."""
    found = [json.loads(line) for line in outcome.text.splitlines()]
    found.sort(key=lambda document: (document["type"], document["service"]["eventFirstSeen"], document["description"]))
    return [without_places(document) for document in found]


def whole(lines: Sequence[str], log: Log) -> Outcome:
    return scan([blob(lines, log, "123456789012_vpcflowlogs_us-east-1_all.log")], lists_of(LISTS))


def fed(groups: Sequence[Sequence[Blob]], **more: object) -> Outcome:
    """Feed groups of files one after the other, as they arrive, and then what is left."""
    chosen = load(None, {"workers": 1, "bundled_lists": False, **more})
    with Store.ephemeral() as store:
        known = replace(gather(chosen, store), lists=lists_of(LISTS))
        with composition.pipeline(chosen, store, known) as running:
            for group in groups:
                running.feed(group)
            report = running.bulk([])
        found = store.findings_of(sorted(running.findings))
    return Outcome(findings=tuple(found), report=report)


def check_cutting(story: list[str], log: Log, seed: int, sizes: tuple[int, int], engine: str) -> None:
    lines = lines_of(story, log)
    files = cut(lines, log, seed, sizes[0])
    random.Random(seed).shuffle(files)
    pieces = scan(files, lists_of(LISTS), slice_events=sizes[1], engine=engine, finding_types=TYPES)
    expected = whole(lines, log)
    assert documents(pieces) == documents(expected)
    assert (pieces.report.late, pieces.report.bad) == (0, 0)
    assert (pieces.report.ambiguous, pieces.report.silenced) == (expected.report.ambiguous, expected.report.silenced)


def test_what_the_configuration_says_does_not_depend_on_the_cutting(tmp_path: Path) -> None:
    saved = answers()
    saved["describe-network-interfaces"] = {"NetworkInterfaces": [interface(address="10.0.0.9")]}
    inventory = str(save(tmp_path, saved, "2026-03-15T12:00:00Z"))
    story = [f"{time} 198.51.100.{last} > 10.0.0.9 22,9200 established" for time, last in PROBES]
    lines = lines_of(story, Log())
    one = scan([blob(lines, Log())], lists_of(LISTS), inventory=inventory)
    pieces = scan([blob(lines, Log())], lists_of(LISTS), inventory=inventory, slice_events=1)
    assert pieces.report.slices > 3
    assert pieces.text == one.text
    assert "Configuration of port 9200: allow" in one.text


# Over a midnight, and within 24 hours of the snapshot's noon or not.
PROBES = (("08:00", 9), ("11:00", 7), ("12:00", 5), ("23:58", 1), ("1/00:01", 4))
sizes = st.tuples(st.integers(1, 60), st.integers(1, 60))
# A scan over an edge of five minutes, the hour and midnight; a control conversation later in the hour; a slow scan turned fast.
SLOW_THEN_FAST = [
    "22:00:00 10.0.0.9 > 192.0.2.7 501-506 refused every=3000",
    "1/03:04:38 10.0.0.9 > 192.0.2.7 521-555 refused every=1",
]
OVER_MIDNIGHT = ["23:59:50 10.0.0.9 > 192.0.2.7 501-522 refused every=1", "23:59:55 198.51.100.7 > 10.0.0.9 22 half_open"]
# What is answered after the failures that made a scan belongs to it.
ANSWERED_LATER = [
    "22:00:00 10.0.0.9 > 192.0.2.7 501-520 refused",
    "22:07:05 10.0.0.9 > 192.0.2.7 21 established",
    "23:00:00 10.0.0.9 > 192.0.2.100-125 445 filtered",
    "23:07:05 10.0.0.9 > 192.0.2.126-140 445 established",
]
# A window that lost records ends in a later step.
LOST_BEFORE = ["22:50:00 SKIPDATA 600", "23:00:00 10.0.0.9 > 192.0.2.31-34 501-510 refused every=1"]
CONTROL_LATER = [
    "22:10:00 10.0.0.9 > 192.0.2.7 21 refused",
    "22:11:00 10.0.0.9 > 192.0.2.7 20001-20025 refused",
    "22:50:00 10.0.0.9 > 192.0.2.7 21 established",
]


@LAWFUL
@given(story=stories, log=logs, seed=st.integers(0, 1_000), sizes=sizes)
@example(story=OVER_MIDNIGHT, log=Log(), seed=1, sizes=(3, 1))
@example(story=CONTROL_LATER, log=Log(version=5), seed=1, sizes=(3, 1))
@example(story=ANSWERED_LATER, log=Log(), seed=1, sizes=(3, 1))
@example(story=LOST_BEFORE, log=Log(), seed=0, sizes=(1, 1))
def test_any_cutting_gives_the_same_findings(story: list[str], log: Log, seed: int, sizes: tuple[int, int]) -> None:
    check_cutting(story, log, seed, sizes, "duckdb")


def test_an_id_is_that_of_the_moment_when_the_evidence_was_first_enough() -> None:
    log = Log()
    lines = lines_of(SLOW_THEN_FAST, log)
    pieces, expected = scan(cut(lines, log, 1, 3), lists_of(LISTS), slice_events=1), whole(lines, log)
    assert documents(pieces) == documents(expected)
    assert [finding.id for finding in pieces.findings] == [finding.id for finding in expected.findings]


def test_more_hosts_than_a_finding_keeps_are_counted_alike() -> None:
    log = Log()
    lines = lines_of(
        [f"12:{net // 2:02}:{net % 2 * 30:02} 10.0.0.9 > 198.18.{net}.1-250 445 filtered every=0" for net in range(42)], log
    )
    pieces, expected = scan(cut(lines, log, 1, 4_000), lists_of(LISTS), slice_events=2_000), whole(lines, log)
    assert pieces.report.slices > 3
    assert pieces.findings[0].seen.tallies == expected.findings[0].seen.tallies
    assert len(expected.findings[0].seen.tallies["hosts"]) == KEPT_KEYS
    assert expected.findings[0].seen.count == 42 * 250
    assert documents(pieces) == documents(expected)


@pytest.mark.xdist_group("spark")
@ON_SPARK
@given(story=stories, log=logs, seed=st.integers(0, 1_000), sizes=st.tuples(st.integers(20, 60), st.integers(60, 120)))
@pytest.mark.usefixtures("spark")
def test_any_cutting_gives_the_same_findings_on_spark(story: list[str], log: Log, seed: int, sizes: tuple[int, int]) -> None:
    check_cutting(story, log, seed, sizes, "spark")


@LAWFUL
@given(story=stories, log=logs, seed=st.integers(0, 1_000), sizes=sizes)
@example(story=OVER_MIDNIGHT, log=Log(), seed=1, sizes=(3, 1))
def test_what_arrives_bit_by_bit_gives_the_same_findings(story: list[str], log: Log, seed: int, sizes: tuple[int, int]) -> None:
    lines = lines_of(story, log)
    files = cut(lines, log, seed, sizes[0])
    chance = random.Random(seed)
    groups: list[list[Blob]] = [[]]
    for file in files:
        if chance.random() < 0.3:
            groups.append([])
        groups[-1].append(file)
    pieces = fed(groups, slice_events=sizes[1])
    assert documents(pieces) == documents(whole(lines, log))
    assert pieces.report.late == 0


@LAWFUL
@given(story=stories, log=logs, sizes=sizes)
def test_reading_twice_changes_nothing(story: list[str], log: Log, sizes: tuple[int, int]) -> None:
    lines = lines_of(story, log)
    files = cut(lines, log, 0, sizes[0])
    again = [replace(file, name=file.name.replace(".log", "_copy.log")) for file in files]
    once = scan(files, lists_of(LISTS), slice_events=10 * sizes[1])
    twice = scan([*files, *again], lists_of(LISTS), slice_events=10 * sizes[1])
    assert twice.text == once.text
    assert twice.report.duplicates == once.report.duplicates + len([line for line in lines if "SKIPDATA" not in line])


@LAWFUL
@given(story=stories, log=logs, seed=st.integers(0, 1_000), sizes=sizes)
def test_any_order_of_the_same_files_gives_the_same_bytes(story: list[str], log: Log, seed: int, sizes: tuple[int, int]) -> None:
    files = cut(lines_of(story, log), log, 0, sizes[0])
    shuffled = list(files)
    random.Random(seed).shuffle(shuffled)
    assert scan(shuffled, lists_of(LISTS), slice_events=sizes[1]).text == scan(files, lists_of(LISTS), slice_events=sizes[1]).text
