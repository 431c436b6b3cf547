"""What a finding of an IP-caller type means in words: title, description, severity, and the reasons with their numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from vedette.catalog.denials import is_denial
from vedette.findings.identity import timestamp
from vedette.findings.model import Evidence, Finding, Sighting, Summary, Tally
from vedette.findings.ordering import ordered_evidence
from vedette.findings.severity import HIGH, LOW, MEDIUM, lowered
from vedette.findings.tallies import count, listed, most_frequent
from vedette.guardduty.reading import member

# Entries of GuardDuty's apiCalls: the calls made most often. The total is in ``observed``.
KEPT_CALLS = 200
# Lists and codes that a sentence names before it says "and N more".
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one type.

    ``kind`` is the kind of list that raises it. ``title`` and ``description`` are templates with ``{api}``, ``{address}``,
    ``{user}`` and ``{list}``, the name of the deciding list. ``names_list`` says whether the type's additionalInfo has
    ``threatListName``, ``names_provider`` whether it has ``unusual.isps``.
    """

    kind: str
    title: str
    description: str
    names_list: bool = False
    names_provider: bool = False


def summarise(finding: Finding, thresholds: Mapping[str, int | float], words: Words) -> Summary:
    """Put a merged finding of an IP-caller type into words.

    Severity (methods 4.5): 5; 8 when the root user called; one step lower when every call was denied. An address of the
    user's own makes a different finding, with severity 2: somebody has listed it.
    """
    seen = finding.seen
    evidence = ordered_evidence(seen.evidence)
    deciding = [item for item in evidence if item.list_kind == words.kind] or evidence
    severity = _severity(seen)
    title, description = _title_and_description(seen, deciding, words)
    return Summary(
        title=title,
        description=description,
        severity=severity,
        reasons=tuple(_reasons(seen, deciding, [item for item in evidence if item not in deciding], severity)),
        thresholds={name: float(value) for name, value in thresholds.items()},
        observed=_observed(seen),
        additional=_additional(seen, deciding, words),
    )


def _severity(seen: Sighting) -> float:
    if seen.facts.get("own_egress"):
        return LOW
    severity = HIGH if seen.facts.get("root") else MEDIUM
    return lowered(severity) if _denied(seen) >= seen.count else severity


def _title_and_description(seen: Sighting, deciding: list[Evidence], words: Words) -> tuple[str, str]:
    names = {"api": _api(seen), "address": seen.target, "user": _user(seen), "list": deciding[0].list_name if deciding else "?"}
    if not seen.facts.get("own_egress"):
        return words.title.format_map(names), words.description.format_map(names)
    return (
        "Your own address {address} is on list {list}.".format_map(names),
        (
            "Calls from {address} come from your own network (latest: {api} by {user}), and that address is on list {list}. "
            "Either a system behind it has been compromised, or the entry is wrong or out of date."
        ).format_map(names),
    )


def _reasons(seen: Sighting, deciding: list[Evidence], others: list[Evidence], severity: float) -> Iterable[str]:
    if seen.facts.get("own_egress"):
        yield f"{seen.target} is one of your own egress addresses: all its callers are in this one finding, severity {LOW:g}."
    for item in deciding[:_NAMED]:
        yield f"{seen.target} is on list {_entry(item)}."
    if len(deciding) > _NAMED:
        yield f"The address matches {_counted(len(deciding) - _NAMED, 'more list entry', 'more list entries')} of that kind."
    if seen.facts.get("root"):
        yield "Called as root."
    yield _calls(seen)
    if _denied(seen) >= seen.count and not seen.facts.get("own_egress"):
        yield f"Every call was denied: severity {severity:g}, one step lower."
    yield from _stale(seen, [*deciding, *others])
    for item in others[:_NAMED]:
        yield f"The address is also on {item.list_kind} list {_entry(item)}."
    if len(seen.tallies.get("regions", {})) > 1:
        yield f"Called in {len(seen.tallies['regions'])} regions: {listed(seen.tallies['regions'], _NAMED)}."
    if seen.tallies.get("errors"):
        yield f"Error codes: {listed(seen.tallies['errors'], _NAMED)}."


