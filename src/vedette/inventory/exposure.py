"""Find the ports of an interface that the internet can reach: those that security groups, path and network ACL all let in.

Pure. A rule is evaluated with a few addresses that represent its source: one to which no narrower entry of the network ACL
applies, and one of each narrower entry. Rules whose source is a security group are left out: no internet host belongs to one.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from vedette.inventory.blocks import ANYWHERE, Block
from vedette.inventory.command import revoke
from vedette.inventory.network import ANY, PORTS, TCP, UDP, WITH_PORTS, Acl, Network, Rule
from vedette.inventory.path import Subject, path
from vedette.inventory.reachability import Reachability, Verdict
from vedette.network.address import Address, AddressClass, address_class, address_text

_MOST_ADDRESSES_TRIED = 64
_RANK: dict[Verdict, int] = {"deny": 0, "unknown": 1, "partial": 2, "allow": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Ports that some internet host can reach; ``verdict`` is allow, partial or unknown, and ``command`` revokes ``rule``."""

    protocol: int
    ports: tuple[int, int]
    source: str
    verdict: Verdict
    rule: str
    command: str


def openings(network: Network, subject: Subject, evaluate: Callable[[Address, int, int], Reachability]) -> tuple[Opening, ...]:
    """Return the openings of an interface, sorted by protocol, ports and source."""
    if not subject.public_addresses and not subject.ipv6_addresses:
        return ()
    found: dict[tuple[object, ...], Opening] = {}
    acl = network.acls.get(subject.subnet_id)
    for group_id in subject.group_ids:
        rules = network.groups.get(group_id)
        openings_of_group = (
            _unknown(network, subject, group_id)
            if rules is None
            else (opening for rule in rules for opening in _of_rule(network, acl, subject, rule, evaluate))
        )
        for opening in openings_of_group:
            found.setdefault((opening.protocol, opening.ports, opening.source, opening.verdict), opening)
    return tuple(sorted(found.values(), key=lambda item: (item.protocol, item.ports, item.source, item.verdict)))


def _of_rule(
    network: Network, acl: Acl | None, subject: Subject, rule: Rule, evaluate: Callable[[Address, int, int], Reachability]
) -> Iterator[Opening]:
    if rule.prefix_list_id and rule.prefix_list_id not in network.prefix_lists:
        yield from _unknown(network, subject, rule.prefix_list_id, rule)
        return
    blocks = (rule.source,) if rule.source else network.prefix_lists.get(rule.prefix_list_id, ())
    own = network.vpcs.get(subject.vpc_id, ())
    remotes = [remote for item in blocks for remote in _remotes(acl, item, own)]
    for protocol in (TCP, UDP) if rule.protocol == ANY else (rule.protocol,):
        spans: list[tuple[int, int, Verdict]] = []
        for first, last in _segments(acl, rule.ports) if protocol in WITH_PORTS else (rule.ports,):
            verdict = _best(evaluate(remote, protocol, first).verdict for remote in remotes)
            if spans and spans[-1][2] == verdict:
                spans[-1] = (spans[-1][0], last, verdict)
            else:
                spans.append((first, last, verdict))
        for first, last, verdict in spans:
            if verdict != "deny":
                yield Opening(
                    protocol=protocol,
                    ports=(first, last),
                    source=rule.origin,
                    verdict=verdict,
                    rule=rule.text,
                    command=revoke(rule, subject.region),
                )


def _unknown(network: Network, subject: Subject, missing: str, rule: Rule | None = None) -> Iterator[Opening]:
    """Yield an opening that may exist because ``missing`` is not in the inventory; nothing without a path from the internet."""
    own = network.vpcs.get(subject.vpc_id, ())
    remotes = [remote for version in ANYWHERE for remote in _remotes(None, ANYWHERE[version], own)]
    if any(path(network, subject, remote).verdict != "deny" for remote in remotes):
        yield Opening(
            protocol=rule.protocol if rule else ANY,
            ports=rule.ports if rule else PORTS,
            source=missing,
            verdict="unknown",
            rule=rule.text if rule else f"{missing} is not in the inventory",
            command="",
        )


def _best(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the most permissive verdict; after an allow, the remaining verdicts are not evaluated."""
    best: Verdict = "deny"
    for verdict in verdicts:
        best = max(best, verdict, key=_RANK.__getitem__)
        if best == "allow":
            break
    return best


def _remotes(acl: Acl | None, source: Block, own: Iterable[Block]) -> Iterator[Address]:
    """Yield one public address for each part of a source that the network ACL treats separately, outside the VPC's own blocks."""
    entries = (*acl.ingress, *acl.egress) if acl else ()
    narrower = [entry.block for entry in entries if source.covers(entry.block) and entry.block != source]
    for item in (source, *narrower):
        others = [*own, *(other for other in narrower if item.covers(other) and other != item)]
        if (remote := _public_address(item, others)) is not None:
            yield remote


def _public_address(source: Block, without: list[Block]) -> Address | None:
    """Return a public address of a block that is in none of the others, or None if a few samples do not find one."""
    step = max((source.last - source.first) // _MOST_ADDRESSES_TRIED, 1)
    for number in range(source.first, source.last + 1, step):
        address = Address(source.version, number, address_text(source.version, number))
        if address_class(address) is AddressClass.PUBLIC and not any(item.contains(address) for item in without):
            return address
    return None


def _segments(acl: Acl | None, ports: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Split a range of ports wherever the ports of an entry of the network ACL begin or end."""
    entries = acl.ingress if acl else ()
    edges = {edge for entry in entries for edge in (entry.ports[0], entry.ports[1] + 1) if ports[0] < edge <= ports[1]}
    starts = sorted({ports[0], *edges})
    for first, after in zip(starts, [*starts[1:], ports[1] + 1], strict=True):
        yield first, after - 1
