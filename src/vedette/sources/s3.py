"""Amazon S3 and servers that speak its protocol: ``s3://bucket/prefix``, listed no further than the span needs."""

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
from vedette.sources import DELIVERY_ALLOWANCE, Source, Span

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
# A folder above those: of the layout as far as it goes, or possibly the one that holds ``AWSLogs``.
_ABOVE = re.compile(
    r"(?:^|.*/)AWSLogs/(?:o-[a-z0-9]+/)?"
    r"(?:\d{12}/(?:(?:CloudTrail[A-Za-z-]*|vpcflowlogs)/)?|aws-account-id=\d{12}/(?:aws-service=vpcflowlogs/)?)?"
)
_DEPTH_ABOVE_LAYOUT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One object as a listing shows it."""

    key: str
    etag: str
    size: int


def blobs(location: str, span: Span, connection: Connection) -> Iterator[Blob]:
    """Yield the objects below a prefix in order of their keys; see ``Source``.

    A prefix is the beginning of keys, no folder: ``s3://logs/AWS`` lists ``AWSLogs/…`` as well.
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
        reason = "no object that may hold records of the span" if narrowed else "no object"
        raise NothingToReadError(f"{location} holds {reason}")


SOURCE = Source(schemes=("s3",), blobs=blobs)


def parse(location: str) -> tuple[str, str]:
    """Split ``s3://bucket/prefix``; a key may hold any character, so this is no parsing of a URL.

    Raises:
        ConfigurationError: it names no bucket.
    """
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    if not bucket:
        raise ConfigurationError(f"{location!r} names no bucket: write s3://bucket or s3://bucket/prefix")
    return bucket, prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOpener:
    """Opens an object as it was when it was listed."""

    bucket: str
    key: str
    etag: str
    connection: Connection

    def __call__(self) -> BinaryIO:
        """Fetch the object, into memory or, if it is large, a temporary file; a broken transfer goes on where it broke.

        Raises:
            SourceError: it is gone, changed, archived or may not be read, or the transfer broke too often.
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
        """Fetch what is missing and say whether all is there; the last time, let the error out."""
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
        """Yield the objects whose keys begin with a prefix, in order, without those of days outside the span if that is cheap."""
        if self.span == Span():
            return self._all(prefix)
        return self._narrowed(prefix, _DEPTH_ABOVE_LAYOUT)

    def _narrowed(self, prefix: str, depth: int) -> Iterator[Listed]:
        """Go down folder by folder to those of one region, whose days are in order; anything else is listed whole."""
        if match := _LOG_FOLDER.match(prefix):
            yield from self._days(match.group(), prefix)
            return
        in_layout = _ABOVE.fullmatch(prefix, 0, prefix.rfind("/") + 1) is not None
        if not in_layout and (depth == 0 or "AWSLogs/" in prefix):
            yield from self._all(prefix)
            return
        pages = self._pages({"Bucket": self.bucket, "Prefix": prefix, "Delimiter": "/"})
        first = next(pages)
        if not in_layout and len(first.get("CommonPrefixes", ())) > MANY_FOLDERS:  # a layout of somebody's own
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
        """List the days of a region's folder that the span needs: from a key on, up to a key."""
        hive = "aws-region=" in folder
        request: ListObjectsV2RequestTypeDef = {"Bucket": self.bucket, "Prefix": prefix}
        if self.span.since is not None:
            # A file's name may be from just before midnight, when what is in it happened just after.
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
        if not item["Key"].endswith("/"):  # the marker that consoles write for an empty folder
            yield Listed(key=item["Key"], etag=item["ETag"], size=item["Size"])


def _day(moment: datetime, *, hive: bool) -> str:
    return moment.astimezone(UTC).strftime("year=%Y/month=%m/day=%d/" if hive else "%Y/%m/%d/")
