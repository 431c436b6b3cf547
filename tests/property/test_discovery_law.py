"""The first law for permission discovery: however calls arrive and are cut, and on both engines, findings are the same."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from discovery_cases import TODAY, call_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from notation import blob
from places import without_places
from scanning import Outcome, scan

from vedette.formats import all_formats
from vedette.logs.blob import Blob
from vedette.pipeline import composition
from vedette.pipeline.knowledge import gather
from vedette.settings import load
from vedette.store import Store

pytest_plugins = ["sparks"]

SLOW = settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TYPES = {f"Recon:IAMUser/{name}Permissions" for name in ("Network", "Resource", "User")}
# Few numbers, so that a history of days is enough: what is tested is not how much is needed.
SHORT = {
    "discovery.history_days": 3,
    "discovery.history_active_days": 3,
    "discovery.history_reads": 6,
    "discovery.learning_days": 3,
}
DAYS = 6
_FED_FROM = f"{TODAY - timedelta(days=1):%Y-%m-%d}"  # hundreds of steps would take minutes

WHO = ("ann", "bob", "cem", "role:deploy/jo", "role:deploy/sam", "role:web/i-0a1b2c3d4e5f60718", "root")
USUAL = ("ec2:DescribeInstances", "ec2:DescribeVolumes", "s3:ListBuckets")
ASKED = (
    *("iam:ListUsers", "iam:ListRoles", "iam:GetAccountAuthorizationDetails", "sts:GetCallerIdentity", "ec2:DescribeVpcs"),
    *("ec2:DescribeSecurityGroups", "ec2:DescribeRouteTables", "ec2:DescribeSnapshots", "kms:ListKeys", "lambda:ListFunctions"),
)
ADDRESSES = ("192.0.2.10", "198.51.100.7", "203.0.113.9", "2001:db8::5")

attacks = st.lists(
    st.tuples(
        st.sampled_from(WHO[:4]),
        st.integers(0, DAYS * 86_400 - 1) | st.integers(86_400 * (DAYS - 1), 86_400 * (DAYS - 1) + 7_200),
        st.sampled_from(ADDRESSES[1:]),
        st.lists(st.sampled_from(ASKED), min_size=1, max_size=8, unique=True),
        st.sampled_from(("boto3", "cli", "cli-kali")),
        st.booleans(),
    ),
    min_size=2,
    max_size=5,
)
Attacks = Sequence[tuple[str, int, str, Sequence[str], str, bool]]


def records_of(played: Attacks, seed: int) -> list[dict[str, Any]]:
    """Return the calls of a few days of a few people, and of what is played among them, in order of time."""
    return [call_of(line, number) for number, line in enumerate(sorted(_lines(played, seed), key=_second))]


def _lines(played: Attacks, seed: int) -> Iterator[str]:
    chance = random.Random(seed)
    for day in range(DAYS):
        for who in WHO[:-1]:
            for _ in range(3):
                yield _line(day * 86_400 + chance.randrange(86_400), who, ADDRESSES[0], chance.choice(USUAL))
    for who, begin, address, calls, agent, denied in played:
        for number, api in enumerate(calls):
            second = min(begin + number * chance.choice((20, 400, 1_000)), DAYS * 86_400 - 1)
            yield _line(second, who, address, api, f"agent={agent}", *(["denied"] if denied and number % 2 else []))


def _line(second: int, who: str, address: str, api: str, *words: str) -> str:
    day, rest = divmod(second, 86_400)
    time = f"-{DAYS - 1 - day}d/{rest // 3_600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return " ".join((time, who, address, api, *words))


def _second(line: str) -> tuple[int, str]:
    day, _, clock = line.partition(" ")[0].partition("/")
    hour, minute, second = map(int, clock.split(":"))
    return int(day.strip("-d")) * -86_400 + hour * 3_600 + minute * 60 + second, line


def files(records: Sequence[dict[str, Any]], minutes: int, seed: int) -> list[list[Blob]]:
    """Return deliveries of so many minutes each, a file a quarter of an hour of it, shuffled: its name tells when it came."""
    chance = random.Random(seed)
    found: dict[int, dict[int, list[dict[str, Any]]]] = {}
    for record in records:
        second = int((datetime.fromisoformat(str(record["eventTime"])) - TODAY).total_seconds())
        found.setdefault(second // (minutes * 60), {}).setdefault(second // 900, []).append(record)
    return [[_file(part, number, chance) for number, part in sorted(parts.items())] for _, parts in sorted(found.items())]


def _file(records: list[dict[str, Any]], number: int, chance: random.Random) -> Blob:
    chance.shuffle(records)
    came = TODAY + timedelta(seconds=(number + 1) * 900)
    return blob(records, f"123456789012_CloudTrail_us-east-1_{came:%Y%m%dT%H%MZ}_{chance.getrandbits(64):016x}.json.gz")


def fed(deliveries: Sequence[Sequence[Blob]]) -> list[str]:
    """Feed deliveries one after the other, as a worker does, and leave nothing pending; return the documents of the findings."""
    chosen = load(None, {"workers": 1, "bundled_lists": False, "thresholds": SHORT})
    with Store.ephemeral() as store:
        with composition.pipeline(chosen, store, gather(chosen, store)) as running:
            for delivery in deliveries:
                running.feed(delivery)
            running.bulk([])
        render = all_formats()["guardduty"].render
        return told([render(item) for item in store.findings()])


def documents(outcome: Outcome) -> list[str]:
    return told([json.loads(line) for line in outcome.text.splitlines()])


def told(found: Sequence[object]) -> list[str]:
    return sorted(json.dumps(without_places(item), sort_keys=True) for item in found)


def whole(records: Sequence[dict[str, Any]]) -> Outcome:
    return scan([blob(records)], thresholds=SHORT)


@SLOW
@given(played=attacks, seed=st.integers(0, 1_000), slices=st.integers(40, 200))
def test_slices_of_any_size_give_the_same_findings(played: Attacks, seed: int, slices: int) -> None:
    records = records_of(played, seed)
    cut = [item for delivery in files(records, 1_440, seed) for item in delivery]
    random.Random(seed).shuffle(cut)
    pieces = scan(cut, thresholds=SHORT, slice_events=slices)
    assert documents(pieces) == documents(whole(records))
    assert pieces.report.late == 0


@SLOW
@given(played=attacks, seed=st.integers(0, 1_000), hours=st.sampled_from((12, 24)))
def test_what_arrives_bit_by_bit_gives_the_same_findings(played: Attacks, seed: int, hours: int) -> None:
    records = records_of(played, seed)
    assert fed(files(records, hours * 60, seed)) == documents(whole(records))


STORED: Attacks = (
    ("ann", 5 * 86_400 + 7_000, ADDRESSES[2], ASKED[:6], "cli-kali", True),
    ("role:deploy/jo", 5 * 86_400 + 3_000, ADDRESSES[1], ASKED[4:9], "cli", True),
    ("root", 5 * 86_400 + 9_000, ADDRESSES[1], ASKED[:3], "cli", False),
)


def test_these_attacks_are_found() -> None:
    """So that the laws above and below speak of something."""
    found = {item.seen.finding_type for item in whole(records_of(STORED, 1)).findings}
    assert found == TYPES


def test_hour_by_hour_gives_the_same_findings() -> None:
    records = records_of(STORED, 1)
    hours = files([record for record in records if record["eventTime"] >= _FED_FROM], 60, 1)
    assert len(hours) > 20
    assert fed(hours) == documents(whole([record for record in records if record["eventTime"] >= _FED_FROM])) != []


_DAY, _HOUR = 86_400, 3_600
_LEARNING, _KNOWN = 1 * _DAY + 9 * _HOUR, 5 * _DAY + 9 * _HOUR
# What is strange comes after what is not: in the same episode, in the hours after, in a known account; and a wave in two steps.
TURNING: dict[str, Attacks] = {
    "an episode of the learning turns grave": (
        ("ann", _LEARNING, ADDRESSES[1], ASKED[:4], "cli", True),
        ("ann", _LEARNING + 1_500, ADDRESSES[1], ASKED[4:8], "cli-kali", True),
    ),
    "credentials are asked about before": (
        ("ann", _LEARNING, ADDRESSES[1], ASKED[3:4], "cli", False),
        ("ann", _LEARNING + 600, ADDRESSES[1], ASKED[4:6], "cli-kali", False),
    ),
    "a day of the learning turns grave": tuple(
        ("ann", _LEARNING + hour * _HOUR, ADDRESSES[1], ASKED[hour : hour + 1], "cli-kali" if hour > 3 else "cli", False)
        for hour in range(7)
    ),
    "denials of a known principal": (
        ("ann", _KNOWN, ADDRESSES[2], ASKED[:4], "cli", True),
        ("ann", _KNOWN + 1_500, ADDRESSES[2], ASKED[4:10], "cli", True),
    ),
    "a wave": (
        *((who, _KNOWN - _HOUR, ADDRESSES[0], ASKED[4:6], "boto3", False) for who in ("bob", "cem", "role:deploy/sam")),
        ("ann", _KNOWN, ADDRESSES[1], ASKED[4:5], "cli-kali", False),
        ("ann", _KNOWN + 400, ADDRESSES[1], ASKED[5:6], "cli-kali", False),
    ),
}


@pytest.mark.parametrize("played", list(TURNING.values()), ids=list(TURNING))
def test_what_comes_later_changes_nothing_that_was_said(played: Attacks, tmp_path: Path) -> None:
    """The day on which it turns goes by steps of five minutes, the days before and after it in one piece each."""
    records = records_of(played, 1)
    expected = documents(whole(records))
    assert expected != []
    assert all("E3 -2" in text for text in expected if played is TURNING["a wave"])
    first = min(second for _, second, *_ in played) // _DAY
    parts: dict[int, list[dict[str, Any]]] = {0: [], 1: [], 2: []}
    for record in records:
        day = (datetime.fromisoformat(str(record["eventTime"])) - TODAY).days + DAYS - 1
        parts[(day > first - 1) + (day > first)].append(record)
    store = f"sqlite:///{tmp_path / 'law.db'}"
    for number, part in parts.items():
        sizes = {"slice_events": 1} if number == 1 else {}
        outcome = scan([item for delivery in files(part, 1_440, 1) for item in delivery], thresholds=SHORT, store=store, **sizes)
        assert number != 1 or outcome.report.slices > 10
    with Store.open(store, create=False) as opened:
        render = all_formats()["guardduty"].render
        assert told([render(item) for item in opened.findings(limit=None)]) == expected


@pytest.mark.xdist_group("spark")
@pytest.mark.usefixtures("spark")
def test_spark_finds_the_same() -> None:
    """Two days at most: an attack tool is told of without a past, the others by the short numbers."""
    late = [
        record
        for record in records_of(STORED, 1)
        if datetime.fromisoformat(str(record["eventTime"])) >= TODAY - timedelta(days=1)
    ]
    once = scan([blob(late)])
    assert {item.seen.finding_type for item in once.findings} & TYPES
    assert scan([blob(late)], engine="spark").text == once.text
