"""The processes that read side by side: one server starts them clean, with what they need already imported."""

from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext

# fork is unsafe beside the threads of Arrow and DuckDB, and spawn would import everything again in each process.
_PRELOADED = [
    "vedette.logs.without_pandas",
    "vedette.engine.spool",
    "vedette.pipeline.reading",
    "vedette.readers.cloudtrail",
    "vedette.readers.flowlogs_text",
]


def context() -> ForkServerContext:
    """Return the context in which pools of processes are made."""
    warm()
    return get_context("forkserver")


def warm() -> None:
    """Start the server now, so that it imports while this process does other things; the processes come later."""
    from vedette.settings import guarded_children  # noqa: PLC0415  # costs a fifth of a second, and help needs none of it

    forkserver.set_forkserver_preload(_PRELOADED)
    with guarded_children():
        forkserver.ensure_running()
