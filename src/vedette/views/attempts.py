"""Views from conversations to attempts: what an instance tried, and what of it is new (methods 2, 2.3, 2.4).

Times are microseconds since 1970 (``us``), weights of failures are in tenths.
"""

from vedette.sql.windows import DAY, HOUR, MINUTE, over
from vedette.views import View

# Outcomes of attempts that did not reach anything.
FAILED = "('rejected', 'refused', 'no_reply')"

# Outcomes of a try by their number in the remembered table.
_OUTCOMES = ("rejected", "refused", "no_reply", "half_open", "touched", "established", "one_sided")

# What our side tried. A load balancer, a gateway and the like are no actors (methods 1.4). A NAT gateway in records without
# instance ids shows itself by passing on what others ask of it at the same ports (``relayed``).
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
select j.bin // 12 as hour, j.interface, j.initiator, j.responder, j.port, j.protocol, j.first_us, j.last_us,
       j.forward_records, j.rule, j.low_client_port, j.high_client_port, j.reference, j.role, j.assumed, j.outcome,
       case j.outcome {" ".join(f"when '{name}' then {number}" for number, name in enumerate(_OUTCOMES))} end as outcome_number,
       case when s.interface is not null or n.interface is not null then 1 else 0 end as unreliable,
       case when r.interface is not null then 1 else 0 end as relayed,
       case when d.number is not null then 1 else 0 end as dark
from judged_contacts j
left join skipped_bins s on j.interface = s.interface and j.bin = s.bin
left join lopsided n on j.interface = n.interface and j.bin = n.bin
left join relayed r on j.interface = r.interface and j.bin = r.bin and j.port = r.port
left join dark_addresses d on j.responder = d.number
where j.outbound and j.managed = 0 and j.role in ('instance', 'instance_k8s_node', 'unknown')
  and not (j.protocol = 17 and j.port between 33434 and 33689 and j.forward_packets <= 3 * j.forward_records)
"""

# Ports on which a conversation is arranged whose ports follow dynamically (methods 2.3).
_CONTROL = "21, 88, 111, 135, 389, 1099, 2049, 4369, 6123, 6379, 7077, 7946, 8020, 8032, 8301, 10001"
SENSITIVE = (
    "21, 22, 23, 25, 110, 111, 135, 139, 143, 389, 445, 873, 1433, 1521, 2049, 2375, 2376, 2379, 3306, 3389, 4369, 5432, "
    "5601, 5900, 5984, 5985, 5986, 6379, 6443, 7001, 8009, 8088, 8500, 9000, 9042, 9092, 9200, 9300, 10250, 11211, 15672, "
    "27017, 50070"
)
# Ports that an application may choose as it likes.
_DYNAMIC = f"(remote_port >= 1024 and remote_port not in ({SENSITIVE}))"
_ANSWERED = "('half_open', 'touched', 'established')"
# So many failures of one host within ten minutes belong to a scan of it or to a block, and not to one of a port.
BLOCK_HOST = 5
_PROBING = "('rejected', 'refused', 'no_reply', 'half_open', 'touched')"


# The remembered first attempts with their parts by name.
_REMEMBERED_CONTACTS = f"""
select interface_id, local_address, remote_address, remote_port, protocol, last_us, answered, first.us as us,
       case first.marks % 16 {" ".join(f"when {number} then '{name}'" for number, name in enumerate(_OUTCOMES))} end as outcome,
       first.marks // 16 % 16 as rule, first.marks // 256 % 2 as dark, first.marks // 512 % 2 as unreliable,
       first.marks // 1024 % 2 as k8s, first.marks // 2048 % 2 as assumed, first.marks // 4096 % 2 as relayed,
       first.ports % 65536 as low_port, first.ports // 65536 as high_port, first.step as step, first."object" as "object",
       first."position" as "position"
