"""What the names of delivered log files say."""

import pickle
from datetime import UTC, datetime
from functools import partial
from io import BytesIO

import pytest

from vedette.logs.blob import Blob, KeyFacts, key_facts

TRAIL = (
    "AWSLogs/123456789012/CloudTrail/us-east-1/2023/07/10/"
    "123456789012_CloudTrail_us-east-1_20230710T1205Z_AbCdEfGhIjKlMnOp.json.gz"
)
FLOWS = "123456789012_vpcflowlogs_eu-central-1_fl-0123456789abcdef0_20230710T1620Z_0a1b2c3d.log.gz"


@pytest.mark.parametrize(
    ("name", "account", "region", "delivered"),
    [
        (TRAIL, "123456789012", "us-east-1", (2023, 7, 10, 12, 5)),
        (f"s3://logs/some/where/{TRAIL}", "123456789012", "us-east-1", (2023, 7, 10, 12, 5)),
        (TRAIL.replace("AWSLogs/", "AWSLogs/o-exampleorg1/"), "123456789012", "us-east-1", (2023, 7, 10, 12, 5)),
        (f"downloads/{FLOWS}", "123456789012", "eu-central-1", (2023, 7, 10, 16, 20)),
        (FLOWS, "123456789012", "eu-central-1", (2023, 7, 10, 16, 20)),
        (
            "AWSLogs/123456789012/vpcflowlogs/us-gov-west-1/2023/07/10/09/any.log.gz",
            "123456789012",
            "us-gov-west-1",
            (2023, 7, 10, 9, 0),
        ),
        (
            "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2023/month=07/day=10/hour=23/x.parquet",
            "123456789012",
            "eu-west-1",
            (2023, 7, 10, 23, 0),
        ),
        (
            "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2023/month=07/day=10/x.parquet",
            "123456789012",
            "eu-west-1",
            (2023, 7, 10, 0, 0),
        ),
    ],
)
def test_a_name_in_a_layout_says_account_region_and_delivery(
    name: str, account: str, region: str, delivered: tuple[int, int, int, int, int]
) -> None:
    assert key_facts(name) == KeyFacts(account_id=account, region=region, delivered_at=datetime(*delivered, tzinfo=UTC))


@pytest.mark.parametrize("name", ["events.json", "logs/12345678901_CloudTrail_us-east-1_x.json", "AWSLogs/README.txt", "", "-"])
def test_a_name_in_no_layout_says_nothing(name: str) -> None:
    assert key_facts(name) == KeyFacts()


def test_an_impossible_day_is_no_time() -> None:
    assert key_facts(TRAIL.replace("/07/10/", "/02/31/").replace("20230710", "20230231")).delivered_at is None


def test_a_blob_goes_to_another_process() -> None:
    blob = Blob(name="a", version="1", size=2, opener=partial(BytesIO, b"ab"))
    assert pickle.loads(pickle.dumps(blob)).open().read() == b"ab"  # noqa: S301 - our own bytes
