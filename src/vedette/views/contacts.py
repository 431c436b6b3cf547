"""Views from conversations to contacts: per opener, target, port and five minutes, what came of it, and which side is ours."""

from vedette.sql.numbering import BACKWARD
from vedette.sql.packets import (
    ATTEMPT_PACKETS,
    CLIENTS,
    DATA_BYTES,
    EMPTY_BYTES,
    OPTION_BYTES,
    RST,
    SYN_ACK,
    SYN_BYTES,
    TCP,
    UDP,
    header,
    sized,
    total,
)
from vedette.views import View

# What a port of ours answered to the internet, where private addresses say which side is ours. ``answered`` counts records of
# which the port accepted a connection, ``served`` those of which it sent data.
_PORT_BINS = f"""
select interface, responder as address, port, protocol, bin, max(ipv6) as ipv6, min(start_us) as first_us, max(end_us) as last_us,
       count(*) as records,
       sum(case when forward or rejected then 0 when protocol = {UDP} then 1
                when (tcp_flags & {SYN_ACK}) = {SYN_ACK}
                     or (tcp_flags is null and bytes >= {sized(EMPTY_BYTES)} * packets + {OPTION_BYTES})
                     or bytes > {sized(DATA_BYTES)} * packets then 1
                else 0 end) as answered,
       sum(case when not forward and protocol = {TCP} and bytes > {sized(DATA_BYTES)} * packets then 1 else 0 end)
           as served,
       {CLIENTS} as clients
from opened_flows
where responder_inside and not initiator_inside
group by interface, responder, port, protocol, bin
"""

# All other conversations, with what went forward and what came back.
# ``votes`` is above 0 where flow-direction says that the opener is on our side, below 0 where it is not. ``reference`` is the
# record that is shown as evidence: the first, a forward one if there is any (else 2^62 is added).
_FLOW_CONTACTS = f"""
select interface, initiator, responder, port, protocol, bin, max(ipv6) as ipv6,
       max(initiator_inside) as initiator_inside, min(start_us) as first_us, max(end_us) as last_us, count(*) as records,
       cast(sum(case when forward then 1 else 0 end) as bigint) as forward_records,
       {total("case when forward then packets else 0 end")} as forward_packets,
       {total("case when forward then bytes else 0 end")} as forward_bytes,
       {total("case when forward then 0 else packets end")} as backward_packets,
       {total("case when forward then 0 else bytes end")} as backward_bytes,
       bit_or(case when forward then null else tcp_flags end) as backward_flags,
       cast(sum(case when forward and rejected then 1 else 0 end) as bigint) as rejected,
       min(case when verdict > 0 then verdict else -verdict end) as rule,
       min(client_port) as low_client_port, max(client_port) as high_client_port,
       cast(sum(case when egress is null then 0 when forward = egress then 1 else -1 end) as bigint) as votes,
       {CLIENTS} as clients,
       min(case when packets <= {ATTEMPT_PACKETS} or rejected then record + case when forward then 0 else {BACKWARD} end end)
           as reference
from opened_flows
where initiator_inside or not responder_inside
group by interface, initiator, responder, port, protocol, bin
"""

# What became of a contact (methods 1.2 item 7), and which side is ours. Sizes are bytes of IP. ``one_sided`` is a conversation of
# which the other half was not logged.
_JUDGED_CONTACTS = f"""
select c.interface, c.bin, c.initiator, c.responder, c.port, c.protocol, c.first_us, c.last_us, c.forward_records,
       c.forward_packets, c.backward_packets, c.backward_bytes, c.rule, c.low_client_port, c.high_client_port, c.clients,
       c.reference, c.initiator_inside, coalesce(f.managed, 0) as managed, coalesce(v.role, 'unknown') as role,
       case when v.interface is not null then v.address = c.initiator
            when c.votes <> 0 then c.votes > 0
            when l.tied then true
            else coalesce(l.address = c.initiator, false) end as outbound,
       case when c.votes = 0 and v.interface is null and coalesce(l.tied, false) then 1 else 0 end as assumed,
       case when c.backward_packets = 0 then
                case when c.rejected > 0 then 'rejected'
                     when c.protocol = {UDP} then 'no_reply'
                     when c.forward_packets <= {ATTEMPT_PACKETS} * c.forward_records
                          and c.forward_bytes <= ({SYN_BYTES} + c.header) * c.forward_packets then 'no_reply'
                     else 'one_sided' end
            when c.protocol = {UDP} then 'established'
            when c.backward_flags is not null and (c.backward_flags & {SYN_ACK}) <> {SYN_ACK}
                 and (c.backward_flags & {RST}) = {RST}
                 and c.backward_bytes <= ({EMPTY_BYTES} + c.header) * c.backward_packets then 'refused'
            when c.backward_flags is null and c.backward_bytes = ({EMPTY_BYTES} + c.header) * c.backward_packets
                 and c.forward_bytes <= ({SYN_BYTES} + c.header) * c.forward_packets then 'refused'
            when c.backward_bytes <= ({SYN_BYTES} + c.header) * c.backward_packets
                 and c.forward_bytes <= ({SYN_BYTES} + c.header) * c.forward_packets
                 and c.forward_packets <= 2 * c.forward_records and c.backward_packets <= 2 * c.forward_records then 'half_open'
            when c.backward_bytes <= ({SYN_BYTES} + c.header) * c.backward_packets
                 and c.forward_bytes <= ({SYN_BYTES} + c.header) * c.forward_packets
                 and c.forward_packets <= 5 * c.forward_records and c.backward_packets <= 3 * c.forward_records then 'touched'
            else 'established' end as outcome
from (select *, {header("ipv6")} as header from flow_contacts) c
join interface_facts f on c.interface = f.number
left join interface_locals l on c.interface = l.interface and c.bin = l.bin and c.ipv6 = l.ipv6
left join inventory_addresses v
  on c.interface = v.interface and (v.address = c.initiator or v.address = c.responder)
"""

VIEWS: tuple[View, ...] = (
    View(
        name="port_bins",
        meaning="One row per port of ours that the internet reached and five minutes, with how much it answered.",
        reads=("opened_flows",),
        sql=_PORT_BINS,
        kept=True,
    ),
    View(
        name="flow_contacts",
        meaning="One row per opener, target, port and five minutes of all other conversations, with both directions' sizes.",
        reads=("opened_flows",),
        sql=_FLOW_CONTACTS,
        kept=True,
    ),
    View(
        name="judged_contacts",
        meaning="One row per contact, with what came of it and whether the opener is on our side.",
        reads=("flow_contacts", "interface_facts", "interface_locals", "inventory_addresses"),
        sql=_JUDGED_CONTACTS,
        kept=True,
    ),
)
