"""Objects of a bucket become blobs: against a real S3 server on the loopback interface."""

import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from vedette import aws
from vedette.aws import Connection
from vedette.errors import ConfigurationError, NothingToReadError, SourceError
from vedette.sources import Span, list_blobs
from vedette.sources.s3 import ObjectOpener

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FIRST = datetime(2023, 7, 1, tzinfo=UTC)
TRAIL = "AWSLogs/123456789012/CloudTrail"
FLOWS = "AWSLogs/123456789012/vpcflowlogs"
HIVE = "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def connection(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Connection:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    aws._client.cache_clear()
    return Connection(region="us-east-1", s3_endpoint=server)


@pytest.fixture
def client(connection: Connection) -> "S3Client":
    return aws.s3(connection)


@pytest.fixture
def bucket(client: "S3Client", request: pytest.FixtureRequest) -> str:
    """A bucket of the test's own."""
    name = f"logs-{md5(request.node.nodeid.encode(), usedforsecurity=False).hexdigest()}"
    client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def requests(client: "S3Client") -> list[str]:
    """The listing requests that leave for the server from here on."""
    sent: list[str] = []
    client.meta.events.register("before-send.s3.ListObjectsV2", lambda request, **_: sent.append(request.url))
    return sent


@pytest.fixture
def keys(bucket: str, connection: Connection) -> Callable[..., list[str]]:
    def listed(prefix: str = "", **span: datetime) -> list[str]:
        start = f"s3://{bucket}/"
        return [blob.name.removeprefix(start) for blob in list_blobs(start + prefix, Span(**span), connection)]

    return listed


def put(bucket: str, *names: str) -> None:
    """Lay objects into the server's memory, which is much faster than to send them."""
    for name in names:
        s3_backends[ACCOUNT]["aws"].put_object(bucket, name, name.encode())


def trail(region: str, day: datetime, count: int = 1) -> list[str]:
    return [
        f"{TRAIL}/{region}/{day:%Y/%m/%d}/123456789012_CloudTrail_{region}_{day:%Y%m%d}T12{number:02}Z_x.json.gz"
        for number in range(count)
    ]


def test_objects_come_in_order_with_receipt_and_bytes(bucket: str, connection: Connection) -> None:
    put(bucket, "logs/b.gz", "logs/a/c.gz", "logs/a-b.gz", "other/x.gz", "logs/empty/")
    found = list(list_blobs(f"s3://{bucket}/logs/", Span(), connection))
    assert [blob.name for blob in found] == [f"s3://{bucket}/logs/{name}" for name in ("a-b.gz", "a/c.gz", "b.gz")]
    assert found[0].size == len("logs/a-b.gz")
    assert len({blob.version for blob in found}) == 3
    with pickle.loads(pickle.dumps(found[1])).open() as stream:  # noqa: S301 - our own bytes
        assert stream.read() == b"logs/a/c.gz"
        stream.seek(5)
        assert stream.read() == b"a/c.gz"


def test_a_key_with_odd_characters_is_read(bucket: str, keys: Callable[..., list[str]]) -> None:
    odd = "logs/a b+c%2Fd?e#f&ü/x.gz"
    put(bucket, odd)
    assert keys("logs/a b+c%2Fd?e#f") == [odd]


def test_a_thousand_keys_and_more_are_paged(bucket: str, keys: Callable[..., list[str]], requests: list[str]) -> None:
    put(bucket, *(f"p/{number:05}" for number in range(1203)))
    assert keys("p/") == [f"p/{number:05}" for number in range(1203)]
    assert len(requests) == 2


