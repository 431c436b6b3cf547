"""Who listed what from where, a row a day, for 90 days.

It says which addresses are the account's own way out (methods 4.2, 5), and lets a list that is imported later be matched
backwards without reading the logs again (methods 4.4).
"""

import pyarrow as pa

from vedette.state import State

_MOMENT = pa.struct([("time", pa.timestamp("us", tz="UTC")), ("id", pa.string())])

STATE = State(
    name="caller_activity",
    schema=pa.schema(
        [
            ("day", pa.int64()),
            ("remote_address", pa.string()),
            ("account_id", pa.string()),
            ("principal", pa.string()),
            ("service", pa.string()),
            ("operation", pa.string()),
            ("calls", pa.int64()),
            ("denied", pa.int64()),
            ("first_call", _MOMENT),
            ("last_call", _MOMENT),
        ]
    ),
    reads=("calls",),
    fold="""
select day, remote_address, account_id, principal, service, operation,
       cast(sum(calls) as bigint) as calls, cast(sum(denied) as bigint) as denied,
       min(first_call) as first_call, max(last_call) as last_call
from (
    select * from caller_activity_old
    union all
    select day, remote_address, account_id, principal, service, operation, count(*) as calls,
           count(error_code) as denied,
           min(struct_pack("time" := event_time, id := record_id)) as first_call,
           max(struct_pack("time" := event_time, id := record_id)) as last_call
    from calls
    group by day, remote_address, account_id, principal, service, operation
)
group by day, remote_address, account_id, principal, service, operation
""",
    keep_days=90,
)
