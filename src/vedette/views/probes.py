"""Views over what listed scanners got from ports of ours: which answered, how much, and who asked (methods 3.1)."""

from vedette.sql.numbering import BACKWARD, OBJECT
from vedette.sql.packets import ACK, DATA_BYTES, EMPTY_BYTES, OPTION_BYTES, RST, SYN, SYN_ACK, TCP, UDP, header, sized
from vedette.sql.time import BINS_PER_DAY
from vedette.views import View

# How well a port answered is read from each reply (methods 3.1 item 4): data (``served``), a handshake (``opened``: a packet
# larger than a refusal is among them), a refusal.
_SCANNER_FLOWS = f"""
select f.interface_id, a.address, s.port, s.protocol, r.address as remote_address, s.bin, s.first_us, s.last_us, s.probes,
       s.rejected, s.served, s.opened, s.refused, o."object", s.reference % {OBJECT} as "position"
from (
    select interface, responder, port, protocol, initiator, bin, min(start_us) as first_us, max(end_us) as last_us,
           cast(sum(case when forward then 1 else 0 end) as bigint) as probes,
           cast(sum(case when forward and rejected then 1 else 0 end) as bigint) as rejected,
           sum(case when forward or rejected or protocol = {UDP} or resets then 0
                    when bytes > ({DATA_BYTES} + header) * packets or (tcp_flags is not null and packets > 5) then 1
                    else 0 end) as served,
           sum(case when forward or rejected then 0
                    when protocol = {UDP} or (tcp_flags & {SYN_ACK}) = {SYN_ACK} then 1
                    when tcp_flags is null and bytes >= ({EMPTY_BYTES} + header) * packets + {OPTION_BYTES} then 1
                    else 0 end) as opened,
           sum(case when not forward and not rejected and resets then 1 else 0 end) as refused,
           min(record + case when forward then 0 else {BACKWARD} end) % {BACKWARD} as reference
    from (
        select *, {header("ipv6")} as header,
               protocol = {TCP} and ((tcp_flags is not null and (tcp_flags & {SYN | RST | ACK}) = {RST})
                    or (tcp_flags is null and bytes = {sized(EMPTY_BYTES)} * packets)) as resets
        from opened_flows
        where initiator in (
            select n.number
            from flow_addresses n
            join address_matches m on n.address = m.address
            where m.kind = 'scanner'
        )
    )
    group by interface, responder, port, protocol, initiator, bin
) s
join interface_facts f on s.interface = f.number
join flow_addresses a on s.responder = a.number
join flow_addresses r on s.initiator = r.number
join flow_objects o on s.reference // {OBJECT} = o.number
"""

_PROBE_ENTRIES = """
select s.interface_id, s.address, s.port, s.protocol, s.remote_address, s.bin, m.kind, m.list_name, m.network, m.line, m.category,
       m.verdict, s.first_us > microseconds(m.stale_after) as stale, m.as_of, m.entry_valid_from, m.entry_valid_to, m.canonical
from scanner_flows s
join address_matches m
  on s.remote_address = m.address and s.first_us >= microseconds(m.valid_from) and s.first_us <= microseconds(m.valid_to)
where m.kind in ('trusted', 'scanner', 'malicious')
"""

# The level says how well the port answered: 4 sent data, 3 shook hands, 2 refused, 1 was let in, 0 was rejected. Of a scanner on
# several lists, whoever is known to be malicious is; otherwise a known research project is harmless, whatever else names it.
_JUDGED_PROBES = f"""
select s.*, e.verdict, e.trusted, f.account_id, f.region, coalesce(f.instance_id, v.instance_id) as instance_id, f.vpc_id,
       f.subnet_id, s.bin // {BINS_PER_DAY} as day,
       case when s.served > 0 then 4 when s.opened > 0 then 3 when s.refused > 0 then 2 when s.rejected = s.probes then 0
            else 1 end
           as level,
       case when f.managed = 1 or coalesce(v.role, 'unknown') not in ('instance', 'instance_k8s_node', 'unknown') then 0
            when coalesce(f.instance_id, v.instance_id) is null then $assume_instance else 1 end as counts,
       case when x.port is not null then 1 else 0 end as expected
from scanner_flows s
join (
    select interface_id, address, port, protocol, remote_address, bin,
           max(case when kind = 'trusted' then 1 else 0 end) as trusted,
           case when max(case when kind = 'malicious' or verdict = 'malicious' then 1 else 0 end) = 1 then 'malicious'
                when max(case when kind = 'scanner' and verdict = 'research' then 1 else 0 end) = 1 then 'research'
                else 'unknown' end as verdict
    from probe_entries
    group by interface_id, address, port, protocol, remote_address, bin
    having max(case when kind = 'scanner' then 1 else 0 end) = 1
) e on s.interface_id = e.interface_id and s.address = e.address and s.port = e.port and s.protocol = e.protocol
   and s.remote_address = e.remote_address and s.bin = e.bin
join interface_facts f on s.interface_id = f.interface_id
left join (
    select interface_id, max(role) as role, max(instance_id) as instance_id from inventory group by interface_id
) v on s.interface_id = v.interface_id
left join expected_ports x
  on x.port = s.port and (x.instance_id is null or x.instance_id = coalesce(f.instance_id, v.instance_id))
"""

_SILENCED_PROBES = """
select t.list_name, count(*) as records
from (
    select distinct interface_id, address, port, protocol, remote_address, bin, list_name
    from probe_entries
    where kind = 'trusted'
) t
join judged_probes j
  on t.interface_id = j.interface_id and t.address = j.address and t.port = j.port and t.protocol = j.protocol
 and t.remote_address = j.remote_address and t.bin = j.bin
where j.level >= 3 and j.counts = 1 and j.verdict <> 'research' and j.expected = 0
group by t.list_name
"""

VIEWS: tuple[View, ...] = (
    View(
        name="scanner_flows",
        meaning="One row per listed scanner, port of ours and five minutes, with what was asked and what was answered.",
        reads=("opened_flows", "address_matches", "interface_facts", "flow_addresses", "flow_objects"),
        sql=_SCANNER_FLOWS,
        kept=True,
    ),
    View(
        name="probe_entries",
        meaning="One row per probe and list entry that named its scanner at the time.",
        reads=("scanner_flows", "address_matches"),
        sql=_PROBE_ENTRIES,
        kept=True,
    ),
    View(
        name="judged_probes",
        meaning="One row per probe, with the verdict on its scanner, how well the port answered, and whether that counts.",
        reads=("scanner_flows", "probe_entries", "interface_facts", "inventory", "expected_ports"),
        sql=_JUDGED_PROBES,
        kept=True,
    ),
    View(
        name="silenced_probes",
        meaning="One row per trusted list that kept probes from being reported, with their number.",
        reads=("probe_entries", "judged_probes"),
        sql=_SILENCED_PROBES,
    ),
)
