"""Near miss: a malicious address changes resources and reads data and secrets, but lists nothing."""

from collections.abc import Iterator

from vedette.simulate import Actor, Call, Day, Flow, Listed, Scenario

_ADDRESS = "203.0.113.150"
_VICTIM = Actor("user", "report-uploader")

_CALLS = (
    ("s3:PutObject", True, "it is a change, not discovery"),
    ("s3:GetObject", True, "it reads data, which is not discovery"),
    ("s3:DeleteObject", True, "it is a change, not discovery"),
    ("dynamodb:Query", True, "it reads data, which is not discovery"),
    ("s3:PutBucketPolicy", False, "it is a change, not discovery"),
    ("secretsmanager:GetSecretValue", False, "it reads a secret, which is not discovery"),
    ("kms:Decrypt", False, "it uses a key, which is not discovery"),
    ("sts:AssumeRole", False, "it assumes a role, which is not discovery"),
    ("iam:CreateAccessKey", False, "it is a change, not discovery"),
    ("ec2:RunInstances", False, "it is a change, not discovery"),
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
