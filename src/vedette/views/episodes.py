"""Views from circumstances to episodes of new calls: what each row adds to the episode that it belongs to (methods 5.4).

What is said of a row depends on earlier rows only, so that a finding is the same however the input is cut: points grow while an
episode goes on, and its rows are reported once they are enough.
"""

from collections.abc import Mapping

from vedette.sql.calls import CATEGORIES
from vedette.sql.scores import SCORED_BY
from vedette.sql.threshold import Threshold
from vedette.sql.time import DAY, MINUTE
from vedette.sql.windows import over
from vedette.views import View

_WHO = "partition by who_number"
_SO_FAR = "over (partition by who_number, begun_us order by number rows between unbounded preceding and current row)"
_SILENCE = 15 * MINUTE  # ends an episode
_JUST_BEFORE = 30 * MINUTE  # GetCallerIdentity was called
_TOGETHER = 2 * DAY  # others made the same call


def _packed(parts: Mapping[str, str], step: int) -> str:
    """Return conditions as a single number: a digit each to the base of ``step``."""
    digits = (f"case when {condition} then {step**place} else 0 end" for place, condition in enumerate(parts.values()))
    return f"cast({' + '.join(digits)} as bigint)"


def _unpacked(name: str, parts: Mapping[str, str], step: int) -> str:
    return ", ".join(f"{name} // {step**place} % {step} as {part}" for place, part in enumerate(parts))


# What is true of a row, a bit each. Where something must be true of all rows of an episode, the bit is its contrary's.
_RARE = "(listed = 1 or $rare_one_in * peer_callers < members)"
MARKS = {
    "service_new": "service_new = 1",
    "category_new": f"category_new = 1 and {_RARE}",
    "rare": f"members > 0 and $p1_one_in * peer_callers < members and {_RARE}",
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
    "and $e4_one_in * peer_callers >= members)",
    "not_same_person": "same_person = 0",
    "not_granted": "granted = 0",
    "region_new": "region_new = 1",
    "identity": "service = 'sts' and operation = 'GetCallerIdentity'",
    "enough": "enough = 1",
    "root": "kind = 'root'",
    "learning": "archive_days < $learning_days",
    "peers": "members >= $peer_members",
    "no_peer": "peer_callers = 0",
    "seldom_denied": "$d1_one_in * history_denied <= history_calls",
}


def _is(mark: str) -> str:
    return f"marks // {2 ** list(MARKS).index(mark)} % 2 = 1"


def _last(mark: str, key: str) -> str:
    """Return when a mark was the last time before a row, among rows of the same key of the same one."""
    window = f"{_WHO}, {key} order by number rows between unbounded preceding and 1 preceding"
    return f"max(case when {_is(mark)} then us end) over ({window})"


_NEWCOMERS = """
select who, row_number() over (order by who) as who_number
from (select distinct who from discovery_calls where step = $step)
"""

_MARKED = f"select *, {_packed(MARKS, 2)} as marks from discovery_calls"
_SCORED_BY = ", ".join(SCORED_BY)

# Everything that they did in the days before, in order. Some minutes of silence end an episode, which is named by the moment when
# it began (``begun_us``). Columns that say nothing about the score are looked up only for rows that are reported.
_RECENT = f"""
with alike as (
    select t.who_number, {_SCORED_BY}, min(us) as us, max(last_us) as last_us, cast(sum(calls) as bigint) as calls
    from marked_calls d
    join newcomers t on d.who = t.who
    group by t.who_number, {_SCORED_BY}
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
    select *, case when before_us is null or us - before_us > {_SILENCE} then 1 else 0 end as begins,
           case when api_before is null or us - api_before > {DAY} then 1 else 0 end as first_of_day
    from looked
)
select *, max(case when begins = 1 then us end) over (
              {_WHO} order by number rows between unbounded preceding and current row) as begun_us,
       sum(first_of_day) {over("who_number", DAY)} as apis_of_day,
       sum(begins) {over("who_number", DAY)} as episodes_of_day,
       max(case when {_is("identity")} then 1 else 0 end) {over("who_number", _JUST_BEFORE)} as asked_identity
from marked
"""

