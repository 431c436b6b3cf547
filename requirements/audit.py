"""Check the locked requirements without any network, and say in plain words what could not be checked (``make audit``).

Faults, which make the exit status 1: a locked release that an advisory concerns; a line without a pin or without a hash; a
pre-release; locks that disagree; an installed distribution whose licence is not allowed. Advisories are read from the file or
folder that the user names (``--advisories``; status 2 if it cannot be read), or from where ``make audit`` installs safety-db
(``--safety-db``). What is not known is no fault: it is listed under "Not checked", and the status stays 0.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from requirements.advisories import SAFETY, Advisories, UnreadableError, read
from requirements.lock import FOLDER, locks

_LINE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==(?P<version>[^\s;]+)\s*(?:;[^#]*)?")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_TOKEN = re.compile(r"[()]|\b(?:AND|OR)\b|(?:(?!\b(?:AND|OR)\b)[^()])+")
_FEW = 10
_OLD_DAYS = 30
# Licences that ask for no more than notices, or concern only changes to the distribution itself, which is never changed here.
# psycopg is a library under the LGPL that is imported, not shipped.
ALLOWED = frozenset(
    {
        *("0BSD", "APACHE-2.0", "BSD", "BSD-2-CLAUSE", "BSD-3-CLAUSE", "CC0-1.0", "CNRI-PYTHON", "ISC", "LGPL-3.0-ONLY", "MIT"),
        *("MIT-0", "MPL-2.0", "PSF-2.0", "UNLICENSE", "ZLIB"),
    }
)
# Names as distributions wrote them before there was a standard.
_NAMES = {
    "MIT LICENSE": "MIT",
    "BSD LICENSE": "BSD",
    "BSD 2-CLAUSE LICENSE": "BSD-2-CLAUSE",
    "BSD 3-CLAUSE LICENSE": "BSD-3-CLAUSE",
    "APACHE 2.0": "APACHE-2.0",
    "APACHE LICENSE 2.0": "APACHE-2.0",
    "APACHE SOFTWARE LICENSE": "APACHE-2.0",
    "ISC LICENSE": "ISC",
    "ISC LICENSE (ISCL)": "ISC",
    "PSFL": "PSF-2.0",
    "PYTHON SOFTWARE FOUNDATION LICENSE": "PSF-2.0",
    "MOZILLA PUBLIC LICENSE 2.0 (MPL 2.0)": "MPL-2.0",
    "THE UNLICENSE (UNLICENSE)": "UNLICENSE",
}


@dataclass(frozen=True, slots=True)
class Pin:
    """A locked release: the file, the name and version in it, and its hashes."""

    file: str
    name: str
    version: str
    hashes: frozenset[str] = frozenset()


@dataclass(slots=True)
class Result:
    """What was found: faults, what was checked, and what could not be."""

    faults: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the report."""
        parts = (("Faults", self.faults or ["none"]), ("Checked", self.checked), ("Not checked", self.unchecked or ["nothing"]))
        return "".join(f"{title}:\n{''.join(f'  - {line}{chr(10)}' for line in lines)}" for title, lines in parts if lines)


def pins_of(file: str, text: str, result: Result) -> list[Pin]:
    """Return the pins of a lock; what is no pin with hashes of a final release is a fault."""
    pins = []
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        content = line.partition("#")[0].strip()
        if not content:
            continue
        hashes = frozenset(_HASH.findall(content))
        match = _LINE.fullmatch(re.sub(r"--hash=\S+", "", content).strip())
        if match is None:
            result.faults.append(f"{file}: not a pin, name==version: {content[:80]}")
            continue
        pin = Pin(file, canonicalize_name(match["name"]), match["version"], hashes)
        pins.append(pin)
        if not hashes or len(hashes) != content.count("--hash="):
            result.faults.append(f"{file}: {pin.name} {pin.version} has no hash, or one that is no SHA-256")
        try:
            version = Version(pin.version)
        except InvalidVersion:
            result.faults.append(f"{file}: {pin.name} {pin.version} is not a version")
        else:
            if version.is_prerelease or version.local:
                result.faults.append(f"{file}: {pin.name} {pin.version} is a pre-release or a local build")
    return pins


