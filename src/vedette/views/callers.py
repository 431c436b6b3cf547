"""Views over CloudTrail: listing calls from listed addresses, and who made them."""

from vedette.findings.model import KEPT_SAMPLES
from vedette.list_kinds import ACCUSING_KINDS, CALLER_KINDS, quoted
from vedette.sql.history import LOOK_BACK_DAYS
from vedette.views import View

# What may raise a finding from CloudTrail: a listing or describing call by somebody, from a public address (methods 4.1, 4.2).
# Calls that a service made on somebody's behalf come from AWS's addresses. Records before 2018 do not say whether they are data
# events; for them the catalogue decides.
_CALLS = """
select c.event_time, coalesce(c.event_id, c.object || '#' || cast(c.position as varchar)) as record_id,
       day_number(c.event_time) as day, c.account_id, c.region, c.event_source, c.event_name, c.error_code,
       c.source_address, c.user_agent, c.identity_type, c.principal, c.principal_kind, c.principal_id, c.access_key_id,
       c.user_name, c.session_name, c.object, c.position,
       f.canonical as remote_address, f.version as address_version, f.is_listed, a.service, a.operation, a.category
from cloudtrail c
join api_facts a
  on c.event_source is not distinct from a.event_source and c.event_name is not distinct from a.event_name
 and c.read_only is not distinct from a.read_only and c.request_attribute is not distinct from a.request_attribute
join address_facts f on c.source_address = f.address
where f.is_public
  and c.event_time is not null
  and (a.discovery or $include_write_calls = 1)
  and coalesce(c.principal_kind, 'unknown') <> 'service'
  and c.invoked_by is null
  and coalesce(c.event_type, 'AwsApiCall') = 'AwsApiCall'
  and ($include_data_events = 1
       or (coalesce(c.event_category, 'Management') = 'Management' and coalesce(c.management_event, true)))
"""

# The list may name the address at any time. An address that is only on trusted lists is left out: it can neither raise nor
# silence a finding.
_LISTED_CALLS = f"""
select *
from calls
where is_listed  -- implied by the next line, but drops all other addresses before anything is joined
  and source_address in (select address from address_matches where kind in {quoted(ACCUSING_KINDS)})
"""

_CALL_ENTRIES = f"""
select c.object, c.position, m.kind, m.precedence, m.list_name, m.network, m.line, m.category as list_category,
       c.event_time > m.stale_after as stale, m.as_of, m.entry_valid_from, m.entry_valid_to
from listed_calls c
join address_matches m
  on c.source_address = m.address and c.event_time >= m.valid_from and c.event_time <= m.valid_to
where m.kind in {quoted(CALLER_KINDS)}
"""

# An account's own way out (methods 4.2, 5) is an address that many principals used on many days before this one.
_OWN_EGRESS = f"""
select remote_address, day
from (
    select remote_address, day,
           sum(case when principals >= $own_egress_principals then 1 else 0 end) over (
               partition by remote_address order by day range between {LOOK_BACK_DAYS} preceding and 1 preceding) as busy_days
    from (
        select remote_address, day, count(distinct principal) as principals
        from caller_activity
        where remote_address in (select m.canonical from address_matches m)
        group by remote_address, day
    )
)
where busy_days >= $own_egress_days and $learn_own_egress = 1
"""

# The kind of list wins by precedence, and findings are grouped by ``resource_key``. A long-lived key can be acted on by itself;
# temporary credentials change daily, so their principal stands for them.
_WON_CALLS = """
select j.*,
       case when own then 'egress:' || remote_address || ':' || cast(j.day as varchar)
            when principal_kind = 'user' and access_key_id like 'AKIA%' then access_key_id
            else coalesce(principal, principal_id, access_key_id, 'unknown') end as resource_key
from (
    select c.*, k.kind, (coalesce(f.own, false) or e.day is not null) as own
    from listed_calls c
    join (select distinct object, position, kind, precedence from call_entries) k
      on c.object = k.object and c.position = k.position
    join (select object, position, min(precedence) as best from call_entries group by object, position) b
      on c.object = b.object and c.position = b.position
    join address_facts f on c.source_address = f.address
    left join own_egress e on c.remote_address = e.remote_address and c.day = e.day
    where k.kind <> 'trusted' and b.best > 0 and (k.precedence = b.best or $emit_all_types = 1)
) j
"""

_SILENCED_CALLS = """
select t.list_name, count(*) as records
from (select distinct object, position, list_name from call_entries where kind = 'trusted') t
join (select distinct object, position from call_entries where kind <> 'trusted') s
  on t.object = s.object and t.position = s.position
group by t.list_name
"""

# The day is part of it: a row must not span a silence that ends an episode.
_GROUP = "kind, account_id, resource_key, remote_address, region, service, operation, error_code, day"


def _same(left: str, right: str) -> str:
    """Return the condition that two rows are of one group."""
    return " and ".join(f"{left}.{name} is not distinct from {right}.{name}" for name in _GROUP.split(", "))


