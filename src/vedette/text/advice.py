"""What to do next about a finding: a few steps for the person who reads it, with commands to copy."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vedette.findings.identity import timestamp
from vedette.findings.model import Finding

# Credentials are often looked at before they are used from the listed address: the search begins a day earlier.
_LOOK_BACK = timedelta(days=1)
_KEPT_PORTS = 5
# Ports from which people administer a host: few sources need them.
_ADMINISTRATION = frozenset({22, 3389, 5985, 5986})
_SERVED = 4
# Ids come from logs that anybody may have written: only what looks like one gets into a command.
_INSTANCE, _INTERFACE, _REGION = re.compile(r"i-[0-9a-z]+"), re.compile(r"eni-[0-9a-z]+"), re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: a sentence, and a shell command where one does it. Names from the log are quoted in it, and untrusted."""

    text: str
    command: str = ""


def next_steps(finding: Finding) -> tuple[Step, ...]:
    """Return the steps, most urgent first."""
    if finding.seen.facts.get("own_egress"):
        return (
            Step(f"Find out who called through {finding.seen.target}: all of them should be known."),
            Step("If they are, tell the list's publisher that the entry is wrong, or put the address on a trusted list."),
        )
    if finding.resource_type == "AccessKey":
        details = finding.seen.resource.get("accessKeyDetails")
        return tuple(_access_key_steps(finding, details if isinstance(details, Mapping) else {}))
    if finding.action_type == "PORT_PROBE":
        return tuple(_probe_steps(finding))
    return tuple(_scan_steps(finding))


def _probe_steps(finding: Finding) -> Iterator[Step]:
    """Close the ports, or say that they are meant; what was handed out meanwhile is the service's to tell."""
    seen = finding.seen
    ports = [int(port) for port in seen.tallies.get("ports", {})]
    told = {int(said["port"]): said for said in map(json.loads, seen.tallies.get("configuration", {}))}
    for port in ports[:_KEPT_PORTS]:
        said = told.get(port, {})
        if said.get("command"):
            yield Step(f"If port {port} need not answer the internet, close it.", str(said["command"]))
        elif said.get("verdict") == "deny":
            yield Step(f"Find out who passes port {port} on: a balancer or proxy, or a rule that was changed since the snapshot.")
        else:
            yield Step(f"Find the rule that lets the internet reach port {port}, and take it away.", _groups_command(finding))
    if some := [str(port) for port in ports if port in _ADMINISTRATION]:
        yield Step(f"Let only the networks of those who administer it reach port {', '.join(some)}, or use Session Manager.")
    if any(seen.facts.get(f"level:{port:05}", 0) >= _SERVED for port in ports):
        yield Step("Read the service's own log from the first probe on: it sent data back, and only it knows which.")
    listed = " ".join(map(str, ports[:_KEPT_PORTS]))
    yield Step(
        "If it is meant to answer, say so with public_ports in the settings or a tag: then it is counted and raises nothing.",
        _command(finding, "create-tags", _INSTANCE, "--resources", "--tags", f"Key=recon:public-ports,Value={listed}"),
    )


def _scan_steps(finding: Finding) -> Iterator[Step]:
    """Ask, keep the evidence, cut it off, then see what it found."""
    seen = finding.seen
    yield Step(
        "Ask the owner of the instance whether this was meant. A scanner of your own is named in authorised_scanners, "
        "with an end date; if nobody meant it, go on."
    )
    yield Step(
        "Keep the evidence: take snapshots of its volumes before anything is changed. Don't stop it, since memory would be lost.",
        _command(
            finding, "create-snapshots", _INSTANCE, "--instance-specification", "--description", f"vedette {finding.id[:12]}"
        ),
    )
    yield Step(
        "Isolate it: give the interface a security group that has no rules (put its id in). Connections that stand may go on.",
        _command(finding, "modify-network-interface-attribute", _INTERFACE, "--network-interface-id", "--groups", "GROUP_ID"),
    )
    profile = _details(finding).get("iamInstanceProfile")
    role = str(profile.get("arn") or "").rpartition("/")[2] if isinstance(profile, Mapping) else ""
    of = f"the role of instance profile {role}" if role else "its role, if it has one"
    yield Step(f"End the sessions of {of}: whoever has the instance has its credentials.")
    if found := [str(int(port)) for port in seen.tallies.get("open", {})]:
        more = f" and {len(found) - _KEPT_PORTS} more" if len(found) > _KEPT_PORTS else ""
        yield Step(f"Look at the hosts that answered (port {', '.join(found[:_KEPT_PORTS])}{more}): they are what comes next.")


def _command(finding: Finding, verb: str, kind: re.Pattern[str], option: str, *rest: str) -> str:
    """Return an EC2 command about the finding's instance or interface, "" where its id or region is none."""
    name = finding.seen.resource_key if kind is _INSTANCE else _interface_id(finding)
    if not kind.fullmatch(name) or not _REGION.fullmatch(finding.seen.region):
        return ""
    value = f"InstanceId={name}" if verb == "create-snapshots" else name
    return shlex.join(["aws", "ec2", verb, "--region", finding.seen.region, option, value, *rest])


def _groups_command(finding: Finding) -> str:
    query = "NetworkInterfaces[].Groups"
    return _command(finding, "describe-network-interfaces", _INTERFACE, "--network-interface-ids", "--query", query)


def _interface_id(finding: Finding) -> str:
    interfaces = _details(finding).get("networkInterfaces")
    first = interfaces[0] if isinstance(interfaces, list | tuple) and interfaces else None
    return str(first.get("networkInterfaceId") or "") if isinstance(first, Mapping) else ""


def _details(finding: Finding) -> Mapping[str, object]:
    details = finding.seen.resource.get("instanceDetails")
    return details if isinstance(details, Mapping) else {}


def _access_key_steps(finding: Finding, details: Mapping[str, object]) -> Iterable[Step]:
    user, key = _known(details, "userName"), _known(details, "accessKeyId")
    kind = _known(details, "userType")
    owner = user if user and kind != "Root" else "the owner of the credentials"
    yield Step(f"Ask {owner} whether these calls were meant. If not, or in doubt, go on.")
    if kind == "Root":
        yield Step("Change the root password, delete the root user's access keys, and check its MFA device.")
    elif kind == "AssumedRole":
        yield Step(
            f"End the sessions of role {user or '(unknown)'} (IAM console, role, Revoke sessions), "
            "then find out who assumed it and from where."
        )
    elif key and user:
        yield Step(
            "Stop the access key.",
            f"aws iam update-access-key --status Inactive --user-name {shlex.quote(user)} --access-key-id {shlex.quote(key)}",
        )
    else:
        yield Step("Change the password of the user and end its sessions.")
    if key:
        yield Step(
            "See what else was done with the key.",
            "aws cloudtrail lookup-events --lookup-attributes "
            f"AttributeKey=AccessKeyId,AttributeValue={shlex.quote(key)} --start-time {_start(finding)}",
        )
    yield Step("Look for new users, keys, roles and policies made since the first call: they outlive the stolen credentials.")


def _start(finding: Finding) -> str:
    first = finding.seen.first.time
    return timestamp(max(first, datetime.min.replace(tzinfo=UTC) + _LOOK_BACK) - _LOOK_BACK)


def _known(details: Mapping[str, object], name: str) -> str:
    value = details.get(name)
    return value if isinstance(value, str) else ""
