"""Views from circumstances to points: episodes of new calls, their scores, and what makes a finding (methods 5.4, 5.5)."""

from vedette.views import View
from vedette.windows import DAY, MINUTE, NEVER, over

_SO_FAR = "over (partition by who, episode order by us, record_id rows between unbounded preceding and current row)"
_CATEGORIES = ("network", "resource", "user")

# Who did something new in this step, with all they did in the days before; 15 minutes of silence end an episode.
_RECENT = f"""
with those as (
    select distinct who from discovery_calls where step = $step
),
recent as (
    select d.*, lag(d.us) over (partition by d.who order by d.us, d.record_id) as before_us,
           lag(d.us) over (partition by d.who, d.service, d.operation order by d.us, d.record_id) as same_us
    from discovery_calls d
    join those t on d.who = t.who
),
marked as (
    select *, case when before_us is null or us - before_us > {15 * MINUTE} then 1 else 0 end as begins,
           case when same_us is null or us - same_us > {DAY} then 1 else 0 end as first_of_day
    from recent
)
select *, sum(begins) over (partition by who order by us, record_id rows between unbounded preceding and current row) as episode
from marked
"""

# Calls that at least three others made for the first time within 48 hours, from networks of theirs: a new page, a new program
# (E3).
_WAVES = f"""
select r.who, r.us, r.record_id, count(distinct d.who) as others
from recent_calls r
join discovery_calls d
  on r.service = d.service and r.operation = d.operation and r.who <> d.who and d.us <= r.us and d.us > r.us - {2 * DAY}
where d.enough = 1 and d.network_new = 0 and d.attack = '' and d.address_listed = 0 and r.step = $step
group by r.who, r.us, r.record_id
"""

_COUNTED = f"""
select r.*, coalesce(w.others, 0) as wave,
       min(r.us) over (partition by r.who, r.episode) as begun_us,
       row_number() over (partition by r.who, r.episode, r.service, r.operation order by r.us, r.record_id) as of_api,
       row_number() over (partition by r.who, r.episode, r.service, r.operation, r.denied order by r.us,
           r.record_id) as of_denied,
       row_number() over (partition by r.who, r.episode, r.service, r.service_new order by r.us, r.record_id) as of_service,
       row_number() over (partition by r.who, r.episode, r.region, r.region_new order by r.us, r.record_id) as of_region,
       sum(r.first_of_day) {over("r.who", DAY).replace("order by us", "order by r.us")} as apis_of_day,
       sum(r.begins) {over("r.who", DAY).replace("order by us", "order by r.us")} as episodes_of_day,
       max(case when r.service = 'sts' and r.operation = 'GetCallerIdentity' then 1 else 0 end)
           {over("r.who", 30 * MINUTE).replace("order by us", "order by r.us")} as asked_identity
from recent_calls r
left join waves w on r.who = w.who and r.us = w.us and r.record_id = w.record_id
"""