def disagreements(pins: Iterable[Pin]) -> Iterator[str]:
    """Yield the distributions that are locked in several ways."""
    by_name: dict[str, list[Pin]] = {}
    for pin in pins:
        by_name.setdefault(pin.name, []).append(pin)
    for name, some in sorted(by_name.items()):
        if len({(pin.version, pin.hashes) for pin in some}) > 1:
            yield f"{name} is locked differently: {', '.join(f'{pin.version} in {pin.file}' for pin in some)}"
        twice = sorted({pin.file for pin in some if sum(other.file == pin.file for other in some) > 1})
        yield from (f"{file}: {name} is locked twice" for file in twice)


def concerned(pins: Iterable[Pin], advisories: Advisories, now: datetime, result: Result) -> None:
    """Compare pins with advisories."""
    some = {(pin.name, pin.version): pin for pin in pins}
    beyond, unreadable = [], []
    for (name, version), pin in sorted(some.items()):
        for advisory in advisories.found.get(name, ()):
            affected = advisory.concerns(version)
            if affected:
                ids = ", ".join(advisory.ids)
                result.faults.append(f"{pin.file}: {name} {version}: {ids}, affects {advisory.affects}: {advisory.said}")
            elif affected is None:
                unreadable.append(f"{name} ({advisory.ids[0]})")
        newest = advisories.newest_known(name)
        if newest is not None and Version(version) > newest:
            beyond.append(name)
    known = sum(name in advisories.found for name, _ in some)
    day = f"{advisories.date:%Y-%m-%d}" if advisories.date else "an unknown day"
    result.checked.append(
        f"{len(some)} locked releases against {sum(map(len, advisories.found.values())):,} advisories of {advisories.name},"
        f" the newest of {day}; they concern {known} of the locked distributions"
    )
    age = (now - advisories.date).days if advisories.date else None
    if age is None or age > _OLD_DAYS:
        old = "" if age is None else f", {age:,} days ago"
        result.unchecked.append(f"what became known after {day}{old}: no advisory since then is in the data")
    if beyond:
        result.unchecked.append(f"releases newer than any that the data mention: {_listed(beyond)}")
    if unreadable:
        result.unchecked.append(f"advisories whose versions cannot be read: {_listed(unreadable)}")


def licences(pins: Iterable[Pin], installed: Mapping[str, Distribution], result: Result) -> None:
    """Compare the licences of what is installed and locked with those that are allowed."""
    names = sorted({pin.name for pin in pins})
    unknown = []
    for name in (item for item in names if item in installed):
        stated = stated_licence(installed[name])
        if not stated:
            unknown.append(name)
        elif not is_allowed(stated):
            result.faults.append(f"{name}: the licence {stated!r} is not one of those allowed")
    away = [name for name in names if name not in installed]
    result.checked.append(f"licences of {len(names) - len(away) - len(unknown)} distributions that are installed here")
    if unknown:
        result.unchecked.append(f"licences of distributions that state none: {_listed(unknown)}")
    if away:
        result.unchecked.append(f"licences of distributions that are not installed here: {_listed(away)}")


def stated_licence(distribution: Distribution) -> str:
    """Return the licence that a distribution states: an expression, else its classifiers, else the beginning of its text."""
    metadata = distribution.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    classified = [item for item in metadata.get_all("Classifier", []) if item.startswith("License ::")]
    names = [item.rpartition("::")[2].strip() for item in classified if not item.endswith("OSI Approved")]
    names = [_NAMES.get(name.upper(), name) for name in names]
    text = metadata["License"].strip() if "License" in metadata else ""
    return " AND ".join(names) or text.partition("\n")[0].strip()


