"""Views from scores to findings: which calls belong to one, and everything that it is made of (methods 5.4)."""

from collections.abc import Iterable

from vedette.findings.model import KEPT_SAMPLES
from vedette.sql.calls import CATEGORIES
from vedette.sql.scores import CODES, MITIGATIONS, of_scored
from vedette.sql.windows import NEVER
from vedette.views import View


def _at(name: str) -> str:
    return (
        f"min(case when {name}_triggers = 1 then us * 2 + is_new end) over (partition by who_number, begun_us "
        f"order by number rows between current row and unbounded following) as {name}_at"
    )


# What is reported of a call besides its points.
_DETAILS = (
    *("us", "last_us", "calls", "denied", "who", "principal", "session", "kind", "day", "record_id", "object", "position"),
    *("event_source", "event_name", "error_code", "canonical", "source_address", "address_version", "network", "country_code"),
    *("user_agent", "family", "attack", "access_key_id", "identity_type", "principal_id", "user_name", "session_name"),
    *("history_days", "history_span", "history_calls", "history_denied", "archive_days", "members", "peer_callers"),
    *("networks_known", "network_known"),
)

# Each row is reported by the step that first knows that it belongs to a finding.
_FOUND_ROWS = f"""
with triggering as (
    select who_number, begun_us
    from scored_calls
    where {" or ".join(f"{name}_triggers = 1" for name in CATEGORIES)}
    group by who_number, begun_us
),
triggered as (
    select s.*, {", ".join(map(_at, CATEGORIES)).replace("who_number, begun_us", "s.who_number, s.begun_us")}
    from scored_calls s
    join triggering g on s.who_number = g.who_number and s.begun_us = g.begun_us
),
found as (
    select *, case category {" ".join(f"when '{name}' then {name}_at" for name in CATEGORIES)} end as triggered_at from triggered
)
select f.account_id, f.category, f.service, f.operation, f.region, f.begun_us, f.triggered_at, f.is_new, f.network_new,
       f.country_new, f.agent_new, f.key_woken, f.from_instance, f.enough, f.mode, f.needed, f.points, f.co_occurring,
       f.apis, f.denied_apis, f.apis_of_day, {", ".join(f"f.{name}" for name in (*CODES, *MITIGATIONS))}, d.peers as peer_group,
       {", ".join(f'd."{name}"' for name in _DETAILS)}
from found f
join newcomers t on f.who_number = t.who_number
join marked_calls d on {of_scored("d", "f", "t")}
where coalesce(f.triggered_at, {NEVER}) < {NEVER} and (f.is_new = 1 or f.triggered_at % 2 = 1)
"""

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

VIEWS: tuple[View, ...] = (
    View(
        name="found_rows",
        meaning="One row per new call that belongs to a finding of its category, with its points and all of its details.",
        reads=("scored_calls", "newcomers", "marked_calls"),
        sql=_FOUND_ROWS,
        kept=True,
    ),
    View(
        name="discovery_findings",
        meaning="One row per episode, category and day of a finding, with its calls and points.",
        reads=("found_rows",),
        sql=_DISCOVERY_FINDINGS,
        kept=True,
    ),
)