# The episode so far: what each row's points are made of.
_SO_FAR_COLUMNS = f"""
select *,
       max(weight) {_SO_FAR} as top_weight,
       max(service_new) {_SO_FAR} as any_service_new,
       max(case when listed = 1 or 50 * peer_callers < members then category_new else 0 end) {_SO_FAR} as any_category_new,
       max(case when members > 0 and 20 * peer_callers < members and (listed = 1 or 50 * peer_callers < members)
           then 1 else 0 end)
           {_SO_FAR} as any_rare,
       max(network_new) {_SO_FAR} as any_network_new, max(network_strange) {_SO_FAR} as any_network_strange,
       max(country_new) {_SO_FAR} as any_country_new, max(key_spread) {_SO_FAR} as any_key_spread,
       max(agent_new) {_SO_FAR} as any_agent_new, max(case when attack <> '' then 1 else 0 end) {_SO_FAR} as any_attack,
       max(denied) {_SO_FAR} as any_denied, min(denied) {_SO_FAR} as all_denied,
       max(hour_new) {_SO_FAR} as any_hour_new, max(key_woken) {_SO_FAR} as any_key_woken,
       max(address_listed) {_SO_FAR} as any_listed, min(console) {_SO_FAR} as all_console,
       min(usual_tool) {_SO_FAR} as all_usual_tool, min(case when wave >= 3 then 1 else 0 end) {_SO_FAR} as all_wave,
       min(case when peers <> '' and peers <> 'everybody' and not peers like '%@%' and members > 0 and 4 * peer_callers >= members
                then 1 else 0 end) {_SO_FAR} as all_sibling,
       min(same_person) {_SO_FAR} as all_same_person, max(from_instance) {_SO_FAR} as any_from_instance,
       max(case when asked_identity = 1 and not (service = 'sts' and operation = 'GetCallerIdentity') then 1 else 0 end)
           {_SO_FAR} as any_identity,
       sum(case when of_api = 1 then 1 else 0 end) {_SO_FAR} as apis,
       sum(case when of_denied = 1 then denied else 0 end) {_SO_FAR} as denied_apis,
       sum(case when of_service = 1 then service_new else 0 end) {_SO_FAR} as services,
       sum(case when of_region = 1 then region_new else 0 end) {_SO_FAR} as regions,
       {
    ", ".join(
        f"sum(case when of_api = 1 and category = '{name}' then 1 else 0 end) {_SO_FAR} as {name}_apis" for name in _CATEGORIES
    )
}
from counted_calls
"""

# Points of the episode so far, a column a code (methods 5.4). Console browsing makes B1, B2, S1, D1 and D2 worth nothing; E2
# and E4 never apply beside U2, T1 or N4, since user agents are forged easily.
_POINTS = """
with flagged as (
    select *, case when any_attack = 1 or any_listed = 1 or any_key_spread = 1 then 1 else 0 end as grave,
           case when all_console = 1 and any_attack = 0 then 1 else 0 end as browsing,
           case when kind = 'root' then 'root' when archive_days < $learning_days then 'learning' when enough = 1 then 'full'
                when members >= 3 then 'peers' else 'learning' end as mode
    from so_far
)
select *,
       $g1 + top_weight - 2 as g1, $g2 * any_service_new as g2, $g3 * any_category_new as g3, $p1 * any_rare as p1,
       $n1 * any_network_new as n1, $n2 * any_network_strange as n2, $n3 * any_country_new as n3, $n4 * any_key_spread as n4,
       $u1 * any_agent_new as u1, $u2 * any_attack as u2,
       (1 - browsing) * (case when apis >= 5 then $b1 when apis >= 3 then $b1_few else 0 end) as b1,
       (1 - browsing) * (case when apis < 5 and apis_of_day >= 6 and episodes_of_day >= 3 then $s1 else 0 end) as s1,
       (1 - browsing) * (case when services >= 4 or regions >= 4 then $b2 else 0 end) as b2,
       (1 - browsing) * (case when denied_apis >= 3 and 20 * history_denied <= history_calls then $d1 else 0 end) as d1,
       (1 - browsing) * $d2 * any_denied as d2, $c1 * any_identity as c1, $h1 * any_hour_new as h1, $k1 * any_key_woken as k1,
       $t1 * any_listed as t1, (case when mode = 'root' and all_console = 0 then $root else 0 end) as r1,
       $e1 * browsing as e1, (1 - grave) * $e2 * all_usual_tool as e2, $e3 * all_wave as e3,
       (1 - grave) * $e4 * all_sibling as e4, $e5 * all_same_person as e5
from flagged
"""

CODES = ("g1", "g2", "g3", "p1", "n1", "n2", "n3", "n4", "u1", "u2", "b1", "s1", "b2", "d1", "d2", "c1", "h1", "k1", "t1", "r1")
DAMPERS = ("e1", "e2", "e3", "e4", "e5")

