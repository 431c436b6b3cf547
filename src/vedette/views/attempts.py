"""Views from contacts to connection attempts: what our instances tried, and what is remembered of it (methods 2).

Times are microseconds since 1970 (``us``).
"""

from vedette.sql.contacts import OUTCOME_NUMBER, unpacked_marks, unpacked_ports
from vedette.sql.flow_limits import LISTENER_CLIENTS
from vedette.sql.packets import UDP
from vedette.sql.ports import TRACEROUTE_PORTS
from vedette.sql.time import BINS_PER_HOUR
from vedette.views import View

# Load balancers, gateways and the like do not act by themselves (methods 1.4). A NAT gateway in records without instance ids
# shows itself by passing on, at the same ports, what others ask of it (``relayed``). Traceroute is not an attempt.
_ATTEMPTS = f"""
with relayed as (
    select distinct interface, bin, port from judged_contacts where not outbound and initiator_inside
),
dark_addresses as (
    select a.number from flow_addresses a join address_facts f on a.address = f.address where f.is_dark
),
lopsided as (
    select interface, bin
    from judged_contacts
    group by interface, bin
    having sum(case when outcome = 'one_sided' then 1 else 0 end) > sum(case when outcome = 'established' then 1 else 0 end)
)
select j.bin // {BINS_PER_HOUR} as hour, j.interface, j.initiator, j.responder, j.port, j.protocol, j.first_us, j.last_us,
       j.forward_records, j.rule, j.low_client_port, j.high_client_port, j.reference, j.role, j.assumed, j.outcome,
       {OUTCOME_NUMBER.format("j.outcome")} as outcome_number,
       case when s.interface is not null or n.interface is not null then 1 else 0 end as unreliable,
       case when r.interface is not null then 1 else 0 end as relayed,
       case when d.number is not null then 1 else 0 end as dark
from judged_contacts j
left join skipped_bins s on j.interface = s.interface and j.bin = s.bin
left join lopsided n on j.interface = n.interface and j.bin = n.bin
left join relayed r on j.interface = r.interface and j.bin = r.bin and j.port = r.port
left join dark_addresses d on j.responder = d.number
where j.outbound and j.managed = 0 and j.role in ('instance', 'instance_k8s_node', 'unknown')
  and not (j.protocol = {UDP} and j.port between {TRACEROUTE_PORTS[0]} and {TRACEROUTE_PORTS[1]}
           and j.forward_packets <= 3 * j.forward_records)
"""

_CROWDED_ATTEMPTS = """
select t.*
from attempts t
join (select hour, interface from attempts group by hour, interface having count(*) > $kept_contacts) c
  on t.hour = c.hour and t.interface = c.interface
"""

# Counted, so that nobody takes their absence for silence.
_EVICTED_CONTACTS = """
select coalesce(sum(endpoints - $kept_contacts), 0) as records
from (
    select hour, interface, count(*) as endpoints
    from (select distinct hour, interface, initiator, responder, port, protocol from crowded_attempts)
    group by hour, interface
)
where endpoints > $kept_contacts
"""

_LISTENING = f"""
select interface_id, address, port, protocol, hour
from listener_hours
where clients >= {LISTENER_CLIENTS}
"""

_REMEMBERED_CONTACTS = f"""
select interface_id, local_address, remote_address, remote_port, protocol, last_us, answered, first.us as us,
       {unpacked_marks("first.marks")},
       {unpacked_ports("first.ports")}, first.step as step, first."object" as "object", first."position" as "position"
from contact_hours
"""

VIEWS: tuple[View, ...] = (
    View(
        name="attempts",
        meaning="One row per instance, remote endpoint and five minutes in which the instance tried to connect to it.",
        reads=("judged_contacts", "skipped_bins", "flow_addresses", "address_facts"),
        sql=_ATTEMPTS,
        kept=True,
    ),
    View(
        name="crowded_attempts",
        meaning="One row per attempt of an interface and hour with so many that not all of their endpoints may be remembered.",
        reads=("attempts",),
        sql=_CROWDED_ATTEMPTS,
    ),
    View(
        name="evicted_contacts",
        meaning="One row with the number of endpoints that were too many to be remembered.",
        reads=("crowded_attempts",),
        sql=_EVICTED_CONTACTS,
    ),
    View(
        name="listening",
        meaning="One row per port of ours and hour in which it served several clients.",
        reads=("listener_hours",),
        sql=_LISTENING,
    ),
    View(
        name="remembered_contacts",
        meaning="One row per interface, remote endpoint and hour, with the first attempt of that hour.",
        reads=("contact_hours",),
        sql=_REMEMBERED_CONTACTS,
    ),
)
