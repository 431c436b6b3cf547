"""Recon:EC2/PortProbeUnprotectedPort: a known scanner asked a port of an instance, and the port answered."""

from vedette.detections import Detection, Threshold
from vedette.families.probes.advice import next_steps
from vedette.families.probes.sighting import describe
from vedette.families.probes.summary import summarise
from vedette.guardduty.instance import sections

SQL = """
with answered as (
    select *, coalesce(instance_id, interface_id) as resource_key
    from judged_probes
    where counts = 1 and trusted = 0 and expected = 0 and verdict <> 'research' and level >= $answer_level
),
entries as (
    select a.interface_id, a.day,
           list(distinct struct_pack(list_name := e.list_name, kind := e.kind, network := e.network, line := e.line,
                                     category := e.category, stale := e.stale, as_of := e.as_of,
                                     valid_from := e.entry_valid_from, valid_to := e.entry_valid_to)) as evidence
    from answered a
    join probe_entries e
      on a.interface_id = e.interface_id and a.address = e.address and a.port = e.port and a.protocol = e.protocol
     and a.remote_address = e.remote_address and a.bin = e.bin
    where e.kind in ('scanner', 'malicious')
    group by a.interface_id, a.day
)
select a.interface_id, a.day, a.account_id, a.region, a.resource_key, max(a.instance_id) as instance_id, max(a.vpc_id) as vpc_id,
       max(a.subnet_id) as subnet_id, max(e.evidence) as evidence, cast(sum(a.probes) as bigint) as probes,
       list(struct_pack(us := a.first_us, last_us := a.last_us, address := a.address, port := a.port, protocol := a.protocol,
                        remote := a.remote_address, level := a.level, probes := a.probes, verdict := a.verdict,
                        "object" := a."object", "position" := a."position",
                        country_code := p.country_code, country_name := p.country_name, city_name := p.city_name,
                        latitude := p.latitude, longitude := p.longitude, asn := p.asn, asn_org := p.asn_org, isp := p.isp,
                        org := p.org)) as hits
from answered a
join entries e on a.interface_id = e.interface_id and a.day = e.day
left join address_facts p on a.remote_address = p.address
group by a.interface_id, a.day, a.account_id, a.region, a.resource_key
order by a.day, a.interface_id
"""

DETECTION = Detection(
    finding_type="Recon:EC2/PortProbeUnprotectedPort",
    resource_type="Instance",
    resource_role="TARGET",
    action_type="PORT_PROBE",
    reads=("judged_probes", "probe_entries", "address_facts"),
    sql=SQL,
    describe=describe,
    summarise=summarise,
    sections=sections,
    next_steps=next_steps,
    thresholds=(
        Threshold(
            "answer_level", 3, "How well a port must answer: 4 sent data, 3 completed the handshake, 2 refused, 1 accepted only."
        ),
        Threshold("severe_control_ports", 0, "Whether datastore ports other than 9200 and 9300 also make severity 8: 1 or 0."),
    ),
)
