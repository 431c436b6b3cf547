"""Gathers what a run knows besides the logs: lists, geolocation, inventory; and says what of it limits the run's report."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from vedette.clock import now
from vedette.engine import Knowledge
from vedette.intel import ThreatList
from vedette.intel.bundled import bundled_lists
from vedette.intel.lists import load_list
from vedette.inventory import Inventory
from vedette.list_kinds import LIST_KINDS, name_and_path
from vedette.network.geo import Geo
from vedette.rules.thresholds import values
from vedette.settings import Settings
from vedette.store import Store
from vedette.text import coverage
from vedette.text.report import RunReport


def gather(settings: Settings, store: Store) -> Knowledge:
    """Load lists, geolocation databases and the inventory, as the settings and the store name them.

    A list of the bundled snapshot gives way to any other of its kind: what the user brings is newer, and an old list of Tor exits
    would raise false alarms.

    Raises:
        ListError: a file of the settings is not a list.
        ConfigurationError: the inventory cannot be used.
        GeoError: a geolocation database cannot be used.
    """
    lists = [
        load_list(path, name=name, kind=item.kind, verdict=item.verdict)
        for item in LIST_KINDS
        for name, path in map(named_file, getattr(settings, item.setting))
    ]
    lists += store.threat_lists()
    if settings.bundled_lists:
        present = {(item.kind, item.verdict == "research") for item in lists if item.status == "ACTIVE"}
        lists += [item for item in bundled_lists() if (item.kind, item.verdict == "research") not in present]
    return Knowledge(
        lists=_with_own_names(lists),
        geo=Geo.open(settings.geoip) if settings.geoip else None,
        own_networks=tuple(str(network) for network in settings.own_addresses),
        inventory=Inventory.load(Path(settings.inventory)) if settings.inventory else None,
        public_ports=settings.public_ports,
    )


def complete(report: RunReport, known: Knowledge, settings: Settings) -> None:
    """Add to a run's report what was known, and what could not be seen for want of more."""
    had = coverage.Coverage(
        lists=known.lists,
        inventory=known.inventory is not None,
        geolocation=known.geo is not None,
        damaged=known.geo.damaged if known.geo else {},
        data_events=settings.include_data_events,
        own_egress_days=settings.own_egress_days if settings.learn_own_egress else None,
        learning_days=int(values(settings.detection_profile, settings.thresholds)["learning_days"]),
    )
    coverage.complete(report, had, report.last_record or now())


def named_file(text: str | Path) -> tuple[str, Path]:
    """Return name and path of a list given as ``NAME=FILE`` or ``FILE``: without a name, it is the file's without its endings."""
    name, path = name_and_path(str(text))
    file = Path(path)
    return name or file.name.partition(".")[0] or file.name, file


def _with_own_names(lists: Iterable[ThreatList]) -> tuple[ThreatList, ...]:
    """Number the lists that share a name: evidence names the list that it is from."""
    counts: dict[str, int] = {}
    result = []
    for item in lists:
        counts[item.name] = count = counts.get(item.name, 0) + 1
        result.append(item if count == 1 else replace(item, name=f"{item.name}-{count}"))
    return tuple(result)
