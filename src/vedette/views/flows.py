"""Views over flow records: who opened each conversation, what became of it, and which address an interface's own is.

The methods are those of detection-methods section 1. Everything is decided per five minutes of event time (``bin``), which no
slice ever cuts, so that the cutting of the input cannot show. A reply that falls into the next five minutes counts there: the
share of conversations that straddle an edge is their round trip divided by five minutes.

Within a slice, interfaces, addresses and objects go by numbers, in the order of their texts: to group by texts would be most of
the work. Columns named ``interface``, ``address``, ``source``, ``target``, ``initiator`` and ``responder`` hold such numbers,
``record`` an object's number times 2^32 plus a position; states and detections are told the texts.
"""

from vedette.sql.numbering import BACKWARD, OBJECT
from vedette.views import View

BIN = 300_000_000
# The largest packet that opens a connection: Linux and Windows send 60 bytes of IP at most, macOS and the BSDs 64.
SYN_BYTES = 64

# Ports above 1023 on which servers usually listen; those below are known to be services (methods 1.2, rule service_port).
SERVICE_PORTS = (
    "1080, 1099, 1194, 1433, 1434, 1521, 1723, 1883, 2049, 2181, 2222, 2375, 2376, 2379, 2380, 3000, 3128, 3268, 3269, "
    "3306, 3389, 4369, 4444, 4789, 5000, 5044, 5060, 5222, 5432, 5601, 5671, 5672, 5900, 5984, 5985, 5986, 6000, 6379, "
    "6443, 6667, 7000, 7001, 7077, 7474, 8000, 8008, 8009, 8020, 8032, 8080, 8081, 8086, 8088, 8089, 8090, 8125, 8161, "
    "8200, 8300, 8301, 8443, 8500, 8600, 8888, 9000, 9042, 9090, 9091, 9092, 9093, 9100, 9160, 9200, 9300, 9418, 9999, "
    "10000, 10050, 10051, 10250, 10255, 11211, 15672, 25565, 27017, 27018, 28017"
)


def _serves(port: str) -> str:
    """Return whether a port is a service's; the list is long, so only ports are looked up in it that may be there."""
    return f"(case when {port} < 1024 then true when {port} >= 32768 then false else {port} in ({SERVICE_PORTS}) end)"


# ``verdict`` is the number of the rule that decided who opened, negative where it was the destination of the record:
# 1 flags, 2 service_port, 3 rejected_egress (a rejected record is the first of its conversation), 4 ephemeral_port (weak), 0 not
# from the record alone; 5 to 7 (weak) see below. The known_listener rule is applied where a try would count.
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

# Behind a NAT gateway (methods 1.4): its inner leg has the far end in the packet only (version 3). Where the client's own
# interface logged nothing in these five minutes, the leg is read as if it had; that takes an inventory that knows both.
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

_FLOW_SIDES = f"""
select i.number as interface, f.protocol, f.start_us, f.end_us, f.start_us // {BIN} as bin, f.packets, f.bytes, f.tcp_flags,
       f.rejected, f.egress, s.number as source, t.number as target, f.src_port, f.dst_port,
       {OBJECT} * o.number + f."position" as record, f.verdict, s.inside as source_inside, t.inside as target_inside, s.ipv6
from (
select interface_id, protocol, microseconds(start_time) as start_us, microseconds(end_time) as end_us, packets, bytes, tcp_flags,
       coalesce(action = 'REJECT', false) as rejected, src_address, dst_address, src_port, dst_port,
       flow_direction = 'egress' as egress, "object", "position",
       case when protocol = 6 and (tcp_flags & 18) = 2 then 1
            when protocol = 6 and (tcp_flags & 18) = 18 then -1
            when target_serves and not source_serves then 2
            when source_serves and not target_serves then -2
            when action = 'REJECT' and dst_port < 32768 then 3
            when src_port >= 32768 and dst_port < 32768 then 4
            when dst_port >= 32768 and src_port < 32768 then -4
            else 0 end as verdict
from (select *, {_serves("src_port")} as source_serves, {_serves("dst_port")} as target_serves from logged_flows)
where coalesce(log_status, 'OK') = 'OK' and protocol in (6, 17) and src_address is not null and dst_address is not null
  and src_port is not null and dst_port is not null and packets > 0 and interface_id is not null
) f
join flow_addresses s on f.src_address = s.address
join flow_addresses t on f.dst_address = t.address
join interface_facts i on f.interface_id = i.interface_id
join flow_objects o on f."object" = o."object"
"""

