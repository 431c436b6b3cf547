"""Define the calls that people and programs of an organisation make: console pages, and the work of each program."""

Page = tuple[str, ...]


def _calls(text: str) -> Page:
    """Return (``service:A``, ``service:B``, ``other:C``) for ``service A B, other C``."""
    return tuple(f"{part.split()[0]}:{name}" for part in text.split(",") for name in part.split()[1:])


PAGES: dict[str, Page] = {
    name: _calls(text)
    for name, text in {
        "instances": "ec2 DescribeInstances DescribeInstanceStatus DescribeVolumes DescribeTags, cloudwatch DescribeAlarms",
        "volumes": "ec2 DescribeVolumes DescribeSnapshots DescribeTags GetEbsEncryptionByDefault",
        "images": "ec2 DescribeImages DescribeKeyPairs DescribeLaunchTemplates",
        "security-groups": "ec2 DescribeSecurityGroups DescribeSecurityGroupRules DescribeVpcs",
        "vpc": "ec2 DescribeVpcs DescribeSubnets DescribeRouteTables DescribeInternetGateways DescribeNetworkAcls"
        " DescribeNatGateways DescribeVpcEndpoints",
        "load-balancers": "elasticloadbalancing DescribeLoadBalancers DescribeListeners DescribeTargetGroups"
        " DescribeTargetHealth",
        "buckets": "s3 ListBuckets GetBucketLocation GetBucketVersioning GetBucketPolicyStatus GetPublicAccessBlock",
        "bucket-permissions": "s3 GetBucketAcl GetBucketPolicy GetBucketCors GetBucketOwnershipControls",
        "functions": "lambda ListFunctions GetFunction GetFunctionConfiguration ListEventSourceMappings, logs DescribeLogGroups",
        "logs": "logs DescribeLogGroups DescribeLogStreams DescribeMetricFilters",
        "alarms": "cloudwatch DescribeAlarms ListDashboards GetMetricData",
        "databases": "rds DescribeDBInstances DescribeDBClusters DescribeDBSnapshots DescribeDBSubnetGroups",
        "tables": "dynamodb ListTables DescribeTable",
        "containers": "ecs ListClusters ListServices DescribeServices DescribeTaskDefinition",
        "repositories": "ecr DescribeRepositories GetRepositoryPolicy DescribeImages",
        "kubernetes": "eks ListClusters DescribeCluster ListAccessEntries",
        "queues": "sqs ListQueues GetQueueAttributes, sns ListTopics GetTopicAttributes",
        "secrets": "secretsmanager ListSecrets DescribeSecret",
        "stacks": "cloudformation DescribeStacks ListStacks DescribeStackEvents",
        "apis": "apigateway GetRestApis GetApiKeys",
        "roles": "iam ListRoles GetRole ListAttachedRolePolicies ListRolePolicies",
        "users": "iam ListUsers GetUser ListAccessKeys ListMFADevices ListGroupsForUser",
        "policies": "iam ListPolicies GetPolicy GetPolicyVersion GetAccountSummary",
        "accounts": "organizations DescribeOrganization ListAccounts ListRoots",
        "single-sign-on": "sso ListInstances ListPermissionSets, identitystore ListUsers ListGroups",
        "keys": "kms ListKeys ListAliases DescribeKey GetKeyPolicy",
        "trails": "cloudtrail DescribeTrails GetEventSelectors LookupEvents",
        "dns": "route53 ListHostedZones ListResourceRecordSets",
    }.items()
}

# New console pages, which many people open within two days.
NEW_PAGES: tuple[Page, ...] = (
    _calls("ec2 DescribeNetworkInsightsPaths DescribeNetworkInsightsAnalyses"),
    _calls("resource-explorer-2 Search, tagging GetResources, servicequotas ListServiceQuotas"),
    _calls("backup ListBackupVaults GetBackupVaultAccessPolicy"),
)

_KNOWN_PAGES = {
    "PowerUser": "instances logs alarms functions buckets tables containers repositories queues stacks databases security-groups"
    " load-balancers secrets apis kubernetes",
    "Administrator": " ".join(PAGES),
    "ReadOnly": "instances alarms logs buckets databases stacks vpc policies",
}
PAGES_OF: dict[str, tuple[str, ...]] = {name: tuple(pages.split()) for name, pages in _KNOWN_PAGES.items()}

