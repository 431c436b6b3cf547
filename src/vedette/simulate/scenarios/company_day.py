"""Ordinary activity: people at the console, builds, infrastructure as code, a posture scanner, instances; no finding."""

from collections.abc import Iterator
from datetime import timedelta

from vedette.simulate import HOME_REGION, Actor, Call, Day, Exchange, Item, Listed, Routine, Scenario

_OFFICE = ("192.0.2.10", "192.0.2.11", "2001:db8:10::10")
_VPN = tuple(f"192.0.2.{number}" for number in range(70, 90))
_RUNNERS = tuple(f"203.0.113.{number}" for number in range(64, 80))
_SCANNER = "192.0.2.200"
_PRIVATE = "10.20.1.15"
_BALANCERS, _TASKS, _DATABASE, _RESOLVER = ("10.20.1.6", "10.20.1.7"), "10.20.2.45", "10.20.3.5", "10.20.3.11"

# Addresses that nobody here calls from, so that the lists are not empty but match nothing.
_LISTED = (
    Listed("tor", "198.51.100.201"),
    Listed("tor", "2001:db8:7055::201"),
    Listed("malicious", "198.51.100.240/28"),
    Listed("custom", "198.51.100.225"),
    Listed("scanner", "198.51.100.32/28"),
    Listed("scanner", "2001:db8:5ca::/48"),
)

_PEOPLE = tuple(
    Actor("sso", permission_set, f"{name}@example.com")
    for permission_set, name in (
        ("PowerUser", "jo.miller"),
        ("PowerUser", "sam.okafor"),
        ("PowerUser", "mia.rossi"),
        ("Administrator", "lea.brandt"),
        ("ReadOnly", "tom.nguyen"),
    )
)
_UPLOADER = Actor("user", "report-uploader")
_DEPLOY_BOT = Actor("user", "deploy-bot")
_WEB = Actor("instance", "web-server", "i-0a1b2c3d4e5f60718")
_SERVICES = tuple(
    Actor("service", name)
    for name in ("ec2.amazonaws.com", "lambda.amazonaws.com", "config.amazonaws.com", "ecs-tasks.amazonaws.com")
)

_CONSOLE = (
    "ec2:DescribeInstances",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeVolumes",
    "ec2:DescribeAddresses",
    "ec2:DescribeVpcs",
    "s3:ListBuckets",
    "s3:GetBucketPolicyStatus",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "logs:DescribeLogGroups",
    "lambda:ListFunctions",
    "cloudformation:DescribeStacks",
    "rds:DescribeDBInstances",
    "iam:ListRoles",
    "iam:GetAccountSummary",
)
_CONSOLE_CHANGES = ("ec2:StartInstances", "ec2:StopInstances", "ec2:CreateTags", "lambda:UpdateFunctionConfiguration")
_REFRESH = (
    "sts:GetCallerIdentity",
    "ec2:DescribeVpcs",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeSubnets",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSecurityGroupRules",
    "ec2:DescribeInstances",
    "iam:GetRole",
    "iam:ListRolePolicies",
    "iam:ListAttachedRolePolicies",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "s3:GetBucketPolicy",
    "s3:GetBucketAcl",
    "s3:GetBucketVersioning",
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "rds:DescribeDBInstances",
    "lambda:GetFunction",
)
_POSTURE = (
    "iam:GetAccountPasswordPolicy",
    "iam:GenerateCredentialReport",
    "iam:GetCredentialReport",
    "iam:ListUsers",
    "iam:ListAttachedUserPolicies",
    "iam:ListMFADevices",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeFlowLogs",
    "ec2:DescribeSnapshotAttribute",
    "s3:ListBuckets",
    "s3:GetPublicAccessBlock",
    "s3:GetBucketEncryption",
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetEventSelectors",
    "guardduty:ListDetectors",
    "rds:DescribeDBInstances",
    "kms:ListKeys",
)
_REGIONS = (HOME_REGION, "eu-west-1", "us-east-1", "us-west-2")


def _play(day: Day) -> Iterator[Item]:
    yield from _LISTED
    for person in _PEOPLE:
        yield from _console(day, person)
    yield from _builds(day)
    yield from _refreshes(day)
    yield from _posture(day)
    yield from _workloads(day)
    for address in (_PRIVATE, _TASKS, _DATABASE):
        yield Routine(address)
    yield from _traffic(day)
    yield from _rejected_probes(day)


def _console(day: Day, person: Actor) -> Iterator[Call]:
    if day.midnight.weekday() >= 5:  # noqa: PLR2004  # Saturday and Sunday
        return
    address = day.random.choice(_OFFICE if day.random.random() < 0.6 else _VPN)  # noqa: PLR2004  # three days of five in the office
    for hour in (8, 10, 13, 15):
        moment = day.at(hour) + day.pause(0, 3_000)
        for api in day.random.sample(_CONSOLE, 12):
            moment += day.pause(0.5, 60)
            yield Call(actor=person, api=api, at=moment, address=address, agent="console")
    if person.name != "ReadOnly":
        api = day.random.choice(_CONSOLE_CHANGES)
        yield Call(actor=person, api=api, at=moment + day.pause(10, 300), address=address, agent="console")
    else:
        yield Call(actor=person, api="iam:ListAccessKeys", at=moment, address=address, agent="console", denied=True)


