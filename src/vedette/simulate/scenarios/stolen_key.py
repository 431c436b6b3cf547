"""The key of a backup job is stolen, and used from a rented server to explore users, networks and resources.

The scenario begins with two weeks of the job's usual calls, because permission discovery needs a history of the principal.
"""

from collections.abc import Iterator

from vedette.simulate import Actor, Call, Day, Item, Scenario

_VICTIM = Actor("user", "backup-copier")
_USUAL_ADDRESS, _SERVER = "203.0.113.66", "198.51.100.85"
_USUAL = ("s3:ListBuckets", "s3:GetBucketLocation")
_TYPES = {name: f"Recon:IAMUser/{name.title()}Permissions" for name in ("user", "network", "resource")}
_WHY = "the job makes this call every day"

# The calls in order, each category half an hour after the previous one; ! marks a denied call.
_ATTACK = {
    "user": (
        "sts:GetCallerIdentity",
        "iam:ListUsers!",
        "iam:ListRoles!",
        "iam:GetAccountAuthorizationDetails!",
        "iam:ListAttachedUserPolicies!",
        "iam:ListInstanceProfilesForRole!",
    ),
    "network": (
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeVpcs",
        "ec2:DescribeRouteTables",
        "ec2:DescribeNetworkInterfaces",
    ),
    "resource": (
        "ec2:DescribeSnapshots",
        "secretsmanager:ListSecrets!",
        "lambda:ListFunctions",
        "rds:DescribeDBInstances",
    ),
}


def _play(day: Day) -> Iterator[Item]:
    for hour in range(4, 24, 5):
        moment = day.at(hour) + day.pause(0, 1_200)
        for api in _USUAL:
            moment += day.pause(1, 20)
            yield Call(actor=_VICTIM, api=api, at=moment, address=_USUAL_ADDRESS, agent="boto3", quiet=_WHY if day.last else "")
    if not day.last:
        return
    moment = day.at(1, 40 * 60)
    for category, calls in _ATTACK.items():
        for call in calls:
            moment += day.pause(2, 40)
            yield Call(
                actor=_VICTIM,
                api=call.removesuffix("!"),
                at=moment,
                address=_SERVER,
                agent="cli-kali",
                denied=call.endswith("!"),
                finding=_TYPES[category],
            )
        moment += day.pause(1_700, 1_900)


SCENARIO = Scenario(
    name="stolen-key",
    sentence="A stolen key is used from a rented server to explore users, networks and resources.",
    play=_play,
    findings=tuple(_TYPES.values()),
    days_before=16,
)
