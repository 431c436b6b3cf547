"""What a finding type adds to the explanation of its findings: sections of facts, and the steps to take next."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """Facts under a heading: values by name, for people to read. A value that is None or empty is unknown, and is not shown."""

    heading: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: a sentence, and a shell command where one does it. Names from the log are quoted in it, and untrusted."""

    text: str
    command: str = ""
