"""Real trails beside the checkout are read to the last record; the numbers were found with jq and by hand."""

import gzip
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from reading_blobs import Read, read_bytes

pytestmark = pytest.mark.corpus


@pytest.fixture(scope="session")
def trails(corpus: Path) -> Path:
    return corpus / "cloudtrail"


def read_file(path: Path) -> Read:
    return read_bytes(path.read_bytes(), str(path))


# Records, and impossible values by column: the texts "..." and "foo" of published tests where a time should be.
FILES: dict[str, tuple[int, dict[str, int]]] = {
    "opensearch-catalog/raw-sample.json": (1, {}),
    "opensearch-catalog/samples.json": (50, {}),
    "opensearch-catalog/samples-large.records.json.gz": (793, {}),
    "otrf/ec2_proxy_s3_exfiltration_2020-09-14011940.json": (103, {}),
    "streamalert-rule-tests/cloudtrail_aws_config.json": (3, {"credentials_created_at": 3, "event_time": 3}),
    "streamalert-rule-tests/cloudtrail_critical_api_calls.json": (15, {"credentials_created_at": 15}),
    "streamalert-rule-tests/cloudtrail_ec2_image_creation.json": (2, {}),
    "streamalert-rule-tests/cloudtrail_events.json": (1, {"event_time": 1}),
    "streamalert-rule-tests/cloudtrail_mfa_policy_abuse_attempt.json": (4, {"credentials_created_at": 4}),
    "streamalert-rule-tests/cloudtrail_network_acl_ingress_anywhere.json": (2, {"credentials_created_at": 2, "event_time": 2}),
    "streamalert-rule-tests/cloudtrail_public_resources.json": (12, {"credentials_created_at": 12}),
    "streamalert-rule-tests/cloudtrail_put_bucket_acl.json": (2, {"credentials_created_at": 2, "event_time": 2}),
    "streamalert-rule-tests/cloudtrail_put_object_acl_public.json": (
        4,
        {"credentials_created_at": 4, "event_time": 4, "user_agent": 2},
    ),
    "streamalert-rule-tests/cloudtrail_put_object_acl_public_publisher_example.json": (1, {"credentials_created_at": 1}),
    "streamalert-rule-tests/cloudtrail_root_account_usage.json": (2, {"credentials_created_at": 1, "event_time": 2}),
    "streamalert-rule-tests/cloudtrail_security_group_ingress_anywhere.json": (2, {}),
    "streamalert-rule-tests/cloudtrail_snapshot_or_ami_made_public.json": (5, {"credentials_created_at": 5}),
    "streamalert-rule-tests/cloudwatch_cloudtrail.json": (1, {"event_time": 1}),
    "traildiscover/log-examples.json.gz": (563, {}),
    "trailscraper/111111111111_CloudTrail_eu-central-1_20171211T1505Z_A6kvhMoVeCsc7v8U.json": (2, {}),
    "trailscraper/111111111111_CloudTrail_eu-central-1_20171211T1505Z_A6kvhMoVeCsc7v8U.json.gz": (2, {}),
    "trailscraper/events-for-smoke-test.json": (3, {}),
}
NO_TRAILS = {
    "ground_truth.json": "is not a log of a known format",
    "otrf/AWS_S3_HoneyBucketLogs.csv": "is not a log of a known format",  # a table, with names of its own
    "streamalert-rule-tests/cloudtrail_insights.json": "CloudTrail Insights events are not records of API calls",
    "streamalert-rule-tests/cloudwatch_control_message.json": "is not a log of a known format",
    "streamalert-rule-tests/cloudwatch_rds_aurora.json": "is not a log of a known format",
    "traildiscover/events.json": "is not a log of a known format",
}
OTHERS = {"opensearch-catalog/samples-large.json", "panther-rule-tests/cloudtrail-rule-tests.jsonl.gz"}
FOLDERS = {"invictus-stratus-2023": (55, 2_900), "stratus-detonation-logs": (35, 310)}


@pytest.mark.parametrize("name", list(FILES))
def test_each_file_has_its_records(trails: Path, name: str) -> None:
    read = read_file(trails / name)
    records, nulled = FILES[name]
    assert (len(read.rows), read.counts.bad, read.counts.nulled) == (records, 0, nulled)
    assert read.column("position") == list(range(records))


@pytest.mark.parametrize("name", list(NO_TRAILS))
def test_other_files_are_skipped(trails: Path, name: str) -> None:
    read = read_file(trails / name)
    assert (read.rows, read.counts.bad, read.counts.skipped) == ([], 0, NO_TRAILS[name])


