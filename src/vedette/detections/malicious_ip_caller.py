"""Recon:IAMUser/MaliciousIPCaller: a list or describe call came from a known malicious address."""

from functools import partial

from vedette.detections import Detection
from vedette.families.callers.advice import next_steps
from vedette.families.callers.explanation import sections
from vedette.families.callers.sighting import describe
from vedette.families.callers.summary import Words, summarise

SQL = """
select *
from listed_callers
where kind = 'malicious'
"""

WORDS = Words(
    kind="malicious",
    title="{api}, an API that attackers use for reconnaissance, was called from a known malicious address.",
    description=(
        "{api}, which shows what the account holds, was called by {user} from {address}, an address that threat list {list} "
        "identifies as malicious. Intruders list resources and permissions first, to learn what stolen credentials are good for."
    ),
    names_list=True,
    names_provider=True,
)

DETECTION = Detection(
    finding_type="Recon:IAMUser/MaliciousIPCaller",
    resource_type="AccessKey",
    resource_role="TARGET",
    action_type="AWS_API_CALL",
    reads=("listed_callers",),
    sql=SQL,
    describe=describe,
    summarise=partial(summarise, words=WORDS),
    sections=sections,
    next_steps=next_steps,
)
