"""GuardDuty's API form: a finding as GetFindings answers it on the wire (contract 1.5).

Wire names, no nulls, severity as a double, ``additionalInfo`` as two texts. Holds nothing that the service model does not know.
"""

import json
from typing import cast

from vedette.findings import Finding
from vedette.formats import Format
from vedette.guardduty.document import document


def render(finding: Finding) -> dict[str, object]:
    """Return the finding in API form."""
    result = document(finding)
    service = cast("dict[str, object]", result["service"])
    text = json.dumps(service["additionalInfo"], separators=(",", ":"))
    service["additionalInfo"] = {"value": text, "type": "default"}
    result["severity"] = float(finding.summary.severity)
    return cast("dict[str, object]", _without_nulls(result))


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


FORMAT = Format(name="guardduty-api", render=render)
