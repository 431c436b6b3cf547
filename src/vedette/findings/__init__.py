"""What a finding is. Pure values, and the functions that merge and name them."""

from vedette.findings.model import Evidence, Finding, Moment, Sample, Sighting, Summary, Tally

__all__ = ["Evidence", "Finding", "Moment", "Sample", "Sighting", "Summary", "Tally"]
