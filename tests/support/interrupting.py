"""Interrupts what takes far longer than it should: a test that hangs would say nothing."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class GivenUpError(BaseException):
    """It took too long; no ``except Exception`` stops it."""


@contextmanager
def given_up_after(seconds: float) -> Iterator[None]:
    """Interrupt what takes longer, on the wall: while a timer of CPU time runs, the clock of CPU time is coarse."""

    def give_up(*_: object) -> None:
        raise GivenUpError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
