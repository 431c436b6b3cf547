"""Views over from where, with what and when principals work: their traits, and what the baseline knows of them."""

from vedette.sql.calls import hour_of_week
from vedette.sql.history import marked, within_baseline
from vedette.sql.time import BINS_PER_HOUR
from vedette.views import View

_TRAITS = {
    "network": "network",
    "country": "country_code",
    "agent": "family",
    "region": "region",
    "key": "long_lived_key",
}
# A person who worked in an hour may as well work in the hours next to it.
_SLICE_TRAITS = f"""
with seen as (
    select distinct h.day, h.principal, h.session, w.who, h.bin // {BINS_PER_HOUR} as hour, h.network, h.country_code, h.family,
           h.region,
           case when h.access_key_id like 'AKIA%' then h.access_key_id end as long_lived_key
    from principal_bins h
    join who_days w on h.day = w.day and h.principal = w.principal and h.session = w.session
)
""" + "\nunion\n".join(
    f"select day, principal, session, who, '{trait}' as trait, {value} as value from seen where {value} is not null"
    for trait, value in (*_TRAITS.items(), *(("hour", hour_of_week("hour", later)) for later in (23, 0, 1)))
)

_JUDGED_TRAITS = f"""
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
      on {marked("f", "b", "a", subject="b.trait", value="b.value")}
    where {within_baseline("b.day", "a.day")} and (a.who_session is null or b.session = a.who_session)
      and f.principal is null
    group by a.day, a.who, a.trait, a.value
),
anybody as (
    select a.day, a.value, max(b.day) as last_day
    from (select distinct day, value from asked where trait = 'network') a
    join principal_traits_before b on b.trait = 'network' and a.value = b.value
    where {within_baseline("b.day", "a.day")}
    group by a.day, a.value
)
select a.day, a.who, a.trait, a.value, o.last_day, case when a.trait = 'network' and y.value is null
    then 1 else 0 end as new_to_all
from asked a
left join own o on a.day = o.day and a.who = o.who and a.trait = o.trait and a.value = o.value
left join anybody y on a.day = y.day and a.value = y.value and a.trait = 'network'
"""

_USED_NETWORKS = f"""
select a.day, a.who, count(distinct b.value) as networks, min(b.value) as network
from (select distinct day, who, principal, who_session from asked_calls) a
join principal_traits_before b on a.principal = b.principal and b.trait = 'network'
left join found_marks_before f
  on {marked("f", "b", "a", subject="b.trait", value="b.value")}
where {within_baseline("b.day", "a.day")} and (a.who_session is null or b.session = a.who_session)
  and f.principal is null
group by a.day, a.who
"""

VIEWS: tuple[View, ...] = (
    View(
        name="slice_traits",
        meaning="One row per day, principal, session and value of a trait (network, country, agent, region, key or hour).",
        reads=("principal_bins", "who_days"),
        sql=_SLICE_TRAITS,
        kept=True,
    ),
    View(
        name="judged_traits",
        meaning="One row per trait of somebody with new calls, with the last day on which the baseline saw it of them.",
        reads=("slice_traits", "asked_calls", "principal_traits_before", "found_marks_before"),
        sql=_JUDGED_TRAITS,
        kept=True,
    ),
    View(
        name="used_networks",
        meaning="One row per day and principal with new calls, with how many networks the baseline knows them from.",
        reads=("asked_calls", "principal_traits_before", "found_marks_before"),
        sql=_USED_NETWORKS,
        kept=True,
    ),
)
