"""The finding types of listed callers: one and the same query, for a kind of list each."""

from vedette.detections import all_detections

CALLERS = tuple(finding_type for finding_type, detection in all_detections().items() if "listed_callers" in detection.reads)
"""They alone are chosen where a test is about lists: first calls of an archive may raise discovery findings beside theirs."""
assert CALLERS, "no detection reads listed_callers: tests about lists would be about every finding type"
