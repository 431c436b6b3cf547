"""Views from circumstances to points: episodes of new calls, their scores, and what makes a finding (methods 5.4, 5.5)."""

from collections.abc import Iterable, Mapping

from vedette.findings.model import KEPT_SAMPLES
from vedette.sql.windows import DAY, MINUTE, NEVER, over
from vedette.views import View

_WHO = "partition by who_number"
_SO_FAR = "over (partition by who_number, begun_us order by number rows between unbounded preceding and current row)"
_CATEGORIES = ("network", "resource", "user")


def _packed(parts: Mapping[str, str], step: int) -> str:
    """Return conditions as one number: a digit each to the base of ``step``."""
    digits = (f"case when {condition} then {step**place} else 0 end" for place, condition in enumerate(parts.values()))
    return f"cast({' + '.join(digits)} as bigint)"


def _unpacked(name: str, parts: Mapping[str, str], step: int) -> str:
    return ", ".join(f"{name} // {step**place} % {step} as {part}" for place, part in enumerate(parts))


# What is true of a row, a bit each. Where something must be true of all rows of an episode, the bit is its contrary's.
_RARE = "(listed = 1 or 50 * peer_callers < members)"
_MARKS = {
    "service_new": "service_new = 1",
    "category_new": f"category_new = 1 and {_RARE}",
    "rare": f"members > 0 and 20 * peer_callers < members and {_RARE}",
    "network_new": "network_new = 1",
    "network_strange": "network_strange = 1",
    "country_new": "country_new = 1",
    "key_spread": "key_spread = 1",
    "agent_new": "agent_new = 1",
    "attack": "attack <> ''",
    "denied": "denied = 1",
    "hour_new": "hour_new = 1",
    "key_woken": "key_woken = 1",
    "listed": "address_listed = 1",
    "from_instance": "from_instance = 1",
    "not_console": "console = 0",
    "not_usual_tool": "usual_tool = 0",
    "not_sibling": "not (peers <> '' and peers <> 'everybody' and not peers like '%@%' and members > 0 "
    "and 4 * peer_callers >= members)",
    "not_same_person": "same_person = 0",
    "not_granted": "granted = 0",
    "region_new": "region_new = 1",
    "identity": "service = 'sts' and operation = 'GetCallerIdentity'",
    "enough": "enough = 1",
    "root": "kind = 'root'",
    "learning": "archive_days < $learning_days",
    "peers": "members >= 3",
    "no_peer": "peer_callers = 0",
    "seldom_denied": "20 * history_denied <= history_calls",
}


def _is(mark: str) -> str:
    return f"marks // {2 ** list(_MARKS).index(mark)} % 2 = 1"


def _last(mark: str, key: str) -> str:
    """Return when a mark was the last time before a row, among rows of the same key of the same one."""
    window = f"{_WHO}, {key} order by number rows between unbounded preceding and 1 preceding"
    return f"max(case when {_is(mark)} then us end) over ({window})"


# Who did something new in this step.
_NEWCOMERS = """
select who, row_number() over (order by who) as who_number
from (select distinct who from discovery_calls where step = $step)
"""

_MARKED = f"select *, {_packed(_MARKS, 2)} as marks from discovery_calls"
_ALIKE = "account_id, step, bin, category, service, operation, region, weight, marks"

# All they did in the days before; calls of five minutes that add alike to points are one row, numbered in their order. 15 minutes
# of silence end an episode, which is named by the moment when it began (``begun_us``). Other columns are looked up only for rows
# that are reported.
_RECENT = f"""
with alike as (
    select t.who_number, {_ALIKE}, min(us) as us, max(last_us) as last_us, cast(sum(calls) as bigint) as calls
    from marked_calls d
    join newcomers t on d.who = t.who
    group by t.who_number, {_ALIKE}
),
recent as (
    select *, row_number() over ({_WHO} order by us, service, operation, region, account_id, marks, step) as number
    from alike
),
looked as (
    select *, max(last_us) over ({_WHO} order by number rows between unbounded preceding and 1 preceding) as before_us,
           lag(us) over ({_WHO}, service, operation order by number) as api_before,
           {_last("denied", "service, operation")} as denied_before, {_last("service_new", "service")} as service_before,
           {_last("region_new", "region")} as region_before
    from recent
),
marked as (
    select *, case when before_us is null or us - before_us > {15 * MINUTE} then 1 else 0 end as begins,
           case when api_before is null or us - api_before > {DAY} then 1 else 0 end as first_of_day
    from looked
)
select *, max(case when begins = 1 then us end) over (
              {_WHO} order by number rows between unbounded preceding and current row) as begun_us,
       sum(first_of_day) {over("who_number", DAY)} as apis_of_day,
       sum(begins) {over("who_number", DAY)} as episodes_of_day,
       max(case when {_is("identity")} then 1 else 0 end) {over("who_number", 30 * MINUTE)} as asked_identity
from marked
"""

