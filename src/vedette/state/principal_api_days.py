"""Who called which API on which day, for 90 days (methods 5.2)."""

from typing import Any

import pyarrow as pa

from vedette.sql.counts import added
from vedette.sql.history import KEPT_DAYS, SLICE_DAYS
from vedette.state import State

_FIELDS: list["pa.Field[Any]"] = [
    pa.field("day", pa.int64()),
    pa.field("principal", pa.string()),
    pa.field("session", pa.string()),
    pa.field("person", pa.string()),
    pa.field("service", pa.string()),
    pa.field("operation", pa.string()),
    pa.field("category", pa.string()),
    pa.field("calls", pa.int64()),
    pa.field("denied", pa.int64()),
]
_KEY = "day, principal, session, person, service, operation, category"

STATE = State(
    name="principal_api_days",
    meaning="One row per day, principal, session and API, with the number of calls.",
    schema=pa.schema(_FIELDS),
    reads=("principal_bins",),
    rows=f"""
select {_KEY}, cast(sum(calls) as bigint) as calls, cast(sum(case when denied then calls else 0 end) as bigint) as denied
from principal_bins
group by {_KEY}
""",
    fold=f"""
select {_KEY}, {added("calls")}, {added("denied")}
from (select * from principal_api_days_old union all select * from principal_api_days_rows)
group by {_KEY}
""",
    keep_days=KEPT_DAYS,
    within_days=SLICE_DAYS,
)
