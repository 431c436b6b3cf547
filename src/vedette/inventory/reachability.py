"""Whether a packet of a remote address reaches a port of an interface, and which rule decides (methods 3.2).

Pure. Four questions are asked, each answered with a sentence: the path, the security groups, the network ACL inwards, and the
network ACL outwards for the reply. One no is a deny; else what is not known makes it unknown; else replies that come back to part
of the ephemeral ports only make it partial.
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
# The type that answers a type of ICMP; other types have no answer that could be held back.
_ICMP_REPLIES = {(ICMP, 8): 0, (ICMPV6, 128): 129}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachability:
    """An answer with its reasons.

    ``steps`` has one sentence for the path, the security groups, the network ACL inwards and outwards. ``deciding_rule`` is what
    decides the verdict, "" where nothing does. ``command`` closes the path at the rule of the security group that lets the
    traffic in; it is quoted for a shell, and "" where there is nothing to close.
    """

    verdict: Verdict
    steps: tuple[str, ...]
    deciding_rule: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The answer to one question."""

    verdict: Verdict
    sentence: str
    rule: str = ""


def evaluate(network: Network, subject: Subject, remote: Address, protocol: int, port: int) -> Reachability:
    """Say whether traffic of ``remote`` reaches a port of the interface (for ICMP the type; else without a meaning)."""
    way = path(network, subject, remote)
    groups, allowing = _groups(network, subject, remote, protocol, port, routed=way.routed)
    if way.same_subnet:
        inward = outward = Step(verdict="allow", sentence="Network ACL: not asked, the remote address is in the same subnet.")
    else:
        acl = network.acls.get(subject.subnet_id)
        inward = _inward(acl, subject, remote, protocol, port)
        outward = _outward(acl, subject, remote, protocol, port)
    steps = (Step(verdict=way.verdict, sentence=way.sentence, rule=way.rule), groups, inward, outward)
    verdict = worst(step.verdict for step in steps)
    deciding = groups if verdict == "allow" else next(step for step in steps if step.verdict == verdict)
    return Reachability(
        verdict=verdict,
        steps=tuple(step.sentence for step in steps),
        deciding_rule=deciding.rule,
        command=revoke(allowing[0], subject.region) if allowing and verdict in {"allow", "partial"} else "",
    )


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of several questions that must all be answered with yes."""
    given = set(verdicts)
    order: tuple[Verdict, ...] = ("deny", "unknown", "partial")
    return next((verdict for verdict in order if verdict in given), "allow")


def _groups(
    network: Network, subject: Subject, remote: Address, protocol: int, port: int, *, routed: bool
) -> tuple[Step, list[Rule]]:
    """Ask the security groups; return the rules that allow, the widest source first."""
    asked = f"{traffic(protocol, (port, port))} from {remote.text}"
    allowing: list[Rule] = []
    open_questions: list[str] = []
    for group_id in subject.group_ids:
        rules = network.groups.get(group_id)
        if rules is None:
            open_questions.append(f"{group_id} is not in the inventory")
        for rule in rules or ():
            if not _carries(rule.protocol, rule.ports, protocol, port):
                continue
            match = _from(rule, network, subject, remote, routed=routed)
            if match:
                allowing.append(rule)
            elif match is None:
                open_questions.append(f"{rule.text}: the entries of {rule.prefix_list_id} are not in the inventory")
    if allowing:
        allowing.sort(key=lambda rule: (-_width(rule), rule.group_id, rule.text))
        others = "; ".join(rule.text for rule in allowing[1:])
        also = f" Also, and to be changed too: {others}." if others else ""
        return Step(verdict="allow", sentence=f"Security groups: {allowing[0].text}.{also}", rule=allowing[0].text), allowing
    if open_questions:
        return Step(verdict="unknown", sentence=f"Security groups: {'; '.join(open_questions)}.", rule=open_questions[0]), []
    reason = f"no rule of {', '.join(subject.group_ids) or 'any security group'} allows {asked}"
    return Step(verdict="deny", sentence=f"Security groups: {reason}.", rule=reason), []


def _from(rule: Rule, network: Network, subject: Subject, remote: Address, *, routed: bool) -> bool | None:
    """Say whether a rule's source holds the remote address; None where a prefix list is not known."""
    if rule.source is not None:
        return rule.source.holds(remote)
    if rule.prefix_list_id:
        return network.expanded(rule.prefix_list_id, remote)
    # A group stands for the private addresses of its members, in this VPC or one that is routed to.
    members = network.members.get((remote.version, remote.integer), ())
    return any(rule.source_group in groups and (vpc == subject.vpc_id or routed) for vpc, groups in members)


