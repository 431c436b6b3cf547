"""Recon:IAMUser/MaliciousIPCaller.Custom: a list or describe call came from an address on the user's own threat list."""

from functools import partial

from vedette.detections import Detection
from vedette.families.callers.sighting import CUSTOM, describe, summarise

FINDING_TYPE = "Recon:IAMUser/MaliciousIPCaller.Custom"

SQL = """
select *
from listed_callers
where kind = 'custom'
"""

DETECTION = Detection(
    finding_type=FINDING_TYPE,
    resource_type="AccessKey",
    resource_role="TARGET",
    action_type="AWS_API_CALL",
    reads=("listed_callers",),
    sql=SQL,
    describe=partial(describe, finding_type=FINDING_TYPE),
    summarise=partial(summarise, words=CUSTOM),
)
