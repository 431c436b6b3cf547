"""The API catalogue: names, the three lists, what is no discovery, the rules for calls that are not listed, and its page."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.catalog import lookup
from vedette.catalog.names import operation_of, service_of
from vedette.catalog.rules import category
from vedette.catalog.table import table

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "api-catalog.md"


@pytest.mark.parametrize(
    ("source", "service"),
    [
        ("ec2.amazonaws.com", "ec2"),
        ("EC2.amazonaws.com.cn", "ec2"),
        ("s3.eu-west-1.amazonaws.com", "s3"),
        ("ec2.us-gov-west-1.amazonaws.com", "ec2"),
        ("monitoring.amazonaws.com", "cloudwatch"),
        ("email.amazonaws.com", "ses"),
        ("tagging.amazonaws.com", "tagging"),
        ("api.pricing.amazonaws.com", "api.pricing"),
        ("resource-explorer-2.amazonaws.com", "resource-explorer-2"),
        ("route53resolver.amazonaws.com", "route53resolver"),
        ("iam", "iam"),
        ("", ""),
        (None, ""),
    ],
)
def test_service_is_the_event_source_without_its_domain(source: str | None, service: str) -> None:
    assert service_of(source) == service


@pytest.mark.parametrize(
    ("service", "name", "operation"),
    [
        ("lambda", "ListFunctions20150331", "ListFunctions"),
        ("lambda", "GetFunction20150331v2", "GetFunction"),
        ("cloudfront", "ListDistributions2020_05_31", "ListDistributions"),
        ("s3", "GetBucketPublicAccessBlock", "GetPublicAccessBlock"),
        ("s3", "GetAccountPublicAccessBlock", "GetPublicAccessBlock"),
        ("s3", "ListAllMyBuckets", "ListBuckets"),
        ("iam", "ListAllMyBuckets", "ListAllMyBuckets"),
        ("ec2", "DescribeInstances", "DescribeInstances"),
        ("s3", "ListObjectsV2", "ListObjectsV2"),
        ("ec2", "20150331", "20150331"),
        ("ec2", None, ""),
    ],
)
def test_version_suffixes_and_second_names_are_removed(service: str, name: str | None, operation: str) -> None:
    assert operation_of(service, name) == operation


def test_the_three_lists_have_the_length_that_the_methods_give_them() -> None:
    assert Counter(row.category for row in table().values() if row.category) == {"network": 87, "resource": 114, "user": 98}


def test_no_operation_is_in_the_table_twice_and_every_value_is_one_of_those_the_header_names() -> None:
    lines = (Path(__file__).parents[2] / "src/vedette/catalog/operations.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if not line.startswith("#")][1:]
    assert rows == sorted(rows)
    assert len(rows) == len(table())
    for row in table().values():
        assert row.access in {"list", "read", "write", "permissions", "tagging"}
        assert row.weight in {None, 1, 2, 3}
        assert re.fullmatch(r"(T\d{4}(\.\d{3})?)?", row.technique)
        if row.category:
            assert row.discovery
            assert row.weight
            assert row.technique


@pytest.mark.parametrize(
    ("source", "name", "expected"),
    [
        # The examples that the service's own documentation gives for the three permission types.
        ("ec2.amazonaws.com", "DescribeSecurityGroups", ("network", 2)),
        ("ec2.amazonaws.com", "DescribeInstances", ("resource", 2)),
        ("iam.amazonaws.com", "ListInstanceProfilesForRole", ("user", 2)),
        # Almost everybody calls these …
        ("sts.amazonaws.com", "GetCallerIdentity", ("user", 1)),
        ("ec2.amazonaws.com", "DescribeRegions", ("resource", 1)),
        ("tagging.amazonaws.com", "GetResources", ("resource", 1)),
        # … and hardly anybody these.
        ("iam.amazonaws.com", "GetAccountAuthorizationDetails", ("user", 3)),
        ("cloudtrail.amazonaws.com", "LookupEvents", ("resource", 3)),
        ("guardduty.amazonaws.com", "ListDetectors", ("resource", 3)),
        ("lambda.amazonaws.com", "ListFunctions20150331", ("resource", 2)),
        ("monitoring.amazonaws.com", "DescribeAlarms", ("resource", 2)),
    ],
)
def test_listed_calls_have_category_and_weight(source: str, name: str, expected: tuple[str, int]) -> None:
    found = lookup(source, name, read_only=True)
    assert (found.category, found.weight) == expected
    assert found.discovery
    assert found.technique


def test_case_does_not_matter_and_the_tables_spelling_wins() -> None:
    found = lookup("EC2.amazonaws.com", "describesecuritygroups", read_only=True)
    assert (found.operation, found.listed) == ("DescribeSecurityGroups", True)


def test_the_same_name_in_another_service_is_another_call() -> None:
    assert lookup("iam.amazonaws.com", "ListPolicies", read_only=True).category == "user"
    assert lookup("fms.amazonaws.com", "ListPolicies", read_only=True).category == "network"
    assert lookup("quicksight.amazonaws.com", "ListPolicies", read_only=True).listed is False


def test_asking_for_user_data_weighs_more_than_for_another_attribute() -> None:
    weights = {
        attribute: lookup("ec2.amazonaws.com", "DescribeInstanceAttribute", read_only=True, request_attribute=attribute).weight
        for attribute in ("userData", "instanceType", None)
    }
    assert weights == {"userData": 3, "instanceType": 2, None: 2}
    assert lookup("ec2.amazonaws.com", "DescribeImageAttribute", read_only=True, request_attribute="userData").weight == 2


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("s3.amazonaws.com", "GetObject"),
        ("s3.amazonaws.com", "HeadObject"),
        ("dynamodb.amazonaws.com", "Query"),
        ("dynamodb.amazonaws.com", "Scan"),
        ("dynamodb.amazonaws.com", "GetItem"),
        ("secretsmanager.amazonaws.com", "GetSecretValue"),
        ("secretsmanager.amazonaws.com", "BatchGetSecretValue"),
        ("ssm.amazonaws.com", "GetParametersByPath"),
        ("kms.amazonaws.com", "Decrypt"),
        ("ecr.amazonaws.com", "GetAuthorizationToken"),
        ("codeartifact.amazonaws.com", "GetAuthorizationToken"),
        ("sqs.amazonaws.com", "ReceiveMessage"),
        ("monitoring.amazonaws.com", "GetMetricData"),
        ("logs.amazonaws.com", "GetLogEvents"),
        ("sts.amazonaws.com", "AssumeRole"),
        ("sts.amazonaws.com", "AssumeRoleWithWebIdentity"),
        ("sts.amazonaws.com", "GetSessionToken"),
        ("sts.amazonaws.com", "GetFederationToken"),
        ("ec2.amazonaws.com", "GetPasswordData"),
        ("bedrock.amazonaws.com", "InvokeModel"),
        ("ses.amazonaws.com", "SendEmail"),
        ("signin.amazonaws.com", "ConsoleLogin"),
        ("somethingnew.amazonaws.com", "GetThingCredentials"),
        ("iam.amazonaws.com", "CreateUser"),
    ],
)
@pytest.mark.parametrize("read_only", [True, False, None])
def test_data_secrets_credentials_and_changes_are_no_discovery(source: str, name: str, *, read_only: bool | None) -> None:
    found = lookup(source, name, read_only)
    assert (found.discovery, found.category, found.weight, found.technique) == (False, "none", 0, "")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("secretsmanager.amazonaws.com", "ListSecrets"),
        ("ssm.amazonaws.com", "DescribeParameters"),
        ("kms.amazonaws.com", "ListKeys"),
        ("s3.amazonaws.com", "ListObjects"),
        ("s3.amazonaws.com", "ListObjectsV2"),
        ("s3.amazonaws.com", "GetBucketAcl"),
        ("dynamodb.amazonaws.com", "ListTables"),
        ("logs.amazonaws.com", "DescribeLogGroups"),
        ("iam.amazonaws.com", "ListServiceSpecificCredentials"),
        ("iam.amazonaws.com", "GenerateCredentialReport"),
        ("sts.amazonaws.com", "GetCallerIdentity"),
        ("somethingnew.amazonaws.com", "ListThings"),
        ("somethingnew.amazonaws.com", "BatchGetThings"),
        ("cloudshell.amazonaws.com", "getEnvironmentStatus"),
    ],
)
@pytest.mark.parametrize("read_only", [True, None])
def test_what_stands_beside_them_and_lists_or_describes_is_discovery(source: str, name: str, *, read_only: bool | None) -> None:
    assert lookup(source, name, read_only).discovery


def test_read_only_decides_where_the_name_says_nothing() -> None:
    assert lookup("iot.amazonaws.com", "PingThing", read_only=True).discovery
    assert not lookup("iot.amazonaws.com", "PingThing", read_only=False).discovery
    assert not lookup("iot.amazonaws.com", "PingThing", read_only=None).discovery


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("ec2", "DescribeVpcClassicLink", "network"),
        ("ec2", "DescribeAddressTransfers", "network"),
        ("ec2", "DescribePlacementGroups", "resource"),
        ("ec2", "GetAssociatedIpv6PoolCidrs", "resource"),
        ("rds", "DescribeDBParameterGroups", "resource"),
        ("dax", "DescribeSubnetGroups", "network"),
        ("logs", "DescribeLogStreams", "resource"),
        ("autoscaling", "DescribeAutoScalingGroups", "resource"),
        ("autoscaling", "DescribeLoadBalancers", "network"),
        ("route53resolver", "ListFirewallDomains", "network"),
        ("apigateway", "GetGatewayResponses", "resource"),
        ("apigateway", "GetVpcLinks", "resource"),
        ("storagegateway", "ListGateways", "resource"),
        ("ses", "ListVerifiedEmailAddresses", "resource"),
        ("transfer", "ListUsers", "user"),
        ("elasticache", "DescribeUserGroups", "user"),
        ("workmail", "ListGroups", "user"),
        ("xray", "GetGroups", "resource"),
        ("iot", "ListPrincipalPolicies", "user"),
        ("organizations", "ListHandshakesForAccount", "user"),
        ("organizations", "DescribeResourcePolicy", "resource"),
        ("access-analyzer", "ListAccessPreviewFindings", "resource"),
        ("access-analyzer", "GetGeneratedPolicy", "user"),
        ("appmesh", "ListRoutes", "resource"),
        ("ec2", "DescribeRouteServers", "network"),
        ("devicefarm", "ListRouters", "resource"),
    ],
)
def test_unlisted_calls_get_a_category_by_service_or_words(service: str, operation: str, expected: str) -> None:
    found = lookup(f"{service}.amazonaws.com", operation, read_only=True)
    assert (found.category, found.listed) == (expected, False)


def test_the_rules_agree_with_the_lists_almost_everywhere() -> None:
    listed = [row for row in table().values() if row.category]
    wrong = [f"{row.service}:{row.operation}" for row in listed if category(row.service, row.operation) != row.category]
    assert len(wrong) <= 5, wrong


@pytest.mark.parametrize(
    ("source", "name", "read_only", "expected"),
    [
        ("iam.amazonaws.com", "AttachUserPolicy", False, "permissions"),
        ("s3.amazonaws.com", "PutBucketPolicy", False, "permissions"),
        ("kms.amazonaws.com", "CreateGrant", False, "permissions"),
        ("ec2.amazonaws.com", "CreateTags", False, "tagging"),
        ("iam.amazonaws.com", "UntagRole", False, "tagging"),
        ("ec2.amazonaws.com", "RunInstances", False, "write"),
        ("ec2.amazonaws.com", "RunInstances", None, "write"),
        ("glue.amazonaws.com", "ListThings", True, "list"),
        ("glue.amazonaws.com", "DescribeThing", None, "read"),
        ("glue.amazonaws.com", None, True, "unknown"),
    ],
)
def test_unlisted_calls_get_an_access_level(source: str, name: str | None, read_only: bool | None, expected: str) -> None:
    assert lookup(source, name, read_only).access == expected


@given(
    source=st.none() | st.text(max_size=40) | st.sampled_from(["ec2.amazonaws.com", "iam.amazonaws.com", "s3.amazonaws.com"]),
    name=st.none() | st.text(max_size=40) | st.from_regex(r"(Get|List|Put|Describe|Batch)[A-Z][A-Za-z0-9]{0,20}", fullmatch=True),
    read_only=st.none() | st.booleans(),
    attribute=st.none() | st.text(max_size=10),
)
def test_any_call_has_an_answer_that_is_consistent(
    source: str | None,
    name: str | None,
    read_only: bool | None,
    attribute: str | None,
) -> None:
    found = lookup(source, name, read_only, attribute)
    assert found == lookup(source, name, read_only, attribute)
    assert found.discovery == (found.category != "none") == (found.weight > 0) == bool(found.technique)
    assert found.discovery or not found.listed


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, vedette.catalog as c; c.lookup('a', 'b', None); print(*{'pyarrow', 'duckdb', 'msgspec'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_page_shows_every_listed_call_and_no_other() -> None:
    shown = set(
        re.findall(
            r"^\| `([a-z0-9-]+:[A-Za-z0-9]+)` \| (\w+) \| ([123]) \| (T[0-9.]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
        )
    )
    expected = {
        (f"{row.service}:{row.operation}", row.access, str(row.weight), row.technique) for row in table().values() if row.category
    }
    assert shown == expected
    text = PAGE.read_text("utf-8")
    silent = {f"`{row.service}:{row.operation}`" for row in table().values() if not row.discovery}
    assert {name for name in silent if name not in text} == set()
