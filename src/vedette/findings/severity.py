"""Severity: numbers, bands and names (contract 1.10)."""

import math
from difflib import get_close_matches

from vedette.errors import ConfigurationError

LOW, MEDIUM, HIGH = 2.0, 5.0, 8.0
"""The number that GuardDuty uses for each band in findings of these types."""

# name and lower bound of each band, highest first
BANDS: tuple[tuple[str, float], ...] = (("Critical", 9.0), ("High", 7.0), ("Medium", 4.0), ("Low", 1.0))

_HIGHEST = 10.0


def label(severity: float) -> str:
    """Return the name of a severity's band; what is below every band is Low."""
    return next((name for name, bound in BANDS if severity >= bound), "Low")


def lowered(severity: float) -> float:
    """Return the severity one step lower: 8 becomes 5, 5 becomes 2, 2 stays."""
    return MEDIUM if severity >= HIGH else LOW


def parse_level(text: str) -> float:
    """Read a severity as people write it: a band's name in any case (its lower bound) or a number from 0 to 10.

    Raises:
        ConfigurationError: it is neither.
    """
    wanted = text.strip()
    names = {name.lower(): bound for name, bound in BANDS}
    if wanted.lower() in names:
        return names[wanted.lower()]
    try:
        number = float(wanted)
    except ValueError:
        near = get_close_matches(wanted.lower(), names, n=1)
        hint = f"; did you mean {near[0]}?" if near else ": give low, medium, high, critical or a number from 0 to 10"
        raise ConfigurationError(f"{text!r} is not a severity{hint}") from None
    if not math.isfinite(number) or not 0 <= number <= _HIGHEST:
        raise ConfigurationError(f"{text!r} is not a severity: numbers go from 0 to 10")
    return number
