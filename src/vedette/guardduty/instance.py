"""What findings about instances (resource type Instance) say when explained, and commands about an instance. Pure."""

import re
import shlex
from collections.abc import Mapping

from vedette.findings.explanation import Section
from vedette.findings.model import Finding
from vedette.guardduty.other_side import other_side
from vedette.guardduty.reading import interface_id, member, structures

# Anybody may have written the ids in a log: only what looks like an id gets into a command.
_INSTANCE, _INTERFACE, _REGION = re.compile(r"i-[0-9a-z]+"), re.compile(r"eni-[0-9a-z]+"), re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")


def sections(finding: Finding, document: Mapping[str, object]) -> tuple[Section, ...]:
    """Return what the document of a finding says of the instance and of the other side."""
    return _instance(finding, document), Section("Other side", other_side(finding, document))


def _instance(finding: Finding, document: Mapping[str, object]) -> Section:
    details = member(document, "resource", "instanceDetails")
    interface = next(iter(structures(details, "networkInterfaces")), {})
    return Section(
        "Instance",
        {
            "instance": details.get("instanceId"),
            "name": next((tag.get("value") for tag in structures(details, "tags") if tag.get("key") == "Name"), None),
            "type": details.get("instanceType"),
            "profile": member(details, "iamInstanceProfile").get("arn"),
            "interface": interface.get("networkInterfaceId"),
            "private IP": interface.get("privateIpAddress"),
            "public IP": interface.get("publicIp"),
            "groups": ", ".join(str(group.get("groupId")) for group in structures(interface, "securityGroups")),
            "subnet": interface.get("subnetId"),
            "VPC": interface.get("vpcId"),
            "account": finding.seen.account_id,
        },
    )


def details_of(finding: Finding) -> Mapping[str, object]:
    """Return what a finding knows of its instance, as GuardDuty's ``instanceDetails``."""
    return member(finding.seen.resource, "instanceDetails")


def instance_command(finding: Finding, verb: str, option: str, form: str = "{}", *rest: str) -> str:
    """Return an EC2 command about the finding's instance, "" where the log does not give an id of one, or its region.

    Args:
        finding: what it is about.
        verb: the subcommand of ``aws ec2``.
        option: the option that takes the instance.
        form: how the option is given the instance; ``{}`` stands for its id.
        rest: further arguments.
    """
    name = finding.seen.resource_key
    return _command(finding, verb, option, form.format(name), *rest) if _INSTANCE.fullmatch(name) else ""


def interface_command(finding: Finding, verb: str, option: str, *rest: str) -> str:
    """Return an EC2 command about the interface of the finding's instance, "" as ``instance_command`` does."""
    name = interface_id(details_of(finding))
    return _command(finding, verb, option, name, *rest) if _INTERFACE.fullmatch(name) else ""


def _command(finding: Finding, verb: str, *arguments: str) -> str:
    region = finding.seen.region
    return shlex.join(["aws", "ec2", verb, "--region", region, *arguments]) if _REGION.fullmatch(region) else ""
