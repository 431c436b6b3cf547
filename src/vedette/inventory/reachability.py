"""Decide whether a packet from a remote address reaches a port of an interface, and by which rule (methods 3.2).

Pure. Four steps are evaluated, each explained in a sentence: the path, the security groups, the inbound network ACL, and the
outbound network ACL for the reply. The verdict is deny if any step denies; else unknown if any step is unknown; else partial if
replies can reach only part of the ephemeral ports.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from vedette.inventory.command import revoke
from vedette.inventory.network import (
    ANY,
    ICMP,
    ICMPV6,
    PORTS,
    WITH_PORTS,
    WITH_TYPES,
    Acl,
    Entry,
    Network,
    Rule,
    span,
    traffic,
)
from vedette.inventory.path import Subject, path
from vedette.network.address import IPV4, Address

Verdict = Literal["allow", "deny", "partial", "unknown"]

EPHEMERAL = (1024, 65535)
# The ICMP type of the reply to a type; other types have no reply that an ACL could block.
_ICMP_REPLIES = {(ICMP, 8): 0, (ICMPV6, 128): 129}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachability:
    """A verdict with its reasons.

    ``steps`` has one sentence each for the path, the security groups, the inbound and the outbound network ACL. ``deciding_rule``
    is the rule or reason that decides the verdict, "" if there is none. ``command`` revokes the rule of the security group that
    lets the traffic in; it is quoted for a shell, and "" if there is nothing to revoke.
    """

    verdict: Verdict
    steps: tuple[str, ...]
    deciding_rule: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The result of one step."""

    verdict: Verdict
    sentence: str
    rule: str = ""


def evaluate(network: Network, subject: Subject, remote: Address, protocol: int, port: int) -> Reachability:
    """Decide whether traffic from ``remote`` reaches ``port`` of the interface (for ICMP the type; ignored without ports)."""
    route = path(network, subject, remote)
    groups, allowing = _groups(network, subject, remote, protocol, port, routed=route.routed)
    if route.same_subnet:
        inbound = outbound = Step(verdict="allow", sentence="Network ACL: not applied, the remote address is in the same subnet.")
    else:
        acl = network.acls.get(subject.subnet_id)
        inbound = _inbound(acl, subject, remote, protocol, port)
        outbound = _outbound(acl, subject, remote, protocol, port)
    steps = (Step(verdict=route.verdict, sentence=route.sentence, rule=route.rule), groups, inbound, outbound)
    verdict = worst(step.verdict for step in steps)
    deciding = groups if verdict == "allow" else next(step for step in steps if step.verdict == verdict)
    return Reachability(
        verdict=verdict,
        steps=tuple(step.sentence for step in steps),
        deciding_rule=deciding.rule,
        command=revoke(allowing[0], subject.region) if allowing and verdict in {"allow", "partial"} else "",
    )


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the combined verdict of several steps that must all allow the traffic."""
    given = set(verdicts)
    order: tuple[Verdict, ...] = ("deny", "unknown", "partial")
    return next((verdict for verdict in order if verdict in given), "allow")


def _groups(
    network: Network, subject: Subject, remote: Address, protocol: int, port: int, *, routed: bool
) -> tuple[Step, list[Rule]]:
    """Evaluate the security groups; return the step, and the rules that allow the traffic, the widest source first."""
    wanted = f"{traffic(protocol, (port, port))} from {remote.text}"
    allowing: list[Rule] = []
    unknown: list[str] = []
    for group_id in subject.group_ids:
        rules = network.groups.get(group_id)
        if rules is None:
            unknown.append(f"{group_id} is not in the inventory")
        for rule in rules or ():
            if not _carries(rule.protocol, rule.ports, protocol, port):
                continue
            match = _source_matches(rule, network, subject, remote, routed=routed)
            if match:
                allowing.append(rule)
            elif match is None:
                unknown.append(f"{rule.text}: the entries of {rule.prefix_list_id} are not in the inventory")
    if allowing:
        allowing.sort(key=lambda rule: (-_width(rule), rule.group_id, rule.text))
        others = "; ".join(rule.text for rule in allowing[1:])
        also = f" These rules allow it too, and would have to be changed as well: {others}." if others else ""
        return Step(verdict="allow", sentence=f"Security groups: {allowing[0].text}.{also}", rule=allowing[0].text), allowing
    if unknown:
        return Step(verdict="unknown", sentence=f"Security groups: {'; '.join(unknown)}.", rule=unknown[0]), []
    reason = f"no rule of {', '.join(subject.group_ids) or 'any security group'} allows {wanted}"
    return Step(verdict="deny", sentence=f"Security groups: {reason}.", rule=reason), []


def _source_matches(rule: Rule, network: Network, subject: Subject, remote: Address, *, routed: bool) -> bool | None:
    """Tell whether a rule's source contains the remote address; None if the entries of its prefix list are unknown."""
    if rule.source is not None:
        return rule.source.contains(remote)
    if rule.prefix_list_id:
        return network.in_prefix_list(rule.prefix_list_id, remote)
    # A group stands for the private addresses of its members, in this VPC or in one to which there is a route.
    members = network.members.get((remote.version, remote.integer), ())
    return any(rule.source_group in groups and (vpc == subject.vpc_id or routed) for vpc, groups in members)