# Calls that at least three others made for the first time within 48 hours, from networks of theirs: a new page, a new program
# (E3). Others by the hour: an hour that reaches into the 48 has a call in them.
_CO_OCCURRENCES = f"""
with others as (
    select who, service, operation, hour, min(us) as first_us, max(us) as last_us
    from discovery_calls
    where enough = 1 and network_new = 0 and attack = '' and address_listed = 0
    group by who, service, operation, hour
)
select r.who_number, r.number, count(distinct o.who) as others
from recent_calls r
join newcomers t on r.who_number = t.who_number
join others o
  on r.service = o.service and r.operation = o.operation and t.who <> o.who and o.first_us <= r.us
 and o.last_us > r.us - {2 * DAY}
where r.us >= (select min(us) - {DAY} from recent_calls where step = $step)
group by r.who_number, r.number
"""

# What is counted in the episode so far: an API, service or region when it is the first time in the episode; three a number.
_COUNTS = (
    {f"{name}_apis": f"(api_before is null or api_before < begun_us) and category = '{name}'" for name in _CATEGORIES},
    {
        "denied_apis": f"{_is('denied')} and (denied_before is null or denied_before < begun_us)",
        "services": f"{_is('service_new')} and (service_before is null or service_before < begun_us)",
        "regions": f"{_is('region_new')} and (region_before is null or region_before < begun_us)",
    },
)
_COUNT = 1 << 20
_ANY = {f"any_{name}": condition for name, condition in _MARKS.items()}

# The episode so far: what each row's points are made of.
_SO_FAR_COLUMNS = f"""
with counted as (
    select r.*, coalesce(w.others, 0) as co_occurring, {_packed(_COUNTS[0], _COUNT)} as apis_here,
           {_packed(_COUNTS[1], _COUNT)} as news_here
    from recent_calls r
    left join co_occurrences w on r.who_number = w.who_number and r.number = w.number
),
summed as (
    select *, max(weight) {_SO_FAR} as top_weight, bit_or(marks) {_SO_FAR} as all_marks,
           min(co_occurring) {_SO_FAR} as least_co_occurring,
           max(case when {_is("identity")} then 0 else asked_identity end) {_SO_FAR} as after_identity,
           cast(sum(apis_here) {_SO_FAR} as bigint) as all_apis, cast(sum(news_here) {_SO_FAR} as bigint) as all_news
    from counted
)
select *, {_unpacked("marks", _MARKS, 2)}, {_unpacked("all_marks", _ANY, 2)}, {_unpacked("all_apis", _COUNTS[0], _COUNT)},
       {_unpacked("all_news", _COUNTS[1], _COUNT)}
from summed
"""

# Points of the episode so far, a column a code (methods 5.4). Console browsing makes B1, B2, S1, D1 and D2 worth nothing; E2
# and E4 never apply beside U2, T1 or N4, since user agents are forged easily.
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
       (1 - browsing) * (case when apis >= 5 then $b1 when apis >= 3 then $b1_few else 0 end) as b1,
       (1 - browsing) * (case when apis < 5 and apis_of_day >= 6 and episodes_of_day >= 3 then $s1 else 0 end) as s1,
       (1 - browsing) * (case when services >= 4 or regions >= 4 then $b2 else 0 end) as b2,
       (1 - browsing) * (case when denied_apis >= 3 and seldom_denied = 1 then $d1 else 0 end) as d1,
       (1 - browsing) * $d2 * any_denied as d2, $c1 * after_identity as c1, $h1 * any_hour_new as h1, $k1 * any_key_woken as k1,
       $t1 * any_listed as t1, (case when mode = 'root' then $root * any_not_console else 0 end) as r1,
       $e1 * browsing as e1, (1 - high_risk) * $e2 * (1 - any_not_usual_tool) as e2,
       $e3 * (case when least_co_occurring >= 3 then 1 else 0 end) as e3,
       (1 - high_risk) * $e4 * (1 - any_not_sibling) as e4, $e5 * (1 - any_not_same_person) as e5,
       $e6 * (1 - any_not_granted) as e6
