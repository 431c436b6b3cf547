"""The ids of the newest events, so that one which is delivered again later is known.

Within a slice duplicates meet each other; this table is for an event that comes again after its slice was folded. Two hours
is the hard limit of lateness (methods 1.1); an event older than that is counted as late and taken once more.
"""

from typing import Any

import pyarrow as pa

from vedette.sql.time import HOUR
from vedette.state import State

_REMEMBERED_US = 2 * HOUR

_FIELDS: list["pa.Field[Any]"] = [
    pa.field("day", pa.int64()),
    pa.field("account_id", pa.string()),
    pa.field("event_id", pa.string()),
    pa.field("event_time", pa.timestamp("us", tz="UTC")),
]

STATE = State(
    name="seen_events",
    meaning="One row per newest event, with its id.",
    schema=pa.schema(_FIELDS),
    reads=("cloudtrail",),
    rows=f"""
select day_number(event_time) as day, account_id, event_id, event_time
from cloudtrail
where event_id is not null and microseconds(event_time) >= $watermark_us - {_REMEMBERED_US}
""",
    fold=f"""
select day, account_id, event_id, event_time
from (select * from seen_events_old union all select * from seen_events_rows)
where microseconds(event_time) >= $watermark_us - {_REMEMBERED_US}
""",
    keep_days=1,
    whole=True,
)
