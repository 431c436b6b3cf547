"""Views from new calls to points: circumstances of each call, episodes, scores, and where they make a finding (methods 5.4, 5.5).

A row is one principal's like calls of five minutes. All that is said of a row depends on earlier rows only, so that a finding is
the same however the input is cut: points grow while an episode goes on, and its rows are told when they are enough.
"""

from vedette.list_kinds import CALLER_KINDS, quoted
from vedette.views import View
from vedette.views.principals import ALIKE, MANAGEMENT_CALLS

# What a principal is like on a day of the slice: values for the baseline, and what is looked up in it.
# An hour is of a working day or of the weekend (the first of January 1970 was a Thursday); a person who worked in it may as well
# work in the hours next to it.
_HOUR = "cast((case when ({0} // 24) % 7 in (2, 3) then 24 else 0 end) + ({0} + {1}) % 24 as varchar)"
_TRAITS = {
    "network": "network",
    "country": "country_code",
    "agent": "family",
    "region": "region",
    "key": "long_lived_key",
}
_SLICE_TRAITS = """
with seen as (
    select distinct h.day, h.principal, h.session, w.who, h.bin // 12 as hour, h.network, h.country_code, h.family, h.region,
           case when h.access_key_id like 'AKIA%' then h.access_key_id end as long_lived_key
    from principal_bins h
    join who_days w on h.day = w.day and h.principal = w.principal and h.session = w.session
)
""" + "\nunion\n".join(
    f"select day, principal, session, who, '{trait}' as trait, {value} as value from seen where {value} is not null"
    for trait, value in (*_TRAITS.items(), *(("hour", _HOUR.format("hour", near)) for near in (23, 0, 1)))
)

# Five minutes of somebody about whom more is strange than a new call: root, T1, U2, and what N2 and N4 are made of (``spread``:
# N4 takes some history). No slice cuts five minutes: what comes later in a day must not change what was said of it before.
_SUSPECTS = """
select *
from (
    select h.bin, h.day, w.who,
           max(case when h.attack <> '' or h.kind = 'root' or h.hosting or l.bin is not null then 1 else 0 end) as high_risk,
           max(case when h.kind = 'instance' or y.bin is not null then 1 else 0 end) as spread
    from principal_bins h
    join who_days w on h.day = w.day and h.principal = w.principal and h.session = w.session
    left join spread_keys y on h.access_key_id = y.access_key_id and h.bin = y.bin
    left join listed_addresses l on h.bin = l.bin and h.source_address = l.source_address
    group by h.bin, h.day, w.who
)
where high_risk = 1 or spread = 1
"""

# Without enough history new calls count only where something else is strange (methods 5.5). Of those about whom nothing is on the
# whole day nothing is looked up; while an archive is older, denials may be enough, and the calls that are new are few.
_SUSPECTED = "(q.high_risk = 1 or (q.spread = 1 and i.days > 0))"
_JUDGED = "(i.enough = 1 or i.archive_days >= $history_active_days)"
_ASKED_CALLS = f"""
select n.*
from new_calls n
join histories i on n.day = i.day and n.who = i.who
left join (select day, who, max(high_risk) as high_risk, max(spread) as spread from suspects group by day, who) q
  on n.day = q.day and n.who = q.who
where {_JUDGED} or {_SUSPECTED}
"""

# The traits of those who made new calls, with the last day on which the baseline saw them, by them and by anybody.
_JUDGED_TRAITS = """
with asked as (
    select distinct t.day, t.who, h.principal, h.who_session, t.trait, t.value
    from slice_traits t
    join (select distinct day, who, principal, who_session from asked_calls) h on t.day = h.day and t.who = h.who
),
own as (
    select a.day, a.who, a.trait, a.value, max(b.day) as last_day
    from asked a
    join principal_traits_before b on a.principal = b.principal and a.trait = b.trait and a.value = b.value
    left join found_marks_before f
      on f.subject = b.trait and f.value = b.value and f.principal = b.principal and f.session = b.session
     and f.call_day = b.day and f.day <= a.day - 2
    where b.day <= a.day - 2 and b.day >= a.day - 92 and (a.who_session is null or b.session = a.who_session)
      and f.principal is null
    group by a.day, a.who, a.trait, a.value
),
anybody as (
    select a.day, a.value, max(b.day) as last_day
    from (select distinct day, value from asked where trait = 'network') a
    join principal_traits_before b on b.trait = 'network' and a.value = b.value
    where b.day <= a.day - 2 and b.day >= a.day - 92
    group by a.day, a.value
)
select a.day, a.who, a.trait, a.value, o.last_day, case when a.trait = 'network' and y.value is null
    then 1 else 0 end as new_to_all
from asked a
left join own o on a.day = o.day and a.who = o.who and a.trait = o.trait and a.value = o.value
left join anybody y on a.day = y.day and a.value = y.value and a.trait = 'network'
"""

