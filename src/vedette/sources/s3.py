"""List objects in Amazon S3 and compatible servers (``s3://bucket/prefix``), no more of them than the span needs."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from vedette.aws import ATTEMPTS, Connection, broken_transfers, explained, s3
from vedette.errors import ConfigurationError, NothingToReadError
from vedette.logs.blob import Blob
from vedette.sources import DELIVERY_ALLOWANCE, MOST_BYTES, Source, Span

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef, ListObjectsV2OutputTypeDef, ListObjectsV2RequestTypeDef

MEMORY_BYTES = 32 << 20
MANY_FOLDERS = 100
LIST_PERMISSION = "s3:ListBucket on the bucket"
GET_PERMISSION = "s3:GetObject on the object"

# The folder of one account, log and region in AWS's two layouts, below which folders are days and sort by time.
_LOG_FOLDER = re.compile(
    r"(?:^|.*/)AWSLogs/(?:o-[a-z0-9]+/)?"
    r"(?:\d{12}/(?:CloudTrail[A-Za-z-]*|vpcflowlogs)/[a-z0-9-]+/"
    r"|aws-account-id=\d{12}/aws-service=vpcflowlogs/aws-region=[a-z0-9-]+/)"
)
# A folder above those: a beginning of the layout, or a folder that may hold ``AWSLogs``.
_ABOVE = re.compile(
    r"(?:^|.*/)AWSLogs/(?:o-[a-z0-9]+/)?"
    r"(?:\d{12}/(?:(?:CloudTrail[A-Za-z-]*|vpcflowlogs)/)?|aws-account-id=\d{12}/(?:aws-service=vpcflowlogs/)?)?"
)
_DEPTH_ABOVE_LAYOUT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One object of a listing; ``size`` in bytes."""

    key: str
    etag: str
    size: int


def blobs(location: str, span: Span, connection: Connection, most_bytes: int = MOST_BYTES) -> Iterator[Blob]:  # noqa: ARG001 - objects end
    """Yield the objects below a prefix in the order of their keys; see ``Source``.

    A prefix is the beginning of keys, not a folder: ``s3://logs/AWS`` lists ``AWSLogs/…`` as well.
    """
    bucket, prefix = parse(location)
    listing = _Listing(bucket=bucket, span=span, connection=connection)
    left_out = found = 0
    for item in listing.below(prefix):
        if span.admits(item.key):
            found += 1
            opener = ObjectOpener(bucket=bucket, key=item.key, etag=item.etag, connection=connection)
            yield Blob(name=f"s3://{bucket}/{item.key}", version=item.etag.strip('"'), size=item.size, opener=opener)
        else:
            left_out += 1
    if not found:
        narrowed = left_out or span != Span()
        reason = "no objects that may hold records of the span" if narrowed else "no objects"
        raise NothingToReadError(f"{location} contains {reason}")


SOURCE = Source(schemes=("s3",), blobs=blobs)


