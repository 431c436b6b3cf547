"""Lengths of time, in the units of the SQL: microseconds, and bins of five minutes.

A bin is how finely the input can be cut: no slice ever ends within one, so that what is decided per bin never depends on the
cutting.
"""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

BIN = 5 * MINUTE
BINS_PER_HOUR = HOUR // BIN
BINS_PER_DAY = DAY // BIN