from contact_hours
"""

# Hosts that may be part of a scan that this step reports: those on which enough endpoints were tried in vain, where the interface
# did something new to one of them, and those of a port that was tried in vain on enough hosts. An endpoint counts once per
# window, however often it was tried; what is answered is as new as what fails. A slice of a small account holds weeks, so the
# look-back is measured from its first attempt, not from its end.
_SINCE = f"(select min(first.us) - {2 * DAY} from contact_hours where first.step = $step)"
_SCAN_HOSTS = f"""
with probed as (
    select interface_id, remote_address, remote_port, protocol, max(dark) as dark
    from remembered_contacts
    where outcome in {_PROBING} and us >= {_SINCE}
    group by interface_id, remote_address, remote_port, protocol
),
new_contacts as (
    select distinct interface_id, remote_address, remote_port, protocol from contact_hours where first.step = $step
),
hosts as (
    select interface_id, remote_address from probed group by interface_id, remote_address
    having count(*) >= least($fast_failed, $open_share * $open_ports, $sensitive_failed, $medium_failed, $slow_failed,
                             $block_ports, {BLOCK_HOST})
),
ports as (
    select p.interface_id, p.remote_port, p.protocol
    from (
        select interface_id, remote_port, protocol from probed group by interface_id, remote_port, protocol
        having count(*) >= least($hosts_failed, $medium_hosts_failed, $slow_hosts_failed) or sum(dark) >= $dark_hosts
    ) p
    join (select distinct interface_id, remote_port, protocol from new_contacts) n
      on p.interface_id = n.interface_id and p.remote_port = n.remote_port and p.protocol = n.protocol
)
select h.interface_id, h.remote_address
from hosts h
join (
    select distinct n.interface_id
    from new_contacts n
    join hosts o on n.interface_id = o.interface_id and n.remote_address = o.remote_address
) i on h.interface_id = i.interface_id
union
select c.interface_id, c.remote_address
from remembered_contacts c
join ports p on c.interface_id = p.interface_id and c.remote_port = p.remote_port and c.protocol = p.protocol
where c.us >= {_SINCE}
"""


_CONTACT = "interface_id, remote_address, remote_port, protocol"
_HOST = "interface_id, remote_address"

# Ports of resolvers, time and mail servers.
_USUAL = ("53", "123", "25")
_WEEK = "over (partition by interface_id order by hour range between 168 preceding and 1 preceding)"

# Everything that was tried of these hosts in the last days, as far as it is new (methods 2, 2.3): the first contact in 24 hours,
# of a door that was not tried on three days before and did not open in the last seven, not from a listening port. Where a host
# answered on several dynamic ports in the days before, others of them that fail are an outage of it. ``usual_port`` is one that
# made up nearly all that the interface did in the hours of a week before: no horizontal scan. Whether a control conversation
# stands is read from its first try of the hour: what comes later in the hour may lie in a later slice.
_SCAN_ATTEMPTS = f"""
with actors as (
    select c.*, c.us // {DAY} as day, c.us // {HOUR} as hour
    from remembered_contacts c
    join scan_hosts s on c.interface_id = s.interface_id and c.remote_address = s.remote_address
),
hours as (
    select interface_id, hour, {", ".join(f"sum(to_{name}) {_WEEK} as to_{name}" for name in ("any", *_USUAL))}
    from (
        select interface_id, hour, count(*) as to_any,
               {", ".join(f"sum(case when remote_port = {port} then 1 else 0 end) as to_{port}" for port in _USUAL)}
        from (
            select c.interface_id, c.us // {HOUR} as hour, c.remote_port
            from remembered_contacts c
            join (select distinct interface_id from scan_hosts) s on c.interface_id = s.interface_id
        )
        group by interface_id, hour
    )
),
looked as (
    select *,
           max(last_us) {over(_CONTACT, 7 * DAY, 1)} as before_us,
           max(case when answered then us end) {over(_CONTACT, 7 * DAY, 1)} as opened_us,
           sum(case when answered and {_DYNAMIC} then 1 else 0 end) {over(_HOST, 7 * DAY, HOUR)} as dynamic_before,
           max(case when outcome in {_ANSWERED} and remote_port in ({_CONTROL}) then 1 else 0 end) {over(_HOST, HOUR)} as control,
           row_number() over (partition by {_CONTACT}, day order by us) as of_day
    from actors
),
days as (
    select *, sum(case when of_day = 1 then 1 else 0 end) over (
                  partition by {_CONTACT} order by day range between 7 preceding and 1 preceding) as days_before
    from looked
)
select *, sum(failed) {over(_HOST, 10 * MINUTE)} as host_failed,
       row_number() over (partition by interface_id, remote_address, protocol, hour order by us, remote_port) as of_host_hour,
       row_number() over (partition by interface_id, remote_port, protocol, hour order by us, remote_address) as of_port_hour
