"""Accepted behaviour: whose first calls are no news, until when. Their findings are kept, archived, with the reason.

An entry is ``PRINCIPAL``, with or without ``network``, ``resource`` or ``user``, then ``until DAY`` or ``until DAY: REASON``.
PRINCIPAL is what findings of the discovery types name as their target; ``*`` in it stands for anything.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from vedette.detections import all_detections
from vedette.exceptions.entry import Entry, read_all
from vedette.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """One entry: the principals that it names, and the category of calls ("": every one)."""

    entry: Entry
    principal: re.Pattern[str]
    category: str = ""

    def names(self, finding: Finding) -> bool:
        """Say whether a finding of a discovery type is accepted when it began."""
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
    pattern = ".*".join(map(re.escape, re.split(r"\*+", principal)))
    return Acceptance(entry=entry, principal=re.compile(pattern, re.DOTALL), category=category)


def accepted(finding: Finding, acceptances: Iterable[Acceptance]) -> Finding:
    """Return a finding of behaviour that was accepted archived, with the reason; others as they are."""
    acceptance = next((item for item in acceptances if item.names(finding)), None)
    if acceptance is None:
        return finding
    why = f"Accepted behaviour ({acceptance.entry.text}): archived."
    return replace(finding, archived=True, summary=replace(finding.summary, reasons=(why, *finding.summary.reasons)))
