"""Read a time as text, whatever program exported the log; how one is read depends on nothing but its own text."""

import re
from datetime import UTC, datetime, timedelta, timezone

# All that Arrow understands, and more: where Arrow refuses one time of a batch, all of them are read here.
_ISO = re.compile(
    r"""(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<clock>(?:[01]\d|2[0-3])(?::[0-5]\d(?::[0-5]\d)?)?)
        (?:(?<=:\d\d:\d\d)\.(?P<fraction>\d{1,6})\d*+)?
        \s*+(?:[Zz]|UTC|(?P<sign>[+-])(?P<hours>\d\d)(?::?(?P<minutes>\d\d))?)?""",
    re.ASCII | re.VERBOSE,
)


def moment(text: str | None) -> datetime | None:
    """Return the time that ``text`` gives in ISO 8601, in UTC, from year 1 to 9999; None if it is not a time.

    A time without a zone is UTC. Exports of query engines write a space for the T, nanoseconds, and no zone. As for ``datetime``
    itself, there is no second 60 and, in every version of Python, no hour 24; no clock of AWS writes either.
    """
    parts = _ISO.fullmatch(text or "")
    if parts is None:
        return None
    try:
        microseconds = int((parts["fraction"] or "").ljust(6, "0"))
        when = datetime.fromisoformat(f"{parts['day']}T{parts['clock']}") + timedelta(microseconds=microseconds)
        offset = timedelta(hours=int(parts["hours"]), minutes=int(parts["minutes"] or 0)) if parts["sign"] else timedelta()
        return when.replace(tzinfo=timezone(-offset if parts["sign"] == "-" else offset)).astimezone(UTC)
    except (ValueError, OverflowError):  # 31 February, an offset of 99 hours, a zone before year 1
        return None
