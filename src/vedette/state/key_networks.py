"""From which networks each access key was used, by five minutes, for some hours (methods 5.4, N4)."""

from typing import Any

import pyarrow as pa

from vedette.sql.time import BINS_PER_HOUR
from vedette.state import State

_FIELDS: list["pa.Field[Any]"] = [
    pa.field("hour", pa.int64()),
    pa.field("bin", pa.int64()),
    pa.field("access_key_id", pa.string()),
    pa.field("address_version", pa.int64()),
    pa.field("network", pa.string()),
]

STATE = State(
    name="key_networks",
    meaning="One row per access key, network and five minutes in which the key was used from there.",
    schema=pa.schema(_FIELDS),
    reads=("key_uses",),
    rows=f"select distinct bin // {BINS_PER_HOUR} as hour, bin, access_key_id, address_version, network from key_uses",
    fold="""
select distinct hour, bin, access_key_id, address_version, network
from (select * from key_networks_old union all select * from key_networks_rows)
""",
    keep_days=1,
    partition="hour",
)
