"""Read untrusted text: lines, comma-separated rows, dates, and the line numbers of strings in a document."""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from io import BytesIO, TextIOWrapper

LONGEST_CATEGORY = 120
SHOWN_TEXT = 80
MOST_ROW_LINES = 40  # a quoted field may hold line breaks; an unclosed quote must not swallow the file
_ENCODINGS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
# Hours from UTC of the zones that lists name: those of RFC 2822 and central Europe's. Other names are read as UTC.
_ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "CET": 1, "CEST": 2}
_ZONE = r"(?: ?(?P<zone>Z\b|[+-]\d\d:?\d\d\b|[A-Z]{3,4}\b))?"
_UNIX_DATE = re.compile(
    rf"\b(?P<month>[A-Z][a-z]{{2}}) {{1,2}}(?P<day>\d{{1,2}}) (?P<clock>\d\d:\d\d:\d\d){_ZONE} (?P<year>\d{{4}})\b"
)
_ISO_DATE = re.compile(rf"\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{{1,9}})?)?{_ZONE})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def decoded(data: bytes) -> TextIOWrapper:
    """Return the bytes as text: UTF-8, or UTF-16 with a byte order mark; invalid bytes become a replacement character."""
    encoding = next((name for mark, name in _ENCODINGS if data.startswith(mark)), "utf-8")
    return TextIOWrapper(BytesIO(data), encoding=encoding, errors="replace", newline=None)


def lines(data: bytes) -> Iterator[tuple[int, str]]:
    """Yield the number (from 1) and the stripped text of each line that is not blank; any line ending is accepted."""
    for number, line in enumerate(decoded(data), 1):
        if text := line.strip():
            yield number, text


def rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of its first line and the stripped fields of each comma-separated row that is not blank."""
    pending, first = "", 0
    for number, line in enumerate(decoded(data), 1):
        if not pending:
            first = number
        pending += line
        if pending.count('"') % 2 and number - first < MOST_ROW_LINES:
            continue
        if pending.count('"') % 2:  # the quote is never closed: every line is a row
            for offset, single in enumerate(pending.splitlines()):
                yield from _row(first + offset, single)
        else:
            yield from _row(first, pending)
        pending = ""
    for offset, single in enumerate(pending.splitlines()):
        yield from _row(first + offset, single)


def _row(number: int, text: str) -> Iterator[tuple[int, list[str]]]:
    if not text.strip():
        return
    try:
        fields = next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error:  # a field of more than 128 KiB, or a NUL in older versions
        fields = text[:SHOWN_TEXT].split(",")
    yield number, [field.strip() for field in fields]


def shortened(text: str, limit: int = SHOWN_TEXT) -> str:
    """Return text as one line without control characters, cut to ``limit`` characters."""
    plain = _CONTROL.sub(" ", text[: limit + 1]).strip()
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def category(text: str) -> str:
    """Return a list's own label of an entry as it is stored: one line of at most ``LONGEST_CATEGORY`` characters."""
    return shortened(text, LONGEST_CATEGORY)


@lru_cache(maxsize=1_024)  # the entries of a list mostly share their dates
def date(text: str) -> datetime | None:
    """Return the first date in a text (ISO 8601, RFC 2822, or as the command ``date`` prints it) in UTC, or None.

    A zone may follow the time directly or after a blank, as an offset or as a name; a time without one is in UTC.
    """
    try:
        if match := _UNIX_DATE.search(text):
            month, day = _MONTHS[match["month"]], int(match["day"])
            return _utc(datetime.fromisoformat(f"{match['year']}-{month:02}-{day:02}T{match['clock']}"), match["zone"])
        if match := _ISO_DATE.search(text):
            zone = match["zone"]
            written = match.group() if zone is None else match.group()[: match.start("zone") - match.start()].rstrip()
            return _utc(datetime.fromisoformat(written), zone)
        time, _, zone = text.strip().rpartition(" ")
        return _utc(parsedate_to_datetime(time), zone) if zone in _ZONES else _utc(parsedate_to_datetime(text.strip()))
    except (ValueError, KeyError, TypeError, IndexError, OverflowError):
        return None


def _utc(time: datetime, zone: str | None = None) -> datetime:
    """Return a time in UTC; ``zone`` is that of a time without one of its own, as it is written."""
    if time.tzinfo is not None:
        return time.astimezone(UTC)
    if zone is not None and zone[0] in "+-":
        return time.replace(tzinfo=datetime.strptime(zone, "%z").tzinfo).astimezone(UTC)
    return time.replace(tzinfo=UTC) - timedelta(hours=_ZONES.get(zone or "", 0))


class Finder:
    """Finds the line numbers of strings in a JSON document, requested in the order in which they occur.

    It searches forward only, and stops for good at the first string that is not found as written (an escaped quote), so that
    the work stays proportional to the document. From then on it returns the last number found.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._line = 1
        self._found = True

    @property
    def last(self) -> int:
        """Return the last number found, 1 at first."""
        return self._line

    def line(self, text: str) -> int:
        """Return the number (from 1) of the line that contains the JSON string ``text``."""
        if self._found:
            position = self._data.find(b'"' + text.encode("utf-8", "surrogatepass") + b'"', self._position)
            self._found = position >= 0
            if self._found:
                self._line += self._data.count(b"\n", self._position, position)
                self._position = position
        return self._line
