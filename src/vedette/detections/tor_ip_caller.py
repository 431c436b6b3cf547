"""Recon:IAMUser/TorIPCaller: a list or describe call came through a Tor exit node."""

from functools import partial

from vedette.detections import Detection
from vedette.families.callers.sighting import TOR, describe, summarise

FINDING_TYPE = "Recon:IAMUser/TorIPCaller"

SQL = """
select *
from listed_callers
where kind = 'tor'
"""

DETECTION = Detection(
    finding_type=FINDING_TYPE,
    resource_type="AccessKey",
    resource_role="TARGET",
    action_type="AWS_API_CALL",
    reads=("listed_callers",),
    sql=SQL,
    describe=partial(describe, finding_type=FINDING_TYPE),
    summarise=partial(summarise, words=TOR),
)
