"""Determine the thresholds of the discovery types from the user's settings."""

from collections.abc import Mapping

from vedette.families.discovery.rules import GROUP, PROFILES, RULES
from vedette.sql.threshold import Number


def numbers(profile: str, thresholds: Mapping[str, Number]) -> dict[str, Number]:
    """Return every discovery threshold by name: the user's ``discovery.NAME``, else the profile's, else the default."""
    usual = {rule.name: rule.default for rule in RULES} | {"needed": PROFILES[profile]}
    return usual | {name: thresholds[f"{GROUP}.{name}"] for name in usual if f"{GROUP}.{name}" in thresholds}
