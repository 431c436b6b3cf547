"""GuardDuty's export form: what EventBridge and S3 carry, and what ``vedette scan`` prints (contract 1.5).

Nulls are kept, severity has no needless fraction, ``additionalInfo`` is an object that also holds its own content as text.
"""

import json
from typing import cast

from vedette.findings import Finding
from vedette.formats import Format
from vedette.guardduty.document import document, plain


def render(finding: Finding) -> dict[str, object]:
    """Return the finding in export form."""
    result = cast("dict[str, object]", plain(document(finding)))
    service = cast("dict[str, object]", result["service"])
    additional = cast("dict[str, object]", service["additionalInfo"])
    text = json.dumps(additional, separators=(",", ":"))
    service["additionalInfo"] = {**additional, "value": text, "type": "default"}
    return result


FORMAT = Format(name="guardduty", render=render)
