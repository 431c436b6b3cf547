"""Start the worker processes that read in parallel: a fork server starts them clean, with what they need already imported."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver, get_context, parent_process, resource_tracker
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext
from multiprocessing.util import Finalize
from threading import Thread

# fork is unsafe with the threads of Arrow and DuckDB, and spawn would import everything again in each process.
_PRELOADED = [
    "vedette.logs.without_pandas",
    "vedette.engine.spool",
    "vedette.pipeline.reading",
    "vedette.readers.cloudtrail",
    "vedette.readers.flowlogs_text",
]
_LAST = -100  # after what still needs the helpers of multiprocessing
_OF_TERMINALS = frozenset({signal.SIGINT, signal.SIGHUP})


def context() -> ForkServerContext:
    """Return the multiprocessing context for process pools, after starting its fork server."""
    warm()
    return get_context("forkserver")


def warm() -> None:
    """Start the fork server now, so that it imports its modules while this process does other things."""
    from vedette.settings import guarded_children  # noqa: PLC0415  # costs a fifth of a second, and --help does not need it

    forkserver.set_forkserver_preload(_PRELOADED)
    with guarded_children(), _deaf():
        resource_tracker.ensure_running()  # it hears SIGINT again afterwards
        signal.pthread_sigmask(signal.SIG_BLOCK, _OF_TERMINALS)
        forkserver.ensure_running()
    Finalize(None, _stop_servers, exitpriority=_LAST)


def follow_parent() -> None:
    """End this worker process when the process that started it is gone, even if it was killed; the initializer of a pool."""
    if (parent := parent_process()) is not None:
        Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def kill_workers(pool: ProcessPoolExecutor) -> None:
    """Kill the workers of a pool with whatever they are doing, so that it can be shut down at once."""
    for process in list((pool._processes or {}).values()):  # noqa: SLF001  # public from Python 3.14 on
        process.kill()
    # Half a result may be in the pipe, whose rest the pool would await for ever.
    pool._result_queue._writer.close()  # type: ignore[attr-defined]  # noqa: SLF001


def _stop_servers() -> None:
    """Stop the helpers of multiprocessing and wait for them, which it would leave to whoever inherits them."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # noqa: SLF001
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]  # noqa: SLF001


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


@contextmanager
def _deaf() -> Iterator[None]:
    """Let child processes that are started meanwhile, and theirs, not hear what a terminal sends to all processes at once.

    They end when their parent has ended or kills them.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_TERMINALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
