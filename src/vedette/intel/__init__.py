"""Threat lists: what is known about addresses, and since when.

``formats/`` parses list files (one module a list format). ``lists`` gives a parsed file its validity and refuses bad entries.
``index`` looks addresses up. ``bundled`` is the dated snapshot that ships with the package; ``feeds`` the table of public feeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network

Network = IPv4Network | IPv6Network


class Kind(StrEnum):
    """What being on a list means."""

    TRUSTED = "trusted"
    CUSTOM = "custom"
    TOR = "tor"
    MALICIOUS = "malicious"
    SCANNER = "scanner"


# Which kind wins when an address is on several lists (methods 4.3); scanner lists concern flows only.
PRECEDENCE: tuple[Kind, ...] = (Kind.TRUSTED, Kind.CUSTOM, Kind.TOR, Kind.MALICIOUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One network of a list: where it stands in the file, what the list says of it, and when it is valid.

    Ranges that are no network become several entries with the same line. Open ends are None.
    ``category`` is the list's own word (malware family, "exit", scanner's name …), untrusted text.
    """

    network: Network
    line: int
    category: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line of a list that takes no part: its number (from 1), what stood there (shortened) and why."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreatList:
    """A list ready for matching.

    ``as_of`` is the day the content is from (file time, or the snapshot's date); ``max_age_days`` after it the list is stale.
    ``grace_days`` extends each closed validity for matching (Tor 1, malicious 14, custom 0). ``digest`` is the SHA-256 of the
    file's bytes. ``verdict`` of a scanner list: malicious, unknown or research.
    ``refusals`` holds the first of them, ``refused`` how many there are by class of reason (``rules.reason_class``).
    ``status`` is ACTIVE, or ERROR when nothing in it is valid: then it takes no part.
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
