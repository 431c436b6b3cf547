"""Times as microseconds since the start of 1970 (UTC), as tables, state and stores hold them."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(time: datetime) -> int:
    """Return the whole microseconds from 1970 to a time."""
    return (time - EPOCH) // _MICROSECOND


def moment(us: int) -> datetime:
    """Return the time that is so many microseconds after 1970, or the first or last one that ``datetime`` can represent."""
    return EPOCH + min(max(us, EARLIEST_US), LATEST_US) * _MICROSECOND


EARLIEST_US, LATEST_US = microseconds(datetime.min.replace(tzinfo=UTC)), microseconds(datetime.max.replace(tzinfo=UTC))
"""The first and the last moment that ``datetime`` can represent."""
