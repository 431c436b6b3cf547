"""Views over flow records as they were logged: each from its interface's side, with numbers in the place of texts.

The methods are those of docs/design/methods.md, section 1. Everything is decided per five minutes of event time (``bin``), which
no slice ever cuts, so that the cutting of the input cannot show. A reply that falls into the next five minutes counts there: the
share of conversations that straddle an edge is their round trip divided by five minutes.

Within a slice, interfaces, addresses and objects go by numbers, in the order of their texts: grouping by texts would be most of
the work. Columns named ``interface``, ``address``, ``source``, ``target``, ``initiator`` and ``responder`` hold such numbers,
``record`` an object's number times 2^32 plus a position; states and detections see the texts.
"""

from vedette.sql.numbering import OBJECT
from vedette.sql.packets import SYN, SYN_ACK, TCP, UDP
from vedette.sql.ports import FIRST_EPHEMERAL, serves
from vedette.sql.time import BIN
from vedette.views import View

# Behind a NAT gateway (methods 1.4): its inner leg has the far end in the packet only (version 3). Where the client's own
# interface logged nothing in these five minutes, the leg is read as if it had. That takes an inventory that knows both.
_NATTED_FLOWS = f"""
with legs as (
    select f.*, o.interface_id as owner_id, o.account_id as owner_account, o.region as owner_region,
           o.instance_id as owner_instance, f.src_address = o.address as outgoing
    from flows f
    join inventory n on f.interface_id = n.interface_id and n.role = 'nat_gateway'
    join inventory o
      on o.role in ('instance', 'instance_k8s_node')
     and ((f.src_address = o.address and f.packet_dst_address <> f.dst_address)
          or (f.dst_address = o.address and f.packet_src_address <> f.src_address))
    where f.packet_dst_address is not null
),
logging as (
    select distinct interface_id, microseconds(start_time) // {BIN} as bin
    from flows
    where interface_id in (select owner_id from legs)
)
select l.owner_id as interface_id, l.owner_account as account_id, l.owner_region as region, l.owner_instance as instance_id,
       l.start_time, l.end_time, l.src_port, l.dst_port, l.protocol, l.packets, l.bytes, l.tcp_flags, l.action, l.log_status,
       case when l.outgoing then l.src_address else l.packet_src_address end as src_address,
       case when l.outgoing then l.packet_dst_address else l.dst_address end as dst_address,
       case when l.outgoing then 'egress' else 'ingress' end as flow_direction, l."object", l."position"
from legs l
left join logging g on l.owner_id = g.interface_id and microseconds(l.start_time) // {BIN} = g.bin
where g.interface_id is null
"""

_LOGGED_COLUMNS = """interface_id, account_id, region, instance_id, start_time, end_time, src_port, dst_port, protocol, packets,
       bytes, tcp_flags, action, log_status, src_address, dst_address, flow_direction, "object", "position" """

_LOGGED_FLOWS = f"""
select {_LOGGED_COLUMNS} from flows
union all
select {_LOGGED_COLUMNS} from natted_flows
"""

_FLOW_ADDRESSES = """
select address, is_inside(address) as inside, address like '%:%' as ipv6, row_number() over (order by address) as number
from (
    select distinct src_address as address from logged_flows union select distinct dst_address as address from logged_flows
)
where address is not null
"""

_FLOW_OBJECTS = """
select "object", row_number() over (order by "object") as number from (select distinct "object" from logged_flows)
"""

_INTERFACE_FACTS = """
select interface_id, row_number() over (order by interface_id) as number, max(account_id) as account_id, max(region) as region,
       max(instance_id) as instance_id, max(vpc_id) as vpc_id, max(subnet_id) as subnet_id,
       max(case when "version" >= 3 and instance_id is null and vpc_id is not null then 1 else 0 end)
           as managed
from (
    select interface_id, account_id, region, instance_id, vpc_id, subnet_id, "version" from flows
    union all
    select interface_id, account_id, region, instance_id, null as vpc_id, null as subnet_id, null as "version" from natted_flows
)
where interface_id is not null
group by interface_id
"""