_LISTED_CALLERS = f"""
with ranked as (
    select kind, account_id, resource_key, remote_address, coalesce(region, '') as region, service, operation,
           coalesce(error_code, '') as error_code, day, own, event_time, record_id, object, position,
           event_source, event_name, identity_type, principal, principal_kind, principal_id, access_key_id, user_name,
           session_name, user_agent, address_version,
           row_number() over (
               partition by kind, account_id, resource_key, remote_address, day order by event_time, record_id) as place
    from won_calls
),
grouped as (
    select {_GROUP}, max(own) as own_egress, max(address_version) as address_version, count(*) as calls,
           min(struct_pack(event_time := event_time, record_id := record_id)) as first_call,
           max(struct_pack(event_time := event_time, record_id := record_id, event_source := event_source,
                           event_name := event_name, identity_type := identity_type, principal := principal,
                           principal_kind := principal_kind, principal_id := principal_id, access_key_id := access_key_id,
                           user_name := user_name, session_name := session_name, user_agent := user_agent)) as last_call
    from ranked
    group by {_GROUP}
),
samples as (
    select {_GROUP},
           list(struct_pack(event_time := event_time, event_id := record_id, "object" := object, "position" := position,
                            api := event_name, user_agent := user_agent, error_code := error_code)) as records
    from ranked
    where place <= {KEPT_SAMPLES}
    group by {_GROUP}
),
entries as (
    select distinct w.kind as won, w.account_id, w.resource_key, w.remote_address, coalesce(w.region, '') as region,
           w.service, w.operation, coalesce(w.error_code, '') as error_code, w.day,
           t.list_name, t.kind, t.network, t.line, t.list_category, t.stale, t.as_of, t.entry_valid_from, t.entry_valid_to
    from won_calls w
    join call_entries t on w.object = t.object and w.position = t.position
),
evidence as (
    select won as kind, account_id, resource_key, remote_address, region, service, operation, error_code, day,
           list(struct_pack(list_name := list_name, kind := kind, network := network, line := line,
                            category := list_category, stale := stale, as_of := as_of,
                            valid_from := entry_valid_from, valid_to := entry_valid_to)) as evidence
    from entries
    group by won, account_id, resource_key, remote_address, region, service, operation, error_code, day
)
select g.kind, g.account_id, g.resource_key, g.remote_address, g.region, g.service, g.operation, g.error_code, g.day,
       g.own_egress, g.address_version, g.calls, s.records, e.evidence,
       g.first_call.event_time as first_time, g.first_call.record_id as first_id,
       g.last_call.event_time as last_time, g.last_call.record_id as last_id, g.last_call.event_source as event_source,
       g.last_call.event_name as event_name, g.last_call.identity_type as identity_type, g.last_call.principal as principal,
       g.last_call.principal_kind as principal_kind, g.last_call.principal_id as principal_id,
       g.last_call.access_key_id as access_key_id, g.last_call.user_name as user_name,
       g.last_call.session_name as session_name, g.last_call.user_agent as user_agent,
       case when g.region like 'cn-%' then 'aws-cn' when g.region like 'us-gov-%' then 'aws-us-gov' else 'aws' end as partition,
       f.country_code, f.country_name, f.city_name, f.latitude, f.longitude, f.asn, f.asn_org, f.isp, f.org
from grouped g
join evidence e on {_same("g", "e")}
left join samples s on {_same("g", "s")}
join place_facts f on g.remote_address = f.canonical
order by first_time, first_id, {_GROUP}
"""

_PLACE_FACTS = """
select canonical, max(country_code) as country_code, max(country_name) as country_name, max(city_name) as city_name,
       max(latitude) as latitude, max(longitude) as longitude, max(asn) as asn, max(asn_org) as asn_org,
       max(isp) as isp, max(org) as org
from address_facts
where canonical is not null
group by canonical
"""

VIEWS: tuple[View, ...] = (
    View(
        name="calls",
        meaning="One row per call that may raise a finding, with the operation and the address of the caller.",
        reads=("cloudtrail", "address_facts", "api_facts"),
        sql=_CALLS,
    ),
    View(
        name="listed_calls",
        meaning="One row per such call from an address that a threat list names.",
        reads=("calls", "address_matches"),
        sql=_LISTED_CALLS,
        kept=True,
    ),
    View(
        name="call_entries",
        meaning="One row per listed call and list entry that covers its address at the time of the call.",
        reads=("listed_calls", "address_matches"),
        sql=_CALL_ENTRIES,
        kept=True,
    ),
    View(
        name="own_egress",
        meaning="One row per address and day on which it is taken for the account's own way out.",
        reads=("caller_activity", "address_matches"),
        sql=_OWN_EGRESS,
    ),
    View(
        name="won_calls",
        meaning="One row per listed call and kind of list for which it raises a finding.",
        reads=("listed_calls", "call_entries", "own_egress", "address_facts"),
        sql=_WON_CALLS,
        kept=True,
    ),
    View(
        name="silenced_calls",
        meaning="One row per trusted list that kept calls from being reported, with their number.",
        reads=("call_entries",),
        sql=_SILENCED_CALLS,
    ),
    View(
        name="place_facts",
        meaning="One row per address, with its country, city and network.",
        reads=("address_facts",),
        sql=_PLACE_FACTS,
    ),
    View(
        name="listed_callers",
        meaning="One row per kind of list, resource, address, region, operation, error and day, with calls and evidence.",
        reads=("won_calls", "call_entries", "place_facts"),
        sql=_LISTED_CALLERS,
        kept=True,
    ),
)
