"""Read the current time; no other module does."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(tz=UTC)
