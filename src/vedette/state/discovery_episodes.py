"""Episodes of new calls that scored points, findings and near misses, for 90 days (methods 5.4): ``what-if`` judges them anew."""

from typing import Any

import pyarrow as pa

from vedette.sql.counts import added
from vedette.sql.history import KEPT_DAYS
from vedette.sql.time import DAY
from vedette.state import State

_SHEET = pa.struct(
    [
        ("points", pa.int64()),
        ("us", pa.int64()),
        ("record_id", pa.string()),
        ("codes", pa.string()),
        ("mode", pa.string()),
        ("admitted", pa.int64()),
        ("needed", pa.int64()),
        ("api", pa.string()),
        ("address", pa.string()),
    ]
)
_FIELDS: list["pa.Field[Any]"] = [
    pa.field("day", pa.int64()),
    pa.field("account_id", pa.string()),
    pa.field("who", pa.string()),
    pa.field("principal", pa.string()),
    pa.field("category", pa.string()),
    pa.field("begun_us", pa.int64()),
    pa.field("last_us", pa.int64()),
    pa.field("calls", pa.int64()),
    pa.field("sheet", _SHEET),
]
_KEY = "day, account_id, who, principal, category, begun_us"

STATE = State(
    name="discovery_episodes",
    meaning="One row per episode and category of new calls that scored enough points, with its score sheet.",
    schema=pa.schema(_FIELDS),
    reads=("score_sheets",),
    rows=f"""
select begun_us // {DAY} as day, account_id, who, principal, category, begun_us, last_us, calls, sheet
from score_sheets
""",
    fold=f"""
select {_KEY}, max(last_us) as last_us, {added("calls")}, max(sheet) as sheet
from (select * from discovery_episodes_old union all select * from discovery_episodes_rows)
group by {_KEY}
""",
    keep_days=KEPT_DAYS,
)
