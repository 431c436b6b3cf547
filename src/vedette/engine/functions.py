"""Portable SQL functions: what DuckDB and Spark write differently. To add one, add a row.

All take and return integers or texts that both engines hold alike; times are UTC.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of ours: its parameters, and the expression for each engine."""

    name: str
    parameters: tuple[str, ...]
    meaning: str
    duckdb: str
    spark: str


FUNCTIONS: tuple[Function, ...] = (
    Function(
        name="microseconds",
        parameters=("moment",),
        meaning="Microseconds from 1970-01-01 to a timestamp.",
        duckdb="epoch_us(moment)",
        spark="unix_micros(moment)",
    ),
    Function(
        name="day_number",
        parameters=("moment",),
        meaning="Days from 1970-01-01 to a timestamp.",
        duckdb="epoch_us(moment) // 86400000000",
        spark="unix_micros(moment) div 86400000000",
    ),
)