from flagged
"""

CODES = ("g1", "g2", "g3", "p1", "n1", "n2", "n3", "n4", "u1", "u2", "b1", "s1", "b2", "d1", "d2", "c1", "h1", "k1", "t1", "r1")
MITIGATIONS = ("e1", "e2", "e3", "e4", "e5", "e6")

_SCORED = f"""
with summed as (
    select *, greatest(0, {" + ".join(CODES)} - {" - ".join(MITIGATIONS)}) as points,
           greatest({", ".join(f"{name}_apis" for name in _CATEGORIES)}) as top_apis,
           case when mode = 'peers' then $needed + 1 else $needed end as needed,
           case when mode = 'full' or mode = 'root' then 1
                when mode = 'peers' and no_peer = 1 and (n2 > 0 or u2 > 0 or d1 > 0 or t1 > 0 or n4 > 0) then 1
                when mode = 'learning' and (t1 > 0 or u2 > 0 or n4 > 0 or (b1 = $b1 and d1 > 0 and n2 > 0)) then 1
                else 0 end as admitted
    from points
)
select *, case when step = $step then 1 else 0 end as is_new,
       {
    ", ".join(
        f"case when admitted = 1 and points >= needed and {name}_apis = top_apis then 1 else 0 end as {name}_triggers"
        for name in _CATEGORIES
    )
}
from summed
"""


def _at(name: str) -> str:
    return (
        f"min(case when {name}_triggers = 1 then us * 2 + is_new end) over (partition by who_number, begun_us "
        f"order by number rows between current row and unbounded following) as {name}_at"
    )


_CALLS = "d.who = t.who and " + " and ".join(f"d.{name} = f.{name}" for name in _ALIKE.split(", "))
# What is reported of a call beside its points.
_DETAILS = (
    *("us", "last_us", "calls", "denied", "who", "principal", "session", "kind", "day", "record_id", "object", "position"),
    *("event_source", "event_name", "error_code", "canonical", "source_address", "address_version", "network", "country_code"),
    *("user_agent", "family", "attack", "access_key_id", "identity_type", "principal_id", "user_name", "session_name"),
    *("history_days", "history_span", "history_calls", "history_denied", "archive_days", "members", "peer_callers"),
    *("networks_known", "network_known"),
)

# The rows that belong to a finding of their category, each reported by the step that first knows it.
_FOUND_ROWS = f"""
with triggering as (
    select who_number, begun_us
    from scored_calls
    where {" or ".join(f"{name}_triggers = 1" for name in _CATEGORIES)}
    group by who_number, begun_us
),
triggered as (
    select s.*, {", ".join(map(_at, _CATEGORIES)).replace("who_number, begun_us", "s.who_number, s.begun_us")}
    from scored_calls s
    join triggering g on s.who_number = g.who_number and s.begun_us = g.begun_us
),
found as (
    select *, case category {" ".join(f"when '{name}' then {name}_at" for name in _CATEGORIES)} end as triggered_at from triggered
)
select f.account_id, f.category, f.service, f.operation, f.region, f.begun_us, f.triggered_at, f.is_new, f.network_new,
       f.country_new, f.agent_new, f.key_woken, f.from_instance, f.enough, f.mode, f.needed, f.points, f.co_occurring,
       f.apis, f.denied_apis, f.apis_of_day, {", ".join(f"f.{name}" for name in (*CODES, *MITIGATIONS))}, d.peers as peer_group,
       {", ".join(f'd."{name}"' for name in _DETAILS)}
