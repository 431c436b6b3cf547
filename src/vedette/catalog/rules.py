"""Classify a call that the table does not list, by its service and its name (methods 6.3).

Names are matched with their capitals, so that only whole words match: Route matches RouteTable, but not a lower-case "reroute".
"""

import re
from typing import Literal

_READING = re.compile(r"(?:Batch|Admin)?(?:Describe|List|Get|Search|Lookup|Query|Simulate|Head|Select|Scan|Count|View)(?![a-z])")
_LISTING = re.compile(r"(?:Batch|Admin)?(?:List|Search)(?![a-z])")

# Reads that return secrets or credentials for further access: they belong to other tactics than discovery. The search begins
# once in each run of letters, at its first Get: beginning again at each Get would take quadratic time.
_SECRET = re.compile(
    r"(?<![A-Za-z])(?>[A-Za-z]*?Get)[A-Za-z]*(?:SecretValue|Passwords?|Credentials?|PresignedU[Rr][Ll]s?"
    r"|(?:Access|Authorization|Bearer|Refresh|Session|Signin|Federation)Tokens?)$"
)
# Verbs of use and of change. CloudTrail marks many of them as read-only: Decrypt, AssumeRole, InvokeModel, even SendEmail.
_ACTING = re.compile(
    r"(?:Batch)?(?:Accept|Add|Admin|Allocate|Analyze|Apply|Assign|Associate|Assume|Attach|Authenticate|Authorize|Calculate|Cancel"
    r"|Change|Chat|Classify|Compare|Complete|Confirm|Converse|Copy|Create|Decrypt|Delete|Deregister|Detach|Detect|Disable"
    r"|Disassociate|Download|Enable|Encrypt|Execute|Federate|Forecast|Generate|Import|Infer|Initiate|Invoke|Issue|Modify|Optimize"
    r"|Poll|Predict|Purchase|Put|Re[Ee]ncrypt|Reboot|Receive|Recognize|Register|Reject|Release|Remove|Render|Replace|Request"
    r"|Reset|Restore|Resume|Retrieve|Revoke|Rotate|Run|Send|Set|Sign|Start|Stop|Submit|Subscribe|Suspend|Synthesize|Tag"
    r"|Terminate|Translate|Unassign|Unsubscribe|Untag|Update|Upload|Verify|Write)(?![a-z])"
)
_TAGGING = re.compile(r"(?:Untag|Tag)(?![a-z])|(?:Add|Change|Create|Delete|Put|Remove|Set|Update)[A-Za-z]*Tags?(?![a-z])")
_PERMITTING = re.compile(
    r"(?:Add|Attach|Create|Delete|Detach|Put|Remove|Retire|Revoke|Set|Update)[A-Za-z]*"
    r"(?:Polic(?:y|ies)|Permissions?|Grants?|Acl|ACL)(?![a-z])"
)

# Signing in is not an API call that lists anything (methods 4.1).
_NOT_API_SERVICES = {"signin"}
# Almost every tool asks for quotas before it does its work.
_LOW_INFORMATION = {"servicequotas"}

