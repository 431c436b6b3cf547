"""Views over CloudTrail for the discovery types: what each principal did in five minutes, and what of it is new (methods 5).

Days are numbers since 1970-01-01; which of them judge a day is said in ``vedette.sql.history``.
"""

from vedette.sql.calls import CATEGORIES, EQUAL_IN, MANAGEMENT_CALLS
from vedette.sql.history import marked, within_baseline
from vedette.sql.threshold import Threshold
from vedette.sql.time import BIN, BINS_PER_DAY
from vedette.views import View

# Grouping by texts is expensive: which record was the first is looked up only where it matters. What services do by themselves or
# on somebody's behalf is left out (methods 5.1).
_CALL_BINS = f"""
select microseconds(event_time) // {BIN} as bin, {", ".join(EQUAL_IN)}, count(*) as calls,
       min(microseconds(event_time)) as first_us, max(microseconds(event_time)) as last_us
from cloudtrail
where event_time is not null and principal is not null and invoked_by is null
  and coalesce(principal_kind, 'unknown') <> 'service' and {MANAGEMENT_CALLS}
group by bin, {", ".join(EQUAL_IN)}
"""

# ``session`` is a person's name where a role is shared by people; ``person`` finds the same person under other principals.
_PRINCIPAL_BINS = f"""
select c.bin // {BINS_PER_DAY} as day, c.bin, coalesce(c.account_id, '') as account_id, coalesce(c.region, '') as region,
       c.principal,
       coalesce(c.principal_kind, 'unknown') as kind,
       case when coalesce(c.principal_kind, 'unknown') = 'role' then coalesce(c.session_name, '') else '' end as session,
       case when coalesce(c.principal_kind, 'unknown') = 'sso' then lower(c.session_name) else lower(c.source_identity) end
           as person,
       c.access_key_id, c.calls, c.first_us, c.last_us, c.event_source, c.event_name, c.read_only, c.request_attribute,
       c.error_code, c.source_address, c.user_agent, c.session_name, c.source_identity, c.identity_type, c.principal_id,
       c.user_name, c.from_console, c.ec2_role_delivery, a.service, a.operation, a.category, a.discovery, a.listed,
       a.weight, coalesce(e.denied, false) as denied, a.access in ('list', 'read') or a.discovery as reads,
       f.canonical, f.network, f.version as address_version, coalesce(f.hosting, false) as hosting, f.country_code,
       g.family, g.agent_kind, coalesce(g.attack, '') as attack,
       case when c.principal_kind = 'instance' or c.ec2_role_delivery is not null then 1 else 0 end as from_instance
from call_bins c
join api_facts a
  on c.event_source is not distinct from a.event_source and c.event_name is not distinct from a.event_name
 and c.read_only is not distinct from a.read_only and c.request_attribute is not distinct from a.request_attribute
left join address_facts f on c.source_address = f.address
left join agent_facts g on c.user_agent = g.user_agent
left join error_facts e on c.error_code = e.error_code
"""

# A role's session name counts as somebody of its own once it was seen on several days (methods 5.1): ``who_session``.
_WHO_DAYS = f"""
with seen as (
    select day, principal, session, max(kind) as kind, min(account_id) as account_id, max(person) as person
    from principal_bins
    group by day, principal, session
),
stable as (
    select s.day, s.principal, s.session
    from seen s
    join principal_days_before b on s.principal = b.principal and s.session = b.session
    where s.session <> '' and {within_baseline("b.day", "s.day")}
    group by s.day, s.principal, s.session
    having count(distinct b.day) >= $session_days
)
select s.day, s.principal, s.session, s.kind, s.account_id, s.person,
       case when t.session is not null then s.session end as who_session,
       case when t.session is not null then s.principal || '/' || s.session else s.principal end as who
from seen s
left join stable t on s.day = t.day and s.principal = t.principal and s.session = t.session
"""

