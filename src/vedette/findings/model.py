"""The values of this package: a sighting is one matched thing, a finding is the merged sightings of one identity.

Everything in a sighting merges by an operation that is associative and commutative (minimum, maximum, sum, union, the first
few by moment), so that a finding does not depend on the order of the input or on how it is divided.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

KEPT_SAMPLES = 20
"""How many records a finding refers to one by one; the rest are counted."""


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A point in event time with a tie-breaker (the record's event id, or object and position): a total order."""

    time: datetime
    tie: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something was seen, first and last. Merges by sum, minimum and maximum."""

    count: int
    first: datetime
    last: datetime

    def plus(self, other: "Tally") -> "Tally":
        """Return both as one."""
        return Tally(self.count + other.count, min(self.first, other.first), max(self.last, other.last))


@dataclass(frozen=True, slots=True, order=True)
class Sample:
    """One kept record: its moment, and where it is and what it says, as JSON text, so that samples can be compared and sorted."""

    moment: Moment
    text: str


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Evidence:
    """A list entry that matched: the list and its kind, the network, and the line.

    ``threat_names`` are as in GuardDuty's threatIntelligenceDetails. ``stale`` says whether the list was past its maximum age at
    the time of the event. ``valid_from`` and ``valid_to`` (None: open) are the entry's own validity.
    """

    list_name: str
    list_kind: str
    network: str
    line: int
    threat_names: tuple[str, ...] = ()
    stale: bool = False
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One matched thing: identity, times, count, evidence.

    The identity is ``(finding_type, account_id, resource_key, target)``. ``region`` is where it was first seen.
    ``resource`` and ``action`` are the GuardDuty documents (camelCase, without nulls) of the *latest* occurrence;
    ``tallies`` hold countable parts by name and key (``apis``: "ec2:DescribeInstances"; ``errors``; ``regions``);
    ``samples`` hold the first records, at most ``KEPT_SAMPLES`` per name; ``facts`` are flags and numbers merged by maximum.
    ``origin`` is when there first was enough evidence, for types whose evidence reaches back in time: a later sighting may reach
    further back, so that ``first`` changes while ``origin`` does not. It merges by minimum; None stands for the first moment.
    """

    finding_type: str
    account_id: str
    region: str
    partition: str
    resource_key: str
    target: str
    first: Moment
    last: Moment
    count: int
    resource: Mapping[str, object]
    action: Mapping[str, object]
    tallies: Mapping[str, Mapping[str, Tally]] = field(default_factory=dict)
    samples: Mapping[str, tuple[Sample, ...]] = field(default_factory=dict)
    evidence: frozenset[Evidence] = frozenset()
    facts: Mapping[str, float] = field(default_factory=dict)
    origin: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a finding means in words, which its detection makes from the merged sighting.

    ``additional`` holds the keys of GuardDuty's additionalInfo that the type has (``apiCalls``, ``threatListName`` …);
    ``findings.assemble`` moves them into the finding. ``action`` holds members of GuardDuty's action that describe the
    whole finding, and replace those of the latest sighting.
    """

    title: str
    description: str
    severity: float
    reasons: tuple[str, ...]
    thresholds: Mapping[str, float] = field(default_factory=dict)
    observed: Mapping[str, float] = field(default_factory=dict)
    additional: Mapping[str, object] = field(default_factory=dict)
    action: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The merged sightings of one identity, with the id of the episode and the words of its detection.

    ``created_at`` and ``updated_at`` are set when it is committed (event time for a scan); ``rule`` is the rule's version.
    """

    id: str
    seen: Sighting
    rule: int
    resource_type: str
    resource_role: str
    action_type: str
    summary: Summary
    created_at: datetime
    updated_at: datetime
    archived: bool = False
    detector_id: str = ""
    additional: Mapping[str, object] = field(default_factory=dict)
