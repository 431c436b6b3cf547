"""Summarise what a run saw of research scanners and of ports that are meant to answer the internet (methods 3.3)."""

from collections.abc import Iterable
from datetime import datetime

from vedette.epoch import EPOCH
from vedette.exposure.ports import OPEN, PROBES, rows
from vedette.findings.rows import text, whole
from vedette.state_files.generation import Generation
from vedette.state_files.location import StateLocation
from vedette.text.report import counted

LINES = 20
_COLUMNS = ("instance_id", "interface_id", "port", "verdict", "remote_address")


def digest(
    generation: Generation,
    first: datetime,
    last: datetime,
    *,
    location: StateLocation,
    expected: Iterable[tuple[str | None, int]],
) -> tuple[str, ...]:
    """Return at most ``LINES`` lines about the days from ``first`` to ``last``, the port found by most scanners first.

    Args:
        generation: the state after the run.
        first: the time of the run's oldest record.
        last: the time of its newest record.
        location: the location of the state files.
        expected: ports that are meant to answer the internet, each with its instance ID (None: every instance).

    Raises:
        EngineError: a state file is missing or damaged.
    """
    meant = frozenset(expected)
    research: dict[tuple[str, int], set[str]] = {}
    public: dict[tuple[str, int], set[str]] = {}
    days = (first - EPOCH).days, (last - EPOCH).days
    for row in rows(generation, location, PROBES, OPEN, days=days, distinct=_COLUMNS):
        instance_id, port = text(row.get("instance_id")), whole(row.get("port"))
        key = instance_id or text(row.get("interface_id")), port
        if not meant.isdisjoint({(None, port), (instance_id, port)}):
            public.setdefault(key, set()).add(text(row.get("remote_address")))
        elif text(row.get("verdict")) == "research":
            research.setdefault(key, set()).add(text(row.get("remote_address")))
    return (*_research(research), *_public(public))


def _research(found: dict[tuple[str, int], set[str]]) -> Iterable[str]:
    most = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    shown = most if len(most) < LINES else most[: LINES - 2]
    for (resource, port), scanners in shown:
        yield f"port {port} of {resource} is visible to {counted(len(scanners), 'research scanner')}"
    if left := len(most) - len(shown):
        yield f"{counted(left, 'more port')} visible to research scanners; vedette exposure lists them"


def _public(found: dict[tuple[str, int], set[str]]) -> Iterable[str]:
    if found:
        scanners = counted(len(set().union(*found.values())), "scanner")
        yield f"{counted(len(found), 'expected public port')} answered {scanners}"
