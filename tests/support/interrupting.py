"""Interrupts what takes far longer than it should: a test that hangs would say nothing."""

import gc
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


@contextmanager
def without_collections() -> Iterator[None]:
    """Keep the garbage collector away: going through all that other tests left behind is not the work that is measured."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
