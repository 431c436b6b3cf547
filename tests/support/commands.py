"""Runs a command of ``vedette`` in this process, in a terminal 80 columns wide, and tells how it ended."""

import io
import os
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

from vedette import cli


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit status, and what it wrote to standard output and to standard error."""

    status: int
    out: str
    err: str

    @property
    def counts(self) -> dict[str, str]:
        """The lines of a run report, by what they count."""
        return dict(line.split(": ", 1) for line in self.err.splitlines() if ": " in line)


Vedette = Callable[..., Ended]


def run(*arguments: str) -> Ended:
    """Run a command, given as its arguments, and return how it ended."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    with patch.dict(os.environ, {"COLUMNS": "80"}), redirect_stdout(out), redirect_stderr(err):
        try:
            cli.main(list(arguments))
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(bool(end.code))
    return Ended(status, out.getvalue(), err.getvalue())
