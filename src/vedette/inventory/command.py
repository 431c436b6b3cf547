"""Write the command that revokes a rule of a security group, ready to be pasted into a shell.

IDs come from files that anybody may have written, so only text in the form of an ID is put into a command.
"""

import re
import shlex

from vedette.inventory.network import ANY, ICMP, ICMPV6, NAMES, PORTS, WITH_PORTS, WITH_TYPES, Rule, span
from vedette.network.address import IPV4

_GROUP = re.compile(r"sg-[0-9A-Za-z]+")
_RULE = re.compile(r"sgr-[0-9A-Za-z]+")
_PREFIX_LIST = re.compile(r"pl-[0-9A-Za-z]+")
_REGION = re.compile(r"[a-z0-9-]+")


def revoke(rule: Rule, region: str) -> str:
    """Return the command that revokes an ingress rule; "" if one of its IDs does not have the form of an ID."""
    if not _GROUP.fullmatch(rule.group_id):
        return ""
    if _RULE.fullmatch(rule.rule_id):
        what = ["--security-group-rule-ids", rule.rule_id]
    elif rule.source and rule.source.version == IPV4 and rule.protocol in WITH_PORTS:
        what = ["--protocol", NAMES[rule.protocol], "--port", span(rule.ports), "--cidr", rule.source.text]
    elif permission := _permission(rule):
        what = ["--ip-permissions", permission]
    else:
        return ""
    where = ["--region", region] if _REGION.fullmatch(region) and not region.startswith("-") else []
    return shlex.join(["aws", "ec2", "revoke-security-group-ingress", *where, "--group-id", rule.group_id, *what])


def _permission(rule: Rule) -> str:
    if rule.source is not None:
        source = f"IpRanges=[{{CidrIp={rule.source.text}}}]"
        if rule.source.version != IPV4:
            source = f"Ipv6Ranges=[{{CidrIpv6={rule.source.text}}}]"
    elif _PREFIX_LIST.fullmatch(rule.prefix_list_id):
        source = f"PrefixListIds=[{{PrefixListId={rule.prefix_list_id}}}]"
    elif _GROUP.fullmatch(rule.source_group):
        source = f"UserIdGroupPairs=[{{GroupId={rule.source_group}}}]"
    else:
        return ""
    return f"IpProtocol={_protocol(rule)}{_ports(rule)},{source}"


def _protocol(rule: Rule) -> str:
    return str(ANY) if rule.protocol == ANY else NAMES.get(rule.protocol, str(rule.protocol))


def _ports(rule: Rule) -> str:
    if rule.protocol in WITH_PORTS:
        return f",FromPort={rule.ports[0]},ToPort={rule.ports[1]}"
    if rule.protocol in WITH_TYPES:
        # Rules do not keep the ICMP code: without the rule's ID, EC2 finds only the rule for all codes of a type.
        first = ANY if rule.ports == PORTS and rule.protocol in {ICMP, ICMPV6} else rule.ports[0]
        return f",FromPort={first},ToPort={ANY}"
    return ""
