"""Standard output and standard error that may be full, closed, a pipe without a reader, or unable to show a character."""

import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from vedette.errors import OutputError, ReaderGoneError

_INPUT, _OUTPUT, _MESSAGES = 0, 1, 2


class Descriptor(io.FileIO):
    """A standard stream. Once writing has failed, it takes everything and writes nothing: one message is enough."""

    def __init__(self, number: int, *, silent: bool) -> None:
        super().__init__(number, "w", closefd=False)
        self._silent = silent
        self._failed = False

    def write(self, data: Any, /) -> int:  # noqa: ANN401  # bytes of any kind
        """Write some of the data and return how many bytes; wait if the stream does not block.

        Raises:
            ReaderGoneError: what reads the output has ended.
            OutputError: the output is closed, or its disk is full.
        """
        if self._failed:
            return len(data)
        try:
            while (written := super().write(data)) is None:
                select.select([], [self], [])
        except OSError as error:
            self._failed = True
            if self._silent:  # there is nobody to tell
                return len(data)
            if error.errno == errno.EPIPE:
                raise ReaderGoneError("what reads standard output has ended") from error
            reason = "is closed" if error.errno == errno.EBADF else f"cannot be written ({error.strerror})"
            raise OutputError(f"standard output {reason}") from error
        return written


@contextmanager
def standard_streams() -> Iterator[None]:
    """Replace the standard streams of the process by such that raise errors of ours, or none, for the duration of the block.

    Standard error never fails. A character that the encoding lacks is written as "?". Streams that somebody has replaced before,
    as a test does, stay.
    """
    before = sys.stdout, sys.stderr
    _occupy()
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(_OUTPUT, before[0], silent=False)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(_MESSAGES, before[1], silent=True)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _text(number: int, like: TextIO | None, *, silent: bool) -> TextIO:
    binary = io.BufferedWriter(Descriptor(number, silent=silent))
    encoding = like.encoding if like is not None else "utf-8"
    lines = silent or (like is not None and like.isatty())
    return io.TextIOWrapper(binary, encoding=encoding, errors="replace", line_buffering=lines)


def _occupy() -> None:
    """Open what is closed of the standard descriptors, which would else become those of the next files, such as the store.

    Standard output stays such that nothing can be written.
    """
    for number in (_INPUT, _OUTPUT, _MESSAGES):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_WRONLY if number == _MESSAGES else os.O_RDONLY)  # takes the lowest number
            os.set_inheritable(opened, True)  # noqa: FBT003  # child processes must not take it for their files either
