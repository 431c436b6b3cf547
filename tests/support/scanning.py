"""Runs the whole pipeline over blobs, as ``vedette scan`` does, and gives what it found."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from vedette.detections import all_detections
from vedette.findings import Finding
from vedette.formats import all_formats
from vedette.intel import Kind, ThreatList
from vedette.intel.lists import load_list
from vedette.logs.blob import Blob
from vedette.pipeline import composition
from vedette.pipeline.knowledge import gather
from vedette.settings import load
from vedette.store import Store
from vedette.text.report import RunReport

# What listed callers do for the first time may raise discovery findings beside theirs (methods 5.5). Tests with lists are about
# lists, unless they name their finding types themselves.
WITHOUT_DISCOVERY = tuple(kind for kind in all_detections() if not kind.endswith("Permissions"))
AS_OF = datetime(2026, 3, 14, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The findings of a run in order of id, and its report."""

    findings: tuple[Finding, ...]
    report: RunReport

    @property
    def text(self) -> str:
        """The findings in GuardDuty's export form, a line each: equal findings are equal bytes."""
        render = all_formats()["guardduty"].render
        return "".join(json.dumps(render(finding), sort_keys=True) + "\n" for finding in self.findings)


def lists_of(texts: Mapping[str, Sequence[str]], as_of: datetime | None = AS_OF) -> tuple[ThreatList, ...]:
    """Make a list of each kind from lines of addresses; ``kind/name`` names it, else it is called by its kind.

    ``research`` is a scanner list of those who mean no harm. ``…@DAY``: its entries are valid on that day only.
    """
    return tuple(_list_of(label, lines, as_of) for label, lines in texts.items())


def _list_of(label: str, lines: Sequence[str], as_of: datetime | None) -> ThreatList:
    label, _, day = label.partition("@")
    kind, _, name = label.partition("/")
    found = load_list(
        "\n".join(lines).encode(),
        name=name or label,
        kind=Kind.SCANNER if kind == "research" else Kind(kind),
        format="TXT",
        as_of=as_of,
        verdict="research" if kind == "research" else "unknown",
        grace_days=0 if day else None,
    )
    if not day:
        return found
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    end = start + timedelta(days=1)
    return replace(found, entries=tuple(replace(entry, valid_from=start, valid_to=end) for entry in found.entries))


def scan(
    blobs: Iterable[Blob],
    lists: tuple[ThreatList, ...] = (),
    *,
    own_networks: tuple[str, ...] = (),
    store_class: type[Store] = Store,
    engine: str = "duckdb",
    **settings: object,
) -> Outcome:
    """Read blobs in this process into the store of the settings (else one for this run), and return what the run found."""
    if lists and "finding_types" not in settings:
        settings["finding_types"] = WITHOUT_DISCOVERY
    chosen = load(None, {"workers": 1, "bundled_lists": False, "engine": engine, **settings})
    with store_class.open(chosen.store) if chosen.store else store_class.ephemeral() as store:
        known = gather(chosen, store)
        knowledge = replace(known, lists=(*known.lists, *lists), own_networks=(*known.own_networks, *own_networks))
        with composition.pipeline(chosen, store, knowledge) as running:
            report = running.bulk(blobs)
        found = store.findings_of(sorted(running.findings))
    return Outcome(findings=tuple(found), report=report)
