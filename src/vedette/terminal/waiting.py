"""Say what a command waits for, if that is a pipe or standard input and takes long: nobody may write there."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from vedette.terminal.command import STANDARD_STREAM, say


@contextmanager
def waiting(names: Iterable[str | Path], seconds: float = 3.0) -> Iterator[None]:
    """Say after some seconds which of these are waited for, those that are no files; do nothing if all are files."""
    streams = [shown for name in names if (shown := _stream(str(name)))]
    if not streams:
        yield
        return
    timer = Timer(seconds, say, [f"vedette: waiting until {' and '.join(streams)} ends; Ctrl-C stops"])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _stream(name: str) -> str:
    """Return how to call what a name means, "" if it is a file, a folder or nothing."""
    if name == STANDARD_STREAM:
        return "standard input" if sys.stdin is None or not sys.stdin.isatty() else "standard input (Ctrl-D)"
    path = Path(name)
    try:
        return f"the pipe {name!r}" if path.is_fifo() or path.is_char_device() else ""
    except (OSError, ValueError):
        return ""
