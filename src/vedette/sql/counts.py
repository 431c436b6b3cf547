"""How counts of a state table are added up when a slice is folded into it: so that no number of folds makes one overflow."""

MOST_COUNTED = 1 << 40
"""Where a count of a day or an hour stops: nobody makes so many records, and a million such rows still sum up in 64 bits."""


def added(count: str) -> str:
    """Return the SQL of a count that the row before the slice and the row of the slice, at most one of each, make together."""
    return f"cast(least(sum(least({count}, {MOST_COUNTED})), {MOST_COUNTED}) as bigint) as {count}"
