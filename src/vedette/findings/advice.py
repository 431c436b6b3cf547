"""What to do next about a finding: a few steps for the person who reads it, with commands to copy."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vedette.findings.identity import timestamp
from vedette.findings.model import Finding

# Credentials are often looked at before they are used from the listed address: the search begins a day earlier.
_LOOK_BACK = timedelta(days=1)


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
    return (Step("Ask the owner of the instance whether this was meant. If not, isolate it before you look into it."),)


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
