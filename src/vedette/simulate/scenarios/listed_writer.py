"""Near miss: a malicious address that changes things and reads data and secrets, but lists nothing."""

from collections.abc import Iterator

from vedette.simulate import Actor, Call, Day, Flow, Listed, Scenario

_ADDRESS = "203.0.113.150"
_VICTIM = Actor("user", "report-uploader")

_CALLS = (
    ("s3:PutObject", True, "it changes something"),
    ("s3:GetObject", True, "it reads data: that is no discovery"),
    ("s3:DeleteObject", True, "it changes something"),
    ("dynamodb:Query", True, "it reads data: that is no discovery"),
    ("s3:PutBucketPolicy", False, "it changes something"),
    ("secretsmanager:GetSecretValue", False, "it reads a secret: that is no discovery"),
    ("kms:Decrypt", False, "it uses a key: that is no discovery"),
    ("sts:AssumeRole", False, "it takes up a role: that is no discovery"),
    ("iam:CreateAccessKey", False, "it changes something"),
    ("ec2:RunInstances", False, "it changes something"),
)
_ROUNDS = 3


def _play(day: Day) -> Iterator[Call | Flow | Listed]:
    yield Listed("malicious", _ADDRESS)
    if not day.last:
        return
    moment = day.at(4, 30 * 60)
    for _ in range(_ROUNDS):
        for api, data, why in _CALLS:
            moment += day.pause(1, 60)
            denied = api == "iam:CreateAccessKey"
            yield Call(actor=_VICTIM, api=api, at=moment, address=_ADDRESS, agent="boto3", data=data, denied=denied, quiet=why)


SCENARIO = Scenario(
    name="listed-writer",
    sentence="Near miss: a malicious address writes and reads data and secrets, but lists nothing; no finding.",
    play=_play,
)
