"""Define the typed fields of a CloudTrail record that are used, and rescue records whose fields have wrong types.

Names and types follow the CloudTrail record contents (contract 6.3).
"""

import json
from collections.abc import Mapping

import msgspec

from vedette.logs.cloudtrail.identity import Attributes, Caller, Federation, Identity, Issuer, OnBehalfOf, Session, caller_of

_ERRORS = (ValueError, RecursionError)  # msgspec's and UnicodeDecodeError are ValueErrors


class Parameters(msgspec.Struct, gc=False, rename="camel"):
    """The requestParameters that are used; each may be any JSON value."""

    attribute: object = None
    user_name: object = None
    role_name: object = None


class Record(msgspec.Struct, gc=False, rename="camel"):
    """One event. ``user_identity`` stays raw: it repeats, and each distinct value is decoded once."""

    event_time: str | None = None
    shipped_at: str | None = msgspec.field(default=None, name="@timestamp")  # log shippers move eventTime there
    event_id: str | None = msgspec.field(default=None, name="eventID")
    recipient_account_id: str | None = None
    aws_region: str | None = None
    event_source: str | None = None
    event_name: str | None = None
    event_type: str | None = None
    event_category: str | None = None
    read_only: bool | str | None = None
    management_event: bool | str | None = None
    error_code: str | None = None
    source_address: str | None = msgspec.field(default=None, name="sourceIPAddress")
    user_agent: str | None = None
    vpc_endpoint_id: str | None = None
    from_console: bool | str | None = msgspec.field(default=None, name="sessionCredentialFromConsole")
    request_parameters: Parameters | None = None
    user_identity: msgspec.Raw = msgspec.Raw()

    def is_event(self) -> bool:
        """Tell whether this is the record of an event, which has an eventName or an eventSource."""
        return self.event_name is not None or self.event_source is not None


class LogEvent(msgspec.Struct, gc=False):
    """One element of a CloudWatch envelope."""

    message: str = ""


class Envelope(msgspec.Struct, gc=False):
    """The wrappers that may surround records: LookupEvents, a CloudWatch subscription, EventBridge, a log shipper, a nested file.

    Absent raw fields are empty: msgspec does not support ``Raw | None``.
    """

    lookup: str | None = msgspec.field(default=None, name="CloudTrailEvent")
    log_events: list[LogEvent] | None = msgspec.field(default=None, name="logEvents")
    message_type: str | None = msgspec.field(default=None, name="messageType")
    message: str | None = None
    detail: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()
    records: list[msgspec.Raw] | None = msgspec.field(default=None, name="Records")
    events: list[msgspec.Raw] | None = msgspec.field(default=None, name="Events")


# The JSON key of each text field of a record.
_TEXT_FIELDS = {
    "event_time": "eventTime",
    "shipped_at": "@timestamp",
    "event_id": "eventID",
    "recipient_account_id": "recipientAccountId",
    "aws_region": "awsRegion",
    "event_source": "eventSource",
    "event_name": "eventName",
    "event_type": "eventType",
    "event_category": "eventCategory",
    "error_code": "errorCode",
    "source_address": "sourceIPAddress",
    "user_agent": "userAgent",
    "vpc_endpoint_id": "vpcEndpointId",
}
_TRUTH_FIELDS = {
    "read_only": "readOnly",
    "management_event": "managementEvent",
    "from_console": "sessionCredentialFromConsole",
}
_TIMES = ("event_time", "shipped_at")
_COLUMNS = {"recipient_account_id": "account_id", "aws_region": "region"}

_identities = msgspec.json.Decoder(Identity)
_encoder = msgspec.json.Encoder()


def rescue(element: bytes) -> tuple[Record, list[str]] | None:
    """Return the record in ``element`` without its fields of a wrong type, and the columns of these fields.

    In text with impossible characters only these are replaced, and its column is named too. Return None if ``element`` is not
    a JSON object or not a record.
    """
    source = _object_of(element)
    if source is None:
        return None
    nulled: list[str] = []
    record = Record()
    for name, key in _TEXT_FIELDS.items():
        # Invalid times are counted where times are parsed.
        setattr(record, name, _text(source, key, _COLUMNS.get(name, name), [] if name in _TIMES else nulled))
    for name, key in _TRUTH_FIELDS.items():
        value = source.get(key)
        if value is None or isinstance(value, bool | str):
            setattr(record, name, value)
        else:
            nulled.append(name)
    if not record.is_event():
        return None
    parameters = source.get("requestParameters")
    if isinstance(parameters, dict):
        record.request_parameters = Parameters(*(_text(parameters, key, "", []) for key in ("attribute", "userName", "roleName")))
    identity = source.get("userIdentity")
    if isinstance(identity, dict):
        rescued, columns = _rescue_identity(identity)
        record.user_identity = msgspec.Raw(_encoder.encode(rescued))
        nulled += columns
    elif identity is not None:
        nulled.append("identity_type")
    return record, nulled


