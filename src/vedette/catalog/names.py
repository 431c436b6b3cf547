"""Translate the names of services and operations from CloudTrail's spelling to the catalogue's (methods 6.2)."""

import re

_DOMAIN = re.compile(r"\.(?:amazonaws\.com(?:\.cn)?|aws\.internal|aws)$")
_REGION = re.compile(r"\.(?:[a-z]{2}(?:-[a-z]+)+-\d)$")
_VERSION = re.compile(r"(.+?)20\d\d_?\d\d_?\d\d(?:v\d+)?")  # ListFunctions20150331, GetFunction20150331v2, ListX2020_05_31

# Event sources whose name differs from that of their service.
_SERVICES = {"monitoring": "cloudwatch", "email": "ses", "tag": "tagging", "ssoadmin": "sso"}

# Alternative names of an operation, in lower case. Some are the names of IAM actions, which rule sets and hand-made test records
# use.
_ALIASES = {
    ("s3", "listallmybuckets"): "ListBuckets",
    ("s3", "getbucketpublicaccessblock"): "GetPublicAccessBlock",
    ("s3", "getaccountpublicaccessblock"): "GetPublicAccessBlock",
    ("s3", "getencryptionconfiguration"): "GetBucketEncryption",
    ("s3", "getbucketlifecycle"): "GetBucketLifecycleConfiguration",
    ("s3", "getlifecycleconfiguration"): "GetBucketLifecycleConfiguration",
    ("s3", "getreplicationconfiguration"): "GetBucketReplication",
    ("s3", "getbucketnotification"): "GetBucketNotificationConfiguration",
    ("access-analyzer", "listfindingsv2"): "ListFindings",
}


def service_of(event_source: str | None) -> str:
    """Return the catalogue's name of an event source's service: ``ec2`` for ec2.amazonaws.com; empty for None."""
    label = _DOMAIN.sub("", (event_source or "").strip().lower())
    label = _REGION.sub("", label)
    return _SERVICES.get(label, label)


def operation_of(service: str, event_name: str | None) -> str:
    """Return the catalogue's name of an operation, without its version suffix; empty for None."""
    name = (event_name or "").strip()
    if match := _VERSION.fullmatch(name):
        name = match.group(1)
    return _ALIASES.get((service, name.lower()), name)
