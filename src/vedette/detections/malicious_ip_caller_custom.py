"""Recon:IAMUser/MaliciousIPCaller.Custom: a list or describe call came from an address on the user's own threat list."""

from functools import partial

from vedette.detections import Detection
from vedette.families.callers.advice import next_steps
from vedette.families.callers.explanation import sections
from vedette.families.callers.sighting import describe
from vedette.families.callers.summary import Words, summarise

SQL = """
select *
from listed_callers
where kind = 'custom'
"""

WORDS = Words(
    kind="custom",
    title="{api}, an API that attackers use for reconnaissance, was called from an address on your own threat list.",
    description=(
        "{api}, which shows what the account holds, was called by {user} from {address}, an address on your threat list {list}. "
        "Intruders list resources and permissions first, to learn what stolen credentials are good for."
    ),
    names_list=True,
)

DETECTION = Detection(
    finding_type="Recon:IAMUser/MaliciousIPCaller.Custom",
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
