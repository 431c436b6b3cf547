"""Near miss: the calls of an attack, from an address that is on threat lists but also on the trusted list."""

from collections.abc import Iterator

from vedette.simulate import Actor, Call, Day, Flow, Listed, Scenario

_ADDRESS = "198.51.100.99"
_TESTER = Actor("user", "penetration-tester")
_WHY = "the address is also on the trusted list"

_DISCOVERY_CALLS = (
    "sts:GetCallerIdentity",
    "iam:ListUsers",
    "iam:ListRoles",
    "iam:GetAccountAuthorizationDetails",
    "s3:ListBuckets",
    "ec2:DescribeInstances",
    "ec2:DescribeSecurityGroups",
    "lambda:ListFunctions",
)


def _play(day: Day) -> Iterator[Call | Flow | Listed]:
    yield Listed("tor", _ADDRESS)
    yield Listed("malicious", _ADDRESS)
    yield Listed("trusted", _ADDRESS)
    if not day.last:
        return
    moment = day.at(10, 5 * 60)
    for api in _DISCOVERY_CALLS:
        moment += day.pause(1, 15)
        yield Call(actor=_TESTER, api=api, at=moment, address=_ADDRESS, agent="cli-kali", quiet=_WHY)


SCENARIO = Scenario(
    name="trusted-caller",
    sentence="Near miss: an attack's calls from an address that is also on the trusted list; no finding.",
    play=_play,
)
