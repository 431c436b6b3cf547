"""Start the worker processes that read in parallel: a fork server starts them clean, with what they need already imported."""

from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext

# fork is unsafe with the threads of Arrow and DuckDB, and spawn would import everything again in each process.
_PRELOADED = [
    "vedette.logs.without_pandas",
    "vedette.engine.spool",
    "vedette.pipeline.reading",
    "vedette.readers.cloudtrail",
    "vedette.readers.flowlogs_text",
]


def context() -> ForkServerContext:
    """Return the multiprocessing context for process pools, after starting its fork server."""
    warm()
    return get_context("forkserver")


def warm() -> None:
    """Start the fork server now, so that it imports its modules while this process does other things."""
    from vedette.settings import guarded_children  # noqa: PLC0415  # costs a fifth of a second, and --help does not need it

    forkserver.set_forkserver_preload(_PRELOADED)
    with guarded_children():
        forkserver.ensure_running()