def caller_in(user_identity: bytes) -> tuple[Caller, list[str]]:
    """Return the caller that the JSON of userIdentity describes, and the columns of fields of a wrong type."""
    if not user_identity or user_identity == b"null":
        return Caller(), []
    try:
        return caller_of(_identities.decode(user_identity)), []
    except _ERRORS:
        source = _object_of(user_identity)
    if source is None:
        return Caller(), ["identity_type"]
    identity, nulled = _rescue_identity(source)
    return caller_of(identity), nulled


def _rescue_identity(source: Mapping[str, object]) -> tuple[Identity, list[str]]:
    nulled: list[str] = []

    def text(key: str, column: str) -> str | None:
        return _text(source, key, column, nulled)

    behalf = _inner(source, "onBehalfOf", "principal", nulled)
    identity = Identity(
        type=text("type", "identity_type"),
        principal_id=text("principalId", "principal_id"),
        arn=text("arn", "identity_arn"),
        account_id=text("accountId", "identity_account_id"),
        access_key_id=text("accessKeyId", "access_key_id"),
        user_name=text("userName", "user_name"),
        invoked_by=text("invokedBy", "invoked_by"),
        identity_provider=text("identityProvider", "principal"),
        on_behalf_of=OnBehalfOf(
            _text(behalf, "userId", "principal", nulled), _text(behalf, "identityStoreArn", "principal", nulled)
        ),
        session_context=_rescue_session(_inner(source, "sessionContext", "issuer_arn", nulled), nulled),
    )
    return identity, nulled


def _rescue_session(session: Mapping[str, object], nulled: list[str]) -> Session:
    issuer = _inner(session, "sessionIssuer", "issuer_arn", nulled)
    attributes = _inner(session, "attributes", "credentials_created_at", nulled)
    federation = _inner(session, "webIdFederationData", "principal_kind", nulled)
    return Session(
        session_issuer=Issuer(
            type=_text(issuer, "type", "issuer_arn", nulled),
            principal_id=_text(issuer, "principalId", "issuer_arn", nulled),
            arn=_text(issuer, "arn", "issuer_arn", nulled),
            account_id=_text(issuer, "accountId", "issuer_arn", nulled),
            user_name=_text(issuer, "userName", "user_name", nulled),
        ),
        attributes=Attributes(_text(attributes, "creationDate", "credentials_created_at", nulled)),
        web_id_federation_data=Federation(_text(federation, "federatedProvider", "principal_kind", nulled)),
        source_identity=_text(session, "sourceIdentity", "source_identity", nulled),
        ec2_role_delivery=_text(session, "ec2RoleDelivery", "ec2_role_delivery", nulled),
    )


def _inner(source: Mapping[str, object], key: str, column: str, nulled: list[str]) -> Mapping[str, object]:
    value = source.get(key)
    if isinstance(value, dict):
        return value
    if value is not None:
        nulled.append(column)
    return {}


def _text(source: Mapping[str, object], key: str, column: str, nulled: list[str]) -> str | None:
    value = source.get(key)
    if isinstance(value, str) and not value.isascii():
        # Half a surrogate pair is allowed in JSON, but cannot be encoded.
        repaired = value.encode("utf-8", "replace").decode()
        if repaired != value or "\N{REPLACEMENT CHARACTER}" in value:
            nulled.append(column)
        return repaired
    if isinstance(value, str):
        return value
    if value is not None:
        nulled.append(column)
    return None


def _object_of(element: bytes) -> dict[str, object] | None:
    try:
        value = json.loads(element.decode("utf-8", "replace"), strict=False, parse_int=_integer)
    except _ERRORS:
        return None
    return value if isinstance(value, dict) else None


def _integer(digits: str) -> float:
    """Parse an integer of any length as a float; no integer of a record is used."""
    return float(digits)
