"""What a finding is: pure values, and the functions that merge and name them."""

from vedette.findings.assemble import assemble
from vedette.findings.explanation import Section, Step
from vedette.findings.identity import Identity, detector_id, finding_id, identity
from vedette.findings.merge import Episode, episodes, merge, merge_all
from vedette.findings.model import Evidence, Finding, Moment, Sample, Sighting, Summary, Tally

__all__ = [
    "Episode",
    "Evidence",
    "Finding",
    "Identity",
    "Moment",
    "Sample",
    "Section",
    "Sighting",
    "Step",
    "Summary",
    "Tally",
    "assemble",
    "detector_id",
    "episodes",
    "finding_id",
    "identity",
    "merge",
    "merge_all",
]
