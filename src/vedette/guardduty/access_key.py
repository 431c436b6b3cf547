"""What findings about credentials (resource type AccessKey) say when explained: who called, and what to do next. Pure."""

import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from vedette.findings.explanation import Section, Step
from vedette.findings.identity import timestamp
from vedette.findings.model import Finding
from vedette.guardduty.reading import member

# Credentials are often looked at before they are used from the address of a finding: the search begins a day earlier.
_LOOK_BACK = timedelta(days=1)


def who_called(finding: Finding, document: Mapping[str, object]) -> Section:
    """Return what the document of a finding says of the latest caller."""
    details = member(document, "resource", "accessKeyDetails")
    return Section(
        "Who (latest call)",
        {
            "name": details.get("userName"),
            "type": details.get("userType"),
            "access key": details.get("accessKeyId"),
            "principal": details.get("principalId"),
            "instance": member(document, "resource", "instanceDetails").get("instanceId"),
            "grouped by": finding.seen.resource_key,
            "account": finding.seen.account_id,
        },
    )


def next_steps(finding: Finding) -> tuple[Step, ...]:
    """Return what to do about calls that may not have been meant: ask, stop the credentials, see what else they did."""
    return tuple(_steps(finding, member(finding.seen.resource, "accessKeyDetails")))


def _steps(finding: Finding, details: Mapping[str, object]) -> Iterator[Step]:
    user, key = _known(details, "userName"), _known(details, "accessKeyId")
    kind = _known(details, "userType")
    owner = user if user and kind != "Root" else "the owner of the credentials"
    yield Step(f"Ask {owner} whether these calls were intended. If not, or if in doubt, continue.")
    if kind == "Root":
        yield Step("Change the root password, delete the root user's access keys, and check its MFA device.")
    elif kind == "AssumedRole":
        yield Step(
            f"Revoke the sessions of role {user or '(unknown)'} (IAM console, role, Revoke sessions), "
            "then find out who assumed it and from where."
        )
    elif key and user:
        yield Step(
            "Deactivate the access key.",
            f"aws iam update-access-key --status Inactive --user-name {shlex.quote(user)} --access-key-id {shlex.quote(key)}",
        )
    else:
        yield Step("Change the user's password and revoke the user's sessions.")
    if key:
        yield Step(
            "Check what else the key was used for.",
            "aws cloudtrail lookup-events --lookup-attributes "
            f"AttributeKey=AccessKeyId,AttributeValue={shlex.quote(key)} --start-time {_start(finding)}",
        )
    yield Step("Look for new users, keys, roles and policies created since the first call: they outlive the stolen credentials.")


def _start(finding: Finding) -> str:
    first = finding.seen.first.time
    return timestamp(max(first, datetime.min.replace(tzinfo=UTC) + _LOOK_BACK) - _LOOK_BACK)


def _known(details: Mapping[str, object], name: str) -> str:
    value = details.get(name)
    return value if isinstance(value, str) else ""
