"""The leaked key of a deployment user is used through Tor, over IPv4 and IPv6."""

from collections.abc import Iterator

from vedette.simulate import Actor, Call, Day, Flow, Listed, Scenario

_FINDING = "Recon:IAMUser/TorIPCaller"
_EXIT, _EXIT_V6 = "198.51.100.23", "2001:db8:7055::23"
_VICTIM = Actor("user", "deploy-bot")

_DISCOVERY_CALLS = (
    ("sts:GetCallerIdentity", False),
    ("iam:GetUser", False),
    ("iam:ListAttachedUserPolicies", True),
    ("iam:ListUsers", True),
    ("iam:ListRoles", True),
    ("iam:GetAccountAuthorizationDetails", True),
    ("s3:ListBuckets", False),
    ("s3:GetBucketAcl", False),
    ("s3:GetBucketPolicy", False),
    ("ec2:DescribeInstances", False),
    ("ec2:DescribeInstances", False),
    ("ec2:DescribeSecurityGroups", False),
    ("lambda:ListFunctions", False),
    ("secretsmanager:ListSecrets", True),
)
_DISCOVERY_CALLS_V6 = ("sts:GetCallerIdentity", "s3:ListBuckets", "ec2:DescribeSnapshots")
_OTHERS = (
    ("iam:CreateUser", "it is a change, not discovery"),
    ("secretsmanager:GetSecretValue", "it reads a secret, which is not discovery"),
    ("signin:ConsoleLogin", "it signs in, which lists nothing"),
)


def _play(day: Day) -> Iterator[Call | Flow | Listed]:
    yield Listed("tor", _EXIT)
    yield Listed("tor", _EXIT_V6)
    if not day.last:
        return
    moment = day.at(1, 20 * 60)
    for api, denied in _DISCOVERY_CALLS:
        moment += day.pause(2, 40)
        yield Call(actor=_VICTIM, api=api, at=moment, address=_EXIT, agent="cli-kali", denied=denied, finding=_FINDING)
    for api, why in _OTHERS:
        moment += day.pause(2, 40)
        yield Call(actor=_VICTIM, api=api, at=moment, address=_EXIT, agent="cli-kali", denied=True, quiet=why)
    moment += day.pause(2, 40)
    yield Call(
        actor=_VICTIM,
        api="s3:GetObject",
        at=moment,
        address=_EXIT,
        agent="cli-kali",
        parameters={"bucketName": "example-backups", "key": "database/latest.dump"},
        data=True,
        quiet="it reads data, which is not discovery",
    )
    for api in _DISCOVERY_CALLS_V6:
        moment += day.pause(30, 200)
        yield Call(actor=_VICTIM, api=api, at=moment, address=_EXIT_V6, agent="cli-kali", finding=_FINDING)


SCENARIO = Scenario(
    name="tor-caller",
    sentence="A leaked access key is used through two Tor exit nodes.",
    play=_play,
    findings=(_FINDING,),
)
