"""Combine snapshots into the rules that decide about traffic, and into the set of unused addresses.

For each account, region and kind of file, the newest snapshot that has such a file counts alone: a response is complete, so what
it lacks no longer exists.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from vedette.inventory.blocks import Block, Ranges, block
from vedette.inventory.files import Snapshot
from vedette.inventory.interfaces import Found, Interface
from vedette.inventory.kinds import (
    ACLS,
    AWS_PREFIX_LISTS,
    BLOCK_EXCLUSIONS,
    BLOCK_OPTIONS,
    GROUPS,
    INTERFACES,
    ROUTES,
    RULES,
    SUBNETS,
    VPCS,
    Kind,
)
from vedette.inventory.network import Network, Table, compiled_acl, compiled_table, group_rules, ids_of_rules
from vedette.inventory.saved import Cidr, Item, Subnet, Vpc
from vedette.network.address import Address, parse_number

_RESERVED_FIRST = 4  # AWS reserves the first four addresses of each subnet, and the last
_EXCLUDED_MODE = "allow-bidirectional"
# "": a file that does not say. What is being made, deleted or disabled, or is no more, excludes nothing.
_IN_FORCE = frozenset({"", "create-complete", "update-in-progress", "update-complete", "update-failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """The address space of VPCs whose interfaces are all known, and which addresses in it are used or reserved."""

    space: Ranges
    used: frozenset[tuple[int, int]]
    delegated: Ranges
    reserved: frozenset[tuple[int, int]]

    def is_dark(self, address: Address) -> bool:
        """Tell whether an address is in the space and neither used nor reserved."""
        number = (address.version, address.integer)
        return (
            self.space.contain(address)
            and number not in self.used
            and number not in self.reserved
            and not self.delegated.contain(address)
        )


def network_of(snapshots: Iterable[Snapshot], interfaces: Mapping[str, Interface]) -> Network:
    """Compile everything that decides about traffic: security groups, network ACLs, route tables and their context."""
    newest = _Newest(snapshots)
    tables, main_tables = _tables(newest)
    rule_ids = ids_of_rules(newest.of(RULES))
    prefix_lists = _prefix_lists(snapshots)
    return Network(
        groups={group.group_id: group_rules(group, rule_ids) for group in newest.of(GROUPS)},
        acls={
            association.subnet_id: acl
            for item in newest.of(ACLS)
            for acl in [compiled_acl(item)]
            for association in item.associations
            if association.subnet_id
        },
        tables=tables,
        main_tables=main_tables,
        subnets={subnet.subnet_id: _subnet_blocks(subnet) for subnet in newest.of(SUBNETS)},
        vpcs={vpc.vpc_id: _vpc_blocks(vpc) for vpc in newest.of(VPCS)},
        prefix_lists=prefix_lists,
        prefix_ranges={name: Ranges(blocks) for name, blocks in prefix_lists.items()},
        members=_members(interfaces.values()),
        blocked={
            snapshot.scope: option.internet_gateway_block_mode
            for snapshot, option in newest.with_snapshot(BLOCK_OPTIONS)
            if option.internet_gateway_block_mode.startswith("block")
        },
        excluded=frozenset(
            exclusion.resource_arn.rpartition("/")[2]
            for exclusion in newest.of(BLOCK_EXCLUSIONS)
            if exclusion.internet_gateway_exclusion_mode == _EXCLUDED_MODE and exclusion.state in _IN_FORCE
        ),
    )


def unused_of(snapshots: Iterable[Snapshot], found: Found) -> Unused:
    """Return the address space in which an address without an interface is dark.

    Only VPCs whose interfaces and subnets were saved too count: otherwise every address would seem to be unused.
    """
    complete = [snapshot for snapshot in snapshots if snapshot.has(INTERFACES) and snapshot.has(SUBNETS)]
    newest = _Newest(complete)
    subnets = [item for subnet in newest.of(SUBNETS) for item in _subnet_blocks(subnet)]
    texts = (
        text
        for interface in found.interfaces.values()
        for text in (*interface.private_addresses, *interface.ipv6_addresses, *interface.public_addresses)
    )
    return Unused(
        space=Ranges(item for vpc in newest.of(VPCS) for item in _vpc_blocks(vpc)),
        used=frozenset(number for text in texts if (number := parse_number(text)) is not None),
        delegated=Ranges(block(text) for text in found.delegated),
        reserved=frozenset(
            (item.version, number)
            for item in subnets
            for number in (*range(item.first, min(item.first + _RESERVED_FIRST, item.last + 1)), item.last)
        ),
    )


class _Newest:
    """Selects the newest snapshot of each account and region, separately for each kind of file."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self._snapshots = tuple(snapshots)

    def _chosen(self, kind: Kind[Item]) -> Iterator[Snapshot]:
        newest = {snapshot.scope: snapshot for snapshot in self._snapshots if snapshot.has(kind)}
        return (snapshot for snapshot in self._snapshots if newest.get(snapshot.scope) is snapshot)

    def of(self, kind: Kind[Item]) -> Iterator[Item]:
        return (item for snapshot in self._chosen(kind) for item in snapshot.of(kind))

    def with_snapshot(self, kind: Kind[Item]) -> Iterator[tuple[Snapshot, Item]]:
        return ((snapshot, item) for snapshot in self._chosen(kind) for item in snapshot.of(kind))


def _tables(newest: _Newest) -> tuple[dict[str, Table], dict[str, Table]]:
    explicit: dict[str, Table] = {}
    main: dict[str, Table] = {}
    for item in newest.of(ROUTES):
        table = compiled_table(item)
        for association in item.associations:
            if association.association_state.ended:
                continue
            if association.subnet_id:
                explicit[association.subnet_id] = table
            elif association.main and item.vpc_id:
                main[item.vpc_id] = table
    return explicit, main


def _prefix_lists(snapshots: Iterable[Snapshot]) -> dict[str, tuple[Block, ...]]:
    lists: dict[str, tuple[Block, ...]] = {}
    for snapshot in snapshots:
        for item in snapshot.of(AWS_PREFIX_LISTS):
            lists[item.prefix_list_id] = tuple(block(str(text)) for text in item.cidrs)
        for name, texts in snapshot.entries.items():
            lists[name] = tuple(block(text) for text in texts)
    return lists


def _members(interfaces: Iterable[Interface]) -> dict[tuple[int, int], tuple[tuple[str, tuple[str, ...]], ...]]:
    members: dict[tuple[int, int], tuple[tuple[str, tuple[str, ...]], ...]] = {}
    for interface in interfaces:
        if interface.group_ids:
            member = (interface.vpc_id or "", interface.group_ids)
            for text in (*interface.private_addresses, *interface.ipv6_addresses):
                if (number := parse_number(text)) is not None:
                    members[number] = (*members.get(number, ()), member)
    return members


def _subnet_blocks(subnet: Subnet) -> tuple[Block, ...]:
    texts = [subnet.cidr_block, *_ipv6_blocks(subnet)]
    return tuple(block(str(text)) for text in texts if text)


def _vpc_blocks(vpc: Vpc) -> tuple[Block, ...]:
    texts = [
        vpc.cidr_block,
        *(item.cidr_block for item in vpc.cidr_block_association_set if not item.cidr_block_state.ended),
        *_ipv6_blocks(vpc),
    ]
    return tuple(block(text) for text in dict.fromkeys(str(text) for text in texts if text))


def _ipv6_blocks(item: Subnet | Vpc) -> Iterator[Cidr | None]:
    return (entry.ipv6_cidr_block for entry in item.ipv6_cidr_block_association_set if not entry.ipv6_cidr_block_state.ended)