def _width(rule: Rule) -> int:
    """Return how many addresses a rule lets in, IPv4 and IPv6 measured in the same way; other sources count as one address."""
    if rule.source is None:
        return 0
    return (rule.source.last - rule.source.first + 1).bit_length() + (96 if rule.source.version == IPV4 else 0)


def _inward(acl: Acl | None, subject: Subject, remote: Address, protocol: int, port: int) -> Step:
    if acl is None:
        return _unknown_acl(subject, "inwards")
    entry = next((e for e in acl.ingress if e.block.holds(remote) and _carries(e.protocol, e.ports, protocol, port)), None)
    rule = entry.text if entry else f"{acl.acl_id} rule * denies ingress"
    return Step(verdict="allow" if entry and entry.allow else "deny", sentence=f"Network ACL inwards: {rule}.", rule=rule)


def _outward(acl: Acl | None, subject: Subject, remote: Address, protocol: int, port: int) -> Step:
    """Ask whether the reply gets out: to the whole ephemeral range, to part of it, or not at all."""
    if acl is None:
        return _unknown_acl(subject, "outwards")
    if protocol in WITH_PORTS:
        asked = EPHEMERAL
    elif protocol in WITH_TYPES:
        if (protocol, port) not in _ICMP_REPLIES:
            return Step(verdict="allow", sentence="Network ACL outwards: not asked, this ICMP message has no reply.")
        asked = (_ICMP_REPLIES[protocol, port],) * 2
    else:
        asked = (0, 0)
    allowed, deciding = replies(acl.egress, remote, protocol, asked)
    if allowed == [asked]:
        return Step(verdict="allow", sentence=f"Network ACL outwards: {deciding[0].text}.", rule=deciding[0].text)
    denying = next((entry.text for entry in deciding if not entry.allow), f"{acl.acl_id} rule * denies egress")
    if not allowed:
        return Step(verdict="deny", sentence=f"Network ACL outwards: {denying}, so no reply leaves.", rule=denying)
    part = ", ".join(map(span, allowed))
    sentence = f"Network ACL outwards: replies leave only to ports {part} of the remote host; {denying}."
    return Step(verdict="partial", sentence=sentence, rule=denying)


def replies(
    entries: Iterable[Entry], remote: Address, protocol: int, asked: tuple[int, int]
) -> tuple[list[tuple[int, int]], list[Entry]]:
    """Return the parts of a range of ports that entries in ascending order let out to an address, and the entries that decide."""
    left, allowed, deciding = [asked], [], []
    for entry in entries:
        if not entry.block.holds(remote) or not _carries_any(entry.protocol, protocol):
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


def _unknown_acl(subject: Subject, way: str) -> Step:
    reason = f"the network ACL of {subject.subnet_id or 'the subnet'} is not in the inventory"
    return Step(verdict="unknown", sentence=f"Network ACL {way}: {reason}.", rule=reason)


def _carries_any(rule_protocol: int, protocol: int) -> bool:
    return rule_protocol in {ANY, protocol}


def _carries(rule_protocol: int, ports: tuple[int, int], protocol: int, port: int) -> bool:
    if rule_protocol == ANY:
        return True
    if rule_protocol != protocol:
        return False
    return ports[0] <= port <= ports[1] if protocol in WITH_PORTS | WITH_TYPES else True
