"""Plays the cases of permission discovery in one archive: everybody with a history, in a world of known networks.

A case names its people in its ``asks``, lines of ``notation`` whose time may begin with ``-3d/`` for a day before the last. Each
of them works before that on eight days, two weeks to three weeks ago, as ``history`` says (``WHO`` is each of them, a line with
another name is theirs alone); ``days`` says other days, ``history: []`` none. A crowd knows all calls but those of ``rare``
cases, so that no call is rare among peers by chance. Further words of lines: ``agent=NAME`` of the simulation's agents,
``console``, ``key=NAME`` for another access key, ``user=NAME`` and ``role=NAME`` for whom a call names.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from geo_database import database
from notation import blob, call, key_of
from scanning import Outcome, lists_of, scan
from written_cases import CASES

from vedette.findings import Finding
from vedette.simulate.world.agents import user_agent

TODAY = datetime.fromisoformat("2026-03-18T00:00:00+00:00")  # a Wednesday
USUAL = (21, 14)  # days before today between which everybody works
OFFICE, LISTED = "192.0.2.10", "192.0.2.77"
HISTORY = ("WHO 192.0.2.10 ec2:DescribeInstances agent=boto3",)
CROWD = tuple(f"crowd-{number}" for number in range(6))
NETWORKS = {  # owner, number and country
    "192.0.2.0/25": (64500, "Example Office", "DE"),
    "192.0.2.128/25": (64501, "Example Branch", "DE"),
    "198.51.100.0/25": (64510, "Hotel Guest Net", "FR"),
    "198.51.100.128/25": (64511, "Spree Broadband", "DE"),
    "203.0.113.0/25": (64520, "Cheap Servers", "DE"),
    "203.0.113.128/25": (64521, "Faraway Servers", "RO"),
}
_CROWD_PLACES = (OFFICE, "192.0.2.130", "198.51.100.5", "203.0.113.5")  # networks that the organisation knows
_CALLS_A_DAY = 8
_TYPES = {f"Recon:IAMUser/{name.title()}Permissions": name for name in ("network", "resource", "user")}


@dataclass(frozen=True, slots=True, order=True)
class Told:
    """A finding in the words of the cases: whose, of which category, its codes with points, severity, and number of calls."""

    who: str
    category: str
    codes: str
    severity: float


def load(stem: str, *, kept: str = "") -> list[dict[str, Any]]:
    """Return the cases of a file, those of its archive of that name (``archive``)."""
    everything = yaml.safe_load((CASES / f"{stem}.yaml").read_text(encoding="utf-8"))
    return [case for case in everything if "asks" in case and case.get("archive", "") == kept]


def played(cases: Sequence[Mapping[str, Any]], folder: Path, **settings: object) -> Outcome:
    """Play cases in one archive and scan it, with what is known of the networks, and a custom list of one address."""
    records = [call_of(line, number) for number, line in enumerate(_lines(cases))]
    chosen: dict[str, object] = {"geoip": geolocation(folder), **settings}
    return scan([blob(records)], lists_of({"custom": [LISTED]}, None), finding_types=(), **chosen)


def geolocation(folder: Path) -> tuple[str, str]:
    """Write databases of the networks' owners and countries; return their paths."""
    asn, country = folder / "asn.mmdb", folder / "country.mmdb"
    owners = {
        block: {"autonomous_system_number": number, "autonomous_system_organization": name}
        for block, (number, name, _) in NETWORKS.items()
    }
    places = {block: {"country": {"iso_code": code, "names": {"en": code}}} for block, (_, _, code) in NETWORKS.items()}
    asn.write_bytes(database("GeoLite2-ASN", owners))
    country.write_bytes(database("GeoLite2-Country", places))
    return str(asn), str(country)


def told(findings: Iterable[Finding]) -> list[Told]:
    """Say of the discovery findings among some what the cases say, in order."""
    return sorted(
        Told(_short(item.seen.target), _TYPES[item.seen.finding_type], _codes(item), item.summary.severity)
        for item in findings
        if item.seen.finding_type in _TYPES
    )


def wanted(cases: Iterable[Mapping[str, Any]], *members: str) -> list[Told]:
    """Return what the ``members`` of cases, ``expect`` and ``quiet``, state."""
    return sorted(
        Told(item.get("who") or people(case)[0], item["category"], _sorted(item["codes"]), item.get("severity", 5))
        for case in cases
        for member in members
        for item in case.get(member, ())
    )


def people(case: Mapping[str, Any]) -> list[str]:
    """Return who asks in a case, in order."""
    return list(dict.fromkeys(line.split()[1] for line in case["asks"]))


def call_of(line: str, number: int) -> dict[str, Any]:
    """Return the record of a line, with the words that only these cases have."""
    time, who, address, api, *words = line.split()
    days, _, clock = time.rpartition("/")
    day = TODAY - timedelta(days=int(days.strip("-d") or 0))
    marks = {name: value for name, _, value in (word.partition("=") for word in words)}
    service, _, operation = api.partition(":")
    record: dict[str, Any] = call(
        " ".join((f"{day:%Y-%m-%d}T{clock}{':00' if clock.count(':') == 1 else ''}Z", who, address, api, *words)), number
    )
    record["userAgent"] = user_agent(marks.get("agent", "boto3"), service, operation)
    record["requestParameters"] = {f"{kind}Name": marks[kind] for kind in ("user", "role") if kind in marks} or None
    if "console" in marks:
        record["sessionCredentialFromConsole"] = "true"
    if "key" in marks:
        record["userIdentity"]["accessKeyId"] = key_of(marks["key"])
    return record


def _lines(cases: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    common = {line.split()[3] for case in cases if not case.get("rare") for line in case["asks"]}
    rare = {line.split()[3] for case in cases if case.get("rare") for line in case["asks"]}
    if any(case.get("history") != [] or case.get("crowd") for case in cases):
        for number, name in enumerate(CROWD):
            place = _CROWD_PLACES[number % len(_CROWD_PLACES)]
            yield from _worked(
                [f"{name} {place} {api}" for api in ("ec2:DescribeInstances", *sorted(common - rare))], USUAL, each=1
            )
    for case in cases:
        for who in people(case):
            own = [line.replace("WHO ", f"{who} ") for line in case.get("history", HISTORY) if line.split()[0] in {"WHO", who}]
            yield from _worked(own, tuple(case.get("days", USUAL)))
        others = {line.split()[0] for line in case.get("history", ())} - {"WHO", *people(case)}
        for other in sorted(others):
            yield from _worked([line for line in case["history"] if line.split()[0] == other], tuple(case.get("days", USUAL)))
        yield from case["asks"]


def _worked(lines: Sequence[str], days: tuple[int, ...], *, each: int = 0) -> Iterator[str]:
    """Yield eight calls (more where ``each`` of every line are more) on each day from noon on, of the lines in turn."""
    first, last = days
    count = max(len(lines) * each, _CALLS_A_DAY) if lines else 0
    for day in range(first, last - 1, -1):
        for number in range(count):
            line = lines[number % len(lines)]
            yield f"-{day}d/12:{number % 60:02}:{number // 60:02} {line}"


def _short(who: str) -> str:
    return who.rpartition(":user/")[2] if ":user/" in who else who.partition(":role/")[2] or who


def _codes(finding: Finding) -> str:
    return _sorted(
        " ".join(f"{name} {value:g}" for name, value in finding.summary.observed.items() if len(name) == 2 and name[1].isdigit())
    )


def _sorted(codes: str) -> str:
    words = codes.split()
    return " ".join(sorted(f"{code} {points}" for code, points in zip(words[::2], words[1::2], strict=True)))
