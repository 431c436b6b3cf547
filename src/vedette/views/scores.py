"""Views from episodes to scores: the points of each code, whether they are enough, and the score sheets (methods 5.4, 5.5)."""

from vedette.sql.calls import CATEGORIES
from vedette.sql.scores import CODES, MITIGATIONS, PROFILES, of_scored
from vedette.sql.threshold import Threshold
from vedette.views import View

# A column per code (methods 5.4). Console browsing makes B1, B2, S1, D1 and D2 worth nothing; E2 and E4 never apply beside U2, T1
# or N4, since user agents are forged easily.
_POINTS = """
with flagged as (
    select *, network_apis + resource_apis + user_apis as apis,
           case when any_attack = 1 or any_listed = 1 or any_key_spread = 1 then 1 else 0 end as high_risk,
           case when any_not_console = 0 and any_attack = 0 then 1 else 0 end as browsing,
           case when root = 1 then 'root' when learning = 1 then 'learning' when enough = 1 then 'full'
                when peers = 1 then 'peers' else 'learning' end as mode
    from so_far
)
select *,
       $g1 + top_weight - 2 as g1, $g2 * any_service_new as g2, $g3 * any_category_new as g3, $p1 * any_rare as p1,
       $n1 * any_network_new as n1, $n2 * any_network_strange as n2, $n3 * any_country_new as n3, $n4 * any_key_spread as n4,
       $u1 * any_agent_new as u1, $u2 * any_attack as u2,
       (1 - browsing) * (case when apis >= $b1_apis then $b1 when apis >= $b1_few_apis then $b1_few else 0 end) as b1,
       (1 - browsing) * (case when apis < $b1_apis and apis_of_day >= $s1_apis and episodes_of_day >= $s1_episodes
                             then $s1 else 0 end) as s1,
       (1 - browsing) * (case when services >= $b2_subjects or regions >= $b2_subjects then $b2 else 0 end) as b2,
       (1 - browsing) * (case when denied_apis >= $d1_apis and seldom_denied = 1 then $d1 else 0 end) as d1,
       (1 - browsing) * $d2 * any_denied as d2, $c1 * after_identity as c1, $h1 * any_hour_new as h1, $k1 * any_key_woken as k1,
       $t1 * any_listed as t1, (case when mode = 'root' then $root * any_not_console else 0 end) as r1,
       $e1 * browsing as e1, (1 - high_risk) * $e2 * (1 - any_not_usual_tool) as e2,
       $e3 * (case when least_co_occurring >= $e3_others then 1 else 0 end) as e3,
       (1 - high_risk) * $e4 * (1 - any_not_sibling) as e4, $e5 * (1 - any_not_same_person) as e5,
       $e6 * (1 - any_not_granted) as e6
from flagged
"""

_SCORED = f"""
with summed as (
    select *, greatest(0, {" + ".join(CODES)} - {" - ".join(MITIGATIONS)}) as points,
           greatest({", ".join(f"{name}_apis" for name in CATEGORIES)}) as top_apis,
           case when mode = 'peers' then $needed + 1 else $needed end as needed,
           case when mode = 'full' or mode = 'root' then 1
                when mode = 'peers' and no_peer = 1 and (n2 > 0 or u2 > 0 or d1 > 0 or t1 > 0 or n4 > 0) then 1
                when mode = 'learning' and (t1 > 0 or u2 > 0 or n4 > 0 or (b1 = $b1 and d1 > 0 and n2 > 0)) then 1
                else 0 end as admitted
    from points
)
select *, case when step = $step then 1 else 0 end as is_new, case when points >= $near then 1 else 0 end as near,
       {
    ", ".join(
        f"case when admitted = 1 and points >= needed and {name}_apis = top_apis then 1 else 0 end as {name}_triggers"
        for name in CATEGORIES
    )
}
from summed
"""

_CODES_TEXT = " || ' ' || ".join(f"'{name}=' || cast({name} as varchar)" for name in (*CODES, *MITIGATIONS))

# The sheet is that of the row with the most points, of several the last. Points and time are packed into one number, so that
# sheets are made of the few rows that are wanted; so many points rank alike that it has no more than 64 bits.
_RANKED_POINTS = 1_000
_RANK = f"cast(least(points, {_RANKED_POINTS}) as bigint) * {1 << 52} + us"
_EPISODE = "who_number, account_id, category, begun_us"
_SCORE_SHEETS = f"""
with new as (select *, {_RANK} as rank from scored_calls where is_new = 1 and near = 1),
best as (
    select {_EPISODE}, max(last_us) as last_us, cast(sum(calls) as bigint) as calls, max(rank) as rank
    from new
    group by {_EPISODE}
)
select d.account_id, d.who, d.principal, d.category, f.begun_us, max(b.last_us) as last_us, max(b.calls) as calls,
       max(struct_pack(points := cast(points as bigint), us := f.us, record_id := d.record_id, codes := {_CODES_TEXT},
                       mode := mode, admitted := cast(admitted as bigint), needed := cast(needed as bigint),
                       api := d.service || ':' || d.operation, address := coalesce(d.canonical, d.source_address))) as sheet
from new f
join best b
  on f.who_number = b.who_number and f.account_id = b.account_id and f.category = b.category and f.begun_us = b.begun_us
 and f.rank = b.rank
join newcomers t on f.who_number = t.who_number
join marked_calls d on {of_scored("d", "f", "t")} and d.us = f.us
group by d.account_id, d.who, d.principal, d.category, f.begun_us
"""

