"""Numbers that decide: what a threshold is, and how it is put into words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Number = int | float

_WORDS: Mapping[Number, str] = {
    1: "one",
    2: "two",
    3: "three",
    4: "four",
    5: "five",
    6: "six",
    7: "seven",
    8: "eight",
    9: "nine",
    10: "ten",
    20: "twenty",
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that decides: a setting, and printed in every finding that it helped to produce.

    It stands beside the SQL that uses it as ``$name``. ``{name}`` in its meaning is the value of another threshold.
    """

    name: str
    default: Number
    meaning: str


def by_name(thresholds: Iterable[Threshold]) -> dict[str, Threshold]:
    """Return thresholds by name. One that several detections share is one object.

    Raises:
        ValueError: two thresholds have the same name, so that SQL and settings could not tell them apart.
    """
    found: dict[str, Threshold] = {}
    for threshold in thresholds:
        if found.setdefault(threshold.name, threshold) is not threshold:
            raise ValueError(f"two thresholds are called {threshold.name!r}: a name belongs to one")
    return found


def in_words(number: Number) -> str:
    """Return a number as a text has it: small whole ones as words, others in digits."""
    return _WORDS.get(number) or f"{number:g}"  # 5.0 is found, too


def meanings(thresholds: Iterable[Threshold], values: Mapping[str, Number]) -> dict[str, str]:
    """Return the meaning of each threshold by name; other thresholds that it mentions have the values of ``values``."""
    spelled = {name: in_words(value) for name, value in values.items()}
    return {threshold.name: threshold.meaning.format_map(spelled) for threshold in thresholds}
