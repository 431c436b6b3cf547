"""Portable SQL functions: what DuckDB and Spark write differently. To add one, add a row.

All take and return integers or texts that both engines hold alike; times are UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vedette.sql.time import DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of ours: its parameter with Spark's type, the type that Spark returns, and the expression for each engine."""

    name: str
    parameter: str
    meaning: str
    takes: str
    returns: str
    duckdb: str
    spark: str


def _inside(begins: str) -> str:
    """Return the condition for private addresses; ``begins`` is the engine's function for the prefix of a text."""
    shared = [f"'{number}.'" for number in range(64, 100)] + [f"'{number}'" for number in range(100, 128)]
    upper = ", ".join(f"'{number}.'" for number in range(16, 32))
    return (
        f"({begins}(address, '10.') or {begins}(address, '192.168.') or {begins}(address, 'fc') or {begins}(address, 'fd') "
        f"or ({begins}(address, '172.') and substr(address, 5, 3) in ({upper})) "
        f"or ({begins}(address, '100.') and substr(address, 5, 3) in ({', '.join(shared)})))"
    )


def _team(begins: str) -> str:
    return (
        f"case when {begins}(principal, 'sso:') then 'sso:' || split_part(principal, ':', 2) "
        "when principal like '%:role/%' then 'role:' || split_part(principal, '/', -1) else '' end"
    )


FUNCTIONS: tuple[Function, ...] = (
    Function(
        name="microseconds",
        parameter="moment",
        takes="timestamp",
        returns="bigint",
        meaning="Microseconds from 1970-01-01 to a timestamp.",
        duckdb="epoch_us(moment)",
        spark="unix_micros(moment)",
    ),
    Function(
        name="day_number",
        parameter="moment",
        takes="timestamp",
        returns="bigint",
        meaning="Days from 1970-01-01 to a timestamp.",
        duckdb=f"epoch_us(moment) // {DAY}",
        spark=f"unix_micros(moment) div {DAY}",
    ),
    Function(
        name="one_bit",
        parameter="place",
        takes="bigint",
        returns="bigint",
        meaning="The whole number with one bit set, at a position from 0 to 62.",
        duckdb="cast(1 as bigint) << cast(place as integer)",
        spark="shiftleft(1L, cast(place as int))",
    ),
    Function(
        name="bits_set",
        parameter="number",
        takes="bigint",
        returns="bigint",
        meaning="How many bits of a whole number are set.",
        duckdb="cast(bit_count(number) as bigint)",
        spark="cast(bit_count(number) as bigint)",
    ),
    Function(
        name="team",
        parameter="principal",
        takes="string",
        returns="string",
        meaning="What principals of one purpose share: permission set, or role name in any account; empty for others.",
        duckdb=_team("starts_with"),
        spark=_team("startswith"),
    ),
    Function(
        name="is_inside",
        parameter="address",
        takes="string",
        returns="boolean",
        meaning="Whether an address is private: 10/8, 172.16/12, 192.168/16, 100.64/10 (shared) or fc00::/7.",
        duckdb=_inside("starts_with"),
        spark=_inside("startswith"),
    ),
)

# Functions that differ in nothing but their name: DuckDB's and Spark's. ``hash`` takes any number of columns. Its values are the
# engine's own: compare them within a step, and never let one reach a state table or a finding.
RENAMED: Mapping[str, str] = {"hash": "xxhash64"}
