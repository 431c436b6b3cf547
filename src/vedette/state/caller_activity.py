"""Who listed what from where, for 90 days.

It says which addresses are the account's own way out (methods 4.2, 5), and lets a list that is imported later be matched
backwards without reading the logs again (methods 4.4).
"""

from typing import Any

import pyarrow as pa

from vedette.sql.counts import added
from vedette.sql.history import LOOK_BACK_DAYS
from vedette.state import State

_MOMENT = pa.struct([("time", pa.timestamp("us", tz="UTC")), ("id", pa.string())])

_FIELDS: list["pa.Field[Any]"] = [
    pa.field("day", pa.int64()),
    pa.field("remote_address", pa.string()),
    pa.field("account_id", pa.string()),
    pa.field("principal", pa.string()),
    pa.field("service", pa.string()),
    pa.field("operation", pa.string()),
    pa.field("calls", pa.int64()),
    pa.field("denied", pa.int64()),
    pa.field("first_call", _MOMENT),
    pa.field("last_call", _MOMENT),
]

STATE = State(
    name="caller_activity",
    meaning="One row per day, address, account, principal and operation, with the number of calls.",
    schema=pa.schema(_FIELDS),
    reads=("calls",),
    rows="""
select day, remote_address, account_id, principal, service, operation, count(*) as calls,
       count(error_code) as denied,
       min(struct_pack("time" := event_time, id := record_id)) as first_call,
       max(struct_pack("time" := event_time, id := record_id)) as last_call
from calls
group by day, remote_address, account_id, principal, service, operation
""",
    fold=f"""
select day, remote_address, account_id, principal, service, operation,
       {added("calls")}, {added("denied")},
       min(first_call) as first_call, max(last_call) as last_call
from (select * from caller_activity_old union all select * from caller_activity_rows)
group by day, remote_address, account_id, principal, service, operation
""",
    keep_days=LOOK_BACK_DAYS,
)