from found f
join newcomers t on f.who_number = t.who_number
join marked_calls d on {_CALLS}
where coalesce(f.triggered_at, {NEVER}) < {NEVER} and (f.is_new = 1 or f.triggered_at % 2 = 1)
"""

_CODES_TEXT = " || ' ' || ".join(f"'{name}=' || cast({name} as varchar)" for name in (*CODES, *MITIGATIONS))
_FINDING = "category, account_id, who, begun_us, day"
# The first calls, as many as findings keep, and the last are reported in full, the others as counts of each kind.
_REPORTED = (
    *("us", "last_us", "record_id", "object", "position", "region", "service", "operation", "event_source", "event_name"),
    *("error_code", "canonical", "source_address", "address_version", "user_agent", "access_key_id", "identity_type"),
    *("principal_id", "user_name", "session_name"),
)
_KIND = (
    *("service", "operation", "region", "error_code", "denied", "network", "network_new", "country_code", "address", "family"),
    *("attack", "mode", "peer_group", "network_known"),
)
_MOST = (
    *(
        "needed",
        "archive_days",
        "history_days",
        "history_calls",
        "history_denied",
        "history_span",
        "members",
        "co_occurring",
        "apis",
    ),
    *("denied_apis", "apis_of_day", "from_instance", "points", "networks_known", *CODES),
)


def _struct(names: Iterable[str]) -> str:
    return "struct_pack(" + ", ".join(f'"{name}" := "{name}"' for name in names) + ")"


# A row an episode, category and day: all that a finding is made of.
_DISCOVERY_FINDINGS = f"""
with reported as (
    select *, coalesce(canonical, source_address) as address,
           row_number() over (partition by {_FINDING} order by us, record_id) as place,
           row_number() over (partition by {_FINDING} order by last_us desc, us desc, record_id desc) as place_from_last
    from found_rows
),
kinds as (
    select {_FINDING}, {", ".join(_KIND)}, min(us) as first_us, max(last_us) as last_us, cast(sum(calls) as bigint) as calls
    from reported
    group by {_FINDING}, {", ".join(_KIND)}
),
counted as (
    select {_FINDING}, list({_struct((*_KIND, "first_us", "last_us", "calls"))}) as kinds from kinds group by {_FINDING}
)
select t.*, c.kinds
from (
    select {_FINDING}, max(principal) as principal, max(kind) as kind, cast(sum(calls) as bigint) as count,
           list(case when place <= {KEPT_SAMPLES} or place_from_last = 1 then {_struct(_REPORTED)} end) as calls,
           {", ".join(f"max({name}) as {name}" for name in _MOST)},
           {", ".join(f"min({name}) as {name}" for name in ("peer_callers", *MITIGATIONS))}
    from reported
    group by {_FINDING}
) t
join counted c on {" and ".join(f"t.{name} = c.{name}" for name in _FINDING.split(", "))}
order by t.begun_us, t.who, t.category
"""

# The score sheet of each episode and category as the step knows it: of the row with the most points, the last of these. Points
# and time are one number, so that sheets are made of the few rows that are wanted.
_RANK = f"cast(points as bigint) * {1 << 52} + us"
_EPISODE = "who_number, account_id, category, begun_us"
_SCORE_SHEETS = f"""
with new as (select *, {_RANK} as rank from scored_calls where is_new = 1 and points >= $near),
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
join marked_calls d on {_CALLS} and d.us = f.us
group by d.account_id, d.who, d.principal, d.category, f.begun_us
"""

VIEWS: tuple[View, ...] = (
    View(name="marked_calls", reads=("discovery_calls",), sql=_MARKED),
    View(name="newcomers", reads=("discovery_calls",), sql=_NEWCOMERS, kept=True),
    View(name="recent_calls", reads=("marked_calls", "newcomers"), sql=_RECENT, kept=True),
    View(name="co_occurrences", reads=("recent_calls", "newcomers", "discovery_calls"), sql=_CO_OCCURRENCES, kept=True),
    View(name="so_far", reads=("recent_calls", "co_occurrences"), sql=_SO_FAR_COLUMNS, kept=True),
    View(name="points", reads=("so_far",), sql=_POINTS),
    View(name="scored_calls", reads=("points",), sql=_SCORED),
    View(name="score_sheets", reads=("scored_calls", "newcomers", "marked_calls"), sql=_SCORE_SHEETS),
    View(name="found_rows", reads=("scored_calls", "newcomers", "marked_calls"), sql=_FOUND_ROWS, kept=True),
    View(name="discovery_findings", reads=("found_rows",), sql=_DISCOVERY_FINDINGS, kept=True),
)
