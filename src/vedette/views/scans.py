"""Views from attempts to port scans: where attempts make a scan (methods 2.1 to 2.4).

Times are microseconds since 1970 (``us``), weights of failures are in tenths. A window ends at an attempt and reaches back; an
attempt is evidence if a window that it lies in triggers. Whether it does is first known with the last attempt of that window,
and only the step that sees that one reports it: so each attempt is reported once, however the input is cut.
"""

from collections.abc import Mapping

from vedette.sql.flow_limits import (
    BLOCK_HOST_FAILURES,
    CLUSTER_FAILURES,
    HARD_FAILURES,
    STRONG_TENTHS,
    UDP_ATTEMPTS,
    UDP_SERVICE_PORTS,
    WEIGHT,
)
from vedette.sql.packets import TCP, UDP
from vedette.sql.ports import CRAWLER_PORTS, FIRST_EPHEMERAL, FIRST_UNPRIVILEGED
from vedette.sql.threshold import Threshold
from vedette.sql.time import DAY, HOUR, MINUTE
from vedette.sql.windows import NEVER, over
from vedette.views import View

_FAST, _MEDIUM, _SLOW = 10 * MINUTE, HOUR, DAY

_HOST = "interface_id, remote_address"


def _reported(kinds: Mapping[str, int], key: str) -> str:
    """Return columns with the first trigger of each kind whose window a row lies in; ``kinds`` gives each its reach."""
    return ",\n           ".join(
        f"min(case when {kind} then us * 2 + is_new end) over (partition by {key} order by us range between current row and "
        f"{reach} following) as {kind}_at"
        for kind, reach in kinds.items()
    )


def _sums(name: str, reach: int, key: str, weak: str = "weak") -> str:
    """Return columns that count what lies in a window: attempts, failures in tenths (all, and by strong rules) and more."""
    window = over(key, reach)
    return f"""count(*) {window} as {name}_tried,
           sum(weight) {window} as {name}_weight, sum((1 - {weak}) * weight) {window} as {name}_strong,
           sum(case when remote_port < {FIRST_EPHEMERAL} then failed else 0 end) {window} as {name}_below,
           sum(k8s) {window} as {name}_k8s, sum(hard) {window} as {name}_hard,
           sum(case when outcome = 'no_reply' then unreliable else 0 end) {window} as {name}_unreliable"""


def _sums_of_host(name: str, reach: int) -> str:
    """Return these columns for the ports of a host, and others that only such scans need.

    ``lost`` is for shares: of UDP a failure is whole there, since a scan shows by the silence of nearly all ports.
    """
    window = over(_HOST_KEY, reach)
    return f"""{_sums(name, reach, _HOST_KEY)},
           sum(case when protocol = {UDP} then {WEIGHT} * failed else weight end) {window} as {name}_lost,
           sum(case when remote_port < {FIRST_UNPRIVILEGED} then 1 else 0 end) {window} as {name}_low,
           sum(case when remote_port < {FIRST_UNPRIVILEGED} and controls = 0 then failed else 0 end) {window} as {name}_fixed"""


def _failed(name: str, needed: str, share: str, counted: str = "weight") -> str:
    """Return the condition that enough attempts of a window failed: weak rules make up two fifths at most (methods 1.2)."""
    return (
        f"{name}_weight >= {WEIGHT} * ({needed}) and {name}_strong >= {STRONG_TENTHS} * ({needed})"
        f" and {name}_{counted} >= {WEIGHT} * ({share}) * {name}_tried"
        f" and ({name}_unreliable = 0 or {name}_hard >= {HARD_FAILURES})"
        f" and ({name}_k8s = 0 or {name}_below >= {CLUSTER_FAILURES})"
    )


def _dynamic(name: str, needed: str) -> str:
    """Return how many must fail: more where all ports are dynamic ones and a control conversation stands (methods 2.3)."""
    return f"case when control = 1 and {name}_fixed = 0 then greatest({needed}, $dynamic_failed) else {needed} end"


def _of_udp(name: str) -> str:
    """Return the condition that a window has enough attempts if they are of UDP."""
    return f"(protocol <> {UDP} or ({name}_tried >= {UDP_ATTEMPTS} and {name}_low >= {UDP_SERVICE_PORTS}))"


