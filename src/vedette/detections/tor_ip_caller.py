"""Recon:IAMUser/TorIPCaller: a list or describe call came through a Tor exit node."""

from functools import partial

from vedette.detections import Detection
from vedette.families.callers.advice import next_steps
from vedette.families.callers.explanation import sections
from vedette.families.callers.sighting import describe
from vedette.families.callers.summary import Words, summarise

SQL = """
select *
from listed_callers
where kind = 'tor'
"""

WORDS = Words(
    kind="tor",
    title="{api}, an API that attackers use for reconnaissance, was called through a Tor exit node.",
    description=(
        "{api}, which shows what the account holds, was called by {user} through the Tor exit node {address}. Someone who "
        "explores an account through Tor does not want to be traced; with stolen credentials, this is how an attack on it begins."
    ),
)

DETECTION = Detection(
    finding_type="Recon:IAMUser/TorIPCaller",
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
