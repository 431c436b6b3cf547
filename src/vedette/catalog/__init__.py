"""Classify API calls: which ones list or describe something, what they ask about, and how suspicious they are (methods 6).

``operations.tsv`` classifies single operations; ``rules`` classifies every other call, so that operations newer than the table
are covered too. ``names`` turns CloudTrail's spelling into the names that both use.
"""

from dataclasses import dataclass
from typing import Literal

from vedette.catalog import rules
from vedette.catalog.names import operation_of, service_of
from vedette.catalog.table import table

__all__ = ["Access", "Category", "Operation", "lookup"]

Access = Literal["list", "read", "write", "permissions", "tagging", "unknown"]
Category = Literal["network", "resource", "user", "none"]

# Values of requestParameters.attribute that make a common call suspicious: user data holds start-up scripts and their secrets.
_SUSPICIOUS_ATTRIBUTES = {("ec2", "DescribeInstanceAttribute", "userdata")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The classification of one API operation.

    ``operation`` is the name without version suffix, as the table spells it. ``discovery``: the call lists or describes; reads of
    data or secrets do not count. ``category`` is what a discovery call asks about, ``none`` for other calls. ``listed``: the
    category is from the table, not from a rule. ``weight``: 0 not discovery, 1 made by almost every tool, 2 common, 3 rarely made
    except for reconnaissance. ``technique`` is an ATT&CK technique ID or empty.
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
    """Classify a call: by the table if it lists the operation, else by the rules for unlisted calls.

    Args:
        event_source: CloudTrail's eventSource, e.g. ec2.amazonaws.com.
        event_name: eventName as written, version suffix and all.
        read_only: readOnly; None if the record lacks it.
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
    if (service, operation, (request_attribute or "").lower()) in _SUSPICIOUS_ATTRIBUTES:
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
