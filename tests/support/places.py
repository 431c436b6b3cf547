"""Findings without where their records lie: object and position say how the input was cut, all else must not."""

import json

_PLACES = {"object", "position"}


def without_places(value: object) -> object:
    """Leave out object and position, also in texts that are documents themselves (GuardDuty's additionalInfo)."""
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    if isinstance(value, dict):
        return {key: without_places(item) for key, item in value.items() if key not in _PLACES}
    return [without_places(item) for item in value] if isinstance(value, list) else value
