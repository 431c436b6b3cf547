"""What trusted lists kept from being findings, a row a list."""

from vedette.views import View

_SILENCED = """
select list_name, cast(sum(records) as bigint) as records
from (
    select list_name, calls as records from silenced_calls
    union all
    select list_name, records from silenced_probes
)
group by list_name
"""

VIEWS: tuple[View, ...] = (View(name="silenced", reads=("silenced_calls", "silenced_probes"), sql=_SILENCED),)