# From how many networks the baseline knows those who made new calls, and which it is if there is one.
_USED_NETWORKS = """
select a.day, a.who, count(distinct b.value) as networks, min(b.value) as network
from (select distinct day, who, principal, who_session from asked_calls) a
join principal_traits_before b on a.principal = b.principal and b.trait = 'network'
left join found_marks_before f
  on f.subject = b.trait and f.value = b.value and f.principal = b.principal and f.session = b.session
 and f.call_day = b.day and f.day <= a.day - 2
where b.day <= a.day - 2 and b.day >= a.day - 92 and (a.who_session is null or b.session = a.who_session)
  and f.principal is null
group by a.day, a.who
"""

_KEY_USES = """
select distinct bin, access_key_id, cast(address_version as bigint) as address_version, network
from principal_bins
where access_key_id is not null and network is not null and network <> 'private'
"""

# Keys that were used from two networks within an hour (N4), by the five minutes in which it showed.
_SPREAD_KEYS = """
select distinct u.access_key_id, u.bin
from key_uses u
join key_networks k
  on u.access_key_id = k.access_key_id and u.address_version = k.address_version and u.network <> k.network
 and k.bin <= u.bin and k.bin >= u.bin - 12
"""

# Peer groups (methods 5.3): the same permission set or role name, kind and account, everybody. The first of them with three
# members that have enough history counts.
_MEMBERS = """
with days as (
    select d.day, b.principal, max(b.kind) as kind, max(b.account_id) as account_id, min(b.day) as first_day,
           count(distinct b.day) as active, sum(b.reads) as reads
    from (select distinct day from asked_calls) d
    join principal_days_before b on b.day <= d.day - 2 and b.day >= d.day - 92
    group by d.day, b.principal
)
select day, principal, case when day - first_day >= $history_days and active >= $history_active_days and reads >= $history_reads
                            then 1 else 0 end as enough,
       team(principal) as team, kind || '@' || account_id as kind_group
from days
"""

_PEER_GROUPS = """
with teams as (select day, team as peers, sum(enough) as members from members where team <> '' group by day, team),
kind_groups as (select day, kind_group as peers, sum(enough) as members from members group by day, kind_group),
everybody as (select day, 'everybody' as peers, sum(enough) as members from members group by day)
select h.day, h.who, h.principal,
       case when coalesce(t.members, 0) - coalesce(m.enough, 0) >= 3 then team(h.principal)
            when coalesce(l.members, 0) - coalesce(m.enough, 0) >= 3 then coalesce(m.kind_group, w.kind_group)
            when coalesce(e.members, 0) - coalesce(m.enough, 0) >= 3 then 'everybody' end as peers,
       case when coalesce(t.members, 0) - coalesce(m.enough, 0) >= 3 then t.members - coalesce(m.enough, 0)
            when coalesce(l.members, 0) - coalesce(m.enough, 0) >= 3 then l.members - coalesce(m.enough, 0)
            when coalesce(e.members, 0) - coalesce(m.enough, 0) >= 3 then e.members - coalesce(m.enough, 0)
            else 0 end as members
from (select distinct day, who, principal from asked_calls) h
join (select day, who, max(kind || '@' || account_id) as kind_group from who_days group by day, who) w on h.day = w.day
    and h.who = w.who
left join members m on h.day = m.day and h.principal = m.principal
left join teams t on h.day = t.day and team(h.principal) = t.peers
left join kind_groups l on h.day = l.day and coalesce(m.kind_group, w.kind_group) = l.peers
left join everybody e on h.day = e.day
"""

# How many of a principal's peers made the call in the look-back, and whether the same person did it under another principal.
_PEER_CALLS = """
with asked as (
    select n.day, n.who, n.principal, n.service, n.operation, g.peers, g.members, w.person
    from asked_calls n
    join peer_groups g on n.day = g.day and n.who = g.who
    left join (select day, who, max(person) as person from who_days group by day, who) w on n.day = w.day and n.who = w.who
),
callers as (
    select distinct a.day, a.service, a.operation, b.principal, b.person
    from (select distinct day, service, operation from asked) a
    join principal_api_days_before b on a.service = b.service and a.operation = b.operation
    where b.day <= a.day - 2 and b.day >= a.day - 92
)
select a.day, a.who, a.service, a.operation, max(a.peers) as peers, max(a.members) as members,
       count(distinct case when m.enough = 1 and c.principal <> a.principal
                           and a.peers in (m.team, m.kind_group, 'everybody') then c.principal end) as peer_callers,
       max(case when a.person is not null and c.person = a.person and c.principal <> a.principal then 1 else 0 end) as same_person
from asked a
left join callers c on a.day = c.day and a.service = c.service and a.operation = c.operation
left join members m on c.day = m.day and c.principal = m.principal
group by a.day, a.who, a.service, a.operation
"""

# Services and categories that the baseline knows of who made new calls.
_NEW_SUBJECTS = """
with known as (
    select distinct n.day, n.who, b.service, b.category
    from (select distinct day, who, principal, who_session from asked_calls) n
    join principal_api_days_before b on n.principal = b.principal
    where b.day <= n.day - 2 and b.day >= n.day - 92 and (n.who_session is null or b.session = n.who_session)
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

_LISTED_ADDRESSES = f"""
select h.bin, h.source_address
from principal_bins h
join address_matches m on h.source_address = m.address
where m.kind in {quoted(CALLER_KINDS)} and h.first_us >= microseconds(m.valid_from)
  and h.first_us <= microseconds(m.valid_to)