_HOST_KEY = "interface_id, remote_address, protocol"
_PORT_KEY = "interface_id, remote_port, protocol"
_EVIDENCE = """interface_id, local_address, remote_address, remote_port, protocol, us, outcome, rule, low_port, high_port,
       sensitive, inside, assumed, control, weak, "object", "position", is_new"""

# Windows are expensive: they are computed only where there are enough attempts for any kind.
_HOST_SCANS = f"""
with several as (
    select {_HOST} from scan_attempts group by {_HOST}
    having count(*) >= least($fast_ports, $open_ports, $sensitive_ports, $medium_ports, $slow_failed)
),
counted as (
    select t.*,
           {_sums_of_host("fast", _FAST)},
           {_sums_of_host("medium", _MEDIUM)},
           {_sums_of_host("slow", _SLOW)},
           sum(probing) {over(_HOST_KEY, _FAST)} as fast_probing,
           sum(case when remote_port < {FIRST_EPHEMERAL} then 1 else 0 end) {over(_HOST_KEY, _FAST)} as below_ephemeral,
           sum(sensitive) {over(_HOST, _FAST)} as sensitive_tried,
           sum(sensitive * weight) {over(_HOST, _FAST)} as sensitive_weight,
           sum(case when of_host_hour = 1 then 1 else 0 end) {over(_HOST_KEY, _SLOW)} as slow_hours
    from (
        select t.*
        from scan_attempts t
        join several s on t.interface_id = s.interface_id and t.remote_address = s.remote_address
    ) t
),
triggered as (
    select *,
           fast_tried >= $fast_ports and {_failed("fast", _dynamic("fast", "$fast_failed"), "$fast_share", "lost")}
               and {_of_udp("fast")} as vertical_fast,
           fast_tried >= $open_ports and fast_probing >= $open_share * fast_tried and below_ephemeral >= $open_fixed_ports
               and protocol = {TCP} as vertical_open_target,
           sensitive = 1 and sensitive_tried >= $sensitive_ports and sensitive_weight >= {WEIGHT} * $sensitive_failed
               as vertical_sensitive,
           medium_tried >= $medium_ports and {_failed("medium", _dynamic("medium", "$medium_failed"), "$medium_share", "lost")}
               and {_of_udp("medium")} as vertical_medium,
           {_failed("slow", _dynamic("slow", "$slow_failed"), "$slow_share", "lost")} and slow_hours >= $slow_hours
               and {_of_udp("slow")} as vertical_slow
    from counted
),
reported as (
    select *,
           {_reported({"vertical_fast": _FAST, "vertical_open_target": _FAST}, _HOST_KEY)},
           {_reported({"vertical_medium": _MEDIUM, "vertical_slow": _SLOW}, _HOST_KEY)},
           {_reported({"vertical_sensitive": _FAST}, _HOST)}
    from triggered
)
select *, triggered_at // 2 as triggered_us
from (
    select {_EVIDENCE}, fast_tried, fast_weight, medium_tried, medium_weight, slow_tried, slow_weight, slow_hours,
           vertical_fast, vertical_open_target, vertical_sensitive, vertical_medium, vertical_slow,
           least(coalesce(vertical_fast_at, {NEVER}), coalesce(vertical_open_target_at, {NEVER}),
                 coalesce(case when sensitive = 1 then vertical_sensitive_at end, {NEVER}),
                 coalesce(vertical_medium_at, {NEVER}), coalesce(vertical_slow_at, {NEVER})) as triggered_at
    from reported
)
where triggered_at < {NEVER} and (is_new = 1 or triggered_at % 2 = 1)
"""

# One port over many hosts. Hosts on which many ports were tried belong to a block or to a scan of their own. Towards the internet
# the ports of crawlers, resolvers and mail servers need twice as much (methods 2.1).
_TWICE = f"(case when remote_port in ({CRAWLER_PORTS}) and inside = 0 then 2 else 1 end)"


def _spread(share: str) -> str:
    return f"(case when {_TWICE} = 2 then greatest({share}, $crawler_share) else {share} end)"


# A server that closes the connections of its clients may look as if it tried their ports, each a different one, but not one port
# of many hosts: there a refusal tells who opened, even where the ports do not.
_WEAK_OF_PORT = "case when weak = 1 and outcome <> 'refused' then 1 else 0 end"

