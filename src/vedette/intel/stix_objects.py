"""Judge the objects of a STIX 2 bundle: which version of one counts, whether it accuses, whom, and for how long. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby

import msgspec

from vedette.intel.entries import OPEN, Validity
from vedette.intel.text import date, shortened

_ACCUSERS = frozenset({"indicator", "infrastructure"})
_ADDRESS_TYPES = frozenset({"ipv4-addr", "ipv6-addr"})
_UNDATED = datetime.min.replace(tzinfo=UTC)
# The vocabulary of indicator types (labels in STIX 2.0). "unknown" names no type, so it says nothing for or against.
_THREATS = frozenset({"malicious-activity", "compromised", "attribution", "anonymization"})
_ANOMALOUS = "anomalous-activity"  # "may not necessarily be malicious"
_HARMLESS = frozenset({"benign", "false-positive", "false positive", "whitelist", "whitelisted", "allowlist", "allowlisted"})
_NOT_FOR_DETECTION = frozenset({'misp:to_ids="false"', "misp:to_ids=false", "to_ids:false"})
# What the source of these relationships does to its target, or shares with it, does not make the target a threat.
_NO_ACCUSATION = frozenset(
    {
        *("targets", "compromises", "exploits", "impersonates", "located-at", "duplicate-of", "derived-from"),
        *("mitigates", "remediates", "investigates", "attributed-to", "authored-by"),
    }
)


class StixObject(msgspec.Struct):
    """The fields that are used, of objects of any type."""

    type: str = ""
    id: str = ""
    name: str = ""
    value: str = ""
    pattern: str | None = None
    pattern_type: str = "stix"
    spec_version: str = ""
    valid_from: str = ""
    valid_until: str = ""
    modified: str = ""
    revoked: object = False
    labels: object = None
    indicator_types: object = None
    confidence: object = None
    relationship_type: str = ""
    start_time: str = ""
    stop_time: str = ""
    source_ref: str = ""
    target_ref: str = ""
    object_refs: list[str] = []
    objects: dict[str, msgspec.Raw] = {}

    @property
    def is_address(self) -> bool:
        """Whether the object is an observed address."""
        return self.type in _ADDRESS_TYPES

    @property
    def is_revoked(self) -> bool:
        """Whether its producer has taken the object back; whatever is not plainly a no is a yes."""
        return self.revoked not in (False, None, 0, "", "false", "False", "0")


def superseded(objects: Iterable[StixObject]) -> frozenset[int]:
    """Return the identities (``id()``) of the objects of which the bundle holds a newer version.

    Versions have the same id; the latest ``modified`` wins, and a revoked one among equals. Observed addresses have no versions,
    and other objects without ``modified`` are older than those with it.
    """
    old: set[int] = set()
    versioned = sorted((item for item in objects if item.id), key=lambda item: item.id)
    for _, group in groupby(versioned, key=lambda item: item.id):
        versions = list(group)
        newest = max(map(_version, versions))
        if len(versions) > 1 and newest > (_UNDATED, False):
            old.update(id(item) for item in versions if _version(item) < newest)
            same = [item for item in versions if _version(item) == newest]
            old.update(id(item) for item in (same[:-1] if newest[0] > _UNDATED else ()))
    return frozenset(old)


def _version(item: StixObject) -> tuple[datetime, bool]:
    return date(item.modified) or _UNDATED if item.modified else _UNDATED, item.is_revoked


def why_not(item: StixObject) -> str:
    """Return why an object accuses nothing, "" if it may accuse: a reason of class ``not applicable`` or ``unreadable``."""
    name = "indicator" if item.type == "indicator" else f"object {item.type}"
    words = _words(item.labels) | _words(item.indicator_types)
    verdict = ""
    if item.is_revoked:
        verdict = f"the {name} is revoked"
    elif harmless := sorted(words & _HARMLESS):
        verdict = f"the {name} is {harmless[0]}"
    elif words & _NOT_FOR_DETECTION:
        verdict = f"the {name} is not meant for detection (to_ids)"
    elif _ANOMALOUS in words and not words & _THREATS:
        verdict = f"the {name} is of type {_ANOMALOUS}, which need not be malicious"
    elif item.confidence == 0 and not isinstance(item.confidence, bool):
        verdict = f"the list has no confidence in the {name}"
    return f"not applicable: {verdict}" if verdict else _unreadable_time(item, name)


def _unreadable_time(item: StixObject, name: str) -> str:
    """Return why the validity of an object is unknown, "" if it can be read: an end that cannot be read must not be no end."""
    for field in ("valid_from", "valid_until", "start_time", "stop_time"):
        text = getattr(item, field)
        if text and date(text) is None:
            return f"unreadable: {field} {shortened(text, 40)!r} of the {name} is not a date"
    return ""


def _words(value: object) -> set[str]:
    """Return labels in lower case; a single one may stand for a list."""
    some = value if isinstance(value, list) else [value]
    return {word.strip().lower() for word in some if isinstance(word, str)}


def accused(live: Sequence[StixObject]) -> Mapping[str, Collection[Validity]]:
    """Return the ids of objects to which indicators and infrastructure are related, and the validities that these give them.

    Args:
        live: the objects that count, of their newest versions.
    """
    accusers = {item.id: (date(item.valid_from), date(item.valid_until)) for item in live if item.type in _ACCUSERS}
    found: dict[str, set[Validity]] = {}
    for item in live:
        if item.type == "relationship" and item.source_ref in accusers and _accuses(item):
            validity = _both(accusers[item.source_ref], (date(item.start_time), date(item.stop_time)))
            found.setdefault(item.target_ref, set()).add(validity)
    for item in live:
        if item.type == "observed-data" and item.id in found:
            for inner in item.object_refs:
                found.setdefault(inner, set()).update(found[item.id])
    return {name: [OPEN] if OPEN in some else sorted(some, key=str) for name, some in found.items()}


def has_accusers(objects: Iterable[StixObject]) -> bool:
    """Tell whether a bundle has indicators or infrastructure, counting or not: else it is a plain list of addresses."""
    return any(item.type in _ACCUSERS for item in objects)


def withdrawn(objects: Iterable[StixObject], live: Iterable[StixObject]) -> frozenset[str]:
    """Return the ids of what only observed data refer to that do not count."""
    every = {inner for item in objects if item.type == "observed-data" for inner in item.object_refs}
    return frozenset(every - {inner for item in live if item.type == "observed-data" for inner in item.object_refs})


def _accuses(relationship: StixObject) -> bool:
    return relationship.relationship_type.strip().lower() not in _NO_ACCUSATION


def _both(one: Validity, other: Validity) -> Validity:
    """Return when both validities hold; it ends before it begins if they never do."""
    begins = [time for time in (one[0], other[0]) if time is not None]
    ends = [time for time in (one[1], other[1]) if time is not None]
    return max(begins, default=None), min(ends, default=None)
