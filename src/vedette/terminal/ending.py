"""End a command in good order when a signal asks for it: what was begun is undone, and the status tells the signal."""

import _thread
import os
import signal
import sys
import threading
from time import sleep
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}
_OF_SIGNALS = 128  # what shells add to the number of a signal for the exit status
_AGAIN = 0.01  # seconds
_LONGEST_CLEANING = 30.0  # seconds


class Ending:
    """Turns the first signal into a ``KeyboardInterrupt`` within its block, and ignores the others while that cleans up.

    If cleaning up takes longer than half a minute, the process ends nevertheless. A signal that is ignored when the block begins,
    as under nohup, stays ignored. ``is_last`` says that the process ends after the block.
    """

    def __init__(self, *, is_last: bool) -> None:
        self._is_last = is_last
        self._number = 0
        self._before: dict[int, Any] = {}
        self._hook: Callable[[sys.UnraisableHookArgs], object] = sys.unraisablehook
        self._working = threading.Lock()

    @property
    def status(self) -> int:
        """The exit status for the signal that asked to end; 0 if none did."""
        return self._number and _OF_SIGNALS + self._number

    @property
    def word(self) -> str:
        """What became of the command."""
        return _WORDS[signal.Signals(self._number)]

    def __enter__(self) -> Self:
        """Take the signals; those of another thread than the main one cannot be taken."""
        if threading.current_thread() is threading.main_thread():
            self._working.acquire()
            self._hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
            for number in _WORDS:
                if signal.getsignal(number) not in {signal.SIG_IGN, None}:
                    self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Give the signals back; if the process ends by one of them, go on to ignore all while the interpreter cleans up."""
        if not self._working.locked():
            return
        ends = self._is_last and self._number
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if ends else handler)
        sys.unraisablehook = self._hook
        if not ends:
            self._working.release()

    def _received(self, number: int, _frame: FrameType | None) -> None:
        if self._number:
            return
        self._number = number
        # Not by threading, whose locks the main thread may hold just now.
        _thread.start_new_thread(self._end_in_time, ())
        raise KeyboardInterrupt

    def _unraisable(self, lost: "sys.UnraisableHookArgs") -> None:
        """Raise again, when this has returned, what was raised in a destructor, where it has no effect."""
        if isinstance(lost.exc_value, KeyboardInterrupt) and self._number:
            _thread.start_new_thread(self._again, (signal.Signals(self._number),))
        else:
            self._hook(lost)

    def _again(self, number: signal.Signals) -> None:
        sleep(_AGAIN)
        self._number = 0
        _thread.interrupt_main(number)

    def _end_in_time(self) -> None:
        if not self._working.acquire(timeout=_LONGEST_CLEANING):
            os._exit(self.status)
        self._working.release()