_PORT_SCANS = f"""
with several as (
    select {_PORT_KEY} from scan_attempts where host_failed < {BLOCK_HOST_FAILURES} and usual_port = 0 group by {_PORT_KEY}
    having count(*) >= least($hosts, $dark_tried, $medium_hosts, $slow_hosts_failed)
),
counted as (
    select t.*,
           {_sums("fast", _FAST, _PORT_KEY, _WEAK_OF_PORT)},
           {_sums("medium", _MEDIUM, _PORT_KEY, _WEAK_OF_PORT)},
           {_sums("slow", _SLOW, _PORT_KEY, _WEAK_OF_PORT)},
           sum(dark * probing) {over(_PORT_KEY, _FAST)} as dark_hosts,
           sum(case when of_port_hour = 1 then 1 else 0 end) {over(_PORT_KEY, _SLOW)} as slow_hours
    from (
        select t.*
        from scan_attempts t
        join several s on t.interface_id = s.interface_id and t.remote_port = s.remote_port and t.protocol = s.protocol
        where t.host_failed < {BLOCK_HOST_FAILURES} and t.usual_port = 0
    ) t
),
triggered as (
    select *,
           fast_tried >= $hosts * {_TWICE} and {_failed("fast", f"$hosts_failed * {_TWICE}", _spread("$fast_share"))}
               as horizontal_fast,
           dark_hosts >= $dark_hosts and fast_tried >= $dark_tried and {_failed("fast", "$dark_hosts", "$fast_share")}
               as horizontal_dark,
           medium_tried >= $medium_hosts * {_TWICE}
               and {_failed("medium", f"$medium_hosts_failed * {_TWICE}", _spread("$medium_share"))} as horizontal_medium,
           {_failed("slow", f"$slow_hosts_failed * {_TWICE}", _spread("$slow_share"))} and slow_hours >= $slow_hours
               as horizontal_slow
    from counted
    where $horizontal = 1
),
reported as (
    select *,
           {_reported({"horizontal_fast": _FAST, "horizontal_dark": _FAST}, _PORT_KEY)},
           {_reported({"horizontal_medium": _MEDIUM, "horizontal_slow": _SLOW}, _PORT_KEY)}
    from triggered
)
select *, triggered_at // 2 as triggered_us
from (
    select {_EVIDENCE}, fast_tried, fast_weight, medium_tried, medium_weight, slow_tried, slow_weight, slow_hours, dark,
           horizontal_fast, horizontal_dark, horizontal_medium, horizontal_slow,
           least(coalesce(horizontal_fast_at, {NEVER}), coalesce(horizontal_dark_at, {NEVER}),
                 coalesce(horizontal_medium_at, {NEVER}), coalesce(horizontal_slow_at, {NEVER})) as triggered_at
    from reported
)
where triggered_at < {NEVER} and (is_new = 1 or triggered_at % 2 = 1)
"""

# A few ports on each of several hosts, counted in windows of ten whole minutes. A window triggers in its last minute, which holds
# an attempt.
_BLOCK_SCANS = f"""
with failures as (
    select *, us // {MINUTE} as minute
    from scan_attempts
    where failed = 1 and weight = {WEIGHT} and weak = 0 and unreliable = 0 and k8s = 0 and protocol = {TCP} and $horizontal = 1
),
minutes as (
    select interface_id, minute, max(is_new) as is_new from failures group by interface_id, minute
),
hosts as (
    select m.interface_id, m.minute, m.is_new, f.remote_address, count(*) as pairs
    from minutes m
    join failures f on f.interface_id = m.interface_id and f.minute <= m.minute and f.minute > m.minute - 10
    group by m.interface_id, m.minute, m.is_new, f.remote_address
    having count(*) >= $block_ports
),
triggers as (
    select interface_id, minute, max(is_new) as is_new
    from hosts
    group by interface_id, minute
    having count(*) >= $block_hosts and sum(pairs) >= $block_failed
),
reported as (
    select f.interface_id, f.remote_address, f.remote_port, f.protocol, f.us, min(m.minute * 2 + m.is_new) as triggered_at
    from failures f
    join triggers m on f.interface_id = m.interface_id and f.minute <= m.minute and f.minute > m.minute - 10
    join hosts h on h.interface_id = m.interface_id and h.minute = m.minute and h.remote_address = f.remote_address
    group by f.interface_id, f.remote_address, f.remote_port, f.protocol, f.us
)
select {", ".join("f." + name.strip() for name in _EVIDENCE.split(","))}, t.triggered_at // 2 * {MINUTE} as triggered_us
from failures f
join reported t on f.interface_id = t.interface_id and f.remote_address = t.remote_address and f.remote_port = t.remote_port
 and f.protocol = t.protocol and f.us = t.us
where f.is_new = 1 or t.triggered_at % 2 = 1
"""