def _width(rule: Rule) -> int:
    """Return the width of a rule's source in bits, IPv4 counted as if it were part of IPv6; 0 for sources without a block."""
    if rule.source is None:
        return 0
    return (rule.source.last - rule.source.first + 1).bit_length() + (96 if rule.source.version == IPV4 else 0)


def _inbound(acl: Acl | None, subject: Subject, remote: Address, protocol: int, port: int) -> Step:
    if acl is None:
        return _unknown_acl(subject, "inbound")
    entry = next((e for e in acl.ingress if e.block.contains(remote) and _carries(e.protocol, e.ports, protocol, port)), None)
    rule = entry.text if entry else f"{acl.acl_id} rule * denies ingress"
    return Step(verdict="allow" if entry and entry.allow else "deny", sentence=f"Network ACL inbound: {rule}.", rule=rule)


def _outbound(acl: Acl | None, subject: Subject, remote: Address, protocol: int, port: int) -> Step:
    """Decide whether the reply leaves: to the whole ephemeral range, to part of it, or not at all."""
    if acl is None:
        return _unknown_acl(subject, "outbound")
    if protocol in WITH_PORTS:
        wanted = EPHEMERAL
    elif protocol in WITH_TYPES:
        if (protocol, port) not in _ICMP_REPLIES:
            return Step(verdict="allow", sentence="Network ACL outbound: not applied, this ICMP message has no reply.")
        wanted = (_ICMP_REPLIES[protocol, port],) * 2
    else:
        wanted = (0, 0)
    allowed, deciding = replies(acl.egress, remote, protocol, wanted)
    if allowed == [wanted]:
        return Step(verdict="allow", sentence=f"Network ACL outbound: {deciding[0].text}.", rule=deciding[0].text)
    denying = next((entry.text for entry in deciding if not entry.allow), f"{acl.acl_id} rule * denies egress")
    if not allowed:
        return Step(verdict="deny", sentence=f"Network ACL outbound: {denying}, so no reply leaves.", rule=denying)
    part = ", ".join(map(span, allowed))
    sentence = f"Network ACL outbound: replies leave only to ports {part} of the remote host; {denying}."
    return Step(verdict="partial", sentence=sentence, rule=denying)


def replies(
    entries: Iterable[Entry], remote: Address, protocol: int, wanted: tuple[int, int]
) -> tuple[list[tuple[int, int]], list[Entry]]:
    """Return the parts of the ports ``wanted`` that sorted entries let out to an address, and the entries that decide."""
    left, allowed, deciding = [wanted], [], []
    for entry in entries:
        if not entry.block.contains(remote) or not _carries_any(entry.protocol, protocol):
            continue
        first, last = entry.ports if protocol in WITH_PORTS | WITH_TYPES else PORTS
        common = [(max(low, first), min(high, last)) for low, high in left if low <= last and first <= high]
        if not common:
            continue
        deciding.append(entry)
        if entry.allow:
            allowed += common
        left = [
            rest for low, high in left for rest in ((low, min(high, first - 1)), (max(low, last + 1), high)) if rest[0] <= rest[1]
        ]
    return _joined(allowed), deciding


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if joined and low == joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return joined


def _unknown_acl(subject: Subject, direction: str) -> Step:
    reason = f"the network ACL of {subject.subnet_id or 'the subnet'} is not in the inventory"
    return Step(verdict="unknown", sentence=f"Network ACL {direction}: {reason}.", rule=reason)


def _carries_any(rule_protocol: int, protocol: int) -> bool:
    return rule_protocol in {ANY, protocol}


def _carries(rule_protocol: int, ports: tuple[int, int], protocol: int, port: int) -> bool:
    if rule_protocol == ANY:
        return True
    if rule_protocol != protocol:
        return False
    return ports[0] <= port <= ports[1] if protocol in WITH_PORTS | WITH_TYPES else True
