"""How much principals did on which days, for 90 days (methods 5.2): their history, and how old the archive is."""

from typing import Any

import pyarrow as pa

from vedette.sql.counts import added
from vedette.sql.history import KEPT_DAYS, SLICE_DAYS
from vedette.state import State

_FIELDS: list["pa.Field[Any]"] = [
    pa.field("day", pa.int64()),
    pa.field("account_id", pa.string()),
    pa.field("principal", pa.string()),
    pa.field("kind", pa.string()),
    pa.field("session", pa.string()),
    pa.field("calls", pa.int64()),
    pa.field("reads", pa.int64()),
    pa.field("denied", pa.int64()),
]
_KEY = "day, account_id, principal, kind, session"
_SUMS = ", ".join(map(added, ("calls", "reads", "denied")))

STATE = State(
    name="principal_days",
    meaning="One row per day, principal and session, with the number of calls.",
    schema=pa.schema(_FIELDS),
    reads=("principal_bins",),
    rows=f"""
select {_KEY}, cast(sum(calls) as bigint) as calls, cast(sum(case when reads then calls else 0 end) as bigint) as reads,
       cast(sum(case when denied then calls else 0 end) as bigint) as denied
from principal_bins
group by {_KEY}
""",
    fold=f"""
select {_KEY}, {_SUMS}
from (select * from principal_days_old union all select * from principal_days_rows)
group by {_KEY}
""",
    keep_days=KEPT_DAYS,
    within_days=SLICE_DAYS,
)