def test_only_the_days_of_the_span_are_listed(bucket: str, keys: Callable[..., list[str]], requests: list[str]) -> None:
    days = [FIRST + timedelta(days=number) for number in range(120)]
    put(bucket, *(name for day in days for region in ("eu-west-1", "us-east-1") for name in trail(region, day, count=9)))
    put(bucket, *(f"{FLOWS}/us-east-1/{day:%Y/%m/%d}/any.log.gz" for day in days))
    put(bucket, *(f"{HIVE}/aws-region=us-east-1/year={day:%Y}/month={day:%m}/day={day:%d}/any.parquet" for day in days))
    since, until = FIRST + timedelta(days=50, hours=1), FIRST + timedelta(days=52)
    wanted = [FIRST + timedelta(days=number) for number in (50, 51, 52)]
    expected = [
        *(name for region in ("eu-west-1", "us-east-1") for day in wanted for name in trail(region, day, count=9)),
        *(f"{FLOWS}/us-east-1/{day:%Y/%m/%d}/any.log.gz" for day in wanted),
        *(f"{HIVE}/aws-region=us-east-1/year={day:%Y}/month={day:%m}/day={day:%d}/any.parquet" for day in wanted),
    ]
    assert keys(since=since, until=until) == sorted(expected)
    # bucket, AWSLogs, account, its two logs, the hive account and its log: 7 folders; then one request for each of 4 regions.
    assert len(requests) == 11
    assert sum("start-after=" in url for url in requests) == 4
    requests.clear()
    assert keys(f"{TRAIL}/us-east-1/", since=since, until=until) == [
        name for day in wanted for name in trail("us-east-1", day, 9)
    ]
    assert len(requests) == 1
    requests.clear()
    assert len(keys()) == 120 * 20
    assert len(requests) == 3


def test_a_listing_ends_with_the_span_and_not_with_the_bucket(
    bucket: str, keys: Callable[..., list[str]], requests: list[str]
) -> None:
    for number in range(40):
        put(bucket, *trail("us-east-1", FIRST + timedelta(days=number), count=60))
    assert len(keys(TRAIL, until=FIRST + timedelta(days=1))) == 60 * 2
    # "…/CloudTrail", its folder, then the region's first page of three.
    assert len(requests) == 3


def test_what_is_in_no_layout_is_listed_all_the_same(bucket: str, keys: Callable[..., list[str]]) -> None:
    day = trail("us-east-1", FIRST)[0]
    names = [
        f"team/x/{day}",
        "team/notes.json",
        "AWSLogs/123456789012/Config/us-east-1/2023/7/1/c.json.gz",
        "a/b/c/d/e/f.gz",
        day,
    ]
    digest = "AWSLogs/123456789012/CloudTrail-Digest/us-east-1/2023/07/01/d.json.gz"
    put(bucket, *names, digest, trail("us-east-1", FIRST + timedelta(days=9))[0])
    assert keys(since=FIRST, until=FIRST + timedelta(days=1)) == sorted([*names, digest])


def test_a_layout_of_many_folders_is_listed_at_one_go(bucket: str, keys: Callable[..., list[str]], requests: list[str]) -> None:
    names = [f"host-{number:03}/events.json" for number in range(101)]
    put(bucket, *names)
    assert keys(since=FIRST) == names
    assert len(requests) == 2


def test_organisation_trails_are_narrowed_too(bucket: str, keys: Callable[..., list[str]], requests: list[str]) -> None:
    days = [FIRST + timedelta(days=number) for number in range(9)]
    names = [f"o/{name.replace('AWSLogs/', 'AWSLogs/o-exampleorg1/')}" for day in days for name in trail("us-east-1", day)]
    put(bucket, *names)
    assert keys("o/AWSLogs", since=days[4] + timedelta(hours=13), until=days[5]) == names[5:6]
    assert sum("start-after=" in url for url in requests) == 1


def test_what_is_not_there_is_one_sentence(bucket: str, connection: Connection) -> None:
    put(bucket, *trail("us-east-1", FIRST))
    with pytest.raises(NothingToReadError, match=rf"^s3://{bucket}/nowhere contains no objects$"):
        list(list_blobs(f"s3://{bucket}/nowhere", Span(), connection))
    with pytest.raises(NothingToReadError, match=rf"^s3://{bucket} contains no objects that may hold records of the span$"):
        list(list_blobs(f"s3://{bucket}", Span(since=FIRST + timedelta(days=30)), connection))
    with pytest.raises(SourceError, match=r"^s3://no-such-bucket-here/x: there is no such bucket$"):
        list(list_blobs("s3://no-such-bucket-here/x", Span(), connection))
    with pytest.raises(SourceError, match=r"^s3://BAD_\(name\)/: AWS does not allow this name$"):
        list(list_blobs("s3://BAD_(name)/", Span(), connection))
    with pytest.raises(ConfigurationError, match="'s3:///x' names no bucket"):
        list(list_blobs("s3:///x", Span(), connection))


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "AccessDenied", "s3://some-logs/x: access is denied; the credentials need s3:ListBucket on the bucket"),
        (403, "InvalidAccessKeyId", "s3://some-logs/x: the credentials were rejected (InvalidAccessKeyId)"),
        (400, "OddTrouble", "s3://some-logs/x: the service returned the error OddTrouble: because"),
    ],
)
def test_an_answer_of_the_service_is_explained(
    refusing: Callable[[int, str], Connection], status: int, code: str, message: str
) -> None:
    with pytest.raises(SourceError) as raised:
        list(list_blobs("s3://some-logs/x", Span(), refusing(status, code)))
    assert str(raised.value) == message