def parse(location: str) -> tuple[str, str]:
    """Split ``s3://bucket/prefix`` into bucket and prefix; not by parsing a URL, since a key may contain any character.

    Raises:
        ConfigurationError: it names no bucket.
    """
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    if not bucket:
        raise ConfigurationError(f"{location!r} names no bucket: write s3://bucket or s3://bucket/prefix")
    return bucket, prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOpener:
    """Opens the version of an object that was listed; picklable, so that it can be opened in another process."""

    bucket: str
    key: str
    etag: str
    connection: Connection

    def __call__(self) -> BinaryIO:
        """Fetch the object into memory or, if it is large, into a temporary file; resume a broken transfer where it broke.

        Raises:
            SourceError: it no longer exists, has changed, is archived, access is denied, or the transfer broke too often.
        """
        copy = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
        try:
            with explained(f"s3://{self.bucket}/{self.key}", GET_PERMISSION):
                attempt = 1
                while not self._fetched(copy, last=attempt == ATTEMPTS):
                    attempt += 1
        except BaseException:
            copy.close()
            raise
        copy.seek(0)
        return cast("BinaryIO", copy)

    def _fetched(self, copy: "SpooledTemporaryFile[bytes]", *, last: bool) -> bool:
        """Fetch the rest of the object and tell whether it is complete; at the last attempt, raise the error instead."""
        request: GetObjectRequestTypeDef = {"Bucket": self.bucket, "Key": self.key, "IfMatch": self.etag}
        if begin := copy.tell():
            request["Range"] = f"bytes={begin}-"
        answer = s3(self.connection).get_object(**request)
        try:
            shutil.copyfileobj(cast("BinaryIO", answer["Body"]), copy, 1 << 20)
        except broken_transfers():
            if last:
                raise
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """The listing of one bucket for one span."""

    bucket: str
    span: Span
    connection: Connection

    def below(self, prefix: str) -> Iterator[Listed]:
        """Yield the objects below a prefix in the order of their keys; skip days outside the span if that is cheap."""
        if self.span == Span():
            return self._all(prefix)
        return self._narrowed(prefix, _DEPTH_ABOVE_LAYOUT)

    def _narrowed(self, prefix: str, depth: int) -> Iterator[Listed]:
        """Descend folder by folder to those of one region, whose days are sorted; list everything else completely."""
        if match := _LOG_FOLDER.match(prefix):
            yield from self._days(match.group(), prefix)
            return
        in_layout = _ABOVE.fullmatch(prefix, 0, prefix.rfind("/") + 1) is not None
        if not in_layout and (depth == 0 or "AWSLogs/" in prefix):
            yield from self._all(prefix)
            return
        pages = self._pages({"Bucket": self.bucket, "Prefix": prefix, "Delimiter": "/"})
        first = next(pages)
        if not in_layout and len(first.get("CommonPrefixes", ())) > MANY_FOLDERS:  # not AWS's layout
            yield from self._all(prefix)
            return
        for page in chain([first], pages):
            objects = {item.key: item for item in _objects(page)}
            folders = [folder["Prefix"] for folder in page.get("CommonPrefixes", ())]
            for name in sorted([*objects, *folders]):
                if name in objects:
                    yield objects[name]
                else:
                    yield from self._narrowed(name, depth if in_layout else depth - 1)

    def _days(self, folder: str, prefix: str) -> Iterator[Listed]:
        """List only the days that the span needs in the folder of a region, by a first and a last key."""
        hive = "aws-region=" in folder
        request: ListObjectsV2RequestTypeDef = {"Bucket": self.bucket, "Prefix": prefix}
        if self.span.since is not None:
            # The time in a file's name may be just before midnight although its events happened just after.
            request["StartAfter"] = folder + _day(self.span.since - timedelta(hours=1), hive=hive)
        stop = None
        if self.span.until is not None:
            stop = folder + _day(self.span.until + DELIVERY_ALLOWANCE + timedelta(days=1), hive=hive)
        for page in self._pages(request):
            for item in _objects(page):
                if stop is not None and item.key >= stop:
                    return
                yield item

    def _all(self, prefix: str) -> Iterator[Listed]:
        for page in self._pages({"Bucket": self.bucket, "Prefix": prefix}):
            yield from _objects(page)

    def _pages(self, request: "ListObjectsV2RequestTypeDef") -> Iterator["ListObjectsV2OutputTypeDef"]:
        client = s3(self.connection)
        while True:
            with explained(f"s3://{self.bucket}/{request.get('Prefix', '')}", LIST_PERMISSION):
                page = client.list_objects_v2(**request)
            yield page
            if not page["IsTruncated"]:
                return
            request = {**request, "ContinuationToken": page["NextContinuationToken"]}


def _objects(page: "ListObjectsV2OutputTypeDef") -> Iterator[Listed]:
    for item in page.get("Contents", ()):
        if not item["Key"].endswith("/"):  # the marker object that the console creates for a folder
            yield Listed(key=item["Key"], etag=item["ETag"], size=item["Size"])


def _day(moment: datetime, *, hive: bool) -> str:
    return moment.astimezone(UTC).strftime("year=%Y/month=%m/day=%d/" if hive else "%Y/%m/%d/")