def is_allowed(stated: str) -> bool:
    """Tell whether a licence is allowed: one name, or an expression with AND, OR and brackets."""
    if _is_name_allowed(stated):
        return True
    tokens = [token.strip() for token in _TOKEN.findall(stated.upper()) if token.strip()]
    return _is_any_allowed(tokens) and not tokens


def _is_any_allowed(tokens: list[str]) -> bool:
    found = [_are_all_allowed(tokens)]
    while tokens[:1] == ["OR"]:
        del tokens[0]
        found.append(_are_all_allowed(tokens))
    return any(found)


def _are_all_allowed(tokens: list[str]) -> bool:
    found = [_is_one_allowed(tokens)]
    while tokens[:1] == ["AND"]:
        del tokens[0]
        found.append(_is_one_allowed(tokens))
    return all(found)


def _is_one_allowed(tokens: list[str]) -> bool:
    if tokens[:1] != ["("]:
        return bool(tokens) and _is_name_allowed(tokens.pop(0))
    del tokens[0]
    found = _is_any_allowed(tokens)
    return tokens[:1] == [")"] and tokens.pop(0) == ")" and found


def _is_name_allowed(name: str) -> bool:
    name = name.strip().upper()
    return _NAMES.get(name, name) in ALLOWED


def _listed(names: list[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more


def audit(
    texts: Mapping[str, str], advisories: Advisories | None, installed: Mapping[str, Distribution], now: datetime
) -> Result:
    """Check locks, given as texts by file name, against advisories and against what is installed."""
    result = Result()
    pins = [pin for file, text in texts.items() for pin in pins_of(file, text, result)]
    result.faults += disagreements(pins)
    result.checked.append(f"{len(pins)} lines of {', '.join(texts)}: pins, hashes, final releases, agreement")
    if advisories is None:
        result.unchecked.append("advisories: no data were given, and none could be installed")
    else:
        concerned(pins, advisories, now, result)
    licences(pins, installed, result)
    result.unchecked.append("whether a locked release was withdrawn (yanked) since it was locked: only the registry knows")
    result.unchecked.append("oldest-pip.txt, which is old on purpose: make package tries the locks in an environment of it")
    return result


def advisories_of(named: Path | None, safety: Path | None) -> Advisories | None:
    """Return the advisories that the user names, otherwise those of an installed safety-db, None if there are neither.

    Raises:
        UnreadableError: those that the user names cannot be read, or those installed are damaged.
    """
    if named is not None:
        return read(named)
    return None if safety is None or not (file := safety / "safety_db" / SAFETY).is_file() else read(file)


def main(arguments: list[str]) -> int:
    """Print the report of an audit; return 1 if it has faults, and 2 if the advisories cannot be read."""
    parser = argparse.ArgumentParser(prog="requirements.audit", description="Check the locked requirements without any network.")
    parser.add_argument(
        "--advisories", type=Path, metavar="PATH", help="advisories: OSV records, or safety-db's insecure_full.json"
    )
    parser.add_argument("--safety-db", type=Path, metavar="FOLDER", help="where safety-db is installed, if it could be")
    parser.add_argument("locks", nargs="*", type=Path, metavar="LOCK", help="lock files; by default those of this folder")
    given = parser.parse_args(arguments)
    installed: dict[str, Distribution] = {canonicalize_name(item.metadata["Name"]): item for item in distributions()}
    files = given.locks or [FOLDER / lock.name for lock in locks()]
    try:
        texts = {path.name: path.read_text(encoding="utf-8") for path in files}
        advisories = advisories_of(given.advisories, given.safety_db)
    except (UnreadableError, OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"audit: {error}\n")
        return 2
    result = audit(texts, advisories, installed, datetime.now(UTC))
    sys.stdout.write(result.text())
    return 1 if result.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
