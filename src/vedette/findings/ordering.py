"""Orders and spellings that never change: canonical JSON, and the order in which matched lists are reported."""

import json
from collections.abc import Iterable
from datetime import datetime

from vedette.findings.model import Evidence, Sighting
from vedette.list_kinds import Kind

# The list that raises a finding comes first: the precedence of the kinds (methods 4.3), unknown kinds last.
_KIND_ORDER = tuple(Kind)


def canonical(value: object) -> str:
    """Return JSON text that depends only on the value: sorted keys, no spaces, ASCII, other types as their text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def ordered_evidence(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Sort evidence by the precedence of its kind, then by list, line and network; an open validity comes first."""
    return sorted(evidence, key=_evidence_key)


def ordered_sightings(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Sort sightings by their first, then their last moment."""
    return sorted(sightings, key=lambda sighting: (sighting.first, sighting.last))


def _evidence_key(item: Evidence) -> tuple[object, ...]:
    rank = _KIND_ORDER.index(Kind(item.list_kind)) if item.list_kind in _KIND_ORDER else len(_KIND_ORDER)
    return (
        rank,
        item.list_kind,
        item.list_name,
        item.line,
        item.network,
        item.threat_names,
        item.stale,
        _open_first(item.valid_from),
        _open_first(item.valid_to),
    )


def _open_first(time: datetime | None) -> str:
    return "" if time is None else time.isoformat()