@pytest.mark.parametrize("name", list(FOLDERS))
def test_each_folder_has_its_records(trails: Path, name: str) -> None:
    files, records = FOLDERS[name]
    reads = [read_file(path) for path in sorted((trails / name).glob("*.json"))]
    assert len(reads) == files
    assert sum(len(read.rows) for read in reads) == records
    assert not any(read.counts.bad or read.counts.nulled for read in reads)


def test_no_file_is_forgotten(trails: Path) -> None:
    there = {str(path.relative_to(trails)) for path in trails.rglob("*") if path.is_file()}
    assert {name for name in there if name.partition("/")[0] not in FOLDERS} == {*FILES, *NO_TRAILS, *OTHERS}


def test_all_whole_records_of_a_malformed_file_are_found(trails: Path) -> None:
    """A bracket is missing between two of its 840 whole records; its publisher's repair holds 793 of them."""
    folder = trails / "opensearch-catalog"
    text = (folder / "samples-large.json").read_text(encoding="utf-8")
    starts = [match.start() for match in re.finditer(r'\{\s*"eventVersion"', text)]
    whole = [json.JSONDecoder().raw_decode(text, start)[0]["eventID"] for start in starts]
    read = read_file(folder / "samples-large.json")
    assert read.column("event_id") == whole
    assert (len(whole), len(set(whole))) == (840, 840)
    with gzip.open(folder / "samples-large.records.json.gz") as file:
        repaired = {record["eventID"] for record in json.load(file)["Records"]}
    assert len(repaired) == 793
    assert repaired < set(whole)
    assert read.counts.bad == 1
    assert read.counts.problems[0].reason == "a bracket is not closed"


def test_lines_with_records_of_other_logs_give_those_of_the_trail(trails: Path) -> None:
    path = trails / "panther-rule-tests" / "cloudtrail-rule-tests.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        logs: list[dict[str, Any]] = [json.loads(line)["log"] for line in file]
    calls = [log for log in logs if "eventName" in log or "eventSource" in log]
    read = read_file(path)
    assert (len(logs), len(calls)) == (537, 464)
    assert [(row["event_id"], row["event_name"], row["error_code"]) for row in read.rows] == [
        (log.get("eventID"), log.get("eventName"), log.get("errorCode") or None) for log in calls
    ]
    assert read.counts.bad == 537 - 464


def test_what_is_said_of_an_hour_of_attacks_is_what_was_written(trails: Path) -> None:
    rows = [row for path in (trails / "invictus-stratus-2023").glob("*.json") for row in read_file(path).rows]
    assert sum(row["read_only"] is True for row in rows) == 2_326
    assert sum(row["error_code"] is not None for row in rows) == 300
    # Four are written in brackets.
    assert sum((row["user_agent"] or "").lstrip("[").startswith("stratus-red-team_") for row in rows) == 214
    assert len({(row["event_source"], row["event_name"]) for row in rows}) >= 260
    kinds = Counter(row["principal_kind"] for row in rows)
    assert kinds["unknown"] == 0
    stolen = [row for row in rows if row["session_name"] == "i-0dbc91f429e48eeed"]
    assert {row["principal_kind"] for row in stolen} == {"instance"}
    assert {row["user_name"] for row in stolen} == {"stratus-red-team-ec2-steal-credentials-role"}
    session = [row for row in rows if row["session_name"] == "aws-go-sdk-1688990082523310002"]
    assert len(session) == 29
    assert {(row["principal_kind"], row["error_code"]) for row in session} == {("workload", "Client.UnauthorizedOperation")}


def test_a_recorder_of_configuration_is_a_service(trails: Path) -> None:
    """Of 793 events, 688 are the recorder's reads, in a session of its service-linked role."""
    folder = trails / "opensearch-catalog"
    with gzip.open(folder / "samples-large.records.json.gz") as file:
        records = json.load(file)["Records"]
    issuers = {record["eventID"]: record["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {}) for record in records}
    recorder = {name for name, issuer in issuers.items() if issuer.get("userName") == "AWSServiceRoleForConfig"}
    rows = read_file(folder / "samples-large.records.json.gz").rows
    assert len(recorder) == 688
    assert {row["principal_kind"] for row in rows if row["event_id"] in recorder} == {"service"}


def test_addresses_are_kept_as_written(trails: Path) -> None:
    paths = sorted((trails / "stratus-detonation-logs").glob("*.json"))
    written = [record.get("sourceIPAddress") for path in paths for record in json.loads(path.read_text(encoding="utf-8"))]
    assert [address for path in paths for address in read_file(path).column("source_address")] == written
