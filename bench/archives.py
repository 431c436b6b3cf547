"""Generate archives of CloudTrail and flow log files for benchmarks, quickly, under AWS's names.

    python bench/archives.py cloudtrail FOLDER --parts 10
    python bench/archives.py flows FOLDER --parts 10

A part is an hour. The same arguments write the same bytes. Records are rendered from one template per principal and API, into
which only time, address and IDs are inserted, which makes it fast.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from json import dumps
from pathlib import Path
from random import Random
from string import ascii_letters, digits

from isal import igzip

ACCOUNT_ID = "123456789012"
FIRST_HOUR = datetime(2026, 3, 2, tzinfo=UTC)
REGIONS = ("eu-central-1", "eu-central-1", "eu-central-1", "us-east-1", "us-east-1", "eu-west-1", "us-west-2")
FILES_PER_PART = 12
PRINCIPALS = 50
_DENIED, _SILENT, _CLOSED = 0.04, 0.004, 0.06  # shares of: denied templates, NODATA records, rejected records
_OUTWARD = 0.6  # draws above it are conversations that our side opens
_USUAL, _PEERS = 0.8, 40  # the share of these that go to the usual peers of an interface, and the number of its usual peers
FLOW_HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"
)

_NAMES = {
    "Describe": {
        "ec2": "Instances InstanceStatus Volumes Snapshots Images SecurityGroups SecurityGroupRules Vpcs VpcAttribute Subnets"
        " RouteTables NetworkAcls NetworkInterfaces InternetGateways NatGateways Addresses VpcEndpoints KeyPairs LaunchTemplates"
        " Tags Regions AvailabilityZones AccountAttributes InstanceTypes FlowLogs TransitGateways VpnConnections DhcpOptions"
        " PrefixLists Hosts",
        "rds": "DBInstances DBClusters DBSnapshots DBSubnetGroups DBParameterGroups DBEngineVersions Events"
        " PendingMaintenanceActions",
        "elasticloadbalancing": "LoadBalancers Listeners TargetGroups TargetHealth Rules LoadBalancerAttributes Tags",
        "autoscaling": "AutoScalingGroups LaunchConfigurations Policies ScalingActivities",
        "cloudformation": "Stacks StackEvents StackResources ChangeSet",
        "ecs": "Clusters Services Tasks TaskDefinition ContainerInstances",
        "eks": "Cluster Nodegroup Addon",
        "ecr": "Repositories Images",
        "logs": "LogGroups LogStreams MetricFilters ResourcePolicies",
        "monitoring": "Alarms AlarmHistory",
        "ssm": "InstanceInformation Parameters Document",
        "dynamodb": "Table TimeToLive ContinuousBackups",
        "elasticfilesystem": "FileSystems MountTargets",
        "kms": "Key",
        "cloudtrail": "Trails",
        "config": "ConfigurationRecorders ConfigRules",
        "health": "Events",
    },
    "List": {
        "iam": "Users Groups Roles Policies RolePolicies AttachedRolePolicies InstanceProfilesForRole"
        " AccessKeys MFADevices AccountAliases",
        "s3": "Buckets AccessPoints",
        "lambda": "Functions20150331 EventSourceMappings20150331 Tags20170331",
        "kms": "Keys Aliases Grants ResourceTags",
        "sns": "Topics Subscriptions TagsForResource",
        "sqs": "Queues QueueTags",
        "dynamodb": "Tables TagsOfResource",
        "ecs": "Clusters Services Tasks TagsForResource",
        "eks": "Clusters Nodegroups",
        "events": "Rules TargetsByRule",
        "secretsmanager": "Secrets",
        "organizations": "Accounts Roots",
        "route53": "HostedZones ResourceRecordSets",
        "cloudfront": "Distributions2020_05_31",
        "guardduty": "Detectors Findings",
        "acm": "Certificates",
        "codebuild": "Projects BuildsForProject",
        "states": "StateMachines Executions",
    },
    "Get": {
        "iam": "User Role RolePolicy Policy PolicyVersion AccountSummary InstanceProfile",
        "s3": "BucketAcl BucketPolicy BucketLocation BucketTagging BucketVersioning BucketEncryption"
        " BucketLogging BucketPublicAccessBlock",
        "lambda": "Function20150331v2 FunctionConfiguration20150331v2 Policy20150331v2",
        "sts": "CallerIdentity SessionToken",
        "kms": "KeyPolicy KeyRotationStatus",
        "sqs": "QueueAttributes",
        "sns": "TopicAttributes",
        "secretsmanager": "SecretValue ResourcePolicy",
        "ssm": "Parameter Parameters ParametersByPath",
        "ecr": "AuthorizationToken RepositoryPolicy",
        "monitoring": "MetricData MetricStatistics Dashboard",
        "apigateway": "RestApis Stages Resources",
        "cloudtrail": "TrailStatus EventSelectors",
        "guardduty": "Detector Findings",
    },
    "": {
        "sts": "AssumeRole AssumeRoleWithWebIdentity",
        "kms": "Decrypt GenerateDataKey Encrypt CreateGrant",
        "ec2": "RunInstances TerminateInstances CreateTags CreateSnapshot AuthorizeSecurityGroupIngress StartInstances"
        " StopInstances CreateNetworkInterface DeleteNetworkInterface ModifyInstanceAttribute",
        "logs": "CreateLogStream CreateLogGroup PutRetentionPolicy FilterLogEvents",
        "lambda": "UpdateFunctionCode20150331v2 UpdateFunctionConfiguration20150331v2",
        "ecs": "RegisterTaskDefinition UpdateService RunTask",
        "s3": "PutBucketPolicy PutBucketTagging",
        "iam": "PassRole PutRolePolicy AttachRolePolicy",
        "ssm": "UpdateInstanceInformation PutParameter SendCommand",
        "cloudformation": "UpdateStack CreateChangeSet ExecuteChangeSet",
        "codebuild": "StartBuild",
        "autoscaling": "SetDesiredCapacity",
        "dynamodb": "UpdateTable",
        "events": "PutRule PutTargets",
        "signin": "ConsoleLogin",
    },
}
_READING = ("Describe", "List", "Get", "Decrypt", "Encrypt", "GenerateDataKey", "AssumeRole", "FilterLogEvents")
_AGENTS = (
    "Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#6.5.0 md/arch#x86_64 lang/python#3.11.8 Botocore/1.34.69",
    "aws-cli/2.15.30 Python/3.11.8 Linux/6.5.0-1018-aws exe/x86_64.ubuntu.22 prompt/off command/any.call",
    "APN/1.0 HashiCorp/1.0 Terraform/1.7.5 terraform-provider-aws/5.42.0 aws-sdk-go-v2/1.26.0 os/linux lang/go#1.21.8",
    "aws-sdk-java/2.25.14 Linux/6.1.79-99.167.amzn2023.x86_64 OpenJDK_64-Bit_Server_VM/21.0.2+13-LTS Java/21.0.2 vendor/Amazon",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The size of a written archive: files, records, uncompressed bytes and stored bytes."""

    files: int
    records: int
    text_bytes: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class _Principal:
    identity: str
    addresses: Sequence[str]
    templates: Sequence[str]
    weights: Sequence[float]


