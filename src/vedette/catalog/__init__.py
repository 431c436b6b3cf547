"""The API catalogue: which call lists or describes something, what it asks about, and how telling it is (methods 6).

``operations.tsv`` says it of single operations; ``rules`` says it of every other call, so that an operation which is newer than
the table is judged too. ``names`` turns what CloudTrail writes into the names of both.
"""

from dataclasses import dataclass
from typing import Literal

from vedette.catalog import rules
from vedette.catalog.names import operation_of, service_of
from vedette.catalog.table import table

__all__ = ["Access", "Category", "Operation", "lookup"]

Access = Literal["list", "read", "write", "permissions", "tagging", "unknown"]
Category = Literal["network", "resource", "user", "none"]

# Values of requestParameters.attribute that make a usual call a telling one: user data holds start scripts, and their secrets.
_TELLING_ATTRIBUTES = {("ec2", "DescribeInstanceAttribute", "userdata")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is known of one API operation.

    ``operation`` is the name without version suffix, as the table spells it. ``discovery``: the call lists or describes; reads of
    data or secrets do not count. ``category`` is what a discovery call asks about, ``none`` for other calls. ``listed``: the
    category is from the table, not from a rule. ``weight``: 0 no discovery, 1 almost every tool makes the call, 2 usual, 3 seldom
    made by anybody else than a scout. ``technique`` is an ATT&CK technique id or empty.
    """

    service: str
    operation: str
    access: Access
    discovery: bool
    category: Category
    listed: bool
    weight: int
    technique: str


def lookup(
    event_source: str | None,
    event_name: str | None,
    read_only: bool | None,
    request_attribute: str | None = None,
) -> Operation:
    """Say what is known of a call: from the table, else by the rules for unlisted calls.

    Args:
        event_source: CloudTrail's eventSource, e.g. ec2.amazonaws.com.
        event_name: eventName as written, version suffix and all.
        read_only: readOnly; None where the record lacks it.
        request_attribute: requestParameters.attribute, for calls whose meaning depends on it.
    """
    service = service_of(event_source)
    written = operation_of(service, event_name)
    row = table().get((service, written.lower()))
    operation = row.operation if row else written
    discovery = row.discovery if row else rules.is_discovery(service, operation, read_only=read_only)
    access: Access = row.access if row else rules.access(operation, read_only=read_only)
    if not discovery:
        return Operation(
            service=service,
            operation=operation,
            access=access,
            discovery=False,
            category="none",
            listed=False,
            weight=0,
            technique="",
        )
    category: Category = (row.category if row else None) or rules.category(service, operation)
    weight = (row.weight if row else None) or rules.weight(service)
    if (service, operation, (request_attribute or "").lower()) in _TELLING_ATTRIBUTES:
        weight += 1
    return Operation(
        service=service,
        operation=operation,
        access=access,
        discovery=True,
        category=category,
        listed=row is not None and row.category is not None,
        weight=weight,
        technique=(row.technique if row else "") or rules.technique(category, operation),
    )