_UNDECIDED = "select * from flow_sides where verdict = 0"

# Of what no rule decides: the two directions of the five minutes tell it. 5 one_way: only one exists and its packets are tiny, so
# that its source tried to open. 6 syn_size: one has the size of opening packets, the other that of refusals. 7 first_seen: one
# began two seconds before the other.
_PAIRED_FLOWS = f"""
with directions as (
    select interface, bin, protocol, source, target, src_port, dst_port, sum(packets) as packets, sum(bytes) as bytes,
           min(start_us) as start_us, max(case when ipv6 then 20 else 0 end) as header
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
           case when alone and packets <= 6 and bytes <= ({SYN_BYTES} + header) * packets then 5
                when alone then 0
                when protocol = 6 and other_bytes = (40 + header) * other_packets
                     and bytes between (44 + header) * packets and ({SYN_BYTES} + header) * packets then 6
                when protocol = 6 and bytes = (40 + header) * packets
                     and other_bytes between (44 + header) * other_packets and ({SYN_BYTES} + header) * other_packets then -6
                when other_us - start_us >= 2000000 then 7
                when start_us - other_us >= 2000000 then -7
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

# A row a record whose opener is known, seen from the conversation: its opener (initiator), and the port that was asked for.
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

# What a port of ours answered to the internet, where private addresses say which side is ours: a row a port and five minutes.
# Sizes are those of IPv4 or IPv6. ``clients`` is a bit for each of some client ports that were sent data (methods 1.3: many
# clients make a listener).
_PORT_BINS = """
select interface, responder as address, port, protocol, bin, max(ipv6) as ipv6, min(start_us) as first_us, max(end_us) as last_us,
       count(*) as records,
       sum(case when forward or rejected then 0 when protocol = 17 then 1
                when (tcp_flags & 18) = 18 or (tcp_flags is null and bytes >= (case when ipv6 then 60 else 40 end) * packets + 4)
                     or bytes > (case when ipv6 then 100 else 80 end) * packets then 1
                else 0 end) as answered,
       sum(case when not forward and protocol = 6 and bytes > (case when ipv6 then 100 else 80 end) * packets then 1 else 0 end)
           as served,
       bit_or(case when not forward and packets >= 3 and bytes > 80 * packets then one_bit(client_port % 60) else 0 end)
           as clients
from opened_flows
where responder_inside and not initiator_inside
group by interface, responder, port, protocol, bin
"""

# All other conversations: a row an opener, target, port and five minutes, with what went forward and what came back.
# ``votes`` is above 0 where flow-direction says that the opener is on our side, below 0 where it is not. ``reference`` is the
# record that is shown as evidence: the first, a forward one if there is any (else 2^62 is added).
_CONTACTS = f"""
select interface, initiator, responder, port, protocol, bin, max(ipv6) as ipv6,
       max(initiator_inside) as initiator_inside, min(start_us) as first_us, max(end_us) as last_us, count(*) as records,
       cast(sum(case when forward then 1 else 0 end) as bigint) as forward_records,
       cast(sum(case when forward then packets else 0 end) as bigint) as forward_packets,
       cast(sum(case when forward then bytes else 0 end) as bigint) as forward_bytes,
       bit_or(case when forward then tcp_flags end) as forward_flags,
       cast(sum(case when forward then 0 else packets end) as bigint) as backward_packets,
       cast(sum(case when forward then 0 else bytes end) as bigint) as backward_bytes,
       bit_or(case when forward then null else tcp_flags end) as backward_flags,
       cast(sum(case when forward and rejected then 1 else 0 end) as bigint) as rejected,
       min(case when verdict > 0 then verdict else -verdict end) as rule,
       min(client_port) as low_client_port, max(client_port) as high_client_port,
       cast(sum(case when egress is null then 0 when forward = egress then 1 else -1 end) as bigint) as votes,
       bit_or(case when not forward and packets >= 3 and bytes > 80 * packets then one_bit(client_port % 60) else 0 end)
           as clients,
       min(case when packets <= 6 or rejected then record + case when forward then 0 else {BACKWARD} end end) as reference
