"""A scan of a bucket, as a user runs it: the command, processes that read, and a real S3 server on the loopback interface."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commands import run
from engines import needs_spark
from moto.server import ThreadedMotoServer
from notation import call
from patience import HUNG

DAY = datetime(2026, 3, 14, tzinfo=UTC)
FILES, CALLS = 24, 40


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server with a day of a trail in the bucket ``trail``."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    home = tmp_path_factory.mktemp("home")
    usual = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = usual | {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(home / "config"),
        "AWS_REGION": "us-east-1",
        "VEDETTE_S3_ENDPOINT": f"http://{host}:{port}",
        "COLUMNS": "80",
    }
    _fill(environment["VEDETTE_S3_ENDPOINT"])
    yield environment
    running.stop()


def key(hour: int) -> str:
    at = DAY + timedelta(hours=hour)
    name = f"123456789012_CloudTrail_us-east-1_{at + timedelta(hours=1):%Y%m%dT%H%MZ}_{hour:016}.json.gz"
    return f"AWSLogs/123456789012/CloudTrail/us-east-1/{at:%Y/%m/%d}/{name}"


def _fill(endpoint: str) -> None:
    import boto3

    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    client.create_bucket(Bucket="trail")
    for hour in range(FILES):
        at = DAY + timedelta(hours=hour)
        lines = [f"{at + timedelta(seconds=n):%Y-%m-%dT%H:%M:%SZ} alice 198.51.100.7 ec2:DescribeInstances" for n in range(CALLS)]
        records = [call(line, hour * CALLS + number) for number, line in enumerate(lines)]
        padding = os.urandom(60_000).hex()  # so that there is more than one group to share out
        records[0]["requestParameters"] = {"padding": padding}
        client.put_object(Bucket="trail", Key=key(hour), Body=gzip.compress(json.dumps({"Records": records}).encode()))


def vedette(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vedette", "scan", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=HUNG, check=False)


def test_a_bucket_is_scanned_by_processes(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("198.51.100.7\n")
    environment = {**environment, "VEDETTE_FINDING_TYPES": "Recon:IAMUser/MaliciousIPCaller.Custom"}
    done = vedette(environment, tmp_path, "s3://trail/AWSLogs", "--custom-list", "bad.txt", "--workers", "2")
    assert done.returncode == 0, done.stderr
    (finding,) = map(json.loads, done.stdout.splitlines())
    assert finding["service"]["count"] == FILES * CALLS
    first = finding["service"]["additionalInfo"]["vedette"]["records"]["first"][0]["object"]
    assert first.startswith("s3://trail/AWSLogs/123456789012/CloudTrail/us-east-1/2026/03/14/")
    assert f"records read: {FILES * CALLS} (cloudtrail {FILES * CALLS})" in done.stderr


def test_objects_that_were_read_are_known_on_the_disk(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("VEDETTE_FINDING_TYPES", "Recon:IAMUser/MaliciousIPCaller.Custom")
    arguments = ("--store", str(tmp_path / "s.db"), "--workers", "1")
    client = boto3.client("s3", endpoint_url=environment["VEDETTE_S3_ENDPOINT"])
    client.copy_object(Bucket="trail", Key="one/log", CopySource=f"trail/{key(7)}")
    since = run("scan", "s3://trail/one/", *arguments, "--since", "2026-03-14T07:00:10Z")
    assert since.counts["records read"] == f"{CALLS} (cloudtrail {CALLS})"
    everything = run("scan", "s3://trail/one/", *arguments)
    assert everything.counts["records read"] == "10 (cloudtrail 10)"
    client.download_file("trail", "one/log", str(tmp_path / "log"))
    assert run("scan", str(tmp_path / "log"), *arguments).counts["files read"] == "0 (1 more were read before)"


@needs_spark
@pytest.mark.xdist_group("spark")
def test_a_bucket_is_scanned_on_spark_with_its_state_in_a_bucket(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("198.51.100.7\n")
    arguments = ("s3://trail/AWSLogs", "--custom-list", "bad.txt")
    environment = {**environment, "VEDETTE_FINDING_TYPES": "Recon:IAMUser/MaliciousIPCaller.Custom"}
    one = vedette(environment, tmp_path, *arguments)
    settings = {"VEDETTE_STATE_FOLDER": "s3://trail/state", "VEDETTE_STORE": "sqlite:///s.db"}
    other = vedette(environment | settings, tmp_path, *arguments, "--engine", "spark", "--spark-master", "local[2]")
    assert (other.returncode, other.stdout) == (0, one.stdout), other.stderr
    again = vedette(environment | settings, tmp_path, *arguments, "--engine", "spark", "--spark-master", "local[2]")
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
    assert f"files read: 0 ({FILES} more were read before)" in again.stderr


def test_a_bucket_that_cannot_be_read_is_one_clear_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    done = vedette(environment, tmp_path, "s3://nobodys/AWSLogs")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "vedette: s3://nobodys/AWSLogs: there is no such bucket\n"
    empty = vedette(environment, tmp_path, "s3://trail/elsewhere")
    assert (empty.returncode, empty.stdout) == (4, "")
    assert empty.stderr.startswith("vedette: s3://trail/elsewhere")
    assert empty.stderr.count("\n") == 1
