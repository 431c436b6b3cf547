"""Views over CloudTrail for the mitigating factor E6: who was granted rights in the days before a call (methods 5.4).

A policy is not read: any that is attached to a user or role, and any group that a user joins, counts. So does what single sign-on
attaches to the role of a permission set. Rights that come from a new version of a policy, or from what a group is given, name no
user or role, and do not count.
"""

from vedette.sql.calls import GRANT_DAYS
from vedette.sql.history import marked, within_baseline
from vedette.sql.time import BIN, BINS_PER_DAY
from vedette.views import View

# Calls of IAM that give more rights to the user or role that they name.
_USER_GRANTS = ("AddUserToGroup", "AttachUserPolicy", "PutUserPolicy")
_ROLE_GRANTS = ("AttachRolePolicy", "PutRolePolicy")
_KIND = "case when {0}.kind = 'user' then 'user' else 'role' end"

# Granted by somebody else than the user or role itself, without an attack tool, not from a listed address, and from where the
# baseline knows the granter, or by a service.
_GRANTS = f"""
with granted as (
    select microseconds(event_time) // {BIN} as bin, coalesce(account_id, '') as account_id, request_name as grantee,
           case when event_name in {_USER_GRANTS} then 'user' else 'role' end as grantee_kind,
           principal, coalesce(principal_kind, 'unknown') as kind, user_name, source_address, user_agent
    from cloudtrail
    where event_source = 'iam.amazonaws.com' and event_name in {(*_USER_GRANTS, *_ROLE_GRANTS)} and error_code is null
      and request_name is not null and event_time is not null
),
seen as (
    select g.*, g.bin // {BINS_PER_DAY} as day, f.network
    from granted g
    left join address_facts f on g.source_address = f.address
    left join agent_facts a on g.user_agent = a.user_agent
    left join listed_addresses l on g.bin = l.bin and g.source_address = l.source_address
    where coalesce(a.attack, '') = '' and l.bin is null
      and not (coalesce(g.user_name, '') = g.grantee and {_KIND.format("g")} = g.grantee_kind)
),
usual as (
    select distinct s.day, s.principal, s.network
    from seen s
    join principal_traits_before b
      on b.trait = 'network' and s.principal = b.principal and s.network = b.value
     and {within_baseline("b.day", "s.day")}
    left join found_marks_before f
      on {marked("f", "b", "s", subject="b.trait", value="b.value")}
    where f.principal is null
)
select distinct s.bin, s.account_id, s.grantee_kind, s.grantee
from seen s
left join usual u on s.day = u.day and s.principal = u.principal and s.network = u.network
where s.network is null or u.network is not null
"""

_GRANTED_BINS = f"""
select distinct h.bin, h.account_id, h.user_name, h.kind
from principal_bins h
join permission_grants g
  on h.account_id = g.account_id and h.user_name = g.grantee and {_KIND.format("h")} = g.grantee_kind
 and g.bin < h.bin and g.bin >= h.bin - {GRANT_DAYS * BINS_PER_DAY}
"""

VIEWS: tuple[View, ...] = (
    View(
        name="grants",
        meaning="One row per user or role and five minutes in which somebody usual granted it a policy or group.",
        reads=("cloudtrail", "address_facts", "agent_facts", "listed_addresses", "principal_traits_before", "found_marks_before"),
        sql=_GRANTS,
    ),
    View(
        name="granted_bins",
        meaning="One row per principal and five minutes in which it acted some days after it was granted rights.",
        reads=("principal_bins", "permission_grants"),
        sql=_GRANTED_BINS,
        kept=True,
    ),
)
