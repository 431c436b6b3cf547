"""The numbers of the discovery types as the user set them."""

from collections.abc import Mapping

from vedette.families.discovery.rules import GROUP
from vedette.rules.thresholds import of_group, values
from vedette.sql.threshold import Number


def numbers(profile: str, thresholds: Mapping[str, Number]) -> dict[str, Number]:
    """Return the value of each threshold by name: the user's ``discovery.NAME``, otherwise the profile's or the default.

    Raises:
        ConfigurationError: no detection has some of the thresholds; all of them are named.
    """
    found = values(profile, thresholds)
    return {threshold.name: found[threshold.name] for threshold in of_group(GROUP)}
