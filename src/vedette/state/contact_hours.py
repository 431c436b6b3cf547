"""What our interfaces tried, by hour and remote endpoint (address, port, protocol), for seven days (methods 2.4)."""

from typing import Any

import pyarrow as pa

from vedette.sql.contacts import KNOWN_CONTACT_DAYS, PACKED_PORTS, packed_marks
from vedette.sql.counts import added
from vedette.sql.numbering import BACKWARD, OBJECT
from vedette.sql.outcomes import ANSWERED
from vedette.state import State

# The first attempt of the hour, ordered by time. Few small columns, since this is the largest table of flow logs; ``marks`` and
# ``ports`` are packed (``vedette.sql.contacts``).
_FIRST = pa.struct(
    [
        ("us", pa.int64()),
        ("marks", pa.int64()),
        ("ports", pa.int64()),
        ("step", pa.int64()),
        ("object", pa.string()),
        ("position", pa.int64()),
    ]
)
_FIELDS: list["pa.Field[Any]"] = [
    pa.field("hour", pa.int64()),
    pa.field("interface_id", pa.string()),
    pa.field("local_address", pa.string()),
    pa.field("remote_address", pa.string()),
    pa.field("remote_port", pa.int64()),
    pa.field("protocol", pa.int64()),
    pa.field("first", _FIRST),
    pa.field("last_us", pa.int64()),
    pa.field("answered", pa.bool_()),
    pa.field("attempts", pa.int64()),
]
_IN_CLUSTER = "(case when role = 'instance_k8s_node' then 1 else 0 end)"
_KEY = "hour, interface_id, local_address, remote_address, remote_port, protocol"
_COLUMNS = f"{_KEY}, first, last_us, answered, attempts"


def _bounded(grouped: str) -> str:
    """Return the query that keeps the earliest endpoints per interface and hour: an attacker may write too many (methods 7.5)."""
    return f"""
with grouped as ({grouped}),
crowded as (
    select hour, interface_id from grouped group by hour, interface_id having count(*) > $kept_contacts
)
select {_COLUMNS.replace("hour", "g.hour", 1).replace("interface_id", "g.interface_id", 1)}
from grouped g
left join crowded c on g.hour = c.hour and g.interface_id = c.interface_id
where c.hour is null
union all
select {_COLUMNS}
from (
    select g.*, row_number() over (
               partition by g.hour, g.interface_id
               order by g.first.us, g.remote_address, g.remote_port, g.protocol, g.local_address) as place
    from grouped g
    join crowded c on g.hour = c.hour and g.interface_id = c.interface_id
)
where place <= $kept_contacts
"""


STATE = State(
    name="contact_hours",
    meaning="One row per hour, interface and remote endpoint that it tried to reach, with its first attempt of the hour.",
    schema=pa.schema(_FIELDS),
    reads=("attempts", "interface_facts", "flow_addresses", "flow_objects"),
    # ``attempts`` has one row per endpoint and five minutes, so that the first attempt of an hour is one row's.
    rows=_bounded(f"""
select t.hour, i.interface_id, l.address as local_address, r.address as remote_address, cast(t.port as bigint) as remote_port,
       cast(t.protocol as bigint) as protocol,
       struct_pack(us := t.first.us, marks := t.first.marks, ports := t.first.ports, step := cast($step as bigint),
                   "object" := o."object", "position" := t.first.reference % {OBJECT}) as first,
       t.last_us, t.answered, t.attempts
from (
    select hour, interface, initiator, responder, port, protocol,
           min(struct_pack(us := first_us, marks := cast({packed_marks(k8s=_IN_CLUSTER)} as bigint),
                           ports := {PACKED_PORTS},
                           reference := reference % {BACKWARD})) as first,
           max(last_us) as last_us, max(outcome in {ANSWERED}) as answered,
           cast(sum(forward_records) as bigint) as attempts
    from attempts
    group by hour, interface, initiator, responder, port, protocol
) t
join interface_facts i on t.interface = i.number
join flow_addresses l on t.initiator = l.number
join flow_addresses r on t.responder = r.number
left join flow_objects o on t.first.reference // {OBJECT} = o.number
"""),
    fold=_bounded(f"""
select {_KEY}, min(first) as first, max(last_us) as last_us, max(answered) as answered, {added("attempts")}
from (select * from contact_hours_old union all select * from contact_hours_rows)
group by {_KEY}
"""),
    keep_days=KNOWN_CONTACT_DAYS + 1,
    partition="hour",
)