def apis() -> list[tuple[str, str]]:
    """Return the calls of the archive as pairs of eventSource and eventName, about 200."""
    return [
        (f"{service}.amazonaws.com", verb + name)
        for verb, services in _NAMES.items()
        for service, names in services.items()
        for name in names.split()
    ]


def callers() -> list[str]:
    """Return the 1,500 source addresses of the archive: IPv4 and IPv6 documentation addresses, and private ones."""
    blocks = ("192.0.2", "198.51.100", "203.0.113")
    public = [f"{block}.{number}" for number in range(1, 251) for block in blocks]
    public_v6 = [f"2001:db8:{number:x}::{number % 7 + 1:x}" for number in range(1, 451)]
    private = [f"10.{number % 4}.{number // 100}.{number % 100 + 10}" for number in range(300)]
    return [*public, *public_v6, *private]


def cloudtrail(folder: Path, parts: int, events_per_part: int, seed: int = 1) -> Archive:
    """Write the CloudTrail files of ``parts`` hours, with ``events_per_part`` records per hour."""
    random = Random(seed)
    principals = _principals(random)
    by_rank = list(accumulate(1 / (rank + 1) for rank in range(len(principals))))
    archive = _Writer()
    for part in range(parts):
        hour = FIRST_HOUR + timedelta(hours=part)
        for number in range(FILES_PER_PART):
            count = events_per_part * (number + 1) // FILES_PER_PART - events_per_part * number // FILES_PER_PART
            if not count:
                continue
            begin = hour + timedelta(minutes=5 * number)
            chosen = random.choices(principals, cum_weights=by_rank, k=count)
            text = '{"Records":[' + ",".join(_events(random, chosen, begin)) + "]}"
            name = (
                f"{(begin + timedelta(minutes=10)):%Y%m%dT%H%MZ}_{''.join(random.choices(ascii_letters + digits, k=16))}.json.gz"
            )
            region = REGIONS[(part * FILES_PER_PART + number) % len(REGIONS)]
            archive.write(_path(folder, "CloudTrail", region, begin, name), text.replace("@region@", region), count)
    return archive.sum()


