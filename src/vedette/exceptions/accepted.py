"""Accepted behaviour: whose first calls are expected, and until when. Their findings are archived, with the reason.

An entry is ``PRINCIPAL`` or ``PRINCIPAL CATEGORY``, and may go on with ``until DAY`` or ``until DAY: REASON``.
CATEGORY is that of a detection (``network``, ``resource`` or ``user``), PRINCIPAL what its findings name as their target; ``*``
in it stands for anything.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from vedette.detections import all_detections
from vedette.exceptions.entry import Entry, read_all
from vedette.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """One entry: the principals that it names, and the category of calls, "" for all of them."""

    entry: Entry
    principal: re.Pattern[str]
    category: str = ""

    def names(self, finding: Finding) -> bool:
        """Say whether a finding is accepted, at the time of its first event."""
        detection = all_detections().get(finding.seen.finding_type)
        category = detection.category if detection else ""
        return (
            category != ""
            and self.category in {"", category}
            and self.entry.holds(finding.seen.first.time)
            and self.principal.fullmatch(finding.seen.target) is not None
        )


def parse(entries: Iterable[str]) -> tuple[Acceptance, ...]:
    """Read the entries of the setting.

    Raises:
        ConfigurationError: some of them cannot be read; all are named.
    """
    return read_all(entries, "accepted_behaviour", _acceptance)


def _categories() -> set[str]:
    return {detection.category for detection in all_detections().values()} - {""}


def _acceptance(entry: Entry) -> Acceptance:
    principal, _, category = entry.who.rpartition(" ")
    if not principal or category not in _categories():
        principal, category = entry.who, ""
    principal = principal.strip()
    if not principal.strip("*"):
        raise ValueError("names everybody: raise the points that make a finding instead")
    return Acceptance(entry=entry, principal=_matching(principal), category=category)


def _matching(principal: str) -> re.Pattern[str]:
    """Return the pattern of a principal in which ``*`` stands for anything.

    What stands between two ``*`` is looked for once (an atomic group): its first place leaves the most room for the rest.
    """
    first, *parts = map(re.escape, re.split(r"\*+", principal))
    between = "".join(f"(?>.*?{part})" for part in parts[:-1])
    return re.compile(first + between + (f".*{parts[-1]}" if parts else ""), re.DOTALL)


def accepted(finding: Finding, acceptances: Iterable[Acceptance]) -> Finding:
    """Return a finding of accepted behaviour archived and with the reason, any other finding unchanged."""
    acceptance = next((item for item in acceptances if item.names(finding)), None)
    if acceptance is None:
        return finding
    why = f"Accepted behaviour ({acceptance.entry.text}): archived."
    return replace(finding, archived=True, summary=replace(finding.summary, reasons=(why, *finding.summary.reasons)))
