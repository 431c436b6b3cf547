"""Texts of SQL windows over event time in microseconds (column ``us``), which several views share."""

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# A fire is written as its time doubled, plus one where the step is the first that sees it: the least is the earliest, and what an
# earlier step has told of is even. Nothing fires so late.
NEVER = 9_000_000_000_000_000_000


def over(key: str, reach: int, least: int = 0) -> str:
    """Return the window of rows of one key that lie up to ``reach`` before a row, ``least`` at the nearest."""
    near = f"{least} preceding" if least else "current row"
    return f"over (partition by {key} order by us range between {reach} preceding and {near})"
