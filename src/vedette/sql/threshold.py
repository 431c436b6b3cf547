"""Numbers that decide: what a threshold is."""

from dataclasses import dataclass

Number = int | float


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that decides: a setting, and printed in every finding that it helped to produce."""

    name: str
    default: Number
    meaning: str