group by h.bin, h.source_address
having max(case when m.kind = 'trusted' then 1 else 0 end) = 0
"""

# The new calls that are judged, numbered, and which record was the first of each.
_ASKED_BINS = f"""
select h.*, w.who, row_number() over (order by h.bin, h.first_us, w.who) as number
from principal_bins h
join who_days w on h.day = w.day and h.principal = w.principal and h.session = w.session
join asked_calls x on h.day = x.day and w.who = x.who and h.service = x.service and h.operation = x.operation
join histories i on h.day = i.day and w.who = i.who
left join suspects q on h.bin = q.bin and w.who = q.who
where h.discovery and h.category in ('network', 'resource', 'user') and ({_JUDGED} or {_SUSPECTED})
"""

_COALESCED = {"account_id": "''", "region": "''", "principal_kind": "'unknown'"}
_FIRST_RECORDS = f"""
select a.number, min(struct_pack(record_id := coalesce(c.event_id, c."object" || '#' || cast(c."position" as varchar)),
                                 "object" := c."object", "position" := c."position")) as record
from asked_bins a
join cloudtrail c
  on microseconds(c.event_time) = a.first_us and {
    " and ".join(
        f"coalesce(c.{name}, {_COALESCED[name]}) = a.{name.removeprefix('principal_')}"
        if name in _COALESCED
        else f"c.{name} is not distinct from a.{name}"
        for name in ALIKE
    )
}
where c.invoked_by is null and {MANAGEMENT_CALLS}
group by a.number
"""

# The rows of new calls with what is known of each: flags of 0 or 1, for points and mitigations (methods 5.4).
_CIRCUMSTANCES = f"""
select h.bin, h.bin // 12 as hour, h.day, h.who, h.principal, h.session, h.kind, h.account_id, h.region, h.service,
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
       case when o.last_day is null and h.kind in ('user', 'sso', 'federated', 'root') and i.days >= 14
           then 1 else 0 end as hour_new,
       case when k.value is not null and i.days > 0 and (k.last_day is null or k.last_day <= h.day - 30)
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
left join judged_traits o on o.trait = 'hour' and h.day = o.day and h.who = o.who and {_HOUR.format("(h.bin // 12)", 0)} = o.value
left join judged_traits k on k.trait = 'key' and h.day = k.day and h.who = k.who and h.access_key_id = k.value
left join spread_keys y on h.access_key_id = y.access_key_id and h.bin = y.bin
left join listed_addresses l on h.bin = l.bin and h.source_address = l.source_address
left join granted_bins z on h.bin = z.bin and h.account_id = z.account_id and h.user_name = z.user_name and h.kind = z.kind
"""

VIEWS: tuple[View, ...] = (
    View(name="slice_traits", reads=("principal_bins", "who_days"), sql=_SLICE_TRAITS, kept=True),
    View(
        name="suspects",
        reads=("principal_bins", "who_days", "spread_keys", "listed_addresses"),
        sql=_SUSPECTS,
        kept=True,
    ),
    View(
        name="asked_calls",
        reads=("new_calls", "histories", "suspects"),
        sql=_ASKED_CALLS,
        kept=True,
    ),
    View(
        name="judged_traits",
        reads=("slice_traits", "asked_calls", "principal_traits_before", "found_marks_before"),
        sql=_JUDGED_TRAITS,
        kept=True,
    ),
    View(
        name="used_networks",
        reads=("asked_calls", "principal_traits_before", "found_marks_before"),
        sql=_USED_NETWORKS,
        kept=True,
    ),
    View(name="key_uses", reads=("principal_bins",), sql=_KEY_USES, kept=True),
    View(name="spread_keys", reads=("key_uses", "key_networks"), sql=_SPREAD_KEYS, kept=True),
    View(name="members", reads=("asked_calls", "principal_days_before"), sql=_MEMBERS, kept=True),
    View(name="peer_groups", reads=("asked_calls", "who_days", "members"), sql=_PEER_GROUPS, kept=True),
    View(
        name="peer_calls",
        reads=("asked_calls", "peer_groups", "who_days", "members", "principal_api_days_before"),
        sql=_PEER_CALLS,
        kept=True,
    ),
    View(name="new_subjects", reads=("asked_calls", "principal_bins", "principal_api_days_before"), sql=_NEW_SUBJECTS, kept=True),
    View(name="listed_addresses", reads=("principal_bins", "address_matches"), sql=_LISTED_ADDRESSES, kept=True),
    View(
        name="asked_bins",
        reads=("principal_bins", "who_days", "asked_calls", "histories", "suspects"),
        sql=_ASKED_BINS,
        kept=True,
    ),
    View(name="first_records", reads=("asked_bins", "cloudtrail"), sql=_FIRST_RECORDS, kept=True),
    View(
        name="circumstances",
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
        kept=True,
    ),
)
