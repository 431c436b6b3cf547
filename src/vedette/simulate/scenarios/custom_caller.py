"""A person's single sign-on session is used from an address on the company's own list."""

from collections.abc import Iterator

from vedette.simulate import Actor, Call, Day, Flow, Listed, Scenario

_FINDING = "Recon:IAMUser/MaliciousIPCaller.Custom"
_ADDRESS = "198.51.100.77"
_VICTIM = Actor("sso", "PowerUser", "jo.miller@example.com")

_DISCOVERY_CALLS = (
    "sts:GetCallerIdentity",
    "iam:ListUsers",
    "iam:ListGroups",
    "iam:ListPolicies",
    "kms:ListKeys",
    "kms:GetKeyPolicy",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeSecurityGroups",
    "cloudtrail:DescribeTrails",
)


def _play(day: Day) -> Iterator[Call | Flow | Listed]:
    yield Listed("custom", _ADDRESS)
    if not day.last:
        return
    moment = day.at(21, 42 * 60)
    for api in _DISCOVERY_CALLS:
        moment += day.pause(5, 90)
        yield Call(actor=_VICTIM, api=api, at=moment, address=_ADDRESS, finding=_FINDING)
    yield Call(
        actor=_VICTIM,
        api="cloudtrail:StopLogging",
        at=moment + day.pause(20, 60),
        address=_ADDRESS,
        denied=True,
        quiet="it is a change, not discovery",
    )


SCENARIO = Scenario(
    name="custom-caller",
    sentence="A single sign-on session is used from an address on the company's own list.",
    play=_play,
    findings=(_FINDING,),
)
