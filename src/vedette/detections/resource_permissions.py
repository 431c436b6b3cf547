"""Recon:IAMUser/ResourcePermissions: a principal asks about resources for the first time, in suspicious circumstances."""

from functools import partial

from vedette.detections import Detection
from vedette.families.discovery.rules import RULES
from vedette.families.discovery.sighting import describe
from vedette.families.discovery.summary import RESOURCE, summarise

FINDING_TYPE = "Recon:IAMUser/ResourcePermissions"

SQL = """
select *
from discovery_findings
where category = 'resource'
"""

DETECTION = Detection(
    finding_type=FINDING_TYPE,
    resource_type="AccessKey",
    resource_role="TARGET",
    action_type="AWS_API_CALL",
    reads=("discovery_findings",),
    sql=SQL,
    describe=partial(describe, finding_type=FINDING_TYPE),
    summarise=partial(summarise, subject=RESOURCE),
    thresholds=RULES,
    gap_hours=6,
)
