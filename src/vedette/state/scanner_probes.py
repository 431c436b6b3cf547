"""What listed scanners got from which port, by day, for 90 days (methods 3.3: exposure, the digest)."""

from typing import Any

import pyarrow as pa

from vedette.sql.counts import added
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
    pa.field("remote_address", pa.string()),
    pa.field("verdict", pa.string()),
    pa.field("level", pa.int64()),
    pa.field("probes", pa.int64()),
    pa.field("first_us", pa.int64()),
    pa.field("last_us", pa.int64()),
]
_KEY = "day, account_id, region, interface_id, instance_id, address, port, protocol, remote_address, verdict"

STATE = State(
    name="scanner_probes",
    meaning="One row per day, port of ours and listed scanner, with what the scanner got from it.",
    schema=pa.schema(_FIELDS),
    reads=("judged_probes",),
    rows="""
select day, account_id, region, interface_id, instance_id, address, cast(port as bigint) as port,
       cast(protocol as bigint) as protocol, remote_address, verdict, cast(max(level) as bigint) as level,
       cast(sum(probes) as bigint) as probes, min(first_us) as first_us, max(last_us) as last_us
from judged_probes
where trusted = 0
group by day, account_id, region, interface_id, instance_id, address, port, protocol, remote_address, verdict
""",
    fold=f"""
select {_KEY}, max(level) as level, {added("probes")}, min(first_us) as first_us, max(last_us) as last_us
from (select * from scanner_probes_old union all select * from scanner_probes_rows)
group by {_KEY}
""",
    keep_days=90,
)