def flows(folder: Path, parts: int, records_per_part: int, seed: int = 1) -> Archive:
    """Write the flow log files of ``parts`` hours in the default format, with ``records_per_part`` records per hour."""
    random = Random(seed)
    interfaces = [(f"eni-{random.getrandbits(68):017x}", f"10.{n % 4}.{n // 100}.{n % 100 + 10}") for n in range(300)]
    remotes = [address for address in callers() if ":" not in address]
    archive = _Writer()
    for part in range(parts):
        hour = FIRST_HOUR + timedelta(hours=part)
        for number in range(FILES_PER_PART):
            count = records_per_part * (number + 1) // FILES_PER_PART - records_per_part * number // FILES_PER_PART
            if not count:
                continue
            begin = hour + timedelta(minutes=5 * number)
            text = FLOW_HEADER + "".join(_flow_lines(random, interfaces, remotes, int(begin.timestamp()), count))
            name = f"fl-0a1b2c3d4e5f60718_{(begin + timedelta(minutes=10)):%Y%m%dT%H%MZ}_{random.getrandbits(32):08x}.log.gz"
            archive.write(_path(folder, "vpcflowlogs", REGIONS[0], begin, name), text, count)
    return archive.sum()


class _Writer:
    def __init__(self) -> None:
        self._files = self._records = self._text = self._stored = 0

    def write(self, path: Path, text: str, records: int) -> None:
        data = text.encode()
        stored = igzip.compress(data, compresslevel=2, mtime=0)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stored)
        self._files += 1
        self._records += records
        self._text += len(data)
        self._stored += len(stored)

    def sum(self) -> Archive:
        return Archive(files=self._files, records=self._records, text_bytes=self._text, stored_bytes=self._stored)


def _path(folder: Path, service: str, region: str, at: datetime, rest: str) -> Path:
    name = f"{ACCOUNT_ID}_{service}_{region}_{rest}"
    return folder / "AWSLogs" / ACCOUNT_ID / service / region / f"{at + timedelta(minutes=10):%Y/%m/%d}" / name


def _principals(random: Random) -> list[_Principal]:
    """Return principals with their addresses, one tool, and their calls, most frequent first."""
    addresses, calls = callers(), apis()
    share = len(addresses) // PRINCIPALS
    found = []
    for number in range(PRINCIPALS):
        identity, agent = _identity(number, random), _AGENTS[number % len(_AGENTS)]
        chosen = random.sample(calls, 40)
        found.append(
            _Principal(
                identity=identity,
                addresses=addresses[number::PRINCIPALS][:share],
                templates=[_template(identity, agent, source, name, denied=random.random() < _DENIED) for source, name in chosen],
                weights=list(accumulate(1 / (rank + 1) for rank in range(len(chosen)))),
            )
        )
    return found


def _identity(number: int, random: Random) -> str:
    key = f"{random.getrandbits(64):016X}"
    if number % 5 == 0:
        arn = f"arn:aws:iam::{ACCOUNT_ID}:user/user-{number}"
        user = {"type": "IAMUser", "principalId": f"AIDA{key}X", "arn": arn, "accountId": ACCOUNT_ID, "accessKeyId": f"AKIA{key}"}
        return dumps(user | {"userName": f"user-{number}"}, separators=(",", ":"))
    role = f"AWSReservedSSO_PowerUser_{key.lower()}" if number % 5 == 1 else f"role-{number}"
    session = f"person-{number}@example.com" if number % 5 == 1 else f"i-0{key.lower()}"
    issuer = {
        "type": "Role",
        "principalId": f"AROA{key}X",
        "arn": f"arn:aws:iam::{ACCOUNT_ID}:role/{role}",
        "accountId": ACCOUNT_ID,
    }
    attributes = {"creationDate": f"{FIRST_HOUR:%Y-%m-%dT%H:%M:%SZ}", "mfaAuthenticated": "false"}
    assumed = {
        "type": "AssumedRole",
        "principalId": f"AROA{key}X:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role}/{session}",
        "accountId": ACCOUNT_ID,
        "accessKeyId": f"ASIA{key}",
        "sessionContext": {"sessionIssuer": issuer | {"userName": role}, "webIdFederationData": {}, "attributes": attributes},
    }
    return dumps(assumed, separators=(",", ":"))


