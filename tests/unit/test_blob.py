"""What the names of delivered log files say."""

import pickle
from datetime import UTC, datetime
from functools import partial
from io import BytesIO

import pytest

from vedette.logs.blob import Blob, KeyFacts, delivery, key_facts
from vedette.sources import Span

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


IN_FOLDER = "AWSLogs/123456789012/CloudTrail/us-east-1/2026/03/05/renamed.json.gz"
HIVE = "aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2026/month=03/day=05/x.parquet"
OTHERS = (
    "evidence/2020/01/02/",
    "s3://bucket/year=2020/month=01/day=02/",
    "2020/01/02/03/",
    "AWSLogs/210987654321/CloudTrail/eu-west-1/2020/01/02/",
    "AWSLogs/aws-account-id=210987654321/aws-service=vpcflowlogs/aws-region=eu-west-2/year=2020/month=01/day=02/",
    "210987654321_CloudTrail_eu-west-1_20200102T0304Z_0123456789abcdef/",
)


@pytest.mark.parametrize("prefix", OTHERS)
@pytest.mark.parametrize("name", [TRAIL, IN_FOLDER, f"AWSLogs/{HIVE}", HIVE])
def test_what_precedes_the_layout_is_the_users_own(prefix: str, name: str) -> None:
    """A date there is that of no delivery, and an account there is not the owner."""
    assert key_facts(prefix + name) == key_facts(name) != KeyFacts()
    assert delivery(prefix + name) == delivery(name) is not None


@pytest.mark.parametrize(
    "name",
    [
        *(f"{prefix}x.json.gz" for prefix in OTHERS[:3]),
        "20200102T0304Z_x.json.gz",
        "x_20200102T0304Z_y.json.gz",
        f"x_{FLOWS}",
        "AWSLogs/123456789012/elasticloadbalancing/us-east-1/2020/01/02/x.log",
        "AWSLogs/2020/01/02/x.json",
    ],
)
def test_a_date_that_aws_did_not_write_is_no_delivery(name: str) -> None:
    assert delivery(name) is None
    assert key_facts(name).delivered_at is None
    assert Span(since=datetime(2026, 3, 1, tzinfo=UTC)).admits(name)
    assert Span(until=datetime(2010, 3, 1, tzinfo=UTC)).admits(name)


@pytest.mark.parametrize(("since", "admitted"), [("2026-03-05T23:59", True), ("2026-03-06", False)])
@pytest.mark.parametrize("name", [IN_FOLDER, f"/evidence/2020/01/02/{IN_FOLDER}", f"{OTHERS[3]}{HIVE}"])
def test_a_span_goes_by_the_last_folder_of_the_layout(name: str, since: str, admitted: bool) -> None:
    assert Span(since=datetime.fromisoformat(since).replace(tzinfo=UTC)).admits(name) == admitted
    assert Span(until=datetime(2026, 3, 4, 0, 1, tzinfo=UTC)).admits(name)
    assert not Span(until=datetime(2026, 3, 4, tzinfo=UTC)).admits(name)


def test_an_impossible_day_is_no_time() -> None:
    assert key_facts(TRAIL.replace("/07/10/", "/02/31/").replace("20230710", "20230231")).delivered_at is None
    assert key_facts(TRAIL.replace("20230710", "20230231")).delivered_at == datetime(
        2023, 7, 10, tzinfo=UTC
    )  # the folder says it


def test_a_blob_goes_to_another_process() -> None:
    blob = Blob(name="a", version="1", size=2, opener=partial(BytesIO, b"ab"))
    assert pickle.loads(pickle.dumps(blob)).open().read() == b"ab"  # noqa: S301 - our own bytes
