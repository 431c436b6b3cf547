"""What a discovery finding means in words: a score sheet that can be recomputed by hand (methods 5.4, 5.7)."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from vedette.findings.identity import timestamp
from vedette.findings.model import Finding, Sighting, Summary
from vedette.findings.severity import HIGH, LOW, MEDIUM
from vedette.findings.tallies import most_frequent
from vedette.guardduty.reading import member
from vedette.sql.threshold import in_words

_NAMED = 5
_KEPT_APIS = 50
_FEW = 3  # circumstances without which it would not be a finding: more of them say nothing
_HIGH_RISK = ("n4", "u2", "t1")
_FORGEABLE = ("e2", "e4")  # what these two rest on is easily forged
_ACCEPTED = timedelta(days=90)
_COPIED = re.compile(r"[\w+=,.@:/-]+", re.ASCII)
_FROM_ELSEWHERE = ("n1", "n2", "n3", "n4", "u1", "u2", "t1")
_MITIGATIONS = {
    "e1": "it was console browsing",
    "e2": "it was the usual tool from the usual network",
    "e3": "others made the same call for the first time around then",
    "e4": "others with the same role name or permission set make the call",
    "e5": "the same person made the call under another principal",
    "e6": "a policy or group was granted in the previous seven days, by somebody else from a usual network",
}


def summarise(finding: Finding, thresholds: Mapping[str, int | float], category: str, asked: str) -> Summary:
    """Put a merged discovery finding into words; ``category`` is that of its type, ``asked`` says what its calls show.

    Severity (methods 5.4, contract 1.8): 5; 8 from ``high`` points, with N4, U2 or T1, or where the credentials were issued to an
    instance; 2 where every call was denied and nothing else was strange.
    """
    seen = finding.seen
    codes, mitigations = _points(seen, "code:"), _points(seen, "mitigation:")
    total = max(0.0, sum(codes.values()) + sum(mitigations.values()))
    user = _user(seen)
    return Summary(
        title=f"Unusual {category} permission reconnaissance by {user}.",
        description=(
            f"APIs that show {asked} were called by {user} in circumstances that are unusual for this principal: "
            f"{total:g} points, {thresholds['needed']:g} make a finding."
        ),
        severity=_severity(seen, codes, total, thresholds["high"]),
        reasons=(*_reasons(seen, codes, mitigations, total, thresholds), _acceptance(seen, category)),
        thresholds={name: float(value) for name, value in thresholds.items()},
        observed={
            "points": total,
            **{code.upper(): points for code, points in codes.items()},
            **{code.upper(): points for code, points in mitigations.items()},
            "calls": float(seen.count),
            "apis": float(len(seen.tallies.get("apis", {}))),
            "history_days": seen.facts.get("history_days", 0.0),
            "history_calls": seen.facts.get("history_calls", 0.0),
        },
        additional={"recentApiCalls": _recent(seen), "points": total, "codes": sorted(code.upper() for code in codes)},
    )


def _points(seen: Sighting, prefix: str) -> dict[str, float]:
    found = {name.removeprefix(prefix): value for name, value in seen.facts.items() if name.startswith(prefix) and value}
    return dict(sorted(found.items(), key=lambda item: (-abs(item[1]), item[0])))


def _severity(seen: Sighting, codes: Mapping[str, float], total: float, high: float) -> float:
    if total >= high or any(code in codes for code in _HIGH_RISK) or seen.facts.get("from_instance"):
        return HIGH
    denied = sum(tally.count for tally in seen.tallies.get("denied", {}).values())
    return LOW if denied >= seen.count and not any(code in codes for code in _FROM_ELSEWHERE) else MEDIUM


def _user(seen: Sighting) -> str:
    return str(member(seen.resource, "accessKeyDetails").get("userName") or seen.target)


def _recent(seen: Sighting) -> list[dict[str, object]]:
    most = most_frequent(seen.tallies.get("apis", {}))[:_KEPT_APIS]
    return [{"api": api.partition(":")[2], "count": tally.count} for api, tally in most]


def _reasons(
    seen: Sighting,
    codes: Mapping[str, float],
    mitigations: Mapping[str, float],
    total: float,
    thresholds: Mapping[str, int | float],
) -> Iterable[str]:
    for code, points in codes.items():
        yield f"{code.upper()} +{points:g}: {_said(code, seen, thresholds)}"
    for code, points in mitigations.items():
        yield f"{code.upper()} {points:g}: {_MITIGATIONS[code]}."
    yield f"Total: {total:g} points; {seen.facts.get('needed', thresholds['needed']):g} make a finding."
    yield from _context(seen)
    if seen.facts.get("from_instance"):
        yield "The credentials were issued to an EC2 instance: severity 8."
    yield from _lower(codes, mitigations, total, {**thresholds, "needed": seen.facts.get("needed", thresholds["needed"])})


def _lower(
    codes: Mapping[str, float], mitigations: Mapping[str, float], total: float, thresholds: Mapping[str, int | float]
) -> Iterable[str]:
    """Say what would have lowered the score: the circumstances without which it is no finding, and what takes points off."""
    rest, without = total, list[str]()
    for code, points in codes.items():
        if rest < thresholds["needed"]:
            break
        if code != "g1":  # the gate: without a first call there is nothing to score
            rest -= points
            without.append(f"{code.upper()} ({points:g})")
    if 0 < len(without) <= _FEW and rest < thresholds["needed"]:
        yield f"It would not have been a finding without {' and '.join(without)}."
    forged = any(code in codes for code in _HIGH_RISK)
    spared = [
        f"{_MITIGATIONS[code]} ({code.upper()} -{thresholds[code]:g})"
        for code in _MITIGATIONS
        if code not in mitigations and not (forged and code in _FORGEABLE)
    ]
    if spared:
        yield f"It would have scored less if {'; '.join(spared)}."


def _acceptance(seen: Sighting, category: str) -> str:
    """Return the last reason: the entry that accepts the behaviour, ready to be copied.

    Anybody may write names into a log: only one that the shell and the setting take as it stands is put into a command.
    """
    if not _COPIED.fullmatch(seen.target):
        return "To accept it, name the principal in accepted_behaviour."
    until = min(seen.last.time.date(), date.max - _ACCEPTED) + _ACCEPTED
    entry = f"{seen.target} {category} until {until}: reviewed"
    # a comma separates the entries of a variable, except within JSON
    value = f'["{entry}"]' if "," in entry else entry
    return f"To accept it: VEDETTE_ACCEPTED_BEHAVIOUR='{value}'"


def _context(seen: Sighting) -> Iterable[str]:
    modes = seen.tallies.get("modes", {})
    if "learning" in modes:
        days = seen.facts.get("archive_days", 0)
        yield f"Learning: the archive reached back {days:g} days; only high-risk circumstances count."
    elif "peers" in modes:
        yield "The principal has too little history of its own: it was compared with its peers, and one more point was needed."
    if seen.facts.get("members"):
        callers = -seen.facts.get("fewest_peer_callers", 0.0)
        peers = next(iter(seen.tallies.get("peers", {})), "everybody")
        yield f"For comparison: {callers:g} of {seen.facts['members']:g} peers ({peers}) make the least common of these calls."


def _said(code: str, seen: Sighting, thresholds: Mapping[str, int | float]) -> str:
    return _SENTENCES[code].format(
        **{name: in_words(value) for name, value in thresholds.items()},
        apis=_listed(seen, "apis"),
        count=f"{seen.facts.get('apis', 0):g}",
        of_day=f"{seen.facts.get('apis_of_day', 0):g}",
        denied=f"{seen.facts.get('denied_apis', 0):g}",
        networks=_listed(seen, "networks"),
        places=_places(seen),
        usual=_usual(seen),
        countries=_listed(seen, "countries"),
        agents=_listed(seen, "agents"),
        attacks=_listed(seen, "attacks"),
        addresses=_listed(seen, "addresses"),
        days=f"{seen.facts.get('history_days', 0):g}",
        span=f"{seen.facts.get('history_span', 0):g}",
        calls=f"{seen.facts.get('history_calls', 0):,g}",
        first=timestamp(seen.first.time),
    )


_SENTENCES = {
    "g1": "first use of {apis} in {span} days of history ({calls} other calls on {days} days).",
    "g2": "a service that the principal had not used before.",
    "g3": "the principal had never asked about this category.",
    "p1": "fewer than one in {p1_one_in} of its peers make the call.",
    "n1": "came from {places} in {span} days of history{usual}.",
    "n2": "nobody here had used that network, or it belongs to a hosting, tunnel or proxy provider.",
    "n3": "a country that is new to the principal: {countries}.",
    "n4": "the credentials were used from two networks within an hour, or off the instance they were issued to ({addresses}).",
    "u1": "a tool that is new to the principal: {agents}.",
    "u2": "the user agent names {attacks}.",
    "b1": "{count} discovery calls that are new to the principal in one episode.",
    "s1": "{of_day} discovery calls that are new to the principal within 24 hours, over several episodes.",
    "b2": "{b2_subjects} or more services or regions that the principal had not used.",
    "d1": "{denied} APIs were denied in one episode, to a principal that is seldom denied anything.",
    "d2": "a call made for the first time was denied.",
    "c1": "preceded by the principal's first GetCallerIdentity: somebody checked whose credentials these are.",
    "h1": "at an hour of the week at which the person had never worked ({first}).",
    "k1": "the access key had been unused for {k1_days} days, or had never been used before.",
    "t1": "{addresses} is on a Tor, malicious or custom list.",
    "r1": "the root user, outside the console.",
}


def _places(seen: Sighting) -> str:
    """Say which networks are new, and whether calls also came from others."""
    new = seen.tallies.get("new_networks", {})
    if not new or len(seen.tallies.get("networks", {})) == len(new):
        return f"{_listed(seen, 'places') or _listed(seen, 'networks')}, which the principal had not used"
    return f"{_listed(seen, 'new_networks')}, which the principal had not used (other calls came from networks that it had)"


def _usual(seen: Sighting) -> str:
    """Say which network the principal used before, or how many of them."""
    known = seen.facts.get("networks_known", 0.0)
    if known > 1:
        return f"; before, it had used {known:g} others"
    return f"; before, it had used only {_listed(seen, 'known_networks')}" if known == 1 else ""


def _listed(seen: Sighting, name: str) -> str:
    keys = list(seen.tallies.get(name, {}))
    return ", ".join(keys[:_NAMED]) + (f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else "")