def _template(identity: str, agent: str, source: str, name: str, *, denied: bool) -> str:
    """Return a record with placeholders for time, address and the two IDs (``%s``), and for the region (``@region@``)."""
    service = source.partition(".")[0]
    error = f'"errorCode":"AccessDenied","errorMessage":"User is not authorized to perform: {service}:{name}",' if denied else ""
    parameters = {
        "maxResults": 100,
        "filterSet": {},
        "resource": f"arn:aws:{service}:@region@:{ACCOUNT_ID}:example/0a1b2c3d4e5f60718",
    }
    read_only = "true" if name.startswith(_READING) else "false"
    fixed = identity.replace("%", "%%")
    return (
        f'{{"eventVersion":"1.09","userIdentity":{fixed},"eventTime":"%s","eventSource":"{source}","eventName":"{name}",'
        f'"awsRegion":"@region@","sourceIPAddress":"%s","userAgent":"{agent}",{error}'
        f'"requestParameters":{dumps(parameters, separators=(",", ":"))},"responseElements":null,"requestID":"%s","eventID":"%s",'
        f'"readOnly":{read_only},"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{ACCOUNT_ID}",'
        f'"eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256",'
        f'"clientProvidedHostHeader":"{service}.@region@.amazonaws.com"}}}}'
    )


def _events(random: Random, principals: Sequence[_Principal], begin: datetime) -> Iterator[str]:
    seconds = [f"{begin + timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}" for second in range(300)]
    times, chance = random.choices(seconds, k=len(principals)), random.random
    ids = random.randbytes(32 * len(principals)).hex()
    for number, principal in enumerate(principals):
        (template,) = random.choices(principal.templates, cum_weights=principal.weights)
        addresses = principal.addresses
        address = addresses[int(chance() ** 3 * len(addresses))]  # the first ones are used most
        at = 64 * number
        yield template % (times[number], address, _uuid(ids[at : at + 32]), _uuid(ids[at + 32 : at + 64]))


def _uuid(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _flow_lines(
    random: Random, interfaces: Sequence[tuple[str, str]], remotes: Sequence[str], begin: int, count: int
) -> Iterator[str]:
    """Yield records: mostly conversations, about 60 % opened from outside, with some rejected attempts and NODATA records."""
    chance = random.random
    written = 0
    while written < count:
        number = int(chance() ** 2 * len(interfaces))
        interface, local = interfaces[number]
        start = begin + int(chance() * 240)
        tail = f"{start} {start + 60}"
        head = f"2 {ACCOUNT_ID} {interface}"
        draw = chance()
        if draw < _SILENT:
            yield f"{head} - - - - - - - {tail} - NODATA\n"
            written += 1
            continue
        remote = remotes[int(chance() * len(remotes))]
        port, service = 32_768 + int(chance() * 28_000), _SERVICE_PORTS[int(chance() ** 2 * len(_SERVICE_PORTS))]
        if draw < _CLOSED:
            yield f"{head} {remote} {local} {port} {int(chance() * 10_000) + 1} 6 1 40 {tail} REJECT OK\n"
            written += 1
            continue
        packets = 3 + int(chance() ** 4 * 4_000)
        if draw > _OUTWARD and chance() < _USUAL:
            remote, service = remotes[(7 * number + int(chance() * _PEERS)) % len(remotes)], _SERVICE_PORTS[number % 4]
        client, server = (local, remote) if draw > _OUTWARD else (remote, local)
        yield f"{head} {client} {server} {port} {service} 6 {packets} {packets * 90} {tail} ACCEPT OK\n"
        written += 1
        if written < count:
            yield f"{head} {server} {client} {service} {port} 6 {packets} {packets * 640} {tail} ACCEPT OK\n"
            written += 1


_SERVICE_PORTS = (443, 443, 443, 80, 5432, 22, 6379, 3306, 8080, 9092, 53)

_KINDS: dict[str, tuple[Callable[[Path, int, int, int], Archive], int]] = {
    "cloudtrail": (cloudtrail, 100_000),
    "flows": (flows, 1_000_000),
}


def main(arguments: Sequence[str]) -> None:
    """Write the requested archive, and print its size."""
    parser = argparse.ArgumentParser(prog="archives.py", description="Generate an archive of logs for benchmarks.")
    parser.add_argument("kind", choices=list(_KINDS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--parts", type=int, default=10, metavar="N", help="hours")
    parser.add_argument("--each", type=int, metavar="N", help="records per hour (cloudtrail 100000, flows 1000000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    given = parser.parse_args(arguments)
    write, usual = _KINDS[given.kind]
    began = time.perf_counter()
    done = write(given.folder, given.parts, given.each or usual, given.seed)
    took = time.perf_counter() - began
    size = f"{done.text_bytes / 1e6:,.0f} MB of text in {done.stored_bytes / 1e6:,.0f} MB"
    print(f"{done.files} files, {done.records:,} records, {size}, in {took:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
