"""Views that choose which new calls are judged: all with enough history, else those of somebody about whom more is strange."""

from vedette.list_kinds import CALLER_KINDS, quoted
from vedette.sql.calls import CATEGORIES, EQUAL_IN, MANAGEMENT_CALLS
from vedette.sql.time import BINS_PER_HOUR
from vedette.views import View

_KEY_USES = """
select distinct bin, access_key_id, cast(address_version as bigint) as address_version, network
from principal_bins
where access_key_id is not null and network is not null and network <> 'private'
"""

_SPREAD_KEYS = f"""
select distinct u.access_key_id, u.bin
from key_uses u
join key_networks k
  on u.access_key_id = k.access_key_id and u.address_version = k.address_version and u.network <> k.network
 and k.bin <= u.bin and k.bin >= u.bin - {BINS_PER_HOUR}
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

# ``high_risk`` is root, T1, U2 and what N2 is made of; ``spread`` is what N4 is made of, which takes some history. Decided
# per five minutes, since what comes later in a day must not change what was said of it before.
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

# Without enough history new calls count only where something else is strange (methods 5.5). Where nothing is on the whole day,
# nothing is looked up; once an archive is older, denials may be enough, and few calls are new.
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

_ASKED_BINS = f"""
select h.*, w.who, row_number() over (order by h.bin, h.first_us, w.who) as number
from principal_bins h
join who_days w on h.day = w.day and h.principal = w.principal and h.session = w.session
join asked_calls x on h.day = x.day and w.who = x.who and h.service = x.service and h.operation = x.operation
join histories i on h.day = i.day and w.who = i.who
left join suspects q on h.bin = q.bin and w.who = q.who
where h.discovery and h.category in {CATEGORIES} and ({_JUDGED} or {_SUSPECTED})
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
        for name in EQUAL_IN
    )
}
where c.invoked_by is null and {MANAGEMENT_CALLS}
group by a.number
"""

VIEWS: tuple[View, ...] = (
    View(
        name="key_uses",
        meaning="One row per access key, network and five minutes in which the key was used from there.",
        reads=("principal_bins",),
        sql=_KEY_USES,
        kept=True,
    ),
    View(
        name="spread_keys",
        meaning="One row per access key and five minutes in which it showed that two networks had used the key within an hour.",
        reads=("key_uses", "key_networks"),
        sql=_SPREAD_KEYS,
        kept=True,
    ),
    View(
        name="listed_addresses",
        meaning="One row per calling address and five minutes in which a threat list named it and no trusted list did.",
        reads=("principal_bins", "address_matches"),
        sql=_LISTED_ADDRESSES,
        kept=True,
    ),
    View(
        name="suspects",
        meaning="One row per principal and five minutes in which more is strange than a new call.",
        reads=("principal_bins", "who_days", "spread_keys", "listed_addresses"),
        sql=_SUSPECTS,
        kept=True,
    ),
    View(
        name="asked_calls",
        meaning="One row per new call of a day that may be judged.",
        reads=("new_calls", "histories", "suspects"),
        sql=_ASKED_CALLS,
        kept=True,
    ),
    View(
        name="asked_bins",
        meaning="One row per row of principal_bins that makes a new call which is judged, numbered in order.",
        reads=("principal_bins", "who_days", "asked_calls", "histories", "suspects"),
        sql=_ASKED_BINS,
        kept=True,
    ),
    View(
        name="first_records",
        meaning="One row per number of asked_bins, with the record that was the first of its calls.",
        reads=("asked_bins", "cloudtrail"),
        sql=_FIRST_RECORDS,
        kept=True,
    ),
)
