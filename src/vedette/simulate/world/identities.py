"""Derive an actor's IDs, keys and CloudTrail userIdentity from its name."""

import hashlib
from base64 import b32encode
from datetime import datetime, timedelta
from uuid import UUID

from vedette.simulate import ACCOUNT_ID, Actor

_SESSION_HOURS = 4
_PROVIDERS = {"GitHubActions": f"arn:aws:iam::{ACCOUNT_ID}:oidc-provider/token.actions.example.com"}
_SERVICE_ROLES = {
    "AWSServiceRoleForConfig": "config.amazonaws.com",
    "AWSServiceRoleForTrustedAdvisor": "trustedadvisor.amazonaws.com",
}


def identifier(prefix: str, *parts: str) -> str:
    """Return an ID in AWS's form: the prefix (AKIA, AIDA, …) and 16 or 17 characters derived from the parts."""
    digest = b32encode(hashlib.sha256("/".join((prefix, *parts)).encode()).digest()).decode()
    return prefix + digest[: 16 if prefix in {"AKIA", "ASIA"} else 17]


def role_name(actor: Actor) -> str:
    """Return the name of the actor's role; for a permission set, the name that IAM Identity Center gives it."""
    if actor.kind != "sso":
        return actor.name
    return f"AWSReservedSSO_{actor.name}_{hashlib.sha256(actor.name.encode()).hexdigest()[:16]}"


def role_arn(actor: Actor) -> str:
    """Return the ARN of the actor's role, with the path that AWS uses for its kind."""
    path = {"sso": "aws-reserved/sso.amazonaws.com/", "service-linked": f"aws-service-role/{_SERVICE_ROLES.get(actor.name, '')}/"}
    return f"arn:aws:iam::{ACCOUNT_ID}:role/{path.get(actor.kind, '')}{role_name(actor)}"


def principal(actor: Actor) -> str:
    """Return the stable name of the caller; it contains the session only if that names a person (methods 5.1)."""
    match actor.kind:
        case "user":
            return f"arn:aws:iam::{ACCOUNT_ID}:user/{actor.name}"
        case "sso":
            return f"sso:{actor.name}:{actor.session}"
        case "service":
            return actor.name
        case _:
            return role_arn(actor)


def resource_key(actor: Actor) -> str:
    """Return the key by which findings of the actor are grouped: a user's long-lived access key, else the principal."""
    return identifier("AKIA", actor.name) if actor.kind == "user" else principal(actor)


def user_identity(actor: Actor, at: datetime) -> dict[str, object]:
    """Return the userIdentity of a call at this time."""
    match actor.kind:
        case "service":
            return {"type": "AWSService", "invokedBy": actor.name}
        case "user":
            return {
                "type": "IAMUser",
                "principalId": identifier("AIDA", actor.name),
                "arn": principal(actor),
                "accountId": ACCOUNT_ID,
                "accessKeyId": identifier("AKIA", actor.name),
                "userName": actor.name,
            }
        case _:
            return _assumed_role(actor, at)


def _assumed_role(actor: Actor, at: datetime) -> dict[str, object]:
    began = at.replace(minute=0, second=0, microsecond=0) - timedelta(hours=at.hour % _SESSION_HOURS)
    role_id = identifier("AROA", actor.name)
    context: dict[str, object] = {
        "sessionIssuer": {
            "type": "Role",
            "principalId": role_id,
            "arn": role_arn(actor),
            "accountId": ACCOUNT_ID,
            "userName": role_name(actor),
        },
        "webIdFederationData": {},
        "attributes": {"creationDate": began.strftime("%Y-%m-%dT%H:%M:%SZ"), "mfaAuthenticated": "false"},
    }
    if actor.kind == "instance":
        context["ec2RoleDelivery"] = "2.0"
    if provider := _PROVIDERS.get(actor.session):
        context["webIdFederationData"] = {"federatedProvider": provider, "attributes": {}}
    identity: dict[str, object] = {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{actor.session}",
        "arn": f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role_name(actor)}/{actor.session}",
        "accountId": ACCOUNT_ID,
        "accessKeyId": identifier("ASIA", actor.name, actor.session, began.isoformat()),
        "sessionContext": context,
    }
    if actor.kind == "service-linked":
        identity["invokedBy"] = _SERVICE_ROLES[actor.name]
    if actor.kind == "sso":
        user_id = UUID(hashlib.sha256(actor.session.encode()).hexdigest()[:32])
        identity["onBehalfOf"] = {
            "userId": str(user_id),
            "identityStoreArn": f"arn:aws:identitystore::{ACCOUNT_ID}:identitystore/d-0123456789",
        }
    return identity
