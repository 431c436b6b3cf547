"""Who was granted a policy or a group, by five minutes, for seven days (methods 5.4, E6)."""

from typing import Any

import pyarrow as pa

from vedette.sql.calls import GRANT_DAYS
from vedette.sql.time import BINS_PER_DAY
from vedette.state import State

_FIELDS: list["pa.Field[Any]"] = [
    pa.field("day", pa.int64()),
    pa.field("bin", pa.int64()),
    pa.field("account_id", pa.string()),
    pa.field("grantee_kind", pa.string()),
    pa.field("grantee", pa.string()),
]
_COLUMNS = "day, bin, account_id, grantee_kind, grantee"

STATE = State(
    name="permission_grants",
    meaning="One row per user or role and five minutes in which it was granted a policy or group.",
    schema=pa.schema(_FIELDS),
    reads=("grants",),
    rows=f"select bin // {BINS_PER_DAY} as day, bin, account_id, grantee_kind, grantee from grants",
    fold=f"select distinct {_COLUMNS} from (select * from permission_grants_old union all select * from permission_grants_rows)",
    keep_days=GRANT_DAYS + 1,
)
