"""Load threat lists and look addresses up in them: who lists an address, as what, and when.

``formats/`` parses list files (one module per list format). ``lists`` loads a file, applies the rules and sets its validity.
``index`` looks addresses up. ``bundled`` is the dated snapshot that ships with the package; ``feeds`` the table of public feeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network

from vedette.list_kinds import Kind

__all__ = ["Entry", "Kind", "Network", "Refusal", "ThreatList"]

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One network of a list: its line in the file, what the list says about it, and when it is valid.

    A range that is not a single network becomes several entries with the same line. Open ends are None.
    ``category`` is the list's own label (malware family, "exit", a scanner's name …), which is untrusted text.
    """

    network: Network
    line: int
    category: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line of a list that is not used: its number (from 1), its text (shortened) and the reason."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreatList:
    """A list ready for matching.

    ``as_of`` is the date of the content (file time, or the snapshot's date); the list is stale ``max_age_days`` later.
    ``grace_days`` extends each closed validity for matching (Tor 1, malicious 14, custom 0). ``digest`` is the SHA-256 of the
    file's bytes. ``verdict`` of a scanner list is malicious, unknown or research.
    ``refusals`` holds the first refusals, ``refused`` the number of all per class of reason (``rules.reason_class``).
    ``status`` is ACTIVE, or ERROR if the list has no valid entry: then it is not matched.
    """

    name: str
    kind: Kind
    format: str
    entries: Sequence[Entry]
    refusals: tuple[Refusal, ...] = ()
    digest: str = ""
    as_of: datetime | None = None
    max_age_days: float = 7
    grace_days: float = 0
    licence: str = ""
    location: str = ""
    verdict: str = "unknown"
    status: str = field(default="ACTIVE")
    refused: Mapping[str, int] = field(default_factory=dict, hash=False)
