"""Recon:EC2/Portscan: an instance tries many ports of a host, or a port of many hosts, and most do not answer."""

from vedette.detections import Detection, Threshold
from vedette.findings.scan_summary import summarise
from vedette.findings.scans import describe

FINDING_TYPE = "Recon:EC2/Portscan"

# Where networks overlap an address may be that of several interfaces: then nobody knows its subnet.
SQL = """
with placed as (
    select e.*, e.us // 3600000000 as hour,
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
)
select p.interface_id, p.target, p.hour, f.account_id, f.region, max(f.instance_id) as instance_id, max(f.vpc_id) as vpc_id,
       max(f.subnet_id) as subnet_id, max(p.local_address) as local_address, count(*) as tries,
       max(p.assumed) as assumed, max(p.control) as control,
       max(p.other_subnet * p.inside * p.sensitive * (case when p.outcome in ('half_open', 'touched', 'established')
                                                           then 1 else 0 end)) as severe,
       min(p.low_port) as low_port, max(p.high_port) as high_port,
       max(p.fast_tried) as fast_tried, max(p.fast_weight) as fast_weight, max(p.medium_tried) as medium_tried,
       max(p.medium_weight) as medium_weight, max(p.slow_tried) as slow_tried, max(p.slow_weight) as slow_weight,
       max(p.slow_hours) as slow_hours,
       min(p.fired_us) as fired_us,
       list(struct_pack(us := p.us, address := p.remote_address, port := p.remote_port, protocol := p.protocol,
                             outcome := p.outcome, rule := p.rule, kinds := p.kinds, local_port := p.low_port,
                             sensitive := p.sensitive, "object" := p."object", "position" := p."position")) as evidence
from placed p
join interface_facts f on p.interface_id = f.interface_id
group by p.interface_id, p.target, p.hour, f.account_id, f.region
order by p.hour, p.interface_id, p.target
"""

_FAST, _MEDIUM, _SLOW = "within ten minutes", "within an hour", "within 24 hours"

DETECTION = Detection(
    finding_type=FINDING_TYPE,
    resource_type="Instance",
    resource_role="ACTOR",
    action_type="NETWORK_CONNECTION",
    reads=("scan_evidence", "interface_facts", "inventory"),
    sql=SQL,
    describe=describe,
    summarise=summarise,
    gap_hours=6,
    thresholds=(
        Threshold("fast_ports", 20, f"Ports of one host that are tried {_FAST}."),
        Threshold("fast_failed", 15, "How many of them fail."),
        Threshold("fast_share", 0.6, "Share of the tries that fail, for kinds within ten minutes."),
        Threshold("open_ports", 100, f"Ports of one host, whatever they answer, that are touched without use {_FAST}."),
        Threshold("open_share", 0.9, "Share of them that are only touched."),
        Threshold("open_fixed_ports", 50, "How many of them are below the ephemeral ports (32768)."),
        Threshold("sensitive_ports", 6, f"Ports of databases, shells and the like of one host that are tried {_FAST}."),
        Threshold("sensitive_failed", 4, "How many of them fail."),
        Threshold("medium_ports", 30, f"Ports of one host that are tried {_MEDIUM}."),
        Threshold("medium_failed", 25, "How many of them fail."),
        Threshold("medium_share", 0.7, "Share of the tries that fail, for kinds within an hour."),
        Threshold("slow_failed", 30, f"Ports of one host that fail {_SLOW}."),
        Threshold("slow_share", 0.7, "Share of the tries that fail, for kinds within 24 hours."),
        Threshold("slow_hours", 3, "Different hours over which a slow scan is spread."),
        Threshold("horizontal", 1, "Whether scans of one port over many hosts, and of blocks, are told: 1 or 0."),
        Threshold("hosts", 25, f"Hosts of which the same port is tried {_FAST}."),
        Threshold("hosts_failed", 20, "How many of them fail."),
        Threshold("dark_hosts", 3, f"Addresses of yours that nobody has, of which the same port is tried {_FAST}."),
        Threshold("dark_tried", 10, "Hosts of which the port is tried along with them."),
        Threshold("medium_hosts", 40, f"Hosts of which the same port is tried {_MEDIUM}."),
        Threshold("medium_hosts_failed", 32, "How many of them fail."),
        Threshold("slow_hosts_failed", 60, f"Hosts of which the same port fails {_SLOW}."),
        Threshold("crawler_share", 0.8, "Share that must fail on ports 25, 53, 80, 123, 443 towards the internet."),
        Threshold("block_hosts", 3, f"Hosts of a block {_FAST}."),
        Threshold("block_ports", 5, "Ports that fail on each of them."),
        Threshold("block_failed", 40, "Pairs of host and port that fail on them together."),
        Threshold("dynamic_failed", 40, "Ports that must fail where all are dynamic and a control conversation stands."),
        Threshold("known_ports", 5, "Dynamic ports of a host that answered in the days before: others that fail are its outage."),
        Threshold("known_days", 3, "Days of the last seven on which a door was tried, from which on it is nothing new."),
    ),
)
