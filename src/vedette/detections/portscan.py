"""Recon:EC2/Portscan: an instance tries many ports of a host, or a port of many hosts, and most do not answer."""

from vedette.detections import Detection
from vedette.families.scans.advice import next_steps
from vedette.families.scans.sighting import describe
from vedette.families.scans.summary import summarise
from vedette.findings.merge import KEPT_KEYS
from vedette.findings.model import KEPT_SAMPLES
from vedette.guardduty.instance import sections
from vedette.sql.outcomes import FAILED
from vedette.sql.time import HOUR

_GROUP = "interface_id, target, hour"
# What is counted: a row of ``parts`` has a value of one of these.
_PARTS = ("failed_port", "open_port", "sensitive_port", "address", "outcome", "rule", "kinds")

# Where networks overlap, an address may belong to several interfaces: then nobody knows its subnet. An attacker may try more
# ports and hosts than anybody reads: the smallest are counted, as many as findings keep and one more.
SQL = f"""
with placed as (
    select e.*, e.us // {HOUR} as hour, e.remote_address as address,
           case when e.outcome in {FAILED} then e.remote_port end as failed_port,
           case when e.outcome not in {FAILED} then e.remote_port end as open_port,
           case when e.sensitive = 1 then e.remote_port end as sensitive_port,
           case when a.subnet_id <> f.subnet_id or a.subnet_id <> b.subnet_id then 1 else 0 end as other_subnet
    from scan_evidence e
    join interface_facts f on e.interface_id = f.interface_id
    left join (
        select address, min(subnet_id) as subnet_id
        from inventory group by address having min(subnet_id) = max(subnet_id)
    ) a on e.remote_address = a.address
    left join (
        select interface_id, address, max(subnet_id) as subnet_id from inventory group by interface_id, address
    ) b on e.interface_id = b.interface_id and e.local_address = b.address
),
parts as (
    select {_GROUP}, {", ".join(_PARTS)}, count(*) as attempts, min(us) as first_us, max(us) as last_us
    from placed
    group by grouping sets ({", ".join(f"({_GROUP}, {part})" for part in _PARTS)})
),
named as (
    select *, case {" ".join(f"when {part} is not null then '{part}'" for part in _PARTS)} end as part
    from parts
    where {" or ".join(f"{part} is not null" for part in _PARTS)}
),
tallies as (
    select {_GROUP},
           list(struct_pack(part := part, port := coalesce(failed_port, open_port, sensitive_port),
                            name := coalesce(address, outcome, kinds), rule := rule, attempts := attempts, first_us := first_us,
                            last_us := last_us)) as tallies
    from (select *, row_number() over (partition by {_GROUP}, part order by {", ".join(_PARTS)}) as place from named)
    where place <= {KEPT_KEYS + 1}
    group by {_GROUP}
),
samples as (
    select {_GROUP},
           list(struct_pack(us := us, address := address, port := remote_port, protocol := protocol, outcome := outcome,
                            "object" := "object", "position" := "position")) as samples
    from (
        select *, row_number() over (
                   partition by {_GROUP} order by us, address, remote_port, protocol, outcome, "object", "position") as place
        from placed
    )
    where place <= {KEPT_SAMPLES}
    group by {_GROUP}
),
summed as (
    select {_GROUP}, max(local_address) as local_address, count(*) as attempts, max(assumed) as assumed, max(control) as control,
           max(other_subnet * inside * sensitive * (case when outcome in {FAILED} then 0 else 1 end)) as severe,
           min(low_port) as low_port, max(high_port) as high_port,
           max(fast_tried) as fast_tried, max(fast_weight) as fast_weight, max(medium_tried) as medium_tried,
           max(medium_weight) as medium_weight, max(slow_tried) as slow_tried, max(slow_weight) as slow_weight,
           max(slow_hours) as slow_hours, min(triggered_us) as triggered_us,
           min(struct_pack(us := us, address := address, port := remote_port, protocol := protocol)) as "first",
           max(struct_pack(us := us, address := address, port := remote_port, protocol := protocol, outcome := outcome,
                           local_port := low_port)) as "last"
    from placed
    group by {_GROUP}
)
select p.*, f.account_id, f.region, f.instance_id, f.vpc_id, f.subnet_id, t.tallies, s.samples
from summed p
join tallies t on p.interface_id = t.interface_id and p.target = t.target and p.hour = t.hour
join samples s on p.interface_id = s.interface_id and p.target = s.target and p.hour = s.hour
join interface_facts f on p.interface_id = f.interface_id
order by p.hour, p.interface_id, p.target
"""

DETECTION = Detection(
    finding_type="Recon:EC2/Portscan",
    resource_type="Instance",
    resource_role="ACTOR",
    action_type="NETWORK_CONNECTION",
    reads=("scan_evidence", "interface_facts", "inventory"),
    sql=SQL,
    describe=describe,
    summarise=summarise,
    sections=sections,
    next_steps=next_steps,
    gap_hours=6,
)
