"""Views from flow records to conversations: who opened each, where single records and pairs of directions tell (methods 1.2)."""

from vedette.sql.packets import ATTEMPT_PACKETS, EMPTY_BYTES, LEAD_US, LEAST_SYN_BYTES, SYN_BYTES, TCP, header, total
from vedette.views import View

_UNDECIDED = "select * from flow_sides where verdict = 0"

# Where no record alone tells, the two directions of the five minutes do. 5 one_way: only one exists and its packets are tiny, so
# that its source tried to open. 6 syn_size: one has the size of opening packets, the other that of refusals. 7 first_seen: one
# began some seconds before the other.
_PAIRED_FLOWS = f"""
with directions as (
    select interface, bin, protocol, source, target, src_port, dst_port, {total("packets")} as packets,
           {total("bytes")} as bytes, min(start_us) as start_us, max({header("ipv6")}) as header
    from undecided
    group by interface, bin, protocol, source, target, src_port, dst_port
),
paired as (
    select d.*, r.interface is null as alone, r.packets as other_packets, r.bytes as other_bytes, r.start_us as other_us
    from directions d
    left join directions r
      on d.interface = r.interface and d.bin = r.bin and d.protocol = r.protocol and d.source = r.target
     and d.target = r.source and d.src_port = r.dst_port and d.dst_port = r.src_port
),
reported as (
    select *,
           case when alone and packets <= {ATTEMPT_PACKETS} and bytes <= ({SYN_BYTES} + header) * packets then 5
                when alone then 0
                when protocol = {TCP} and other_bytes = ({EMPTY_BYTES} + header) * other_packets
                     and bytes between ({LEAST_SYN_BYTES} + header) * packets and ({SYN_BYTES} + header) * packets then 6
                when protocol = {TCP} and bytes = ({EMPTY_BYTES} + header) * packets
                     and other_bytes between ({LEAST_SYN_BYTES} + header) * other_packets
                                         and ({SYN_BYTES} + header) * other_packets then -6
                when other_us - start_us >= {LEAD_US} then 7
                when start_us - other_us >= {LEAD_US} then -7
                else 0 end as reported
    from paired
)
select u.interface, u.protocol, u.start_us, u.end_us, u.bin, u.packets, u.bytes, u.tcp_flags, u.rejected, u.egress, u.source,
       u.target, u.src_port, u.dst_port, u.record, t.reported as verdict, u.source_inside, u.target_inside, u.ipv6
from undecided u
join reported t
  on u.interface = t.interface and u.bin = t.bin and u.protocol = t.protocol and u.source = t.source and u.target = t.target
 and u.src_port = t.src_port and u.dst_port = t.dst_port
where t.reported <> 0
"""

_AMBIGUOUS_FLOWS = """
select (select count(*) from undecided) - (select count(*) from paired_flows) as records
"""

# Seen from the conversation: its opener (initiator), and the port that was asked for.
_OPENED_FLOWS = """
select *, verdict > 0 as forward,
       case when verdict > 0 then source else target end as initiator,
       case when verdict > 0 then target else source end as responder,
       case when verdict > 0 then dst_port else src_port end as port,
       case when verdict > 0 then src_port else dst_port end as client_port,
       case when verdict > 0 then source_inside else target_inside end as initiator_inside,
       case when verdict > 0 then target_inside else source_inside end as responder_inside
from (
    select * from flow_sides where verdict <> 0
    union all
    select * from paired_flows
)
"""

VIEWS: tuple[View, ...] = (
    View(
        name="undecided",
        meaning="One row per flow record that does not tell by itself who opened its conversation.",
        reads=("flow_sides",),
        sql=_UNDECIDED,
        kept=True,
    ),
    View(
        name="paired_flows",
        meaning="One row per undecided record whose conversation tells who opened it, by both directions within five minutes.",
        reads=("undecided",),
        sql=_PAIRED_FLOWS,
        kept=True,
    ),
    View(
        name="ambiguous_flows",
        meaning="One row with the number of records of which nobody can tell who opened their conversation.",
        reads=("undecided", "paired_flows"),
        sql=_AMBIGUOUS_FLOWS,
    ),
    View(
        name="opened_flows",
        meaning="One row per flow record whose opener is known, seen from the conversation.",
        reads=("flow_sides", "paired_flows"),
        sql=_OPENED_FLOWS,
    ),
)
