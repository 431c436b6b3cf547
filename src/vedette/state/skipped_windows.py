"""When interfaces lost records, by five minutes, for a day (methods 1.1): a window that lost some may end in a later step."""

from typing import Any

import pyarrow as pa

from vedette.sql.time import BIN, BINS_PER_HOUR
from vedette.state import State

_FIELDS: list["pa.Field[Any]"] = [
    pa.field("hour", pa.int64()),
    pa.field("bin", pa.int64()),
    pa.field("interface_id", pa.string()),
]

STATE = State(
    name="skipped_windows",
    meaning="One row per interface and five minutes in which it lost records.",
    schema=pa.schema(_FIELDS),
    reads=("flows",),
    rows=f"""
with lost as (
    select interface_id, microseconds(start_time) as start_us, microseconds(end_time) as end_us
    from flows
    where log_status = 'SKIPDATA' and interface_id is not null
)
select distinct bin // {BINS_PER_HOUR} as hour, bin, interface_id
from (
    select start_us // {BIN} as bin, interface_id from lost
    union all
    select (start_us + end_us) // {2 * BIN} as bin, interface_id from lost
    union all
    select end_us // {BIN} as bin, interface_id from lost
)
""",
    fold="""
select distinct hour, bin, interface_id
from (select * from skipped_windows_old union all select * from skipped_windows_rows)
""",
    keep_days=1,
    partition="hour",
)
