"""Recon:IAMUser/MaliciousIPCaller: a list or describe call came from a known malicious address."""

from functools import partial

from vedette.detections import Detection
from vedette.families.callers.sighting import MALICIOUS, describe, summarise

FINDING_TYPE = "Recon:IAMUser/MaliciousIPCaller"

SQL = """
select *
from listed_callers
where kind = 'malicious'
"""

DETECTION = Detection(
    finding_type=FINDING_TYPE,
    resource_type="AccessKey",
    resource_role="TARGET",
    action_type="AWS_API_CALL",
    reads=("listed_callers",),
    sql=SQL,
    describe=partial(describe, finding_type=FINDING_TYPE),
    summarise=partial(summarise, words=MALICIOUS),
)
