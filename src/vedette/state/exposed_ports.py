"""Which of our ports answered the internet: by day and port, for 90 days (``vedette exposure``)."""

from typing import Any

import pyarrow as pa

from vedette.sql.counts import added
from vedette.sql.outcomes import ANSWERED
from vedette.sql.packets import DATA_BYTES, IPV6_BYTES
from vedette.sql.time import BINS_PER_DAY
from vedette.state import State

_FIELDS: list["pa.Field[Any]"] = [
    pa.field("day", pa.int64()),
    pa.field("account_id", pa.string()),
    pa.field("region", pa.string()),
    pa.field("interface_id", pa.string()),
    pa.field("instance_id", pa.string()),
    pa.field("address", pa.string()),
    pa.field("port", pa.int64()),
    pa.field("protocol", pa.int64()),
    pa.field("level", pa.int64()),
    pa.field("conversations", pa.int64()),
    pa.field("clients", pa.int64()),
    pa.field("first_us", pa.int64()),
    pa.field("last_us", pa.int64()),
]
_KEY = "day, account_id, region, interface_id, instance_id, address, port, protocol"
_SUMS = f"""max(level) as level, {added("conversations")}, bit_or(clients) as clients,
       min(first_us) as first_us, max(last_us) as last_us"""

STATE = State(
    name="exposed_ports",
    meaning="One row per day and port of ours that answered the internet, with how well.",
    schema=pa.schema(_FIELDS),
    reads=("port_bins", "judged_contacts", "interface_facts", "flow_addresses"),
    rows=f"""
select p.day, f.account_id, f.region, f.interface_id, f.instance_id, a.address, cast(p.port as bigint) as port,
       cast(p.protocol as bigint) as protocol, p.level, p.conversations, p.clients, p.first_us, p.last_us
from (
    select day, interface, address, port, protocol, {_SUMS}
    from (
        select bin // {BINS_PER_DAY} as day, interface, address, port, protocol,
               cast(case when served > 0 then 4 else 3 end as bigint) as level, answered as conversations, clients, first_us,
               last_us
        from port_bins
        where answered > 0
        union all
        select bin // {BINS_PER_DAY} as day, interface, responder as address, port, protocol,
               cast(case when backward_bytes > {DATA_BYTES + IPV6_BYTES} * backward_packets then 4 else 3 end as bigint) as level,
               forward_records as conversations, clients, first_us, last_us
        from judged_contacts
        where not outbound and not initiator_inside and outcome in {ANSWERED}
    )
    group by day, interface, address, port, protocol
) p
join interface_facts f on p.interface = f.number
join flow_addresses a on p.address = a.number
""",
    fold=f"""
select {_KEY}, {_SUMS}
from (select * from exposed_ports_old union all select * from exposed_ports_rows)
group by {_KEY}
""",
    keep_days=90,
)
