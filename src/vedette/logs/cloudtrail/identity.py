"""Determine who called: turn CloudTrail's userIdentity into the stable principal key and the columns of accessKeyDetails.

This is the only place where an identity gets its key (methods 5.1) and the columns that findings show (contract 7.1).
The session name is never part of the key of a role: otherwise every new session would be a principal seen for the first time.
Whether a human-looking session name is stable enough to split a role by it is decided later, from history.
"""

import re
from dataclasses import dataclass

import msgspec


class Issuer(msgspec.Struct, frozen=True, rename="camel"):
    """sessionContext.sessionIssuer: the role, or the user of federated credentials, that the session was created from."""

    type: str | None = None
    principal_id: str | None = None
    arn: str | None = None
    account_id: str | None = None
    user_name: str | None = None


class Attributes(msgspec.Struct, frozen=True, rename="camel"):
    """sessionContext.attributes."""

    creation_date: str | None = None


class Federation(msgspec.Struct, frozen=True, rename="camel"):
    """sessionContext.webIdFederationData; empty unless the role was assumed with a web identity."""

    federated_provider: str | None = None


class Session(msgspec.Struct, frozen=True, rename="camel"):
    """userIdentity.sessionContext, present with temporary credentials."""

    session_issuer: Issuer | None = None
    attributes: Attributes | None = None
    web_id_federation_data: Federation | None = None
    source_identity: str | None = None
    ec2_role_delivery: str | None = None


class OnBehalfOf(msgspec.Struct, frozen=True, rename="camel"):
    """userIdentity.onBehalfOf: the Identity Center user."""

    user_id: str | None = None
    identity_store_arn: str | None = None


