"""Recon:IAMUser/UserPermissions: a principal asks about users and permissions for the first time, in suspicious circumstances."""

from functools import partial

from vedette.detections import Detection
from vedette.families.discovery.rules import RULES
from vedette.families.discovery.sighting import describe
from vedette.families.discovery.summary import USER, summarise

FINDING_TYPE = "Recon:IAMUser/UserPermissions"

SQL = """
select *
from discovery_findings
where category = 'user'
"""

DETECTION = Detection(
    finding_type=FINDING_TYPE,
    resource_type="AccessKey",
    resource_role="TARGET",
    action_type="AWS_API_CALL",
    reads=("discovery_findings",),
    sql=SQL,
    describe=partial(describe, finding_type=FINDING_TYPE),
    summarise=partial(summarise, subject=USER),
    thresholds=RULES,
    gap_hours=6,
)