from (
select d.*, case when is_inside(d.remote_address) then 1 else 0 end as inside,
       case when d.outcome in {FAILED} then 1 else 0 end as failed,
       case when d.outcome in {_PROBING} then 1 else 0 end as probing,
       case when d.outcome in ('rejected', 'refused') then 1 else 0 end as hard,
       case when d.outcome not in {FAILED} then 0
            when d.outcome = 'no_reply' and (d.protocol = 17 or d.unreliable = 1) then 3
            when d.k8s = 1 and is_inside(d.remote_address) then 5
            else 10 end as weight,
       case when d.rule >= 4 then 1 else 0 end as weak, case when d.remote_port in ({_CONTROL}) then 1 else 0 end as controls,
       case when d.remote_port in ({SENSITIVE}) then 1 else 0 end as sensitive,
       case when {" or ".join(f"(h.to_{port} > 0.9 * h.to_any and d.remote_port = {port})" for port in _USUAL)} then 1 else 0 end
           as usual_port,
       case when d.step = $step then 1 else 0 end as is_new
from days d
join hours h on d.interface_id = h.interface_id and d.hour = h.hour
left join (select distinct interface_id, address, port, protocol, hour from listening) l
  on d.interface_id = l.interface_id and d.local_address = l.address and d.low_port = l.port and d.high_port = l.port
 and d.protocol = l.protocol and d.hour > l.hour and d.hour <= l.hour + 24
where l.interface_id is null
  and d.relayed = 0
  and (d.before_us is null or d.us - d.before_us > {DAY})
  and coalesce(d.days_before, 0) < $known_days
  and not (d.outcome in {FAILED} and d.opened_us is not null)
  and not (d.outcome in {FAILED} and {_DYNAMIC} and coalesce(d.dynamic_before, 0) >= $known_ports)
)
"""

# A port that served many clients in an hour.
_LISTENING = """
select interface_id, address, port, protocol, hour
from listener_hours
where clients >= 5
"""

# Doors that were too many to be remembered: counted, so that nobody takes their absence for silence.
_EVICTED_CONTACTS = """
select coalesce(sum(endpoints - $kept_contacts), 0) as records
from (
    select hour, interface, count(*) as endpoints
    from (select distinct hour, interface, initiator, responder, port, protocol from crowded_attempts)
    group by hour, interface
)
where endpoints > $kept_contacts
"""

# Of interfaces with so many attempts in an hour that their endpoints may be too many.
_CROWDED_ATTEMPTS = """
select t.*
from attempts t
join (select hour, interface from attempts group by hour, interface having count(*) > $kept_contacts) c
  on t.hour = c.hour and t.interface = c.interface
"""

VIEWS: tuple[View, ...] = (
    View(
        name="attempts",
        reads=("judged_contacts", "skipped_bins", "flow_addresses", "address_facts"),
        sql=_ATTEMPTS,
        kept=True,
    ),
    View(name="crowded_attempts", reads=("attempts",), sql=_CROWDED_ATTEMPTS),
    View(name="evicted_contacts", reads=("crowded_attempts",), sql=_EVICTED_CONTACTS),
    View(name="listening", reads=("listener_hours",), sql=_LISTENING),
    View(name="remembered_contacts", reads=("contact_hours",), sql=_REMEMBERED_CONTACTS),
    View(name="scan_hosts", reads=("remembered_contacts", "contact_hours"), sql=_SCAN_HOSTS, kept=True),
    View(name="scan_attempts", reads=("remembered_contacts", "scan_hosts", "listening"), sql=_SCAN_ATTEMPTS, kept=True),
)
