"""Views from remembered contacts to attempts that may belong to a scan: which of them are new (methods 2.3, 2.4).

Times are microseconds since 1970 (``us``), weights of failures are in tenths.
"""

from vedette.sql.contacts import KNOWN_CONTACT_DAYS
from vedette.sql.flow_limits import (
    BLOCK_HOST_FAILURES,
    CLUSTER_WEIGHT,
    FIRST_WEAK_RULE,
    SILENT_WEIGHT,
    USUAL_PORT_SHARE,
    WEIGHT,
)
from vedette.sql.outcomes import ANSWERED, FAILED, PROBING
from vedette.sql.packets import UDP
from vedette.sql.ports import CONTROL_PORTS, DYNAMIC, SENSITIVE_PORTS, SINGLE_PURPOSE_PORTS
from vedette.sql.threshold import Threshold
from vedette.sql.time import DAY, HOUR, MINUTE
from vedette.sql.windows import over
from vedette.views import View

_FAST, _MEDIUM, _SLOW = "within ten minutes", "within an hour", "within 24 hours"

# Hosts that may be part of a scan that this step reports: those on which enough endpoints were tried in vain, where the interface
# did something new to one of them, and those of a port that was tried in vain on enough hosts. An endpoint counts once per
# window, however often it was tried; what is answered is as new as what fails. A slice of a small account holds weeks, so the
# look-back is measured from its first attempt, not from its end.
_SINCE = f"(select min(first.us) - {2 * DAY} from contact_hours where first.step = $step)"
_SCAN_HOSTS = f"""
with probed as (
    select interface_id, remote_address, remote_port, protocol, max(dark) as dark
    from remembered_contacts
    where outcome in {PROBING} and us >= {_SINCE}
    group by interface_id, remote_address, remote_port, protocol
),
new_contacts as (
    select distinct interface_id, remote_address, remote_port, protocol from contact_hours where first.step = $step
),
hosts as (
    select interface_id, remote_address from probed group by interface_id, remote_address
    having count(*) >= least($fast_failed, $open_share * $open_ports, $sensitive_failed, $medium_failed, $slow_failed,
                             $block_ports, {BLOCK_HOST_FAILURES})
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
_WEEK = f"""over (
           partition by interface_id order by hour range between {KNOWN_CONTACT_DAYS * 24} preceding and 1 preceding)"""

# New (methods 2, 2.3) is the first contact in 24 hours with an endpoint that was not tried on several days before and did not
# answer in the last seven, from a port that is not listening. Where a host answered on several dynamic ports in the days before,
# others of them that fail are an outage of it. ``usual_port`` is one that made up nearly all that the interface did in the hours
# of a week before: no horizontal scan. Whether a control conversation stands is read from its first attempt of the hour: what
# comes later in the hour may lie in a later slice.
_SCAN_ATTEMPTS = f"""
with actors as (
    select c.*, c.us // {DAY} as day, c.us // {HOUR} as hour
    from remembered_contacts c
    join scan_hosts s on c.interface_id = s.interface_id and c.remote_address = s.remote_address
),
hours as (
    select interface_id, hour, {", ".join(f"sum(to_{name}) {_WEEK} as to_{name}" for name in ("any", *SINGLE_PURPOSE_PORTS))}
    from (
        select interface_id, hour, count(*) as to_any,
               {", ".join(f"sum(case when remote_port = {port} then 1 else 0 end) as to_{port}" for port in SINGLE_PURPOSE_PORTS)}
        from (
            select c.interface_id, c.us // {HOUR} as hour, c.remote_port
            from remembered_contacts c
            join (select distinct interface_id from scan_hosts) s on c.interface_id = s.interface_id
        )
        group by interface_id, hour
    )
),
looked_up as (
    select *,
           max(last_us) {over(_CONTACT, KNOWN_CONTACT_DAYS * DAY, 1)} as before_us,
           max(case when answered then us end) {over(_CONTACT, KNOWN_CONTACT_DAYS * DAY, 1)} as opened_us,
           sum(case when answered and {DYNAMIC} then 1 else 0 end) {
    over(_HOST, KNOWN_CONTACT_DAYS * DAY, HOUR)
} as dynamic_before,
           max(case when outcome in {ANSWERED} and remote_port in ({CONTROL_PORTS}) then 1 else 0 end) {over(_HOST, HOUR)}
               as control,
           row_number() over (partition by {_CONTACT}, day order by us) as of_day
    from actors
),
days as (
    select *, sum(case when of_day = 1 then 1 else 0 end) over (
                  partition by {_CONTACT} order by day range between {
    KNOWN_CONTACT_DAYS
} preceding and 1 preceding) as days_before
    from looked_up
)
select *, sum(failed) {over(_HOST, 10 * MINUTE)} as host_failed,
       row_number() over (partition by interface_id, remote_address, protocol, hour order by us, remote_port) as of_host_hour,
       row_number() over (partition by interface_id, remote_port, protocol, hour order by us, remote_address) as of_port_hour
