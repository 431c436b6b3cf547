"""Provide requestParameters, responseElements and resources for calls."""

from collections.abc import Mapping

from vedette.simulate import ACCOUNT_ID

_BUCKET = {"bucketName": "example-backups", "Host": "example-backups.s3.eu-central-1.amazonaws.com"}
_ROLE = {"roleName": "web-server"}
_KEY = {"keyId": f"arn:aws:kms:eu-central-1:{ACCOUNT_ID}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}

_PARAMETERS: Mapping[str, Mapping[str, object]] = {
    "ec2:DescribeInstances": {"maxResults": 100, "instancesSet": {}, "filterSet": {}},
    "ec2:DescribeSecurityGroups": {"securityGroupSet": {}, "securityGroupIdSet": {}, "filterSet": {}},
    "ec2:DescribeVpcAttribute": {"vpcId": "vpc-0a1b2c3d4e5f60718", "attribute": "enableDnsSupport"},
    "ec2:DescribeSnapshotAttribute": {"snapshotId": "snap-0a1b2c3d4e5f60718", "attributeType": "CREATE_VOLUME_PERMISSION"},
    "ec2:DescribeSnapshots": {"maxResults": 1000, "ownersSet": {"items": [{"owner": "self"}]}},
    "ec2:RunInstances": {"instanceType": "p4d.24xlarge", "instancesSet": {"items": [{"minCount": 1, "maxCount": 8}]}},
    "iam:ListInstanceProfilesForRole": _ROLE,
    "iam:ListAttachedRolePolicies": _ROLE,
    "iam:ListRolePolicies": _ROLE,
    "iam:GetRole": _ROLE,
    "iam:ListAttachedUserPolicies": {"userName": "deploy-bot"},
    "iam:ListAccessKeys": {"userName": "deploy-bot"},
    "iam:GetUserPolicy": {"userName": "deploy-bot", "policyName": "deploy"},
    "iam:CreateUser": {"userName": "backup-admin"},
    "iam:CreateAccessKey": {"userName": "backup-admin"},
    "kms:DescribeKey": _KEY,
    "kms:GetKeyPolicy": _KEY | {"policyName": "default"},
    "kms:Decrypt": {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
    "lambda:GetFunction": {"functionName": "thumbnails"},
    "s3:ListBuckets": {"Host": "s3.eu-central-1.amazonaws.com"},
    "secretsmanager:GetSecretValue": {"secretId": "example/database"},
    "ssm:GetParameter": {"name": "/example/web/database", "withDecryption": True},
    "sts:AssumeRole": {"roleArn": f"arn:aws:iam::{ACCOUNT_ID}:role/web-server", "roleSessionName": "i-0a1b2c3d4e5f60718"},
    "cloudtrail:StopLogging": {"name": f"arn:aws:cloudtrail:eu-central-1:{ACCOUNT_ID}:trail/example"},
    "dynamodb:Query": {"tableName": "sessions"},
}


def parameters(api: str) -> Mapping[str, object] | None:
    """Return the usual requestParameters of a call, or None if it has none."""
    if api.startswith("s3:") and api != "s3:ListBuckets":
        return _BUCKET
    return _PARAMETERS.get(api)


def response(api: str) -> Mapping[str, object] | None:
    """Return the responseElements of a call that changes something; CloudTrail omits them for reads."""
    if api.startswith("ec2:"):
        return {"_return": True}
    return None


def resources(api: str) -> list[dict[str, str]] | None:
    """Return the resources of a call about a bucket, or None for other calls."""
    if not api.startswith("s3:") or api == "s3:ListBuckets":
        return None
    return [{"accountId": ACCOUNT_ID, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::example-backups"}]
