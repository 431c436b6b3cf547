"""Every call of the public logs gets an answer; what it should be was decided by reading the list of their names."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from vedette.catalog import lookup

pytestmark = pytest.mark.corpus


def _calls(corpus: Path) -> Iterator[tuple[str, str, bool | None]]:
    folder = corpus / "cloudtrail"
    with gzip.open(folder / "traildiscover" / "log-examples.json.gz") as file:
        records = json.load(file)["Records"]
    for path in sorted((folder / "invictus-stratus-2023").glob("*.json")):
        records += json.loads(path.read_bytes())["Records"]
    for record in records:
        yield record["eventSource"], record["eventName"], record.get("readOnly")


def _catalogue(corpus: Path) -> Iterator[tuple[str, str, bool | None]]:
    for event in json.loads((corpus / "cloudtrail" / "traildiscover" / "events.json").read_bytes()):
        yield event["eventSource"], event["eventName"], None


def test_every_call_resolves_to_a_service_and_an_operation(corpus: Path) -> None:
    calls = {*_calls(corpus), *_catalogue(corpus)}
    assert len(calls) > 600
    for source, name, read_only in calls:
        found = lookup(source, name, read_only)
        assert found.service
        assert "." not in found.service
        assert found.operation
        assert found.access != "unknown"


# Read-only calls of these logs that use or hand out something, found by reading all names.
USES = {
    "bedrock:InvokeModel",
    "ec2:GetPasswordData",
    "ecr:GetAuthorizationToken",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "ses:SendEmail",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "sts:AssumeRole",
}


def test_read_only_calls_are_discovery_but_for_those_that_use_something(corpus: Path) -> None:
    for source, name, read_only in _calls(corpus):
        found = lookup(source, name, read_only)
        if read_only and f"{found.service}:{found.operation}" not in USES and source != "signin.amazonaws.com":
            assert found.discovery, (source, name)
        if read_only is False:
            assert not found.discovery, (source, name)


# Tagged as discovery there; here they read data or secrets, use a model, or change something (methods 6.3).
NO_DISCOVERY_HERE = {
    "acm-pca.amazonaws.com IssueCertificate",
    "athena.amazonaws.com GetQueryResults",
    "bedrock.amazonaws.com InvokeModel",
    "logs.amazonaws.com GetLogRecord",
    "s3.amazonaws.com HeadObject",
    "ssm.amazonaws.com GetParameters",
}


def test_a_catalogue_of_attackers_calls_agrees_on_what_is_discovery(corpus: Path) -> None:
    events = json.loads((corpus / "cloudtrail" / "traildiscover" / "events.json").read_bytes())
    tagged = [event for event in events if any("TA0007" in tactic for tactic in event["mitreAttackTactics"])]
    missed = {
        f"{event['eventSource']} {event['eventName']}"
        for event in tagged
        if not lookup(event["eventSource"], event["eventName"], read_only=None).discovery
    }
    assert len(tagged) > 100
    assert missed == NO_DISCOVERY_HERE


def test_lists_cover_most_of_the_calls_that_attackers_make(corpus: Path) -> None:
    events = json.loads((corpus / "cloudtrail" / "traildiscover" / "events.json").read_bytes())
    wild = [
        event for event in events if event["usedInWild"] and any("TA0007" in tactic for tactic in event["mitreAttackTactics"])
    ]
    listed = [event for event in wild if lookup(event["eventSource"], event["eventName"], read_only=None).listed]
    assert len(listed) / len(wild) > 0.5
