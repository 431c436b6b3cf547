"""Recon:IAMUser/ResourcePermissions: a principal asks about resources for the first time, in suspicious circumstances."""

from functools import partial

from vedette.detections import Detection
from vedette.discovery_rules import RULES
from vedette.findings.discoveries import describe
from vedette.findings.discovery_summary import RESOURCE, summarise

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