from opened_flows
where initiator_inside or not responder_inside
group by interface, initiator, responder, port, protocol, bin
"""

# Which address is an interface's own, where no inventory and no flow-direction says it (methods 1.2 item 2): one that takes part
# in 99 of 100 records of five minutes. Four candidates are tried: a true one is in the first and last pair by order.
_INTERFACE_CANDIDATES = f"""
with ends as (
    select interface, bin, ipv6, initiator, responder, records from flow_contacts
    union all
    select interface, bin, ipv6, address as initiator, 0 as responder, records from port_bins
),
picked as (
    select interface, bin, ipv6, sum(records) as records, min({OBJECT} * initiator + responder) as lowest,
           max({OBJECT} * initiator + responder) as highest
    from ends
    group by interface, bin, ipv6
),
tried as (
    select distinct interface, bin, ipv6, records, address
    from (
        select interface, bin, ipv6, records, lowest // {OBJECT} as address from picked
        union all select interface, bin, ipv6, records, lowest % {OBJECT} as address from picked
        union all select interface, bin, ipv6, records, highest // {OBJECT} as address from picked
        union all select interface, bin, ipv6, records, highest % {OBJECT} as address from picked
    )
    where address > 0
)
select t.interface, t.bin, t.ipv6, t.address
from tried t
join ends e on e.interface = t.interface and e.bin = t.bin and e.ipv6 = t.ipv6
 and (e.initiator = t.address or e.responder = t.address)
group by t.interface, t.bin, t.ipv6, t.address, t.records
having sum(e.records) >= 0.99 * t.records
"""

_SINGLED_OUT = """
select f.interface_id, s.ipv6, a.address, s.bin
from (
    select interface, ipv6, min(address) as address, bin
    from interface_candidates
    group by interface, ipv6, bin
    having count(*) = 1
) s
join interface_facts f on s.interface = f.number
join flow_addresses a on s.address = a.number
"""

# One row an interface and five minutes: its own address. Of several candidates (one peer only) the one that was singled out
# before wins, then the only private one; where that fails the opener of a conversation is taken for ours (``tied``).
_INTERFACE_LOCALS = """
select interface, bin, ipv6,
       case when count(*) = 1 then min(address)
            when count(known) = 1 then min(known)
            when count(inside) = 1 then min(inside) end as address,
       count(*) > 1 and count(known) <> 1 and count(inside) <> 1 as tied
from (
    select c.interface, c.bin, c.ipv6, c.address, case when k.first_bin <= c.bin then c.address end as known,
           case when a.inside then c.address end as inside
    from interface_candidates c
    join interface_facts f on c.interface = f.number
    join flow_addresses a on c.address = a.number
    left join interface_addresses k on f.interface_id = k.interface_id and c.ipv6 = k.ipv6 and a.address = k.address
)
group by interface, bin, ipv6
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

# Windows in which an interface lost records: a missing reply says nothing there (methods 1.1).
_SKIPPED_BINS = """
select distinct f.number as interface, s.bin
from skipped_windows s
join interface_facts f on s.interface_id = f.interface_id
"""

