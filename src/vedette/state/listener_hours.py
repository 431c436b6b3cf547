"""Which of our ports served whom, by hour and port, for a day (methods 1.3).

Only conversations in which data came back count: a scanner's own source port would look like a server with a thousand clients.
``clients`` is the number of different client ports, at most 60.
"""

from typing import Any

import pyarrow as pa

from vedette.sql.time import BINS_PER_HOUR
from vedette.state import State

_FIELDS: list["pa.Field[Any]"] = [
    pa.field("hour", pa.int64()),
    pa.field("interface_id", pa.string()),
    pa.field("address", pa.string()),
    pa.field("port", pa.int64()),
    pa.field("protocol", pa.int64()),
    pa.field("seen", pa.int64()),
    pa.field("clients", pa.int64()),
]

STATE = State(
    name="listener_hours",
    meaning="One row per hour and port of ours that sent data to clients, with the number of different client ports.",
    schema=pa.schema(_FIELDS),
    reads=("port_bins", "judged_contacts", "interface_facts", "flow_addresses"),
    rows=f"""
select s.hour, f.interface_id, a.address, cast(s.port as bigint) as port, cast(s.protocol as bigint) as protocol, s.seen,
       bits_set(s.seen) as clients
from (
    select bin // {BINS_PER_HOUR} as hour, interface, address, port, protocol, bit_or(clients) as seen
    from (
        select bin, interface, address, port, protocol, clients from port_bins
        union all
        select bin, interface, responder as address, port, protocol, clients from judged_contacts where not outbound
    )
    where clients <> 0
    group by bin // {BINS_PER_HOUR}, interface, address, port, protocol
) s
join interface_facts f on s.interface = f.number
join flow_addresses a on s.address = a.number
""",
    fold="""
select hour, interface_id, address, port, protocol, bit_or(seen) as seen, bits_set(bit_or(seen)) as clients
from (select * from listener_hours_old union all select * from listener_hours_rows)
group by hour, interface_id, address, port, protocol
""",
    keep_days=2,
    partition="hour",
)