def _builds(day: Day) -> Iterator[Call]:
    for number in range(12):
        run = Actor("role", "ci-deploy", "GitHubActions")
        address, moment = day.random.choice(_RUNNERS), day.at(7 + number, 0) + day.pause(0, 3_000)
        for api in (
            "sts:GetCallerIdentity",
            "ecr:GetAuthorizationToken",
            "ecr:DescribeRepositories",
            "ecs:DescribeTaskDefinition",
        ):
            moment += day.pause(1, 10)
            yield Call(actor=run, api=api, at=moment, address=address, agent="cli")
        for api in ("ecs:RegisterTaskDefinition", "ecs:UpdateService"):
            moment += day.pause(1, 10)
            yield Call(actor=run, api=api, at=moment, address=address, agent="cli")
    # The keys that some attacks use also have ordinary activity.
    for actor, api in (
        (_DEPLOY_BOT, "s3:ListBuckets"),
        (_DEPLOY_BOT, "cloudformation:DescribeStacks"),
        (_UPLOADER, "s3:ListBuckets"),
    ):
        moment = day.at(5) + day.pause(0, 600)
        yield Call(actor=actor, api=api, at=moment, address=_RUNNERS[0], agent="boto3")


def _refreshes(day: Day) -> Iterator[Call]:
    for hour in (6, 11, 16):
        session = f"aws-go-sdk-{int(day.at(hour).timestamp())}000000000"
        terraform, address = Actor("role", "terraform", session), day.random.choice(_RUNNERS)
        moment = day.at(hour) + day.pause(0, 900)
        for api in _REFRESH * 5:
            moment += day.pause(0.02, 0.4)
            yield Call(actor=terraform, api=api, at=moment, address=address, agent="terraform")
        yield Call(actor=terraform, api="ec2:CreateTags", at=moment + day.pause(1, 5), address=address, agent="terraform")


def _posture(day: Day) -> Iterator[Call]:
    scanner, moment = Actor("role", "security-audit", "ProwlerAssessmentSession"), day.at(2)
    for region in _REGIONS:
        for api in _POSTURE * 3:
            moment += day.pause(0.05, 1)
            denied = api == "guardduty:ListDetectors"
            yield Call(actor=scanner, api=api, at=moment, address=_SCANNER, agent="prowler", region=region, denied=denied)


def _workloads(day: Day) -> Iterator[Call]:
    for hour in range(24):
        moment = day.at(hour) + day.pause(0, 600)
        for api in ("ssm:GetParameter", "secretsmanager:GetSecretValue", "ec2:DescribeTags", "sqs:GetQueueAttributes"):
            moment += day.pause(1, 300)
            yield Call(actor=_WEB, api=api, at=moment, address=_PRIVATE, agent="sdk-java", endpoint=True)
        for service in _SERVICES:
            moment += day.pause(1, 60)
            yield Call(actor=service, api="sts:AssumeRole", at=moment, address=service.name, agent=service.name)


def _traffic(day: Day) -> Iterator[Exchange]:
    for minute in range(0, 24 * 60, 5):
        client = f"192.0.2.{day.random.randint(100, 190)}"
        yield _conversation(day, minute, client, _PRIVATE, 443)
        if minute % 10 == 0:
            yield _conversation(day, minute, _PRIVATE, _DATABASE, 5_432)
            balancer = day.random.choice(_BALANCERS)
            yield _conversation(day, minute, client, balancer, 443)
            yield _conversation(day, minute, balancer, _TASKS, 8_080)
        if minute % 15 == 0:
            yield _dns_query(day, minute, _PRIVATE)
            yield _dns_query(day, minute, _TASKS)
            for balancer in _BALANCERS:  # a health check
                yield _conversation(day, minute, balancer, _TASKS, 8_080)


def _conversation(day: Day, minute: int, client: str, server: str, port: int) -> Exchange:
    packets = day.random.randint(6, 40)
    return Exchange(
        at=day.at(0, minute * 60) + day.pause(0, 120),
        source=client,
        destination=server,
        source_port=day.random.randint(32_768, 60_999),
        destination_port=port,
        outcome="established",
        packets=(packets, packets),
        octets=(packets * 120, packets * 900),
        seconds=day.random.uniform(0.2, 90),
    )


def _dns_query(day: Day, minute: int, client: str) -> Exchange:
    return Exchange(
        at=day.at(0, minute * 60) + day.pause(0, 600),
        source=client,
        destination=_RESOLVER,
        source_port=day.random.randint(32_768, 60_999),
        destination_port=53,
        outcome="established",
        protocol=17,
        packets=(1, 1),
        octets=(70, 180),
    )


def _rejected_probes(day: Day) -> Iterator[Exchange]:
    """Yield one rejected probe from the internet per hour."""
    for hour in range(24):
        yield Exchange(
            at=day.at(hour) + timedelta(seconds=day.random.randint(0, 3_000)),
            source=f"198.51.100.{day.random.randint(128, 191)}",
            destination=_PRIVATE,
            source_port=day.random.randint(40_000, 60_000),
            destination_port=day.random.choice((22, 23, 3389, 6379)),
            outcome="rejected",
            probe="syn",
        )


SCENARIO = Scenario(
    name="company-day",
    sentence="Ordinary activity: consoles, builds, Terraform, a posture scanner, workloads and flow logs; no finding.",
    play=_play,
)