# Others made the call for the first time at about the same time, from networks of theirs: a new page, a new program (E3). Others
# are grouped by the hour: an hour that reaches into the window has a call in it.
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
 and o.last_us > r.us - {_TOGETHER}
where r.us >= (select min(us) - {DAY} from recent_calls where step = $step)
group by r.who_number, r.number
"""

# What is counted in the episode so far: an API, service or region counts the first time in the episode. Three counts are packed
# into one number; they stop after so many rows of an episode that none can run into the next.
_COUNTS = (
    {f"{name}_apis": f"(api_before is null or api_before < begun_us) and category = '{name}'" for name in CATEGORIES},
    {
        "denied_apis": f"{_is('denied')} and (denied_before is null or denied_before < begun_us)",
        "services": f"{_is('service_new')} and (service_before is null or service_before < begun_us)",
        "regions": f"{_is('region_new')} and (region_before is null or region_before < begun_us)",
    },
)
_COUNT = 1 << 20
_ANY = {f"any_{name}": condition for name, condition in MARKS.items()}

_SO_FAR_COLUMNS = f"""
with counted as (
    select r.*, coalesce(w.others, 0) as co_occurring, {_packed(_COUNTS[0], _COUNT)} as apis_here,
           {_packed(_COUNTS[1], _COUNT)} as news_here,
           case when row_number() over (partition by r.who_number, begun_us order by r.number) < {_COUNT}
               then 1 else 0 end as early
    from recent_calls r
    left join co_occurrences w on r.who_number = w.who_number and r.number = w.number
),
summed as (
    select *, max(weight) {_SO_FAR} as top_weight, bit_or(marks) {_SO_FAR} as all_marks,
           min(co_occurring) {_SO_FAR} as least_co_occurring,
           max(case when {_is("identity")} then 0 else asked_identity end) {_SO_FAR} as after_identity,
           cast(sum(early * apis_here) {_SO_FAR} as bigint) as all_apis,
           cast(sum(early * news_here) {_SO_FAR} as bigint) as all_news
    from counted
)
select *, {_unpacked("marks", MARKS, 2)}, {_unpacked("all_marks", _ANY, 2)}, {_unpacked("all_apis", _COUNTS[0], _COUNT)},
       {_unpacked("all_news", _COUNTS[1], _COUNT)}
from summed
"""

VIEWS: tuple[View, ...] = (
    View(
        name="marked_calls",
        meaning="One row per remembered new call, with what is true of it packed into one number.",
        reads=("discovery_calls",),
        sql=_MARKED,
        thresholds=(
            Threshold("learning_days", 14, "Days that the archive must reach back before new calls are judged by points alone."),
            Threshold("p1_one_in", 20, "P1: a call is usual if at least one in this many peers makes it."),
            Threshold(
                "rare_one_in", 50, "G3, P1: a call outside the catalogue is usual if at least one in this many peers makes it."
            ),
            Threshold("d1_one_in", 20, "D1: a principal is seldom denied if at most one in this many of its past calls was."),
            Threshold(
                "e4_one_in", 4, "E4: at least one in this many with the same role name or permission set must make the call."
            ),
        ),
    ),
    View(
        name="newcomers",
        meaning="One row per principal that did something new in this step, with its number.",
        reads=("discovery_calls",),
        sql=_NEWCOMERS,
        kept=True,
    ),
    View(
        name="recent_calls",
        meaning="One row per newcomer and new calls of five minutes that score alike, with the episode that they belong to.",
        reads=("marked_calls", "newcomers"),
        sql=_RECENT,
        kept=True,
    ),
    View(
        name="co_occurrences",
        meaning="One row per recent call that others made for the first time within 48 hours, with the number of others.",
        reads=("recent_calls", "newcomers", "discovery_calls"),
        sql=_CO_OCCURRENCES,
        kept=True,
    ),
    View(
        name="so_far",
        meaning="One row per recent call, with what is true of its episode so far.",
        reads=("recent_calls", "co_occurrences"),
        sql=_SO_FAR_COLUMNS,
        kept=True,
    ),
)