_POINT_THRESHOLDS = (
    Threshold(
        "g1", 2, "G1: the first call of an API; one point less if almost every tool makes it, one more if it reveals much."
    ),
    Threshold("g2", 1, "G2: the first call of a service."),
    Threshold("g3", 1, "G3: the first call about network, resources or users."),
    Threshold("p1", 1, "P1: fewer than one in {p1_one_in} of its peers make the call."),
    Threshold("n1", 2, "N1: from a network that the principal never used."),
    Threshold("n2", 1, "N2: a network that nobody here used, or of a hosting, tunnel or proxy provider."),
    Threshold("n3", 1, "N3: from a country that is new to the principal."),
    Threshold(
        "n4", 2, "N4: a key used from a new network within an hour of another, or an instance's credentials from a new one."
    ),
    Threshold("u1", 1, "U1: with a family of tools that is new to the principal."),
    Threshold("u2", 3, "U2: the user agent names an attack tool or distribution."),
    Threshold("b1", 2, "B1: {b1_apis} first calls of different APIs in an episode."),
    Threshold("b1_few", 1, "B1: at least {b1_few_apis} of them."),
    Threshold("b1_apis", 5, "B1: first calls of different APIs in an episode."),
    Threshold("b1_few_apis", 3, "B1: the same, for the fewer points."),
    Threshold("s1", 2, "S1: {s1_apis} first calls of different APIs in 24 hours, over {s1_episodes} episodes."),
    Threshold("s1_apis", 6, "S1: first calls of different APIs in 24 hours."),
    Threshold("s1_episodes", 3, "S1: episodes that they must be spread over."),
    Threshold("b2", 1, "B2: {b2_subjects} services, or {b2_subjects} regions, all new to the principal."),
    Threshold("b2_subjects", 4, "B2: services, or regions, that are new to the principal."),
    Threshold("d1", 2, "D1: {d1_apis} APIs denied in an episode, to a principal that is seldom denied."),
    Threshold("d1_apis", 3, "D1: APIs that were denied in an episode."),
    Threshold("d2", 1, "D2: a first call was denied."),
    Threshold("c1", 1, "C1: GetCallerIdentity, for the first time, up to half an hour before."),
    Threshold("h1", 1, "H1: an hour of the week in which the person never worked."),
    Threshold("k1", 1, "K1: a long-lived key that was unused for {k1_days} days, or never used."),
    Threshold("t1", 3, "T1: from an address on a Tor, malicious or custom list."),
    Threshold("root", 2, "R1: the root user, outside the console."),
    Threshold("e1", 1, "E1, deducted: a console session; B1, B2, S1, D1 and D2 then count for nothing."),
    Threshold("e2", 2, "E2, deducted: the principal's usual infrastructure or posture tool from its usual network."),
    Threshold("e3", 2, "E3, deducted: {e3_others} others made the call for the first time within 48 hours."),
    Threshold("e3_others", 3, "E3: others that made the call for the first time within 48 hours."),
    Threshold("e4", 2, "E4, deducted: one in {e4_one_in} of those with the same role name or permission set makes the call."),
    Threshold("e5", 1, "E5, deducted: the same person made the call under another principal."),
    Threshold("e6", 1, "E6, deducted: the user or role was granted a policy or group in the last seven days."),
)

VIEWS: tuple[View, ...] = (
    View(
        name="points",
        meaning="One row per recent call, with the points of each code for its episode so far.",
        reads=("so_far",),
        sql=_POINTS,
        thresholds=_POINT_THRESHOLDS,
    ),
    View(
        name="scored_calls",
        meaning="One row per recent call, with the sum of the points and whether they make a finding of a category.",
        reads=("points",),
        sql=_SCORED,
        thresholds=(
            Threshold("needed", PROFILES["balanced"], "Points that make a finding; the profile sets it."),
            Threshold("near", 3, "Points from which an episode is remembered as a near miss."),
        ),
    ),
    View(
        name="score_sheets",
        meaning="One row per episode and category with enough points to be remembered, with its score sheet.",
        reads=("scored_calls", "newcomers", "marked_calls"),
        sql=_SCORE_SHEETS,
    ),
)