_USER_SERVICES = {
    "account",
    "cognito-identity",
    "cognito-idp",
    "iam",
    "identitystore",
    "rolesanywhere",
    "sso",
    "sso-directory",
    "sts",
    "verifiedpermissions",
}
_NETWORK_SERVICES = {
    "directconnect",
    "elasticloadbalancing",
    "fms",
    "globalaccelerator",
    "network-firewall",
    "networkmanager",
    "shield",
    "vpc-lattice",
    "waf",
    "waf-regional",
    "wafv2",
}
# Calls whose names match are about users; the others are about resources.
_MIXED_SERVICES = {
    "access-analyzer": re.compile("Polic|Analy"),
    "organizations": re.compile("^(?!.*ResourcePolic)"),
}
# Groups of things, not of people: any word before Group except User and the verb.
_THING_GROUP = re.compile(r"(?<=[A-Za-z0-9])(?!User)[A-Z][a-z0-9]+Groups?(?![a-z])")
_THING_GROUP_SERVICES = {"greengrass", "resource-groups", "synthetics", "xray"}
_USER_WORDS = re.compile(
    r"(?:User|Group|Role|Principal)s?(?![a-z])|AccessEntr|PermissionSet|Credential|AccessKey|M[Ff][Aa](?![a-z])|LoginProfile"
    r"|IdentityProvider|(?<![A-Za-z])(?>[A-Za-z]*?(?:Simulate|Generate))[A-Za-z]*Polic"
)
_NETWORK_WORDS = re.compile(
    r"SecurityGroup|NetworkAcl|RouteTable|Vpc|Subnet|Peering|TransitGateway|Vpn|PrefixList|NetworkInterface|NetworkInsights|FlowLog"
    r"|LoadBalancer|Listener|TrafficMirror|TargetGroup|IpGroup|WebACL|IPSet|Firewall|Dhcp|(?:Eip|Eips)(?![a-z])|Routes?(?![a-z])|Gateways?(?![a-z])"
    r"|(?<!Email)Address(?:es)?(?![a-z])"
)
# Services whose gateways, routes and addresses do not belong to a network of the account.
_OTHER_NETWORKS = {
    "apigateway",
    "appmesh",
    "backup-gateway",
    "bedrock-agentcore",
    "chime",
    "geo",
    "iotsitewise",
    "iotwireless",
    "ses",
    "snowball",
    "storagegateway",
}

_TECHNIQUES = {"network": "T1016", "resource": "T1526"}
_PERMISSION_WORDS = re.compile(r"Group|Role|Polic|Permission|Access")


def is_discovery(service: str, operation: str, *, read_only: bool | None) -> bool:
    """Tell whether a call lists or describes: by its name, or by CloudTrail's readOnly if the name is inconclusive."""
    name = _capitalised(operation)
    if not name or service in _NOT_API_SERVICES or _SECRET.search(name):
        return False
    if _READING.match(name):
        return True
    return bool(read_only) and not _ACTING.match(name)


def access(operation: str, *, read_only: bool | None) -> Literal["list", "read", "write", "permissions", "tagging", "unknown"]:
    """Return the access level that the name suggests; ``unknown`` for a record without a name."""
    name = _capitalised(operation)
    if not name:
        return "unknown"
    if _LISTING.match(name):
        return "list"
    if read_only or (_READING.match(name) and read_only is None):
        return "read"
    if _TAGGING.match(name):
        return "tagging"
    if _PERMITTING.match(name):
        return "permissions"
    return "read" if _READING.match(name) else "write"


def category(service: str, operation: str) -> Literal["network", "resource", "user"]:
    """Return what a discovery call asks about: by service, else by the words of its name."""
    if service in _MIXED_SERVICES:
        return "user" if _MIXED_SERVICES[service].search(operation) else "resource"
    if service in _USER_SERVICES:
        return "user"
    if service in _NETWORK_SERVICES or service.startswith("route53"):
        return "network"
    if service not in _THING_GROUP_SERVICES and _USER_WORDS.search(_THING_GROUP.sub("", operation)):
        return "user"
    return "network" if _NETWORK_WORDS.search(operation) and service not in _OTHER_NETWORKS else "resource"


def weight(service: str) -> int:
    """Return the weight of a discovery call that has none in the table: 1 if almost every tool makes it, else 2."""
    return 1 if service in _LOW_INFORMATION else 2


def technique(category: str, operation: str) -> str:
    """Return the ATT&CK technique ID of a discovery call that has none in the table."""
    if category == "user":
        return "T1069.003" if _PERMISSION_WORDS.search(operation) else "T1087.004"
    return _TECHNIQUES[category]


def _capitalised(operation: str) -> str:
    """Return the name with a capital first letter: a few services write listThings."""
    return operation[:1].upper() + operation[1:]