# Calls that were always denied are no history of a call that succeeds.
_NEW_CALLS = f"""
with called as (
    select w.day, w.who, w.principal, w.who_session, h.service, h.operation, min(case when h.denied
        then 1 else 0 end) as all_denied
    from principal_bins h
    join who_days w on h.day = w.day and h.principal = w.principal and h.session = w.session
    where h.discovery and h.category in {CATEGORIES}
    group by w.day, w.who, w.principal, w.who_session, h.service, h.operation
),
known as (
    select c.day, c.who, c.service, c.operation
    from called c
    join principal_api_days_before b on c.principal = b.principal and c.service = b.service and c.operation = b.operation
    left join found_marks_before f
      on {marked("f", "b", "c", subject="'api'", value="b.service || ':' || b.operation")}
    where {within_baseline("b.day", "c.day")} and (c.who_session is null or b.session = c.who_session)
      and f.principal is null
    group by c.day, c.who, c.service, c.operation
    having sum(b.calls) > sum(b.denied) or max(c.all_denied) = 1
)
select c.day, c.who, c.principal, c.who_session, c.service, c.operation
from called c
left join known k on c.day = k.day and c.who = k.who and c.service = k.service and c.operation = k.operation
where k.who is null
"""

_HISTORIES = f"""
with asked as (select distinct day, who, principal, who_session from new_calls),
archive as (
    select min(day) as first_day
    from (select min(day) as day from principal_days_before union all select min(day) as day from who_days)
)
select a.day, a.who, a.principal, a.who_session, min(b.day) as first_day, count(distinct b.day) as days,
       coalesce(sum(b.reads), 0) as reads, coalesce(sum(b.calls), 0) as calls, coalesce(sum(b.denied), 0) as denied,
       a.day - min(z.first_day) as archive_days,
       case when a.day - min(b.day) >= $history_days and count(distinct b.day) >= $history_active_days
                 and sum(b.reads) >= $history_reads then 1 else 0 end as enough
from asked a
cross join archive z
left join principal_days_before b
  on a.principal = b.principal and (a.who_session is null or b.session = a.who_session)
 and {within_baseline("b.day", "a.day")}
group by a.day, a.who, a.principal, a.who_session
"""

VIEWS: tuple[View, ...] = (
    View(
        name="call_bins",
        meaning="One row per five minutes and management calls of a principal that are equal in all that matters.",
        reads=("cloudtrail",),
        sql=_CALL_BINS,
    ),
    View(
        name="principal_bins",
        meaning="One row per row of call_bins, with what is known of its API, address, tool and error.",
        reads=("call_bins", "api_facts", "address_facts", "agent_facts", "error_facts"),
        sql=_PRINCIPAL_BINS,
        kept=True,
    ),
    View(
        name="who_days",
        meaning="One row per day, principal and session that the slice saw, with the name under which they are judged.",
        reads=("principal_bins", "principal_days_before"),
        sql=_WHO_DAYS,
        thresholds=(
            Threshold(
                "session_days", 5, "Days on which a role's session name must have been seen before it is judged separately."
            ),
        ),
        kept=True,
    ),
    View(
        name="new_calls",
        meaning="One row per day, principal and discovery call that the baseline does not know of them.",
        reads=("principal_bins", "who_days", "principal_api_days_before", "found_marks_before"),
        sql=_NEW_CALLS,
        kept=True,
    ),
    View(
        name="histories",
        meaning="One row per day and principal with new calls, with what the baseline holds of them and how old the archive is.",
        reads=("new_calls", "who_days", "principal_days_before"),
        sql=_HISTORIES,
        thresholds=(
            Threshold("history_days", 14, "Days since a principal was first seen before it has enough history."),
            Threshold("history_active_days", 7, "Days on which it had been active by then."),
            Threshold("history_reads", 50, "Read calls that it had made by then."),
        ),
        kept=True,
    ),
)
