"""What belongs to findings, so that it does not teach the baseline: an attack that goes on must not become usual (methods 5.2).

``day`` is the day on which the finding was complete, ``call_day`` that of the call. Like the baseline itself, a mark counts from
the second day after, whatever step wrote it.
"""

from typing import Any

import pyarrow as pa

from vedette.sql.history import KEPT_DAYS
from vedette.sql.time import DAY
from vedette.state import State

_FIELDS: list["pa.Field[Any]"] = [
    pa.field("day", pa.int64()),
    pa.field("call_day", pa.int64()),
    pa.field("principal", pa.string()),
    pa.field("session", pa.string()),
    pa.field("subject", pa.string()),
    pa.field("value", pa.string()),
]
_KEY = "call_day, principal, session, subject, value"
_TRAITS = (
    ("network", "network", "network_new = 1"),
    ("country", "country_code", "country_new = 1"),
    ("agent", "family", "agent_new = 1"),
    ("key", "access_key_id", "key_woken = 1"),
    ("api", "service || ':' || operation", "true"),
)

STATE = State(
    name="found_marks",
    meaning="One row per API, network, country, tool or key that belongs to a finding, with the day that completed the finding.",
    schema=pa.schema(_FIELDS),
    reads=("found_rows",),
    rows=f"select min(day) as day, {_KEY} from ("
    + " union all ".join(
        f"select triggered_at // 2 // {DAY} as day, day as call_day, principal, session, '{subject}' as subject, "
        f"{column} as value from found_rows where {column} is not null and {condition}"
        for subject, column, condition in _TRAITS
    )
    + f") group by {_KEY}",
    fold=f"""
select min(day) as day, {_KEY}
from (select * from found_marks_old union all select * from found_marks_rows)
group by {_KEY}
""",
    keep_days=KEPT_DAYS,
    whole=True,
)
