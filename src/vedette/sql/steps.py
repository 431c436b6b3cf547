"""The numbers that each step gives to SQL beside settings and thresholds."""

from collections.abc import Mapping

STEP_NUMBERS: Mapping[str, str] = {
    "watermark_us": "The event time up to which the step folds, in microseconds since 1970-01-01.",
    "step": "The number of the step, which rises by one with each.",
}
"""Their names, with their meanings."""