_COUNTS = ("fast_tried", "fast_weight", "medium_tried", "medium_weight", "slow_tried", "slow_weight", "slow_hours")
_PORT_TARGET = f"case when protocol = {UDP} then 'udp/' else 'tcp/' end || cast(remote_port as varchar)"


def _evidence(view: str, target: str, kinds: str, counts: str) -> str:
    """Return the rows of a view in the columns that all kinds share; ``kinds`` names those that triggered at a row."""
    return f"select {target} as target, {_EVIDENCE}, triggered_us, {kinds} as kinds, {counts} from {view}"


def _named(*kinds: str) -> str:
    return " || ".join(f"case when {kind} then '{kind} ' else '' end" for kind in kinds)


def _counted(value: str) -> str:
    return ", ".join(f"cast({value.format(name)} as bigint) as {name}" for name in _COUNTS)


_VERTICAL = _named("vertical_fast", "vertical_open_target", "vertical_sensitive", "vertical_medium", "vertical_slow")
_HORIZONTAL = _named("horizontal_fast", "horizontal_dark", "horizontal_medium", "horizontal_slow")

_SCAN_EVIDENCE = f"""
{_evidence("host_scans", "remote_address", _VERTICAL, _counted("{}"))}
union all
{_evidence("port_scans", _PORT_TARGET, _HORIZONTAL, _counted("{}"))}
union all
{_evidence("block_scans", "'block'", "'block '", _counted("0"))}
"""

VIEWS: tuple[View, ...] = (
    View(
        name="host_scans",
        meaning="One row per attempt that is evidence of a scan of many ports of one host.",
        reads=("scan_attempts",),
        sql=_HOST_SCANS,
        thresholds=(
            Threshold("fast_ports", 20, "Ports on one host that are attempted within ten minutes."),
            Threshold("medium_ports", 30, "Ports on one host that are attempted within an hour."),
            Threshold(
                "sensitive_ports", 6, "Database, shell and similar ports on one host that are attempted within ten minutes."
            ),
            Threshold("open_fixed_ports", 50, "Ports below the ephemeral range (32768) that open_ports must include."),
            Threshold("dynamic_failed", 40, "Ports that must fail if all are dynamic and a control connection is established."),
        ),
    ),
    View(
        name="port_scans",
        meaning="One row per attempt that is evidence of a scan of one port over many hosts.",
        reads=("scan_attempts",),
        sql=_PORT_SCANS,
        thresholds=(
            Threshold("hosts", 25, "Hosts on which the same port is attempted within ten minutes."),
            Threshold("medium_hosts", 40, "Hosts on which the same port is attempted within an hour."),
            Threshold("dark_tried", 10, "Addresses on which the same port is attempted, unused ones included."),
            Threshold(
                "crawler_share", 0.8, "Share of the attempts at ports 25, 53, 80, 123, 443 on the internet that must fail."
            ),
        ),
    ),
    View(
        name="block_scans",
        meaning="One row per attempt that is evidence of a scan of a few ports on each of several hosts.",
        reads=("scan_attempts",),
        sql=_BLOCK_SCANS,
        thresholds=(
            Threshold("block_hosts", 3, "Hosts of a block that are scanned within ten minutes."),
            Threshold("block_failed", 40, "Pairs of host and port that must fail on these hosts in total."),
        ),
    ),
    View(
        name="scan_evidence",
        meaning="One row per attempt and target of which it is evidence, in the columns that all kinds of scans share.",
        reads=("host_scans", "port_scans", "block_scans"),
        sql=_SCAN_EVIDENCE,
        kept=True,
    ),
)