# Contacts with what became of them (methods 1.2 item 7) and with the side that is ours. Sizes are IP bytes; IPv6 has 20 more a
# packet. ``one_sided`` is a conversation of which the other half was not logged.
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
                     when c.protocol = 17 then 'no_reply'
                     when c.forward_packets <= 6 * c.forward_records
                          and c.forward_bytes <= ({SYN_BYTES} + c.header) * c.forward_packets then 'no_reply'
                     else 'one_sided' end
            when c.protocol = 17 then 'established'
            when c.backward_flags is not null and (c.backward_flags & 18) <> 18 and (c.backward_flags & 4) = 4
                 and c.backward_bytes <= (40 + c.header) * c.backward_packets then 'refused'
            when c.backward_flags is null and c.backward_bytes = (40 + c.header) * c.backward_packets
                 and c.forward_bytes <= ({SYN_BYTES} + c.header) * c.forward_packets then 'refused'
            when c.backward_bytes <= ({SYN_BYTES} + c.header) * c.backward_packets
                 and c.forward_bytes <= ({SYN_BYTES} + c.header) * c.forward_packets
                 and c.forward_packets <= 2 * c.forward_records and c.backward_packets <= 2 * c.forward_records then 'half_open'
            when c.backward_bytes <= ({SYN_BYTES} + c.header) * c.backward_packets
                 and c.forward_bytes <= ({SYN_BYTES} + c.header) * c.forward_packets
                 and c.forward_packets <= 5 * c.forward_records and c.backward_packets <= 3 * c.forward_records then 'touched'
            else 'established' end as outcome
from (select *, case when ipv6 then 20 else 0 end as header from flow_contacts) c
join interface_facts f on c.interface = f.number
left join interface_locals l on c.interface = l.interface and c.bin = l.bin and c.ipv6 = l.ipv6
left join inventory_addresses v
  on c.interface = v.interface and (v.address = c.initiator or v.address = c.responder)
"""

# Both ends of a conversation inside one interface's addresses would be two rows: the opener's counts.
_INVENTORY_ADDRESSES = """
select f.number as interface, a.number as address, max(v.role) as role
from inventory v
join interface_facts f on v.interface_id = f.interface_id
join flow_addresses a on v.address = a.address
group by f.number, a.number
"""

VIEWS: tuple[View, ...] = (
    View(name="natted_flows", reads=("flows", "inventory"), sql=_NATTED_FLOWS, kept=True),
    View(name="logged_flows", reads=("flows", "natted_flows"), sql=_LOGGED_FLOWS),
    View(name="flow_addresses", reads=("logged_flows",), sql=_FLOW_ADDRESSES, kept=True),
    View(name="flow_objects", reads=("logged_flows",), sql=_FLOW_OBJECTS, kept=True),
    View(
        name="flow_sides", reads=("logged_flows", "flow_addresses", "interface_facts", "flow_objects"), sql=_FLOW_SIDES, kept=True
    ),
    View(name="undecided", reads=("flow_sides",), sql=_UNDECIDED, kept=True),
    View(name="paired_flows", reads=("undecided",), sql=_PAIRED_FLOWS, kept=True),
    View(name="ambiguous_flows", reads=("undecided", "paired_flows"), sql=_AMBIGUOUS_FLOWS),
    View(name="opened_flows", reads=("flow_sides", "paired_flows"), sql=_OPENED_FLOWS),
    View(name="port_bins", reads=("opened_flows",), sql=_PORT_BINS, kept=True),
    View(name="flow_contacts", reads=("opened_flows",), sql=_CONTACTS, kept=True),
    View(name="interface_candidates", reads=("flow_contacts", "port_bins"), sql=_INTERFACE_CANDIDATES, kept=True),
    View(name="singled_out", reads=("interface_candidates", "interface_facts", "flow_addresses"), sql=_SINGLED_OUT),
    View(
        name="interface_locals",
        reads=("interface_candidates", "interface_addresses", "interface_facts", "flow_addresses"),
        sql=_INTERFACE_LOCALS,
        kept=True,
    ),
    View(name="interface_facts", reads=("flows", "natted_flows"), sql=_INTERFACE_FACTS, kept=True),
    View(name="skipped_bins", reads=("skipped_windows", "interface_facts"), sql=_SKIPPED_BINS, kept=True),
    View(name="inventory_addresses", reads=("inventory", "interface_facts", "flow_addresses"), sql=_INVENTORY_ADDRESSES),
    View(
        name="judged_contacts",
        reads=("flow_contacts", "interface_facts", "interface_locals", "inventory_addresses"),
        sql=_JUDGED_CONTACTS,
        kept=True,
    ),
)
