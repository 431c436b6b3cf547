"""Texts of SQL windows over event time in microseconds (column ``us``), which several views share.

When something triggers is a single number: the time in microseconds, doubled, plus one where this step is the first that sees
it. So the least number is the earliest trigger, and it is even where an earlier step has reported it.
"""

# Later than every trigger.
NEVER = 9_000_000_000_000_000_000


def over(key: str, reach: int, least: int = 0) -> str:
    """Return the window of rows with the same key that lie at most ``reach`` and at least ``least`` microseconds before a row."""
    near = f"{least} preceding" if least else "current row"
    return f"over (partition by {key} order by us range between {reach} preceding and {near})"