@pytest.fixture
def refusing(connection: Connection) -> Callable[[int, str], Connection]:
    """Make the client's requests be answered with an error, since the test server checks no permissions."""

    def refuse(status: int, code: str) -> Connection:
        from botocore.awsrequest import AWSResponse

        body = f"<Error><Code>{code}</Code><Message>because</Message></Error>".encode()

        class Raw:
            def stream(self) -> Iterator[bytes]:
                yield body

        answer = AWSResponse("http://127.0.0.1/", status, {}, Raw())
        aws.s3(connection).meta.events.register("before-send.s3", lambda **_: answer)
        return connection

    return refuse


def test_an_object_that_was_changed_or_removed_is_not_read_as_the_listed_one(
    client: "S3Client", bucket: str, connection: Connection
) -> None:
    put(bucket, "a.gz", "b.gz")
    first, second = list_blobs(f"s3://{bucket}", Span(), connection)
    client.put_object(Bucket=bucket, Key="a.gz", Body=b"something else")
    client.delete_object(Bucket=bucket, Key="b.gz")
    with pytest.raises(SourceError, match=rf"^s3://{bucket}/a\.gz: the object changed after it was listed$"):
        first.open()
    with pytest.raises(SourceError, match=rf"^s3://{bucket}/b\.gz: there is no such object$"):
        second.open()


def test_a_broken_transfer_goes_on_where_it_broke(
    client: "S3Client", bucket: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ResponseStreamingError
    from botocore.response import StreamingBody

    content = bytes(range(256)) * 20_000
    client.put_object(Bucket=bucket, Key="big.gz", Body=content)
    whole = StreamingBody.read
    breaks = iter([False, True, False, True])

    def read(body: StreamingBody, amt: int | None = None) -> bytes:
        if next(breaks, False):
            raise ResponseStreamingError(error="broken")
        return whole(body, amt)

    monkeypatch.setattr(StreamingBody, "read", read)
    (blob,) = list_blobs(f"s3://{bucket}", Span(), connection)
    with blob.open() as stream:
        assert stream.read() == content


def test_without_credentials_the_way_to_them_is_told(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    sentence = r"^s3://some-logs/: no AWS credentials were found; set a profile, or AWS_ACCESS_KEY_ID"
    with pytest.raises(SourceError, match=sentence):
        list(list_blobs("s3://some-logs", Span(), connection))


def test_what_cannot_be_reached_is_named(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    nowhere = Connection(region="us-east-1", s3_endpoint="http://127.0.0.1:9")
    with pytest.raises(SourceError, match=r"^s3://some-logs/: http://127\.0\.0\.1:9/\S* cannot be reached$"):
        list(list_blobs("s3://some-logs", Span(), nowhere))


def test_wrong_settings_are_configuration_errors(connection: Connection) -> None:
    with pytest.raises(ConfigurationError, match="has no profile 'nobody'"):
        aws.s3(Connection(profile="nobody"))
    with pytest.raises(ConfigurationError, match="'nonsense' is not the URL of an S3 endpoint"):
        aws.s3(Connection(region="us-east-1", s3_endpoint="nonsense"))


def test_an_opener_is_a_value(connection: Connection) -> None:
    opener = ObjectOpener(bucket="b", key="k", etag='"1"', connection=connection)
    assert pickle.loads(pickle.dumps(opener)) == opener  # noqa: S301 - our own bytes
