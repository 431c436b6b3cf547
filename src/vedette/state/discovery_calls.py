"""New calls with their circumstances, for three days: episodes and co-occurrences are found in them (methods 5.4)."""

from typing import Any

import pyarrow as pa

from vedette.state import State

_TEXTS = (
    *("who", "principal", "session", "kind", "account_id", "region", "service", "operation", "category", "event_source"),
    *("event_name", "error_code", "source_address", "canonical", "network", "country_code", "user_agent", "family", "attack"),
    *("access_key_id", "identity_type", "principal_id", "user_name", "session_name", "record_id", "object", "peers"),
    "network_known",
)
_NUMBERS = (
    *("bin", "day", "us", "position", "last_us", "calls", "address_version", "weight", "from_instance", "listed", "denied"),
    *("service_new", "category_new", "members", "peer_callers", "same_person", "history_days", "history_calls", "history_denied"),
    *("history_span", "enough", "archive_days", "network_new", "network_strange", "country_new", "agent_new", "region_new"),
    *("hour_new", "key_woken", "key_spread", "address_listed", "console", "usual_tool", "step"),
    *("networks_known", "granted"),
)
_FIELDS: list["pa.Field[Any]"] = [
    pa.field("hour", pa.int64()),
    *(pa.field(name, pa.string()) for name in _TEXTS),
    *(pa.field(name, pa.int64()) for name in _NUMBERS),
]
_COLUMNS = ", ".join(
    ["cast(hour as bigint) as hour"]
    + [f'cast("{name}" as varchar) as "{name}"' for name in _TEXTS]
    + [f'cast({"$step" if name == "step" else name} as bigint) as "{name}"' for name in _NUMBERS]
)
_NAMES = ", ".join(["hour", *(f'"{name}"' for name in (*_TEXTS, *_NUMBERS))])

STATE = State(
    name="discovery_calls",
    meaning="One row per five minutes and new call of a principal, with its circumstances.",
    schema=pa.schema(_FIELDS),
    reads=("circumstances",),
    rows=f"select {_COLUMNS} from circumstances",
    fold=f"select {_NAMES} from (select * from discovery_calls_old union all select * from discovery_calls_rows)",
    keep_days=3,
    partition="hour",
)