from (
select d.*, case when is_inside(d.remote_address) then 1 else 0 end as inside,
       case when d.outcome in {FAILED} then 1 else 0 end as failed,
       case when d.outcome in {PROBING} then 1 else 0 end as probing,
       case when d.outcome in ('rejected', 'refused') then 1 else 0 end as hard,
       case when d.outcome not in {FAILED} then 0
            when d.outcome = 'no_reply' and (d.protocol = {UDP} or d.unreliable = 1) then {SILENT_WEIGHT}
            when d.k8s = 1 and is_inside(d.remote_address) then {CLUSTER_WEIGHT}
            else {WEIGHT} end as weight,
       case when d.rule >= {FIRST_WEAK_RULE} then 1 else 0 end as weak,
       case when d.remote_port in ({CONTROL_PORTS}) then 1 else 0 end as controls,
       case when d.remote_port in ({SENSITIVE_PORTS}) then 1 else 0 end as sensitive,
       case when {
    " or ".join(f"(h.to_{port} > {USUAL_PORT_SHARE} * h.to_any and d.remote_port = {port})" for port in SINGLE_PURPOSE_PORTS)
}
            then 1 else 0 end as usual_port,
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
  and not (d.outcome in {FAILED} and {DYNAMIC} and coalesce(d.dynamic_before, 0) >= $known_ports)
)
"""

VIEWS: tuple[View, ...] = (
    View(
        name="scan_hosts",
        meaning="One row per interface and remote host that may be part of a scan that this step reports.",
        reads=("remembered_contacts", "contact_hours"),
        sql=_SCAN_HOSTS,
        thresholds=(
            Threshold("fast_failed", 15, f"Ports on one host that must fail {_FAST}."),
            Threshold("medium_failed", 25, f"Ports on one host that must fail {_MEDIUM}."),
            Threshold("slow_failed", 30, f"Ports on one host that must fail {_SLOW}."),
            Threshold("sensitive_failed", 4, f"Database, shell and similar ports on one host that must fail {_FAST}."),
            Threshold("open_ports", 100, f"Ports on one host that are attempted {_FAST}, whatever they answer."),
            Threshold("open_share", 0.9, "Share of these ports that must not be used."),
            Threshold("hosts_failed", 20, f"Hosts on which the same port must fail {_FAST}."),
            Threshold("medium_hosts_failed", 32, f"Hosts on which the same port must fail {_MEDIUM}."),
            Threshold("slow_hosts_failed", 60, f"Hosts on which the same port must fail {_SLOW}."),
            Threshold("dark_hosts", 3, f"Unused addresses of yours on which the same port must be attempted in vain {_FAST}."),
            Threshold("block_ports", 5, f"Ports that must fail on each host of a block {_FAST}."),
        ),
        kept=True,
    ),
    View(
        name="scan_attempts",
        meaning="One row per attempt on such a host that is new, with what it counts for.",
        reads=("remembered_contacts", "scan_hosts", "listening"),
        sql=_SCAN_ATTEMPTS,
        # The first two decide here what is new, the others in the views of scans, which share them.
        thresholds=(
            Threshold("known_days", 3, "Days of the last seven on which an endpoint must be attempted to count as known."),
            Threshold(
                "known_ports",
                5,
                "Dynamic ports of a host that must have answered in recent days for failures on others to be an outage.",
            ),
            Threshold("fast_share", 0.6, f"Share of the attempts {_FAST} that must fail."),
            Threshold("medium_share", 0.7, f"Share of the attempts {_MEDIUM} that must fail."),
            Threshold("slow_share", 0.7, f"Share of the attempts {_SLOW} that must fail."),
            Threshold("slow_hours", 3, "Distinct hours over which a slow scan must be spread."),
            Threshold("horizontal", 1, "Whether scans of one port over many hosts, and of blocks, are reported: 1 or 0."),
        ),
        kept=True,
    ),
)