class Identity(msgspec.Struct, frozen=True, rename="camel"):
    """The fields of userIdentity that are used."""

    type: str | None = None
    principal_id: str | None = None
    arn: str | None = None
    account_id: str | None = None
    access_key_id: str | None = None
    user_name: str | None = None
    invoked_by: str | None = None
    identity_provider: str | None = None
    on_behalf_of: OnBehalfOf | None = None
    session_context: Session | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The identity columns of ``schema.CLOUDTRAIL``, with the same names; None if the record does not contain the value.

    ``credentials_created_at`` is the text of the record, not yet parsed.
    """

    identity_type: str | None = None
    identity_arn: str | None = None
    identity_account_id: str | None = None
    principal_id: str | None = None
    access_key_id: str | None = None
    user_name: str | None = None
    principal: str | None = None
    principal_kind: str = "unknown"
    session_name: str | None = None
    issuer_arn: str | None = None
    invoked_by: str | None = None
    credentials_created_at: str | None = None
    ec2_role_delivery: str | None = None
    source_identity: str | None = None


HIDDEN_NAME = "HIDDEN_DUE_TO_SECURITY_REASONS"  # userName of a failed sign-in with a name that does not exist

_ROLE_SESSION = re.compile(r"arn:(aws[a-z-]*):sts::(\d*):assumed-role/([^/]+)(?:/(.*))?", re.DOTALL)
_SSO_ROLE = re.compile(r"AWSReservedSSO_(.+?)(?:_[0-9a-f]{16})?", re.DOTALL)
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")
_WORKLOAD_NAME = re.compile(
    r"""
    .*[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}.*  # UUID, ECS task id, CodeBuild, EKS pod identity
    | (?:.*[-_.@:/])?\d{9,}                                             # epoch: botocore-session-*, aws-go-sdk-*, web consoles
    | (?:.*[-_.@:/])?(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{12,}              # hash-like
    | mi-[0-9a-f]{8,}                                                   # managed instance of Systems Manager
    | (?:botocore|boto3|aws-?sdk|aws-go-sdk|aws-sdk-|awscli-session|terraform|pulumi|eks-|ecs-|awscodebuild|codebuild|codepipeline
        |github|gitlab|gha-|jenkins|circleci|buildkite|spacelift|stackset|cloudformation|autoscaling|awsbackup|awsconfig
        |aws-config|configresource|awslambda|sagemaker|glue(?:job|[-_])|datapipeline|webidentity|web-identity).*
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
# Sign-in through a company's directory names the session after the person's address; no service of AWS does.
_MAIL_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")
# The session of a Lambda function is named after the function, which may look like any name: only the role gives it away.
_WORKLOAD_ROLE = re.compile(r".*(?::role/service-role/|lambda)", re.IGNORECASE | re.DOTALL)
_SERVICE_LINKED = re.compile(r".*(?:/aws-service-role/|[:/]AWSServiceRoleFor)", re.DOTALL)
_TYPE_BY_ARN = (
    (":assumed-role/", "AssumedRole"),
    (":federated-user/", "FederatedUser"),
    (":user/", "IAMUser"),
    (":role/", "Role"),
    (":root", "Root"),
)


def caller_of(identity: Identity) -> Caller:
    """Return the identity columns for ``identity``."""
    kind = identity.type or _type_from_arn(identity.arn)
    session = identity.session_context or Session()
    issuer = session.session_issuer or Issuer()
    role = _role_of(identity, issuer) if kind == "AssumedRole" else _Role(None, issuer.arn or None, None)
    principal, principal_kind = _principal(kind, identity, issuer, role)
    if _by_service(kind, identity, role.arn):
        principal, principal_kind = principal or identity.invoked_by or None, "service"
    return Caller(
        identity_type=identity.type or None,
        identity_arn=identity.arn or None,
        identity_account_id=identity.account_id or None,
        principal_id=identity.principal_id or (identity.account_id if kind == "Root" else None) or None,
        access_key_id=identity.access_key_id or None,
        user_name=_user_name(kind, identity, role),
        principal=principal,
        principal_kind=principal_kind,
        session_name=role.session,
        issuer_arn=role.arn,
        invoked_by=identity.invoked_by or None,
        credentials_created_at=session.attributes.creation_date if session.attributes else None,
        ec2_role_delivery=session.ec2_role_delivery or None,
        source_identity=session.source_identity or None,
    )


@dataclass(frozen=True, slots=True)
class _Role:
    """The role of a session: the role's name and ARN, and the name of the session."""

    name: str | None
    arn: str | None
    session: str | None


def _type_from_arn(arn: str | None) -> str | None:
    return next((kind for part, kind in _TYPE_BY_ARN if part in (arn or "")), None)


def _role_of(identity: Identity, issuer: Issuer) -> _Role:
    parts = _ROLE_SESSION.fullmatch(identity.arn or "")
    session = parts.group(4) if parts else None
    if not session and identity.principal_id and ":" in identity.principal_id:
        session = identity.principal_id.partition(":")[2]
    name = issuer.user_name or (parts.group(3) if parts else None) or (issuer.arn or "").rpartition("/")[2]
    # The session's ARN lacks the role's path: good enough if the issuer is missing.
    derived = f"arn:{parts.group(1)}:iam::{parts.group(2)}:role/{parts.group(3)}" if parts else None
    return _Role(name or None, issuer.arn or derived, session or None)


def _by_service(kind: str | None, identity: Identity, issuer_arn: str | None) -> bool:
    invoker = identity.invoked_by or ""
    return (
        kind == "AWSService"
        or invoker.endswith((".amazonaws.com", ".amazonaws.com.cn"))
        or invoker.startswith("AWS Internal")
        or _SERVICE_LINKED.match(issuer_arn or identity.arn or "") is not None
    )


def _principal(kind: str | None, identity: Identity, issuer: Issuer, role: _Role) -> tuple[str | None, str]:
    account = identity.account_id or _account_in(identity.arn) or ""
    key: str | None
    match kind:
        case "AssumedRole":
            return _role_principal(identity, role)
        case "Root":
            key, kind = f"root:{account or identity.principal_id or ''}", "root"
        case "IAMUser":
            key, kind = _user_key(identity), "user"
        case "Role":
            key, kind = identity.arn or issuer.arn or _best_key(identity), "role"
        case "FederatedUser" | "SAMLUser" | "WebIdentityUser" | "Directory":
            origin = issuer.arn or identity.identity_provider or account
            key, kind = f"federated:{origin}:{_federated_name(identity)}", "federated"
        case "IdentityCenterUser":
            behalf = identity.on_behalf_of or OnBehalfOf()
            store = (behalf.identity_store_arn or account).rpartition("/")[2]
            key, kind = f"sso:{store}:{behalf.user_id or identity.principal_id or identity.user_name or ''}", "sso"
        case "AWSAccount":
            # The part after the colon is a session of a role in the other account, so it is not stable.
            key, kind = f"account:{account}:{(identity.principal_id or '').partition(':')[0]}", "account"
        case "AWSService":
            key, kind = identity.invoked_by or _best_key(identity), "service"
        case _:
            key, kind = _unknown_key(identity, account), "unknown"
    return key, kind


def _role_principal(identity: Identity, role: _Role) -> tuple[str | None, str]:
    key = role.arn or _best_key(identity)
    session = role.session or ""
    if permission_set := _SSO_ROLE.fullmatch(role.name or ""):
        return f"sso:{permission_set.group(1)}:{session.lower()}", "sso"
    if _INSTANCE.fullmatch(session):
        return key, "instance"
    return key, "workload" if _is_workload(identity, role) else "role"


def _is_workload(identity: Identity, role: _Role) -> bool:
    session = identity.session_context
    federation = session.web_id_federation_data if session else None
    if federation is not None and federation.federated_provider:
        return True
    name = (role.session or "")[:256]
    if _MAIL_ADDRESS.fullmatch(name):  # whatever the name, or that of the role, looks like
        return False
    return _WORKLOAD_NAME.fullmatch(name) is not None or _WORKLOAD_ROLE.match(role.arn or "") is not None


def _user_key(identity: Identity) -> str | None:
    if identity.arn:
        return identity.arn
    name = identity.user_name
    if identity.account_id and name and name != HIDDEN_NAME:
        return f"arn:aws:iam::{identity.account_id}:user/{name}"
    return _best_key(identity)


def _unknown_key(identity: Identity, account: str) -> str | None:
    """Return the key of an identity of unknown form; where its ID is only the account's, its name tells it from others there."""
    name = identity.user_name
    if name and name != HIDDEN_NAME and not identity.arn and (identity.principal_id or account) == account:
        return f"unknown:{account}:{name}"
    return _best_key(identity)


def _federated_name(identity: Identity) -> str:
    return identity.user_name or (identity.arn or identity.principal_id or "").rpartition("/")[2].rpartition(":")[2]


def _user_name(kind: str | None, identity: Identity, role: _Role) -> str | None:
    if kind == "Root":
        return "Root"
    if kind == "AssumedRole":
        return role.name
    if identity.user_name:
        return identity.user_name
    if kind == "FederatedUser":
        return _federated_name(identity) or None
    if kind in {"IAMUser", "Role"}:
        return (identity.arn or "").rpartition("/")[2] or None
    return None


def _account_in(arn: str | None) -> str | None:
    parts = (arn or "").split(":", 5)
    return parts[4] if len(parts) > 4 else None  # noqa: PLR2004 - the fifth field of an ARN is the account


def _best_key(identity: Identity) -> str | None:
    """Return the most specific value that an identity of unknown form holds, or None if it holds none."""
    return (
        identity.arn
        or (identity.principal_id or "").partition(":")[0]
        or identity.access_key_id
        or identity.user_name
        or identity.invoked_by
        or identity.account_id
        or None
    )