# ``verdict`` is the number of the rule that decided who opened, negative where it was the destination of the record:
# 1 flags, 2 service_port, 3 rejected_egress (a rejected record is the first of its conversation), 4 ephemeral_port (weak), 0
# where the record alone does not tell; ``paired_flows`` has the weak rules 5 to 7. The known_listener rule is applied where an
# attempt would count.
_FLOW_SIDES = f"""
select i.number as interface, f.protocol, f.start_us, f.end_us, f.start_us // {BIN} as bin, f.packets, f.bytes, f.tcp_flags,
       f.rejected, f.egress, s.number as source, t.number as target, f.src_port, f.dst_port,
       {OBJECT} * o.number + f."position" as record, f.verdict, s.inside as source_inside, t.inside as target_inside, s.ipv6
from (
select interface_id, protocol, microseconds(start_time) as start_us, microseconds(end_time) as end_us, packets, bytes, tcp_flags,
       coalesce(action = 'REJECT', false) as rejected, src_address, dst_address, src_port, dst_port,
       flow_direction = 'egress' as egress, "object", "position",
       case when protocol = {TCP} and (tcp_flags & {SYN_ACK}) = {SYN} then 1
            when protocol = {TCP} and (tcp_flags & {SYN_ACK}) = {SYN_ACK} then -1
            when target_serves and not source_serves then 2
            when source_serves and not target_serves then -2
            when action = 'REJECT' and dst_port < {FIRST_EPHEMERAL} then 3
            when src_port >= {FIRST_EPHEMERAL} and dst_port < {FIRST_EPHEMERAL} then 4
            when dst_port >= {FIRST_EPHEMERAL} and src_port < {FIRST_EPHEMERAL} then -4
            else 0 end as verdict
from (select *, {serves("src_port")} as source_serves, {serves("dst_port")} as target_serves from logged_flows)
where coalesce(log_status, 'OK') = 'OK' and protocol in ({TCP}, {UDP}) and src_address is not null and dst_address is not null
  and src_port is not null and dst_port is not null and packets > 0 and interface_id is not null
) f
join flow_addresses s on f.src_address = s.address
join flow_addresses t on f.dst_address = t.address
join interface_facts i on f.interface_id = i.interface_id
join flow_objects o on f."object" = o."object"
"""

VIEWS: tuple[View, ...] = (
    View(
        name="natted_flows",
        meaning="One row per record of a NAT gateway's inner leg, seen from the client's interface where that logged nothing.",
        reads=("flows", "inventory"),
        sql=_NATTED_FLOWS,
        kept=True,
    ),
    View(
        name="logged_flows",
        meaning="One row per flow record, with those that a NAT gateway logged in the place of its clients.",
        reads=("flows", "natted_flows"),
        sql=_LOGGED_FLOWS,
    ),
    View(
        name="flow_addresses",
        meaning="One row per distinct address of the flow records, with its number within the slice.",
        reads=("logged_flows",),
        sql=_FLOW_ADDRESSES,
        kept=True,
    ),
    View(
        name="flow_objects",
        meaning="One row per file that flow records came from, with its number within the slice.",
        reads=("logged_flows",),
        sql=_FLOW_OBJECTS,
        kept=True,
    ),
    View(
        name="interface_facts",
        meaning="One row per interface, with its number within the slice, its account, region, instance and network.",
        reads=("flows", "natted_flows"),
        sql=_INTERFACE_FACTS,
        kept=True,
    ),
    View(
        name="flow_sides",
        meaning="One row per usable flow record of TCP or UDP, with the rule that says from this record alone who opened.",
        reads=("logged_flows", "flow_addresses", "interface_facts", "flow_objects"),
        sql=_FLOW_SIDES,
        kept=True,
    ),
)
