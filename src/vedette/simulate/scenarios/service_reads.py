"""Near miss: AWS services read a whole account, as the recorder of AWS Config does many times a day."""

from collections.abc import Iterator

from vedette.simulate import HOME_REGION, Actor, Call, Day, Flow, Listed, Scenario

_RECORDER = Actor("service-linked", "AWSServiceRoleForConfig", "AWSConfig-Describe")
_ADVISOR = Actor("service-linked", "AWSServiceRoleForTrustedAdvisor", "TrustedAdvisor")
_LISTED = "203.0.113.150"
_WHY = "an AWS service reads on its own behalf"

_READS = (
    "ec2:DescribeInstances",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeRouteTables",
    "ec2:DescribeVolumes",
    "iam:ListUsers",
    "iam:GetUserPolicy",
    "iam:ListAttachedRolePolicies",
    "s3:ListBuckets",
    "s3:GetBucketAcl",
    "s3:GetBucketPolicy",
    "lambda:ListFunctions",
    "rds:DescribeDBInstances",
    "kms:ListKeys",
    "dynamodb:ListTables",
)


def _play(day: Day) -> Iterator[Call | Flow | Listed]:
    yield Listed("malicious", _LISTED)
    for hour in range(0, 24, 6):
        moment = day.at(hour, 11 * 60)
        for region in (HOME_REGION, "us-east-1"):
            for api in _READS:
                moment += day.pause(0.1, 2)
                yield Call(
                    actor=_RECORDER,
                    api=api,
                    at=moment,
                    address="config.amazonaws.com",
                    agent="config.amazonaws.com",
                    region=region,
                    quiet=_WHY,
                )
    if day.last:
        # Only its service can assume a service-linked role, whatever address the calls come from.
        moment = day.at(13)
        for api in _READS:
            moment += day.pause(0.1, 2)
            yield Call(actor=_ADVISOR, api=api, at=moment, address=_LISTED, agent="sdk-java", quiet=_WHY)


SCENARIO = Scenario(
    name="service-reads",
    sentence="Near miss: AWS services describe the whole account on their own behalf; no finding.",
    play=_play,
)
