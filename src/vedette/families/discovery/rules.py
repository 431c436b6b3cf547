"""The numbers of the three discovery types, which a user changes for all of them as ``discovery.NAME`` (methods 5.2, 5.4, 5.5).

Most stand beside the views that use them; here are the others, and which of them are the points of a code.
"""

from collections.abc import Mapping

from vedette.sql.scores import CODES, MITIGATIONS
from vedette.sql.threshold import Threshold

GROUP = "discovery"

HIGH = Threshold("high", 9, "Points from which a finding has severity 8.")

# B1 has two, of which the first says what the code means.
_NAMES = {"r1": "root"}
POINTS: Mapping[str, str] = {**{_NAMES.get(code, code): code for code in (*CODES, *MITIGATIONS)}, "b1_few": "b1"}
"""The code whose points a threshold sets, by the name of the threshold."""
