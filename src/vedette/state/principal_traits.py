"""From where, with what and when principals worked, by day, for 90 days (methods 5.2).

Traits: network, country, agent (family of tools), region, hour (UTC, 24 more at weekends, with its neighbours) and key
(long-lived ones).
"""

from typing import Any

import pyarrow as pa

from vedette.sql.history import KEPT_DAYS, SLICE_DAYS
from vedette.state import State

_FIELDS: list["pa.Field[Any]"] = [
    pa.field("day", pa.int64()),
    pa.field("principal", pa.string()),
    pa.field("session", pa.string()),
    pa.field("trait", pa.string()),
    pa.field("value", pa.string()),
]

STATE = State(
    name="principal_traits",
    meaning="One row per day, principal, session and value of a trait.",
    schema=pa.schema(_FIELDS),
    reads=("slice_traits",),
    rows="select distinct day, principal, session, trait, value from slice_traits",
    fold="""
select distinct day, principal, session, trait, value
from (select * from principal_traits_old union all select * from principal_traits_rows)
""",
    keep_days=KEPT_DAYS,
    within_days=SLICE_DAYS,
)
