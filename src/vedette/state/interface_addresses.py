"""The own address of each interface, as far as traffic told it: since when it was singled out (methods 1.2 item 2)."""

from typing import Any

import pyarrow as pa

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
    schema=pa.schema(_FIELDS),
    reads=("singled_out",),
    rows="""
select max(bin) // 288 as day, interface_id, ipv6, address, min(bin) as first_bin
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