COMMANDS = _calls("s3 ListBuckets, ec2 DescribeInstances, logs DescribeLogGroups, ecs ListClusters, sts GetCallerIdentity")
COMMAND_CHANGES = _calls("ec2 CreateTags StartInstances StopInstances, lambda UpdateFunctionConfiguration")

WORK: dict[str, tuple[Page, ...]] = {  # the alternatives per kind of program
    "iam-user": (
        _calls("s3 ListBuckets GetBucketLocation PutBucketTagging, sqs GetQueueAttributes"),
        _calls("cloudwatch GetMetricData DescribeAlarms, logs DescribeLogGroups, ec2 DescribeInstances"),
        _calls("ses ListIdentities, sns ListTopics, s3 ListBuckets"),
        _calls("dynamodb DescribeTable, s3 ListBuckets GetBucketTagging, kms Decrypt"),
    ),
    "ci-role": (
        _calls("sts GetCallerIdentity, ecr DescribeRepositories DescribeImages, ecs DescribeTaskDefinition DescribeServices")
        + _calls("ecs RegisterTaskDefinition UpdateService"),
        _calls(
            "sts GetCallerIdentity, lambda GetFunction GetFunctionConfiguration UpdateFunctionCode, cloudformation DescribeStacks"
        ),
        _calls(
            "sts GetCallerIdentity, s3 ListBuckets GetBucketLocation,"
            " cloudformation DescribeStacks UpdateStack DescribeStackEvents"
        ),
    ),
    "terraform-role": (
        _calls(
            "sts GetCallerIdentity, ec2 DescribeVpcs DescribeVpcAttribute DescribeSubnets DescribeRouteTables"
            " DescribeSecurityGroups DescribeSecurityGroupRules DescribeInstances DescribeTags CreateTags,"
            " iam GetRole ListRolePolicies ListAttachedRolePolicies GetPolicy GetPolicyVersion ListInstanceProfilesForRole,"
            " s3 GetBucketPolicy GetBucketAcl GetBucketVersioning GetBucketLogging GetBucketCors,"
            " kms DescribeKey GetKeyPolicy, rds DescribeDBInstances, lambda GetFunction"
        ),
    ),
    "posture-role": (
        _calls(
            "sts GetCallerIdentity, iam GetAccountPasswordPolicy GenerateCredentialReport GetCredentialReport ListUsers ListRoles"
            " ListGroups ListPolicies ListAttachedUserPolicies ListAccessKeys ListMFADevices ListVirtualMFADevices,"
            " ec2 DescribeRegions DescribeSecurityGroups DescribeNetworkAcls DescribeFlowLogs DescribeSnapshotAttribute"
            " DescribeInstances DescribeRouteTables, s3 ListBuckets GetPublicAccessBlock GetBucketEncryption GetBucketAcl"
            " GetBucketPolicy, cloudtrail DescribeTrails GetEventSelectors, guardduty ListDetectors, rds DescribeDBInstances,"
            " kms ListKeys GetKeyPolicy, lambda ListFunctions GetPolicy"
        ),
    ),
    "instance-role": (
        _calls("ssm GetParameter, secretsmanager GetSecretValue, ec2 DescribeTags, sqs GetQueueAttributes, s3 ListBuckets"),
        _calls("ec2 DescribeInstances DescribeTags, autoscaling DescribeAutoScalingGroups, cloudwatch PutMetricAlarm"),
        _calls(
            "ecr DescribeRepositories, ecs DescribeServices ListServices, kms Decrypt, elasticloadbalancing DescribeTargetHealth"
        ),
    ),
    "lambda-role": (
        _calls("dynamodb DescribeTable, sqs GetQueueAttributes, kms Decrypt, s3 GetBucketLocation"),
        _calls("secretsmanager GetSecretValue, rds DescribeDBInstances, cloudwatch GetMetricData"),
        _calls("ssm GetParametersByPath, ec2 DescribeInstances StopInstances StartInstances DescribeTags"),
    ),
    "partner": (
        _calls("cloudwatch GetMetricData DescribeAlarms, ec2 DescribeInstances DescribeRegions, rds DescribeDBInstances"),
        _calls("s3 ListBuckets GetBucketLocation GetBucketTagging, tagging GetResources"),
    ),
}

# The additional calls of a program's new version.
NEWLY_CALLED: dict[str, Page] = {
    "terraform-role": _calls("s3 GetBucketOwnershipControls, secretsmanager DescribeSecret, eks DescribeCluster"),
    "ci-role": _calls("ecr GetRepositoryPolicy, eks DescribeCluster"),
}
