"""List the kinds of saved responses: the EC2 operation of each, its member, and what is unknown without it.

Files are recognised by their names, which are those of the AWS command line's commands: ``describe-instances.json``, optionally
with ``ec2-`` before it and anything after it (``describe-instances-2.json``).
"""

import re
from dataclasses import dataclass
from typing import Generic

from vedette.inventory.saved import (
    BlockExclusion,
    BlockOptions,
    Image,
    Item,
    NetworkAcl,
    NetworkInterface,
    PrefixList,
    PrefixListEntry,
    Record,
    Reservation,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
)


@dataclass(frozen=True, slots=True)
class Kind(Generic[Item]):
    """One kind of response.

    ``name`` is the command of the AWS command line, ``member`` the member of the response that holds the records (one record if
    ``single``), ``without`` what is unknown without such a file, "" if the file is not essential.
    """

    name: str
    member: str
    record: type[Item]
    without: str = ""
    single: bool = False


INSTANCES = Kind("describe-instances", "Reservations", Reservation, "instance type, image, tags and state of instances")
INTERFACES = Kind(
    "describe-network-interfaces",
    "NetworkInterfaces",
    NetworkInterface,
    "roles of interfaces that do not belong to an instance, and which addresses are unused",
)
GROUPS = Kind("describe-security-groups", "SecurityGroups", SecurityGroup, "whether a security group lets traffic in")
RULES = Kind("describe-security-group-rules", "SecurityGroupRules", SecurityGroupRule)
ACLS = Kind("describe-network-acls", "NetworkAcls", NetworkAcl, "whether a network ACL lets traffic in and replies out")
ROUTES = Kind("describe-route-tables", "RouteTables", RouteTable, "whether an interface has a path to the internet")
SUBNETS = Kind("describe-subnets", "Subnets", Subnet, "which addresses are unused, and what stays inside a subnet")
VPCS = Kind("describe-vpcs", "Vpcs", Vpc, "which addresses are unused")
PREFIX_LISTS = Kind("describe-managed-prefix-lists", "PrefixLists", PrefixList)
AWS_PREFIX_LISTS = Kind("describe-prefix-lists", "PrefixLists", PrefixList)
ENTRIES = Kind("get-managed-prefix-list-entries", "Entries", PrefixListEntry)
IMAGES = Kind("describe-images", "Images", Image)
BLOCK_OPTIONS = Kind("describe-vpc-block-public-access-options", "VpcBlockPublicAccessOptions", BlockOptions, single=True)
BLOCK_EXCLUSIONS = Kind("describe-vpc-block-public-access-exclusions", "VpcBlockPublicAccessExclusions", BlockExclusion)

KINDS: tuple[Kind[Record], ...] = (  # type: ignore[assignment]  # records are only read, so kinds of subclasses are safe
    INSTANCES,
    INTERFACES,
    GROUPS,
    RULES,
    ACLS,
    ROUTES,
    SUBNETS,
    VPCS,
    PREFIX_LISTS,
    AWS_PREFIX_LISTS,
    ENTRIES,
    IMAGES,
    BLOCK_OPTIONS,
    BLOCK_EXCLUSIONS,
)
_BY_NAME = {kind.name: kind for kind in KINDS}
_NAME = re.compile(rf"(?:ec2-)?({'|'.join(sorted(_BY_NAME, key=len, reverse=True))})(?:[-_. ].*)?\.json", re.IGNORECASE)


def kind_of(file_name: str) -> Kind[Record] | None:
    """Return the kind of a file by its name, or None if it is not a saved response."""
    found = _NAME.fullmatch(file_name)
    return _BY_NAME[found[1].lower()] if found else None
