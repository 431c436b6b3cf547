"""Views over peers: with whom a principal is compared, and which of them make a call."""

from vedette.sql.history import within_baseline
from vedette.sql.threshold import Threshold
from vedette.views import View

_MEMBERS = f"""
with days as (
    select d.day, b.principal, max(b.kind) as kind, max(b.account_id) as account_id, min(b.day) as first_day,
           count(distinct b.day) as active, sum(b.reads) as reads
    from (select distinct day from asked_calls) d
    join principal_days_before b on {within_baseline("b.day", "d.day")}
    group by d.day, b.principal
)
select day, principal, case when day - first_day >= $history_days and active >= $history_active_days and reads >= $history_reads
                            then 1 else 0 end as enough,
       team(principal) as team, kind || '@' || account_id as kind_group
from days
"""

# Peer groups (methods 5.3): the same permission set or role name, the same kind and account, everybody. The first of them with
# enough members that have enough history counts.
_PEER_GROUPS = """
with teams as (select day, team as peers, sum(enough) as members from members where team <> '' group by day, team),
kind_groups as (select day, kind_group as peers, sum(enough) as members from members group by day, kind_group),
everybody as (select day, 'everybody' as peers, sum(enough) as members from members group by day)
select h.day, h.who, h.principal,
       case when coalesce(t.members, 0) - coalesce(m.enough, 0) >= $peer_members then team(h.principal)
            when coalesce(l.members, 0) - coalesce(m.enough, 0) >= $peer_members then coalesce(m.kind_group, w.kind_group)
            when coalesce(e.members, 0) - coalesce(m.enough, 0) >= $peer_members then 'everybody' end as peers,
       case when coalesce(t.members, 0) - coalesce(m.enough, 0) >= $peer_members then t.members - coalesce(m.enough, 0)
            when coalesce(l.members, 0) - coalesce(m.enough, 0) >= $peer_members then l.members - coalesce(m.enough, 0)
            when coalesce(e.members, 0) - coalesce(m.enough, 0) >= $peer_members then e.members - coalesce(m.enough, 0)
            else 0 end as members
from (select distinct day, who, principal from asked_calls) h
join (select day, who, max(kind || '@' || account_id) as kind_group from who_days group by day, who) w on h.day = w.day
    and h.who = w.who
left join members m on h.day = m.day and h.principal = m.principal
left join teams t on h.day = t.day and team(h.principal) = t.peers
left join kind_groups l on h.day = l.day and coalesce(m.kind_group, w.kind_group) = l.peers
left join everybody e on h.day = e.day
"""

_PEER_CALLS = f"""
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
    where {within_baseline("b.day", "a.day")}
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

VIEWS: tuple[View, ...] = (
    View(
        name="members",
        meaning="One row per day and principal of the baseline, with its groups and whether it has enough history.",
        reads=("asked_calls", "principal_days_before"),
        sql=_MEMBERS,
        kept=True,
    ),
    View(
        name="peer_groups",
        meaning="One row per day and principal with new calls, with the group that it is compared with.",
        reads=("asked_calls", "who_days", "members"),
        sql=_PEER_GROUPS,
        thresholds=(Threshold("peer_members", 3, "Peers with enough history that are needed for a comparison."),),
        kept=True,
    ),
    View(
        name="peer_calls",
        meaning="One row per new call, with how many peers made it in the look-back, and whether the same person did elsewhere.",
        reads=("asked_calls", "peer_groups", "who_days", "members", "principal_api_days_before"),
        sql=_PEER_CALLS,
        kept=True,
    ),
)
