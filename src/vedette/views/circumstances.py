"""Views from new calls to their circumstances: all that is known of each when it is scored (methods 5.4)."""

from vedette.sql.calls import hour_of_week
from vedette.sql.history import within_baseline
from vedette.sql.threshold import Threshold
from vedette.sql.time import BINS_PER_HOUR
from vedette.views import View

_NEW_SUBJECTS = f"""
with known as (
    select distinct n.day, n.who, b.service, b.category
    from (select distinct day, who, principal, who_session from asked_calls) n
    join principal_api_days_before b on n.principal = b.principal
    where {within_baseline("b.day", "n.day")} and (n.who_session is null or b.session = n.who_session)
),
subjects as (select distinct service, operation, category from principal_bins where discovery)
select n.day, n.who, n.service, n.operation, case when max(s.service) is null then 1 else 0 end as service_new,
       case when max(k.category) is null then 1 else 0 end as category_new
from asked_calls n
join subjects c on n.service = c.service and n.operation = c.operation
left join (select distinct day, who, service from known) s on n.day = s.day and n.who = s.who and n.service = s.service
left join (select distinct day, who, category from known) k on n.day = k.day and n.who = k.who and c.category = k.category
group by n.day, n.who, n.service, n.operation
"""

_HOUR_OF_WEEK = hour_of_week(f"(h.bin // {BINS_PER_HOUR})", 0)
# Flags are 0 or 1, for points and mitigations (methods 5.4).
_CIRCUMSTANCES = f"""
select h.bin, h.bin // {BINS_PER_HOUR} as hour, h.day, h.who, h.principal, h.session, h.kind, h.account_id, h.region, h.service,
    h.operation, h.category,
       h.event_source, h.event_name, h.error_code, h.source_address, h.canonical, h.address_version, h.network, h.country_code,
       h.user_agent, h.family, h.attack, h.access_key_id, h.identity_type, h.principal_id, h.user_name, h.session_name,
       h.first_us as us, b.record.record_id as record_id, b.record."object" as "object", b.record."position" as "position",
       h.last_us, h.calls, h.weight, h.from_instance,
       case when h.listed then 1 else 0 end as listed, case when h.denied then 1 else 0 end as denied,
       s.service_new, s.category_new, coalesce(p.members, 0) as members, coalesce(p.peer_callers, 0) as peer_callers,
       coalesce(p.peers, '') as peers, coalesce(p.same_person, 0) as same_person,
       case when z.bin is not null then 1 else 0 end as granted,
       i.days as history_days, i.calls as history_calls, i.denied as history_denied, i.day - i.first_day as history_span,
           i.enough,
       i.archive_days, coalesce(m.networks, 0) as networks_known,
       case when m.networks = 1 then m.network end as network_known,
       case when n.value is not null and n.last_day is null and i.days > 0 then 1 else 0 end as network_new,
       case when n.value is not null and n.last_day is null
                 and (h.hosting or (n.new_to_all = 1 and i.archive_days >= $history_active_days))
                     then 1 else 0 end as network_strange,
       case when c.value is not null and c.last_day is null and i.days > 0 then 1 else 0 end as country_new,
       case when g.value is not null and g.last_day is null and i.days > 0 then 1 else 0 end as agent_new,
       case when r.last_day is null and i.days > 0 then 1 else 0 end as region_new,
       case when o.last_day is null and h.kind in ('user', 'sso', 'federated', 'root') and i.days >= $h1_days
           then 1 else 0 end as hour_new,
       case when k.value is not null and i.days > 0 and (k.last_day is null or k.last_day <= h.day - $k1_days)
            then 1 else 0 end as key_woken,
       case when n.value is not null and n.value <> 'private' and n.last_day is null and i.days > 0
                 and (y.bin is not null or h.kind = 'instance') then 1 else 0 end as key_spread,
       case when l.bin is not null then 1 else 0 end as address_listed,
       case when coalesce(h.from_console, false) or (h.agent_kind = 'console' and n.last_day is not null)
            then 1 else 0 end as console,
       case when h.agent_kind = 'infrastructure' and g.last_day is not null and n.last_day is not null
           then 1 else 0 end as usual_tool
from asked_bins h
join first_records b on h.number = b.number
join histories i on h.day = i.day and h.who = i.who
join new_subjects s on h.day = s.day and h.who = s.who and h.service = s.service and h.operation = s.operation
left join used_networks m on h.day = m.day and h.who = m.who
left join peer_calls p on h.day = p.day and h.who = p.who and h.service = p.service and h.operation = p.operation
left join judged_traits n on n.trait = 'network' and h.day = n.day and h.who = n.who and h.network = n.value
left join judged_traits c on c.trait = 'country' and h.day = c.day and h.who = c.who and h.country_code = c.value
left join judged_traits g on g.trait = 'agent' and h.day = g.day and h.who = g.who and h.family = g.value
left join judged_traits r on r.trait = 'region' and h.day = r.day and h.who = r.who and h.region = r.value
left join judged_traits o on o.trait = 'hour' and h.day = o.day and h.who = o.who and {_HOUR_OF_WEEK} = o.value
left join judged_traits k on k.trait = 'key' and h.day = k.day and h.who = k.who and h.access_key_id = k.value
left join spread_keys y on h.access_key_id = y.access_key_id and h.bin = y.bin
left join listed_addresses l on h.bin = l.bin and h.source_address = l.source_address
left join granted_bins z on h.bin = z.bin and h.account_id = z.account_id and h.user_name = z.user_name and h.kind = z.kind
"""

VIEWS: tuple[View, ...] = (
    View(
        name="new_subjects",
        meaning="One row per new call, with whether its service and its category are new, too.",
        reads=("asked_calls", "principal_bins", "principal_api_days_before"),
        sql=_NEW_SUBJECTS,
        kept=True,
    ),
    View(
        name="circumstances",
        meaning="One row per five minutes and new call of a principal, with what is known of the caller, its peers and the call.",
        reads=(
            "asked_bins",
            "first_records",
            "histories",
            "new_subjects",
            "used_networks",
            "peer_calls",
            "judged_traits",
            "spread_keys",
            "listed_addresses",
            "granted_bins",
        ),
        sql=_CIRCUMSTANCES,
        thresholds=(
            Threshold("h1_days", 14, "H1: days on which a person must have been active before the working hours are known."),
            Threshold("k1_days", 30, "K1: days for which a long-lived key was unused."),
        ),
        kept=True,
    ),
)