def _calls(seen: Sighting) -> str:
    apis = len(seen.tallies.get("apis", {}))
    denied, failed = _denied(seen), _failed(seen)
    parts = [f"{_counted(seen.count, 'listing call', 'listing calls')} to {_counted(apis, 'API', 'APIs')}"]
    if seen.first.time == seen.last.time:
        parts[0] += f" at {_minute(seen.first.time)} UTC"
    else:
        parts[0] += f" between {_minute(seen.first.time)} and {_minute(seen.last.time)} UTC"
    if denied:
        parts.append(f"{denied:,} denied")
    if failed > denied:
        parts.append(f"{failed - denied:,} failed for other reasons")
    return f"{', '.join(parts)}."


def _stale(seen: Sighting, evidence: list[Evidence]) -> Iterable[str]:
    for name in sorted({item.list_name for item in evidence if item.stale})[:_NAMED]:
        days = seen.facts.get(f"list_age_days:{name}")
        age = "past its maximum age" if days is None else f"{_counted(int(days), 'day', 'days')} old"
        yield f"List {name} was {age} at the time: treat it as weaker evidence."


def _entry(item: Evidence) -> str:
    where = f"{item.list_name} (line {item.line}, {item.network})"
    if item.valid_from and item.valid_to:
        return f"{where}, valid from {item.valid_from:%Y-%m-%d} to {item.valid_to:%Y-%m-%d}"
    if item.valid_from:
        return f"{where}, valid since {item.valid_from:%Y-%m-%d}"
    return f"{where}, valid until {item.valid_to:%Y-%m-%d}" if item.valid_to else where


def _observed(seen: Sighting) -> dict[str, float]:
    return {
        "calls": float(seen.count),
        "apis": float(len(seen.tallies.get("apis", {}))),
        "denied": float(_denied(seen)),
        "failed": float(_failed(seen)),
        "regions": float(len(seen.tallies.get("regions", {}))),
        "lists": float(len({item.list_name for item in seen.evidence})),
    }


def _additional(seen: Sighting, deciding: list[Evidence], words: Words) -> dict[str, object]:
    additional: dict[str, object] = {"apiCalls": _api_calls(seen)}
    if words.names_list and deciding:
        additional["threatListName"] = deciding[0].list_name
    provider = member(seen.action, "awsApiCallAction", "remoteIpDetails", "organization").get("isp")
    if words.names_provider and provider:
        additional["unusual"] = {"isps": provider}
    return additional


def _api_calls(seen: Sighting) -> list[dict[str, object]]:
    """Return GuardDuty's apiCalls: the most frequent first; APIs of one name in several services are one entry."""
    totals: dict[str, Tally] = {}
    for key, tally in seen.tallies.get("apis", {}).items():
        count(totals, key.partition(":")[2], tally)
    return [
        {"name": name, "count": tally.count, "firstSeen": _epoch(tally.first), "lastSeen": _epoch(tally.last)}
        for name, tally in most_frequent(totals)[:KEPT_CALLS]
    ]


def _denied(seen: Sighting) -> int:
    return sum(tally.count for code, tally in seen.tallies.get("errors", {}).items() if is_denial(code))


def _failed(seen: Sighting) -> int:
    return sum(tally.count for tally in seen.tallies.get("errors", {}).values())


def _api(seen: Sighting) -> str:
    return str(member(seen.action, "awsApiCallAction").get("api", "an API"))


def _user(seen: Sighting) -> str:
    details = member(seen.resource, "accessKeyDetails")
    return str(details.get("userName") or details.get("principalId") or details.get("accessKeyId") or "an unknown principal")


def _counted(number: int, singular: str, plural: str) -> str:
    return f"{number:,} {singular if number == 1 else plural}"


def _minute(time: datetime) -> str:
    return timestamp(time)[:16].replace("T", " ")


def _epoch(time: datetime) -> int:
    return int(time.timestamp())
