"""Define the blob: stored bytes with a name and a receipt, opened in the process that reads them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from vedette.logs.receipt import Taken

@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Bytes with a name; picklable, so that a worker process or an executor can open them where it runs.

    ``name`` is the path or URL that references to records show. ``version`` changes when the content does (ETag, or size and
    modification time): a blob of which the store has a receipt with both is not read again.
    ``size`` is the number of stored (compressed) bytes, None if unknown (standard input). ``place`` is the path with links
    resolved, "" where the bytes are no file of this machine. ``taken`` are the records that were taken before: they are left out.
    """

    name: str
    version: str
    size: int | None
    opener: Callable[[], BinaryIO]
    place: str = ""
    taken: tuple[Taken, ...] = ()

    def open(self) -> BinaryIO:
        """Open the stored bytes for reading.

        Raises:
            SourceError: the bytes no longer exist or access to them is denied.
        """
        return self.opener()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """Facts taken from the name of a delivered log file; each is None if the name does not contain it.

    ``delivered_at`` is the time in the file name (of delivery, not of an event), or else the day or hour of its folder.
    """

    account_id: str | None = None
    region: str | None = None
    delivered_at: datetime | None = None


_FILE_TIME = re.compile(r"_(\d{8})T(\d{4})Z?_")
_FOLDER = re.compile(r"AWSLogs/(?:o-[a-z0-9]+/)?(\d{12})/(?:CloudTrail|vpcflowlogs)/([a-z0-9-]+)/")
_FOLDER_DAY = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/(?:(\d{2})/)?")
_FILE = re.compile(r"(?:^|/)(\d{12})_(?:CloudTrail|vpcflowlogs)_([a-z0-9-]+)_")
_HIVE = {
    "account_id": re.compile(r"aws-account-id=(\d{12})/"),
    "region": re.compile(r"aws-region=([a-z0-9-]+)/"),
    "day": re.compile(r"/year=(\d{4})/month=(\d{2})/day=(\d{2})/(?:hour=(\d{2})/)?"),
}


def key_facts(name: str) -> KeyFacts:
    """Return the account, region and delivery time that an object key in one of AWS's layouts holds (contract 6.2 and 6.4)."""
    owner = _FILE.search(name) or _FOLDER.search(name)
    account = owner or _HIVE["account_id"].search(name)
    region = owner.group(2) if owner else None
    if region is None and (match := _HIVE["region"].search(name)):
        region = match.group(1)
    return KeyFacts(
        account_id=account.group(1) if account else None,
        region=region,
        delivered_at=_delivered_at(name),
    )


def _delivered_at(name: str) -> datetime | None:
    try:
        if match := _FILE_TIME.search(name):
            return datetime.strptime("".join(match.groups()) + "+0000", "%Y%m%d%H%M%z")
        if match := _FOLDER_DAY.search(name) or _HIVE["day"].search(name):
            year, month, day, hour = match.groups()
            return datetime(int(year), int(month), int(day), int(hour or 0), tzinfo=UTC)
    except ValueError:  # digits that are not a date, such as 31 February
        return None
    return None
