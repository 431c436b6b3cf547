"""An hour of emulated attacks, public logs of a test account: what may be said without a past, and what is found with one."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from notation import blob
from scanning import Outcome, scan

from vedette.findings import Finding
from vedette.pipeline.knowledge import complete, gather
from vedette.settings import load
from vedette.sources import Span, list_blobs
from vedette.store import Store

pytestmark = pytest.mark.corpus

ACCOUNT = "123837392027"
ATTACKER = f"arn:aws:iam::{ACCOUNT}:user/bert-jan"
READER = f"arn:aws:iam::{ACCOUNT}:role/stratus-red-team-get-usr-data-role"
TOOL = "stratus-red-team"
TYPES = {f"Recon:IAMUser/{name}Permissions" for name in ("Network", "Resource", "User")}
# The calls of the emulated techniques that are discovery; others of them change, take or use something.
TECHNIQUES = {
    ATTACKER: {
        "secretsmanager:ListSecrets": 1,
        "ssm:DescribeParameters": 5,
        "rolesanywhere:ListProfiles": 1,
        "rolesanywhere:ListTrustAnchors": 1,
        "iam:ListAccessKeys": 2,
    },
    READER: {"ec2:DescribeInstanceAttribute": 15},
}


@dataclass(frozen=True, slots=True)
class Hour:
    """The records of the hour, and their files' folder."""

    folder: Path
    records: tuple[dict[str, Any], ...]


@pytest.fixture(scope="module")
def hour(corpus: Path) -> Hour:
    folder = corpus / "cloudtrail" / "invictus-stratus-2023"
    return Hour(folder, tuple(record for path in sorted(folder.iterdir()) for record in records_of(path)))


def records_of(path: Path) -> Iterator[dict[str, Any]]:
    data = path.read_bytes()
    yield from json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)["Records"]


def discovered(outcome: Outcome) -> list[Finding]:
    return [item for item in outcome.findings if item.seen.finding_type in TYPES]


@pytest.fixture(scope="module")
def alone(hour: Hour) -> Outcome:
    """Scan the hour with nothing before it."""
    return scan(list_blobs(str(hour.folder), Span()))


def test_without_a_past_only_who_names_an_attack_tool_is_told_of(alone: Outcome) -> None:
    """Methods 5.5: while learning, T1, U2 and N4 count, or a burst that is denied from a strange network."""
    found = discovered(alone)
    assert {(item.seen.target, item.seen.finding_type.partition("/")[2]) for item in found} == {
        (ATTACKER, "NetworkPermissions"),
        (ATTACKER, "ResourcePermissions"),
        (ATTACKER, "UserPermissions"),
        (READER, "ResourcePermissions"),
    }
    for item in found:
        assert set(item.seen.tallies["modes"]) == {"learning"}
        assert item.summary.observed["U2"] == 3
        assert set(item.seen.tallies["attacks"]) == {TOOL}
        assert item.summary.severity == 8
        assert not {"N1", "N3", "U1", "K1", "H1"} & set(item.summary.observed), "nothing is new to one of whom nothing is known"
        assert any(reason.startswith("Learning:") for reason in item.summary.reasons)


def test_others_of_the_hour_are_left_alone(alone: Outcome, hour: Hour) -> None:
    """A user at the console, and roles of services: about them nothing is strange but that they are new."""
    everybody = {record["userIdentity"].get("arn", "") for record in hour.records}
    assert f"arn:aws:iam::{ACCOUNT}:user/benjamin" in everybody
    assert {item.seen.target for item in discovered(alone)} == {ATTACKER, READER}


def test_the_report_says_that_it_learns(alone: Outcome) -> None:
    settings = load(None, {"workers": 1, "bundled_lists": False})
    with Store.ephemeral() as store:
        complete(alone.report, gather(settings, store), settings)
    assert any("1 of 14" in line for line in alone.report.learning), alone.report.learning


def usual_life(hour: Hour) -> list[dict[str, Any]]:
    """Return calls of three weeks before the hour by the principals of it: each looks at instances, three times a day."""
    models: dict[str, dict[str, Any]] = {}
    for record in hour.records:
        identity = record["userIdentity"]
        issuer = identity.get("sessionContext", {}).get("sessionIssuer", {}).get("arn")
        models.setdefault(str(issuer or identity.get("arn")), record)
    begin = datetime.fromisoformat("2023-07-10T11:30:00+00:00")
    return [
        {
            **models[principal],
            "eventTime": f"{begin - timedelta(days=day, minutes=number):%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": "ec2.amazonaws.com",
            "eventName": "DescribeInstances",
            "userAgent": "Boto3/1.26.0 Python/3.10.0 Linux/5.10 Botocore/1.29.0",
            "readOnly": True,
            "errorCode": None,
            "eventID": f"00000000-0000-4000-8000-{place:04}{day:04}{number:04}",
        }
        for place, principal in enumerate((ATTACKER, READER))
        for day in range(20, 2, -1)
        for number in range(3)
    ]


def test_with_a_past_the_emulated_discovery_is_found(hour: Hour) -> None:
    """Each call of a discovery technique lies within a finding of its principal: one tells of the category asked most."""
    found = discovered(scan([blob([*usual_life(hour), *hour.records])]))
    made = [record for record in hour.records if str(record.get("userAgent")).startswith(f"{TOOL}_")]
    for principal, calls in TECHNIQUES.items():
        mine = [item for item in found if item.seen.target == principal]
        assert all("full" in item.seen.tallies["modes"] for item in mine)
        assert any(item.summary.observed.get("U2") for item in mine)
        for api, count in calls.items():
            times = [moment for moment, name in map(named, made) if name == api]
            assert len(times) == count, api
            assert all(any(covers(item, moment) for item in mine) for moment in times), api


def named(record: dict[str, Any]) -> tuple[datetime, str]:
    service = record["eventSource"].partition(".")[0]
    return datetime.fromisoformat(record["eventTime"]), f"{service}:{record['eventName']}"


def covers(finding: Finding, moment: datetime) -> bool:
    return finding.seen.first.time <= moment <= finding.seen.last.time
