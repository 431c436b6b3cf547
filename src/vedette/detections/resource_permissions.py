"""Recon:IAMUser/ResourcePermissions: a principal asks about resources for the first time, in suspicious circumstances."""

from functools import partial

from vedette.detections import Detection
from vedette.families.discovery.explanation import sections
from vedette.families.discovery.rules import GROUP, HIGH
from vedette.families.discovery.sighting import describe
from vedette.families.discovery.summary import summarise
from vedette.guardduty.access_key import next_steps

CATEGORY = "resource"

SQL = """
select *
from discovery_findings
where category = 'resource'
"""

DETECTION = Detection(
    finding_type="Recon:IAMUser/ResourcePermissions",
    resource_type="AccessKey",
    resource_role="TARGET",
    action_type="AWS_API_CALL",
    reads=("discovery_findings",),
    sql=SQL,
    describe=describe,
    summarise=partial(summarise, category=CATEGORY, asked="access permissions of resources"),
    sections=sections,
    next_steps=next_steps,
    target_is_remote=False,
    thresholds=(HIGH,),
    group=GROUP,
    gap_hours=6,
    category=CATEGORY,
)
