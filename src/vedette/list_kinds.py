"""Kinds of lists: what it means that an address is on one, and which setting and option name its files.

To add a kind, add a member and a row. If calls from its addresses are to raise a finding, add a detection that reads
``listed_callers`` (``detections/tor_ip_caller.py`` is one).
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """The kind of a list: what it means that an address is on it."""

    TRUSTED = "trusted"
    CUSTOM = "custom"
    TOR = "tor"
    MALICIOUS = "malicious"
    SCANNER = "scanner"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKind:
    """What the program knows of a kind.

    ``setting`` names the files of such lists, its singular (``--tor-list``) is the option; ``meaning`` describes the setting,
    ``help`` the option. A list is stale ``max_age_days`` after its date, never if that is infinite; a closed validity of an entry
    is extended by ``grace_days`` (methods 4.3, 4.4). ``calls`` is true if the kind concerns calls from its addresses, and false
    if it concerns flow records only. ``verdict`` is what is assumed of the addresses of a scanner list.
    """

    kind: Kind
    setting: str
    meaning: str
    help: str
    max_age_days: float = math.inf
    grace_days: float = 0.0
    calls: bool = True
    verdict: str = "unknown"

    @property
    def option(self) -> str:
        """The option of ``vedette scan`` as a Python name: ``tor_list``."""
        return self.setting.removesuffix("s")


# If an address is on lists of several kinds, the first of these wins (methods 4.3).
LIST_KINDS: tuple[ListKind, ...] = (
    ListKind(
        kind=Kind.TRUSTED,
        setting="trusted_lists",
        meaning="Lists of addresses that never raise a finding.",
        help="Addresses that never raise a finding.",
    ),
    ListKind(kind=Kind.CUSTOM, setting="custom_lists", meaning="Lists of addresses to watch for.", help="Your own threat list."),
    ListKind(
        kind=Kind.TOR,
        setting="tor_lists",
        meaning="Lists of Tor exits.",
        help="Tor exit addresses.",
        max_age_days=1.0,
        grace_days=1.0,
    ),
    ListKind(
        kind=Kind.MALICIOUS,
        setting="threat_lists",
        meaning="Lists of malicious addresses.",
        help="Known malicious addresses; may be repeated, as all lists may.",
        max_age_days=7.0,
        grace_days=14.0,
    ),
    ListKind(
        kind=Kind.SCANNER,
        setting="scanner_lists",
        meaning="Lists of addresses that scan the internet.",
        help="Known scanners, for flow logs.",
        max_age_days=7.0,
        grace_days=14.0,
        calls=False,
    ),
    ListKind(
        kind=Kind.SCANNER,
        setting="research_lists",
        meaning="Lists of harmless scanners: counted, without findings.",
        help="Benign scanners, which are counted but raise no findings.",
        max_age_days=7.0,
        grace_days=14.0,
        calls=False,
        verdict="research",
    ),
)

CALLER_KINDS: tuple[Kind, ...] = tuple(item.kind for item in LIST_KINDS if item.calls)
"""The kinds that concern calls, the one that wins first."""


ACCUSING_KINDS: tuple[Kind, ...] = tuple(kind for kind in CALLER_KINDS if kind is not Kind.TRUSTED)
"""Those of them that raise findings."""


def kind_of(kind: Kind) -> ListKind:
    """Return what is known of a kind; of scanner lists, that which is known of those without a verdict of their own."""
    return next(item for item in LIST_KINDS if item.kind is kind)


def quoted(kinds: tuple[Kind, ...]) -> str:
    """Return kinds as a list of SQL texts in parentheses."""
    return "(" + ", ".join(f"'{kind}'" for kind in kinds) + ")"


def name_and_path(text: str, folder: Path | None = None) -> tuple[str, str]:
    """Return name and path of a list given as ``NAME=FILE`` or ``FILE``; the name is "" if there is none.

    A file that is called so, in the folder where relative paths start, is meant itself; a name contains no slash.
    """
    name, equals, path = text.partition("=")
    if not equals or not name or not path or "/" in name:
        return "", text
    try:
        there = (folder or Path()).joinpath(text).exists()
    except (OSError, ValueError):  # too long for a name, or not one
        there = False
    return ("", text) if there else (name, path)
