"""Whole scans of public logs. What is expected was counted in the records themselves, call by call."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from notation import blob
from scanning import Outcome, lists_of, scan

from vedette.logs.blob import Blob
from vedette.sources import Span, list_blobs

pytestmark = pytest.mark.corpus

# The callers of both folders whose address is written as one (others have leading zeros, or lie in 240.0.0.0/4, which is
# reserved and never matched), and every call of theirs that lists or describes.
PUBLIC_CALLERS = ("1.2.3.4", "18.236.253.47", "200.249.253.51", "88.223.251.255")
LISTING_CALLS = {
    ("pedro", "1.2.3.4"): {
        "ec2:DescribeAccountAttributes": 4,
        "ec2:DescribeAddresses": 8,
        "monitoring:DescribeAlarms": 2,
        "ec2:DescribeAvailabilityZones": 3,
        "ec2:DescribeClassicLinkInstances": 3,
        "ec2:DescribeHosts": 2,
        "ec2:DescribeInstanceAttribute": 4,
        "ec2:DescribeInstanceCreditSpecifications": 4,
        "ec2:DescribeInstanceStatus": 7,
        "ec2:DescribeInstanceTypes": 2,
        "ec2:DescribeInstances": 11,
        "ec2:DescribeKeyPairs": 1,
        "ec2:DescribeLaunchTemplates": 2,
        "elasticloadbalancing:DescribeLoadBalancers": 3,
        "ec2:DescribePlacementGroups": 1,
        "ec2:DescribeSecurityGroups": 1,
        "ec2:DescribeSnapshots": 2,
        "ec2:DescribeTags": 5,
        "ec2:DescribeVolumeStatus": 9,
        "ec2:DescribeVolumes": 10,
        "ec2:DescribeVolumesModifications": 1,
        "compute-optimizer:GetEnrollmentStatus": 2,
    },
    ("MordorNginxStack-BankingWAFRole-9S3E0UAE1MM0", "1.2.3.4"): {"s3:ListBuckets": 2},
    ("christophe", "18.236.253.47"): {"ssm:DescribeInstanceInformation": 38, "ssm:GetCommandInvocation": 4},
    ("stratus-red-team-ec2-steal-credentials-role", "18.236.253.47"): {"ec2:DescribeInstances": 1, "sts:GetCallerIdentity": 1},
}


@pytest.fixture(scope="module")
def attacks(corpus: Path) -> list[Blob]:
    folders = ("otrf", "stratus-detonation-logs")
    return [item for folder in folders for item in list_blobs(str(corpus / "cloudtrail" / folder), Span())]


def callers(records: Iterable[dict[str, object]]) -> list[str]:
    return sorted({str(record["sourceIPAddress"]) for record in records})


def every_address(corpus: Path) -> list[str]:
    """The addresses of all callers of both folders, as they are written."""
    folder = corpus / "cloudtrail"
    records = [json.loads(line) for path in (folder / "otrf").glob("*.json") for line in path.read_text().splitlines()]
    records += [record for path in (folder / "stratus-detonation-logs").glob("*.json") for record in json.loads(path.read_text())]
    return callers(records)


def told(outcome: Outcome) -> dict[tuple[str, str], dict[str, int]]:
    """What the findings say, by caller and address."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for finding in outcome.findings:
        details = finding.seen.resource["accessKeyDetails"]
        assert isinstance(details, dict)
        key = (str(details["userName"]), finding.seen.target)
        assert key not in found, f"two findings of {key}"
        found[key] = {name: tally.count for name, tally in finding.seen.tallies["apis"].items()}
    return found


def test_exactly_the_listing_calls_of_listed_callers_are_found(corpus: Path, attacks: Sequence[Blob]) -> None:
    outcome = scan(attacks, lists_of({"custom": every_address(corpus)}))
    renamed = {
        key: {name.replace("monitoring:", "cloudwatch:"): count for name, count in calls.items()}
        for key, calls in LISTING_CALLS.items()
    }
    assert told(outcome) == renamed
    assert {finding.seen.finding_type for finding in outcome.findings} == {"Recon:IAMUser/MaliciousIPCaller.Custom"}
    assert {target for _, target in told(outcome)} < set(PUBLIC_CALLERS)


def test_data_events_are_found_when_they_are_asked_for(corpus: Path, attacks: Sequence[Blob]) -> None:
    outcome = scan(attacks, lists_of({"custom": every_address(corpus)}), include_data_events=True)
    role = told(outcome)["MordorNginxStack-BankingWAFRole-9S3E0UAE1MM0", "1.2.3.4"]
    assert role == {"s3:ListBuckets": 2, "s3:ListObjects": 7}  # and not the two GetObject


def test_the_same_callers_on_a_trusted_list_raise_nothing(corpus: Path, attacks: Sequence[Blob]) -> None:
    addresses = every_address(corpus)
    outcome = scan(attacks, lists_of({"custom": addresses, "trusted/office": addresses}))
    assert outcome.findings == ()
    assert outcome.report.silenced == Counter(office=sum(sum(calls.values()) for calls in LISTING_CALLS.values()))


def test_reads_of_the_configuration_recorder_raise_nothing(corpus: Path) -> None:
    path = corpus / "cloudtrail" / "opensearch-catalog" / "samples-large.records.json.gz"
    records = json.loads(gzip.decompress(path.read_bytes()))["Records"]
    reads = [record for record in records if "AWSServiceRoleForConfig" in record["userIdentity"].get("arn", "")]
    assert len(reads) == 688
    everywhere = lists_of({"custom": ["198.51.100.7", *callers(records)]})
    assert scan([blob(reads)], everywhere).findings == ()
    # AWS makes these calls; were an address of anybody else's written there, they would still be AWS's.
    disguised = [record | {"sourceIPAddress": "198.51.100.7"} for record in reads]
    assert scan([blob(disguised)], everywhere).findings == ()
    for record in disguised:
        record["userIdentity"].pop("invokedBy", None)
    assert scan([blob(disguised)], everywhere).findings == ()
