"""Load the dated snapshot of lists that ships with the package, so that the first run works offline.

It consists of facts (addresses, operators' names) from public lists whose licence allows it; each file's header names its source,
date and licence. The snapshot ages: it is stale once its date plus its kind's maximum age has passed, and every match says so.
Scanners come as two lists, because research scanners (verdict research) are not a threat. Only addresses are included: lists
widened to /24 networks are left out, because neighbouring addresses of cloud providers would match.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from vedette.intel import Kind, ThreatList
from vedette.intel.lists import load_list


@dataclass(frozen=True, slots=True, kw_only=True)
class _Snapshot:
    name: str
    file: str
    kind: Kind
    licence: str
    verdict: str = "unknown"


_SNAPSHOTS = (
    _Snapshot(name="bundled-tor-exits", file="tor-exits.txt.gz", kind=Kind.TOR, licence="MIT"),
    _Snapshot(name="bundled-malicious", file="malicious.txt.gz", kind=Kind.MALICIOUS, licence="Unlicense", verdict="malicious"),
    _Snapshot(name="bundled-scanners", file="scanners-unknown.txt.gz", kind=Kind.SCANNER, licence="MIT"),
    _Snapshot(
        name="bundled-research-scanners",
        file="scanners-research.txt.gz",
        kind=Kind.SCANNER,
        licence="MIT and CC0-1.0",
        verdict="research",
    ),
)


@cache
def bundled_lists() -> tuple[ThreatList, ...]:
    """Return the lists of the snapshot: Tor exits, malicious addresses, scanners of unknown and of research operators."""
    folder = files("vedette.intel") / "snapshot"
    return tuple(
        load_list(
            (folder / item.file).read_bytes(),
            name=item.name,
            kind=item.kind,
            format="IPSET",
            licence=item.licence,
            verdict=item.verdict,
            location=f"bundled:{item.file}",
        )
        for item in _SNAPSHOTS
    )
