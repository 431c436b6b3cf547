"""Views that say which address is an interface's own, and where it lost records."""

from vedette.sql.flow_limits import OWN_ADDRESS_SHARE
from vedette.sql.numbering import OBJECT
from vedette.views import View

# Which address is an interface's own, where no inventory and no flow-direction says it (methods 1.2 item 2): one that takes part
# in nearly all records of five minutes. Four candidates are examined: the true one is in the first and in the last pair by order.
_INTERFACE_CANDIDATES = f"""
with ends as (
    select interface, bin, ipv6, initiator, responder, records from flow_contacts
    union all
    select interface, bin, ipv6, address as initiator, 0 as responder, records from port_bins
),
picked as (
    select interface, bin, ipv6, sum(records) as records, min({OBJECT} * initiator + responder) as lowest,
           max({OBJECT} * initiator + responder) as highest
    from ends
    group by interface, bin, ipv6
),
examined as (
    select distinct interface, bin, ipv6, records, address
    from (
        select interface, bin, ipv6, records, lowest // {OBJECT} as address from picked
        union all select interface, bin, ipv6, records, lowest % {OBJECT} as address from picked
        union all select interface, bin, ipv6, records, highest // {OBJECT} as address from picked
        union all select interface, bin, ipv6, records, highest % {OBJECT} as address from picked
    )
    where address > 0
)
select t.interface, t.bin, t.ipv6, t.address
from examined t
join ends e on e.interface = t.interface and e.bin = t.bin and e.ipv6 = t.ipv6
 and (e.initiator = t.address or e.responder = t.address)
group by t.interface, t.bin, t.ipv6, t.address, t.records
having sum(e.records) >= {OWN_ADDRESS_SHARE} * t.records
"""

_SINGLED_OUT = """
select f.interface_id, s.ipv6, a.address, s.bin
from (
    select interface, ipv6, min(address) as address, bin
    from interface_candidates
    group by interface, ipv6, bin
    having count(*) = 1
) s
join interface_facts f on s.interface = f.number
join flow_addresses a on s.address = a.number
"""

# Of several candidates (an interface that spoke with one host only) the one that was singled out before wins, then the only
# private one; where that fails, the opener of a conversation is taken for ours (``tied``).
_INTERFACE_LOCALS = """
select interface, bin, ipv6,
       case when count(*) = 1 then min(address)
            when count(known) = 1 then min(known)
            when count(inside) = 1 then min(inside) end as address,
       count(*) > 1 and count(known) <> 1 and count(inside) <> 1 as tied
from (
    select c.interface, c.bin, c.ipv6, c.address, case when k.first_bin <= c.bin then c.address end as known,
           case when a.inside then c.address end as inside
    from interface_candidates c
    join interface_facts f on c.interface = f.number
    join flow_addresses a on c.address = a.number
    left join interface_addresses k on f.interface_id = k.interface_id and c.ipv6 = k.ipv6 and a.address = k.address
)
group by interface, bin, ipv6
"""

_INVENTORY_ADDRESSES = """
select f.number as interface, a.number as address, max(v.role) as role
from inventory v
join interface_facts f on v.interface_id = f.interface_id
join flow_addresses a on v.address = a.address
group by f.number, a.number
"""

# Windows in which an interface lost records: a missing reply says nothing there (methods 1.1).
_SKIPPED_BINS = """
select distinct f.number as interface, s.bin
from skipped_windows s
join interface_facts f on s.interface_id = f.interface_id
"""

VIEWS: tuple[View, ...] = (
    View(
        name="interface_candidates",
        meaning="One row per interface, five minutes and address that may be its own, by its share of the records.",
        reads=("flow_contacts", "port_bins"),
        sql=_INTERFACE_CANDIDATES,
        kept=True,
    ),
    View(
        name="singled_out",
        meaning="One row per interface and five minutes in which only one address can be its own.",
        reads=("interface_candidates", "interface_facts", "flow_addresses"),
        sql=_SINGLED_OUT,
    ),
    View(
        name="interface_locals",
        meaning="One row per interface and five minutes, with the address that is taken for its own.",
        reads=("interface_candidates", "interface_addresses", "interface_facts", "flow_addresses"),
        sql=_INTERFACE_LOCALS,
        kept=True,
    ),
    View(
        name="inventory_addresses",
        meaning="One row per interface of the slice and address that the inventory knows as its own, with the interface's role.",
        reads=("inventory", "interface_facts", "flow_addresses"),
        sql=_INVENTORY_ADDRESSES,
    ),
    View(
        name="skipped_bins",
        meaning="One row per interface and five minutes in which it lost records.",
        reads=("skipped_windows", "interface_facts"),
        sql=_SKIPPED_BINS,
        kept=True,
    ),
)