_SCORED = f"""
with summed as (
    select *, greatest(0, {" + ".join(CODES)} - {" - ".join(DAMPERS)}) as points,
           greatest({", ".join(f"{name}_apis" for name in _CATEGORIES)}) as top_apis,
           case when mode = 'peers' then $needed + 1 else $needed end as needed,
           case when mode = 'full' or mode = 'root' then 1
                when mode = 'peers' and peer_callers = 0 and (n2 > 0 or u2 > 0 or d1 > 0 or t1 > 0 or n4 > 0) then 1
                when mode = 'learning' and (t1 > 0 or u2 > 0 or n4 > 0 or (b1 = $b1 and d1 > 0 and n2 > 0)) then 1
                else 0 end as admitted
    from points
)
select *, case when step = $step then 1 else 0 end as is_new,
       {
    ", ".join(
        f"case when admitted = 1 and points >= needed and {name}_apis = top_apis then 1 else 0 end as {name}_fires"
        for name in _CATEGORIES
    )
}
from summed
"""


def _at(name: str) -> str:
    return (
        f"min(case when {name}_fires = 1 then us * 2 + is_new end) over (partition by who, episode order by us, record_id "
        f"rows between current row and unbounded following) as {name}_at"
    )


# The rows that belong to a finding of their category, each told by the step that first knows it.
_FOUND_ROWS = f"""
select *
from (
    select *, case category {" ".join(f"when '{name}' then {name}_at" for name in _CATEGORIES)} end as fired_at
    from (select *, {", ".join(map(_at, _CATEGORIES))} from scored_calls)
)
where coalesce(fired_at, {NEVER}) < {NEVER}
"""

_TOLD_ROWS = "select * from found_rows where is_new = 1 or fired_at % 2 = 1"

_CODES_TEXT = " || ' ' || ".join(f"'{name}=' || cast({name} as varchar)" for name in (*CODES, *DAMPERS))
_SHOWN = (
    *("us", "last_us", "record_id", "object", "position", "service", "operation", "event_source", "event_name", "error_code"),
    *("denied", "calls", "region", "canonical", "source_address", "address_version", "network", "country_code", "user_agent"),
    *(
        "family",
        "attack",
        "access_key_id",
        "identity_type",
        "principal_id",
        "user_name",
        "session_name",
        "mode",
        "needed",
        "points",
    ),
    *(
        "enough",
        "archive_days",
        "history_days",
        "history_calls",
        "history_denied",
        "history_span",
        "members",
        "peer_callers",
        "peers",
    ),
    *("wave", "apis", "denied_apis", "apis_of_day", "from_instance"),
)
_STRUCT = ", ".join(f'"{name}" := "{name}"' for name in _SHOWN)

# A row an episode, category and day: all that a finding is made of.
_DISCOVERY_FINDINGS = f"""
select category, account_id, who, max(principal) as principal, max(kind) as kind, begun_us, day,
       list(struct_pack({_STRUCT}, codes := {_CODES_TEXT})) as calls
from told_rows
group by category, account_id, who, begun_us, day
order by begun_us, who, category
"""

# The score sheet of each new row that scored enough to be remembered; the largest of an episode's is its last word.
_SCORE_SHEETS = f"""
select account_id, who, principal, category, begun_us, last_us, calls,
       struct_pack(points := cast(points as bigint), us := us, record_id := record_id, codes := {_CODES_TEXT}, mode := mode,
                   admitted := cast(admitted as bigint), needed := cast(needed as bigint), api := service || ':' || operation,
                   address := coalesce(canonical, source_address)) as sheet
from scored_calls
where is_new = 1 and points >= $near
"""

VIEWS: tuple[View, ...] = (
    View(name="recent_calls", reads=("discovery_calls",), sql=_RECENT, kept=True),
    View(name="waves", reads=("recent_calls", "discovery_calls"), sql=_WAVES, kept=True),
    View(name="counted_calls", reads=("recent_calls", "waves"), sql=_COUNTED),
    View(name="so_far", reads=("counted_calls",), sql=_SO_FAR_COLUMNS, kept=True),
    View(name="points", reads=("so_far",), sql=_POINTS),
    View(name="scored_calls", reads=("points",), sql=_SCORED, kept=True),
    View(name="score_sheets", reads=("scored_calls",), sql=_SCORE_SHEETS),
    View(name="found_rows", reads=("scored_calls",), sql=_FOUND_ROWS, kept=True),
    View(name="told_rows", reads=("found_rows",), sql=_TOLD_ROWS),
    View(name="discovery_findings", reads=("told_rows",), sql=_DISCOVERY_FINDINGS, kept=True),
)
