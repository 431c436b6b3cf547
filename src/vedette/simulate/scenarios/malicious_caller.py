"""Credentials stolen from an instance are used in two regions from a rented server that is known for attacks."""

from collections.abc import Iterator

from vedette.simulate import HOME_REGION, Actor, Call, Day, Flow, Listed, Scenario

_FINDING = "Recon:IAMUser/MaliciousIPCaller"
_NETWORK, _ADDRESS = "203.0.113.192/27", "203.0.113.201"
_VICTIM = Actor("instance", "web-server", "i-0a1b2c3d4e5f60718")

_DISCOVERY_CALLS = (
    ("sts:GetCallerIdentity", False),
    ("ec2:DescribeInstances", False),
    ("ec2:DescribeVpcs", False),
    ("ec2:DescribeSubnets", False),
    ("ec2:DescribeSecurityGroups", False),
    ("ec2:DescribeRouteTables", True),
    ("rds:DescribeDBInstances", True),
    ("ssm:DescribeParameters", False),
    ("dynamodb:ListTables", True),
    ("iam:ListRoles", True),
    ("iam:ListInstanceProfilesForRole", True),
)


def _play(day: Day) -> Iterator[Call | Flow | Listed]:
    yield Listed("malicious", _NETWORK)
    if not day.last:
        return
    moment = day.at(3, 7 * 60)
    for region in (HOME_REGION, "us-west-2"):
        for api, denied in _DISCOVERY_CALLS:
            moment += day.pause(0.2, 6)
            yield Call(
                actor=_VICTIM,
                api=api,
                at=moment,
                address=_ADDRESS,
                agent="boto3",
                region=region,
                denied=denied,
                finding=_FINDING,
            )
    yield Call(
        actor=_VICTIM,
        api="ssm:GetParameter",
        at=moment + day.pause(10, 20),
        address=_ADDRESS,
        agent="boto3",
        quiet="it reads a secret, which is not discovery",
    )
    yield Call(
        actor=_VICTIM,
        api="ec2:RunInstances",
        at=moment + day.pause(30, 60),
        address=_ADDRESS,
        agent="boto3",
        denied=True,
        quiet="it is a change, not discovery",
    )


SCENARIO = Scenario(
    name="malicious-caller",
    sentence="An instance's stolen credentials are used from a known malicious network, in two regions.",
    play=_play,
    findings=(_FINDING,),
)
