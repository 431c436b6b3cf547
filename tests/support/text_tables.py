"""Tables written as text: a line with the names of the columns, a line per row, cells between bars.

An empty cell is null, two quotes are an empty text. ``501..520`` stands for a row per number; ranges of one row go in step, and a
range of times is spread evenly over them. A time is written as ``12:00:30`` or ``100d 12:00``, whatever unit its column holds.
"""

import re
from collections.abc import Iterator, Mapping

NOTHING = "nothing"

Row = dict[str, str | None]


class NotationError(ValueError):
    """A table that cannot be read; the message shows what was written."""


def parse(text: str) -> tuple[list[str], list[Row]]:
    """Return the names of the columns of a text table, and its rows with all ranges written out.

    Raises:
        NotationError: a row has more or fewer cells than columns, or a range is none.
    """
    if text.strip() == NOTHING:
        return [], []
    lines = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.strip()]
    names, rows = lines[0], lines[1:]
    for row in rows:
        if len(row) != len(names):
            raise NotationError(f"{' | '.join(row)!r} has {len(row)} cells, {' | '.join(names)!r} has {len(names)}")
    return names, [one for row in rows for one in _written_out(dict(zip(names, row, strict=True)))]


def _written_out(row: Mapping[str, str]) -> Iterator[Row]:
    """Return the rows that a row with ranges stands for."""
    ranges = {name: _values(name, cell) for name, cell in row.items() if ".." in cell}
    counts = {len(values) for values in ranges.values() if values is not None}
    if len(counts) > 1:
        raise NotationError(f"ranges of different lengths: {' | '.join(row.values())!r}")
    if ranges and not counts:
        raise NotationError(f"times are spread over a range of something else: {' | '.join(row.values())!r}")
    for place in range(max(counts, default=1)):
        found: Row = {}
        for name, cell in row.items():
            values = ranges.get(name)
            text = values[place] if values else _spread(name, cell, place, *counts) if name in ranges else cell
            found[name] = None if not text else "" if text == "''" else text
        yield found


_NUMBERS = re.compile(r"(?P<head>.*?)(?P<first>\d+)\.\.(?P=head)(?P<last>\d+)")
_MOMENTS = re.compile(r"(?P<first>[\dd: ]*[:d][\dd: ]*)\.\.(?P<last>[\dd: ]+)")


def _values(name: str, cell: str) -> list[str] | None:
    """Return the texts of a range, None for times in microseconds, which are spread over the other ranges."""
    if unit_of(name) and (match := _MOMENTS.fullmatch(cell)):
        if unit_of(name) == 1:
            return None
        first, last = moment(name, match["first"]), moment(name, match["last"])
        return [str(number) for number in range(first, last + 1)]
    if match := _NUMBERS.fullmatch(cell):
        return [f"{match['head']}{number}" for number in range(int(match["first"]), int(match["last"]) + 1)]
    raise NotationError(f"{cell!r} is not a range")


def _spread(name: str, cell: str, place: int, count: int) -> str:
    first, last = (moment(name, text) for text in cell.split(".."))
    return str(first + (last - first) * place // max(count - 1, 1))


_SECOND, _BIN, _HOUR, _DAY = 1_000_000, 300_000_000, 3_600_000_000, 86_400_000_000
_UNITS = {
    **dict.fromkeys(("us", "time", "valid_from", "valid_to", "stale_after"), 1),
    **dict.fromkeys(("api_before", "denied_before", "service_before", "region_before"), 1),
    "bin": _BIN,
    "hour": _HOUR,
    "day": _DAY,
}
_MOMENT = re.compile(r"(?:(?P<day>\d+)d)? ?(?:(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d))?)?")


def unit_of(name: str) -> int:
    """Return the microseconds of the unit in which a column holds times, by the end of its name; 0 where it holds none."""
    return next((unit for ending, unit in _UNITS.items() if name == ending or name.endswith((f"_{ending}", f".{ending}"))), 0)


def is_moment(name: str, text: str) -> bool:
    """Return whether a cell is a time of its column, and not the number of one."""
    return bool(unit_of(name)) and not text.isdecimal() and _MOMENT.fullmatch(text) is not None


def moment(name: str, text: str) -> int:
    """Return a time such as ``12:00:30`` or ``100d 12:00`` (of day 100 since 1970) in the unit of a column.

    Raises:
        NotationError: it is not a time, or the column does not hold any.
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None or not unit_of(name):
        raise NotationError(f"{text!r} is not a time of column {name!r}")
    day, hour, minute, second = (int(match[part] or 0) for part in ("day", "hour", "minute", "second"))
    return (((day * 24 + hour) * 60 + minute) * 60 + second) * _SECOND // unit_of(name)
