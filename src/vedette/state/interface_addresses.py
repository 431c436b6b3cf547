"""The own address of each interface, as far as traffic told it: since when it was singled out (methods 1.2 item 2)."""

from typing import Any

import pyarrow as pa

from vedette.sql.time import BINS_PER_DAY
from vedette.state import State

_FIELDS: list["pa.Field[Any]"] = [
    pa.field("day", pa.int64()),
    pa.field("interface_id", pa.string()),
    pa.field("ipv6", pa.bool_()),
    pa.field("address", pa.string()),
    pa.field("first_bin", pa.int64()),
]

STATE = State(
    name="interface_addresses",
    meaning="One row per interface and address that is its own, with the five minutes since which that is known.",
    schema=pa.schema(_FIELDS),
    reads=("singled_out",),
    rows=f"""
select max(bin) // {BINS_PER_DAY} as day, interface_id, ipv6, address, min(bin) as first_bin
from singled_out
group by interface_id, ipv6, address
""",
    fold="""
select max(day) as day, interface_id, ipv6, address, min(first_bin) as first_bin
from (select * from interface_addresses_old union all select * from interface_addresses_rows)
group by interface_id, ipv6, address
""",
    keep_days=30,
    whole=True,
)
