"""The progress bar of a scan: bytes read, records per second, time left."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn

from vedette.clock import now
from vedette.engine import Reading


class Bar:
    """A progress bar on standard error; its total stays open if the sizes of the blobs are unknown (standard input)."""

    def __init__(self) -> None:
        self._records = 0
        self._started = now()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[rate]} records/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop drawing and clear the line."""
        self._progress.stop()

    def start(self, blobs: int, stored_bytes: int) -> None:
        """Set the total to read."""
        self._started = now()
        self._task = self._progress.add_task(f"{blobs:,} files", total=stored_bytes or None, rate="0")

    def advance(self, reading: Reading) -> None:
        """Add what has been read since the last call."""
        if self._task is None:
            return
        self._records += sum(reading.records.values())
        seconds = max((now() - self._started).total_seconds(), 0.001)
        self._progress.update(self._task, advance=reading.stored_bytes, rate=f"{self._records / seconds:,.0f}")
