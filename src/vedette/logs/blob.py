"""Define the blob: stored bytes with a name and a receipt, opened in the process that reads them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """When a log file was delivered according to its name: at or after ``begin``, and before ``end``.

    ``exact`` is whether the file's own name gives the minute; otherwise its folder gives the day or the hour.
    """

    begin: datetime
    end: datetime
    exact: bool


_DAY = r"(\d{4})/(\d{2})/(\d{2})/(?:(\d{2})/)?"
_HIVE_DAY = r"year=(\d{4})/month=(\d{2})/day=(\d{2})/(?:hour=(\d{2})/)?"
_FILE = re.compile(r"(\d{12})_(?:CloudTrail|vpcflowlogs)_([a-z0-9-]+)_", re.ASCII)
_FILE_TIME = re.compile(rf"{_FILE.pattern}(?:fl-[0-9a-zA-Z]+_)?(\d{{8}})T(\d{{4}})Z?_", re.ASCII)
# Account, region, and the day with or without an hour.
_FOLDERS = (
    re.compile(
        rf"(?<![^/])AWSLogs/(?:o-[a-z0-9]+/)?(\d{{12}})/(?:CloudTrail|vpcflowlogs)/([a-z0-9-]+)/(?:{_DAY})?",
        re.ASCII,
    ),
    re.compile(
        rf"(?<![^/])aws-account-id=(\d{{12}})/(?:aws-service=[\w-]+/)?(?:aws-region=([a-z0-9-]+)/(?:{_HIVE_DAY})?)?",
        re.ASCII,
    ),
)


def key_facts(name: str) -> KeyFacts:
    """Return the account, region and delivery time that an object key in one of AWS's layouts holds (contract 6.2 and 6.4)."""
    owner = _FILE.match(_own(name)) or _folder(name)
    found = delivery(name)
    return KeyFacts(
        account_id=owner.group(1) if owner else None,
        region=owner.group(2) if owner else None,
        delivered_at=found.begin if found else None,
    )


def delivery(name: str) -> Delivery | None:
    """Return when the file with this name was delivered; None if the name is in none of AWS's layouts.

    The file's own name says it best. A date in a folder counts only where AWS writes it: after account, service and region.
    """
    file = _FILE_TIME.match(_own(name))
    if file and (found := _of_file(file.group(3), file.group(4))):
        return found
    folder = _folder(name)
    return _of_folder(*folder.groups()[2:]) if folder and folder.group(3) else None


def _folder(name: str) -> re.Match[str] | None:
    """Return the last folders of one of the layouts: what precedes them is the user's own, whatever it looks like."""
    found = [match for layout in _FOLDERS for match in layout.finditer(name)]
    return max(found, key=re.Match.start, default=None)


def _own(name: str) -> str:
    return name.rpartition("/")[2]


def _of_file(day: str, minute: str) -> Delivery | None:
    try:
        begin = datetime.fromisoformat(f"{day}T{minute}Z")
        return Delivery(begin=begin, end=begin + timedelta(minutes=1), exact=True)
    except (ValueError, OverflowError):  # digits that are not a time, such as 31 February
        return None


def _of_folder(year: str, month: str, day: str, hour: str | None) -> Delivery | None:
    try:
        begin = datetime(int(year), int(month), int(day), int(hour or 0), tzinfo=UTC)
        return Delivery(begin=begin, end=begin + (timedelta(days=1) if hour is None else timedelta(hours=1)), exact=False)
    except (ValueError, OverflowError):
        return None
