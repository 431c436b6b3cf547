"""Define the kinds of attacks and the worked examples of the methods: victims, origin, tool and calls.

The expected codes of a kind are judged by hand from its calls and from what its victims never do (methods 5.4), not by the rules
of a detection. ``codes`` apply to every victim; ``possible`` codes depend on the victim, or on what is known about networks and
peers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bench.organisation.principals import Kind

Origin = Literal["hosting", "residential", "own", "own-or-hosting", "others-home"]
Category = Literal["network", "resource", "user"]


def _calls(category: Category, text: str) -> dict[str, Category]:
    return {f"{part.split()[0]}:{name}": category for part in text.split(",") for name in part.split()[1:]}


# The category of each call of an attack, assigned by hand.
CATEGORIES: Mapping[str, Category] = {
    **_calls(
        "user",
        "sts GetCallerIdentity, organizations ListAccounts DescribeOrganization, iam GetUser ListUsers ListGroups ListRoles"
        " ListPolicies GetAccountAuthorizationDetails GetAccountPasswordPolicy GetAccountSummary GetCredentialReport"
        " ListAccessKeys ListAttachedRolePolicies ListAttachedUserPolicies ListGroupsForUser ListInstanceProfiles"
        " ListInstanceProfilesForRole ListMFADevices ListOpenIDConnectProviders ListRolePolicies ListSAMLProviders"
        " ListServerCertificates ListUserPolicies ListVirtualMFADevices SimulatePrincipalPolicy",
    ),
    **_calls(
        "network",
        "ec2 DescribeSecurityGroups DescribeNetworkAcls DescribeRouteTables DescribeVpcPeeringConnections"
        " DescribeNetworkInterfaces DescribeAddresses DescribeFlowLogs DescribeVpnConnections DescribeTransitGateways"
        " DescribeVpcEndpointServices DescribePrefixLists DescribeVpcs DescribeSubnets, wafv2 ListWebACLs",
    ),
    **_calls(
        "resource",
        "ec2 DescribeSnapshots DescribeSnapshotAttribute DescribeInstanceAttribute GetConsoleScreenshot DescribeImages"
        " DescribeLaunchTemplateVersions, s3 GetBucketAcl GetBucketPolicy GetBucketReplication GetBucketWebsite"
        " GetBucketNotificationConfiguration, secretsmanager ListSecrets, ssm DescribeParameters DescribeInstanceInformation,"
        " lambda ListFunctions ListFunctionUrlConfigs, kms ListKeys ListGrants, rds DescribeDBSnapshots"
        " DescribeDBSnapshotAttributes, dynamodb ListTables, ecr GetRegistryPolicy, guardduty ListDetectors,"
        " cloudtrail DescribeTrails GetEventSelectors, config DescribeConfigurationRecorders, glue GetResourcePolicy,"
        " elasticfilesystem DescribeFileSystems DescribeFileSystemPolicy, redshift DescribeClusters,"
        " codecommit ListRepositories, cloudfront ListDistributions",
    ),
}

_POINTS = (  # methods 5.4
    "G1 2, G2 1, G3 1, P1 1, N1 2, N2 1, N3 1, N4 2, U1 1, U2 3, B1 2, S1 2, B2 1, D1 2, D2 1, C1 1, H1 1, K1 1, T1 3"
    ", E1 -1, E2 -2, E3 -2, E4 -2, E5 -1, E6 -1"
)
POINTS: Mapping[str, int] = {code: int(points) for code, points in (part.split() for part in _POINTS.split(", "))}
BALANCED = 5

_KALI = "Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#6.6.9-kali-amd64 md/arch#x86_64 lang/python#3.11.8 Botocore/1.34.69"

_NEW_TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.11.0 (+https://www.terraform.io) terraform-provider-aws/5.90.0"
    " aws-sdk-go-v2/1.36.3 os/linux lang/go#1.23.8 md/GOOS#linux md/GOARCH#amd64 api/glue#1.105.0"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackKind:
    """One kind of attack.

    ``victims`` are the kinds of principals that are attacked, in turn. ``origin`` is a network of that class which is new to
    everybody, the victim's own, both in turn, or the home network of other people in the victim's country. ``agent`` is named as
    in ``simulate.Call``, or "" for the victim's own. ``calls`` are in order; ``!`` marks a denied call. ``pause`` is the shortest
    and longest pause in seconds. With ``new_key``, the attack uses a key of the victim that was never used before; with
    ``dormant``, the victim has been inactive.
    """

    name: str
    sentence: str
    victims: tuple[Kind, ...]
    origin: Origin
    calls: tuple[str, ...]
    codes: str
    possible: str = ""
    agent: str = "cli"
    pause: tuple[float, float] = (2, 40)
    regions: tuple[str, ...] = ()
    new_key: bool = False
    dormant: bool = False

    @property
    def least_points(self) -> int:
        """The sum of the points of ``codes``, at least 0."""
        return max(0, sum(POINTS[code] for code in self.codes.split()))

    @property
    def balanced(self) -> bool:
        """Whether the balanced profile must find every attack of this kind."""
        return self.least_points >= BALANCED


def _names(text: str) -> tuple[str, ...]:
    return tuple(f"{part.split()[0]}:{name}" for part in text.split(",") for name in part.split()[1:])


ATTACK_KINDS: tuple[AttackKind, ...] = (
    AttackKind(
        name="stolen-user-key-cli",
        sentence="A user's stolen key is used from a rented server with the AWS CLI.",
        victims=("iam-user",),
        origin="hosting",
        calls=_names(
            "sts GetCallerIdentity, iam ListUsers! ListGroups! GetAccountAuthorizationDetails! ListAttachedUserPolicies!,"
            " ec2 DescribeSecurityGroups DescribeSnapshots, secretsmanager ListSecrets, iam ListInstanceProfilesForRole!"
        ),
        codes="G1 G2 G3 N1 N2 N3 U1 B1 D1 C1",
        possible="P1 N4 D2 B2",
    ),
    AttackKind(
        name="stolen-user-key-boto3",
        sentence="A user's stolen key explores the network, from a rented server with a script.",
        victims=("iam-user",),
        origin="hosting",
        agent="boto3",
        calls=_names(
            "sts GetCallerIdentity, ec2 DescribeSecurityGroups DescribeNetworkAcls DescribeRouteTables"
            " DescribeVpcPeeringConnections DescribeNetworkInterfaces DescribeAddresses"
        ),
        codes="G1 G3 N1 N2 N3 B1 C1",
        possible="G2 P1 N4 U1",
    ),
    AttackKind(
        name="stolen-ci-key",
        sentence="A build's temporary credentials explore roles, from a rented server.",
        victims=("ci-role",),
        origin="hosting",
        calls=_names(
            "iam ListRoles ListAttachedRolePolicies ListRolePolicies ListInstanceProfilesForRole ListInstanceProfiles,"
            " organizations ListAccounts!"
        ),
        codes="G1 G2 N1 N2 N3 B1",
        possible="G3 P1 N4 D2",
    ),
    AttackKind(
        name="instance-credentials-outside",
        sentence="An instance's credentials are used outside AWS while the instance continues its work.",
        victims=("instance-role",),
        origin="hosting",
        calls=_names(
            "sts GetCallerIdentity, secretsmanager ListSecrets, ssm DescribeParameters, s3 GetBucketPolicy GetBucketAcl,"
            " lambda ListFunctions, rds DescribeDBSnapshots, kms ListKeys"
        ),
        codes="G1 G2 N1 N2 N3 N4 U1 B1 C1",
        possible="G3 P1 B2",
    ),
    AttackKind(
        name="console-hijack",
        sentence="A person's console session is used from a country that is new for the person.",
        victims=("sso-developer", "sso-read-only"),
        origin="residential",
        agent="console",
        calls=_names(
            "iam ListUsers GetAccountPasswordPolicy ListVirtualMFADevices ListSAMLProviders ListServerCertificates ListPolicies"
        ),
        codes="G1 N1 N2 N3 E1",
        possible="G2 G3 P1 H1 N4",
        pause=(1, 15),
    ),
    AttackKind(
        name="pacu-enumeration",
        sentence="A function's credentials are used by an enumeration framework on an attack distribution, in three regions.",
        victims=("lambda-role",),
        origin="hosting",
        agent=_KALI,
        calls=_names(
            "sts GetCallerIdentity, iam ListUsers! ListRoles! ListGroups! ListPolicies! GetAccountAuthorizationDetails!"
            " ListInstanceProfiles! SimulatePrincipalPolicy! ListAccessKeys!, ec2 DescribeSecurityGroups DescribeNetworkAcls"
            " DescribeRouteTables DescribeVpcs DescribeSubnets DescribeAddresses DescribeFlowLogs DescribeSnapshots"
            " DescribeSnapshotAttribute! DescribeInstanceAttribute! GetConsoleScreenshot! DescribeLaunchTemplateVersions"
            " DescribeImages, lambda ListFunctions ListFunctionUrlConfigs, secretsmanager ListSecrets!, ssm DescribeParameters!,"
            " s3 GetBucketAcl! GetBucketPolicy!, guardduty ListDetectors!, cloudtrail DescribeTrails GetEventSelectors!"
        ),
        codes="G1 G2 G3 N1 N2 N3 U2 B1 D1 C1",
        possible="P1 D2 B2 N4",
        pause=(0.3, 4),
        regions=("eu-central-1", "us-east-1", "eu-west-1"),
    ),
    AttackKind(
        name="identity-then-sweep",
        sentence="A developer's cached credentials call GetCallerIdentity, then explore nine more services with one call each.",
        victims=("sso-developer",),
        origin="hosting",
        calls=_names(
            "sts GetCallerIdentity, guardduty ListDetectors, config DescribeConfigurationRecorders, glue GetResourcePolicy,"
            " elasticfilesystem DescribeFileSystems, redshift DescribeClusters, codecommit ListRepositories,"
            " cloudfront ListDistributions, wafv2 ListWebACLs, organizations DescribeOrganization"
        ),
        codes="G1 G2 N1 N2 N3 B1 B2",
        possible="G3 P1 U1 C1 H1 N4",
        pause=(1, 12),
    ),
    AttackKind(
        name="slow-enumeration",
        sentence="A shell on an instance, or its stolen credentials, make one new call per hour for eight hours.",
        victims=("instance-role",),
        origin="own-or-hosting",
        calls=_names(
            "iam ListRoles ListInstanceProfiles ListAttachedRolePolicies, ec2 DescribeSecurityGroups DescribeNetworkAcls,"
            " secretsmanager ListSecrets, lambda ListFunctions, kms ListKeys"
        ),
        codes="G1 G2 U1 S1",
        possible="G3 P1 N1 N2 N3 N4",
        pause=(3_300, 3_900),
    ),
    AttackKind(
        name="denied-probing",
        sentence="A function's credentials make calls that are all denied.",
        victims=("lambda-role",),
        origin="own-or-hosting",
        calls=_names(
            "iam ListUsers! ListRoles! ListPolicies!, secretsmanager ListSecrets!, ec2 DescribeSecurityGroups!,"
            " lambda ListFunctions!, kms ListGrants!, organizations ListAccounts!"
        ),
        codes="G1 G2 U1 B1 D1 D2",
        possible="G3 P1 N1 N2 N3 N4 B2",
    ),
    AttackKind(
        name="new-access-key",
        sentence="A newly created key of a user is used for the first time, from a rented server.",
        victims=("iam-user",),
        origin="hosting",
        agent="boto3",
        calls=_names("iam GetUser ListAttachedUserPolicies ListUserPolicies ListGroupsForUser ListRoles ListUsers"),
        codes="G1 G2 G3 N1 N2 N3 B1 K1",
        possible="P1 U1",
        new_key=True,
    ),
    AttackKind(
        name="dormant-key",
        sentence="A key that was unused for more than 30 days is used from a rented server.",
        victims=("iam-user",),
        origin="hosting",
        calls=_names("sts GetCallerIdentity, ec2 DescribeSnapshots DescribeSecurityGroups, ssm DescribeInstanceInformation"),
        codes="G1 G2 N1 N2 N3 U1 K1 C1",
        possible="G3 P1 B1",
        dormant=True,
    ),
    AttackKind(
        name="own-network",
        sentence="A careful attacker on a developer's own machine makes two calls; the balanced profile may miss it.",
        victims=("sso-developer",),
        origin="own",
        agent="",
        calls=_names("iam GetAccountAuthorizationDetails ListOpenIDConnectProviders"),
        codes="G1",
        possible="G2 G3 P1 H1 E1",
    ),
)

# Methods 5.4, worked examples; (c) is stolen-user-key-cli, (e) is own-network with a single call.
EXAMPLES: tuple[AttackKind, ...] = (
    AttackKind(
        name="example-a",
        sentence="A developer opens a new console page in the usual office: no finding.",
        victims=("sso-developer",),
        origin="own",
        agent="console",
        calls=_names("ec2 DescribeVpcEndpointServices DescribePrefixLists"),
        codes="G1 E1",
        possible="G3 P1",
        pause=(0, 1),
    ),
    AttackKind(
        name="example-b",
        sentence="A new version of the Terraform provider makes a new call from the usual runners: no finding.",
        victims=("terraform-role",),
        origin="own",
        agent=_NEW_TERRAFORM,
        calls=_names("glue GetResourcePolicy"),
        codes="G1 G2 E2",
        possible="P1",
    ),
    AttackKind(
        name="example-d",
        sentence="A user's key lists security groups for the first time, from a network that only others use.",
        victims=("iam-user",),
        origin="others-home",
        agent="",
        calls=_names("ec2 DescribeSecurityGroups"),
        codes="G1 G3 N1",
        possible="G2 P1 N4",
    ),
    AttackKind(
        name="example-e",
        sentence="A careful attacker on the victim's own machine makes one call: a near miss.",
        victims=("sso-developer",),
        origin="own",
        agent="",
        calls=_names("iam GetAccountAuthorizationDetails"),
        codes="G1",
        possible="G2 G3 P1 H1 E1",
    ),
)
KINDS: Mapping[str, AttackKind] = {kind.name: kind for kind in (*ATTACK_KINDS, *EXAMPLES)}
