"""Who was granted a policy or a group, by five minutes, for seven days (methods 5.4, E6)."""

from typing import Any

import pyarrow as pa

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
    schema=pa.schema(_FIELDS),
    reads=("grants",),
    rows="select bin // 288 as day, bin, account_id, grantee_kind, grantee from grants",
    fold=f"select distinct {_COLUMNS} from (select * from permission_grants_old union all select * from permission_grants_rows)",
    keep_days=8,
)
