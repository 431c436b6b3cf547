"""Create clients of AWS services, and translate their errors; the only module that imports boto3 and botocore."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Self

from vedette.errors import ConfigurationError, SourceError, VedetteError
from vedette.urls import masked_server, masked_text

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client

    from vedette.settings import Settings

ATTEMPTS = 5
CONNECT_SECONDS = 10
READ_SECONDS = 60
_PAGE = 100  # the largest page size that every describe operation of EC2 accepts

_MISSING = {"NoSuchBucket": "there is no such bucket", "NoSuchKey": "there is no such object", "404": "there is no such object"}
_DENIED = frozenset({"AccessDenied", "403", "AllAccessDisabled", "AccessDeniedException", "UnauthorizedOperation"})
_REJECTED = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_STATES = {
    "InvalidObjectState": "the object is archived and must be restored before it can be read",
    "PreconditionFailed": "the object changed after it was listed",
    "412": "the object changed after it was listed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The region, profile and endpoint of requests to AWS; for "", AWS's environment variables and configuration files decide.

    ``s3_endpoint`` is the URL of an S3-compatible server. Picklable, so that a worker process can connect by itself.
    """

    region: str = ""
    profile: str = ""
    s3_endpoint: str = ""

    @classmethod
    def of(cls, settings: "Settings") -> Self:
        """Return the connection that the settings describe."""
        return cls(region=settings.region, profile=settings.profile, s3_endpoint=settings.s3_endpoint)


DEFAULT_CONNECTION = Connection()


def s3(connection: Connection) -> "S3Client":
    """Return the S3 client of this process for a connection.

    Raises:
        ConfigurationError: the profile does not exist, or the endpoint is not a URL.
    """
    return _client("s3", connection, os.getpid())  # type: ignore[no-any-return]  # the service decides the client's type


def region_of(connection: Connection) -> str:
    """Return the region to which a connection sends requests.

    Raises:
        ConfigurationError: no region is set anywhere, or the profile does not exist.
    """
    return str(_client("ec2", connection, os.getpid()).meta.region_name)


def response(service: str, operation: str, connection: Connection, parameters: Mapping[str, object]) -> dict[str, object]:
    """Return the response of a read operation such as ``describe_instances``, all pages as one; call it within ``explained``.

    Raises:
        ConfigurationError: no region is set, or the profile does not exist.
    """
    client = _client(service, connection, os.getpid())
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate(**parameters, PaginationConfig={"PageSize": _PAGE})
        return dict(pages.build_full_result())
    found = dict(getattr(client, operation)(**parameters))
    found.pop("ResponseMetadata", None)
    return found


@cache
def _client(
    service: str,
    connection: Connection,
    process: int,  # noqa: ARG001 - part of the cache key, because sockets must not be shared across a fork
) -> Any:  # noqa: ANN401 - the service decides
    import boto3
    from botocore.config import Config
    from botocore.exceptions import NoRegionError, ProfileNotFound

    endpoint = connection.s3_endpoint if service == "s3" else ""
    config = Config(
        retries={"mode": "standard", "max_attempts": ATTEMPTS},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
    try:
        session = boto3.Session(profile_name=connection.profile or None, region_name=connection.region or None)
        return session.client(service, endpoint_url=endpoint or None, config=config)  # type: ignore[call-overload]
    except ProfileNotFound as error:
        raise ConfigurationError(f"the AWS configuration has no profile {connection.profile!r}") from error
    except NoRegionError as error:
        raise ConfigurationError(f"no AWS region is set for {service}: set the setting region, or AWS_REGION") from error
    except ValueError as error:
        raise ConfigurationError(f"{masked_server(endpoint)!r} is not the URL of an S3 endpoint") from error


@contextmanager
def explained(place: str, permission: str, error: type[VedetteError] = SourceError) -> Iterator[None]:
    """Translate errors of boto3 into one sentence that shows ``place``; ``permission`` is the one that the call needs.

    Raises:
        VedetteError: of the class ``error``, from the cause.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as cause:
        raise error(f"{place}: {masked_text(_service_error(cause, permission))}") from cause
    except BotoCoreError as cause:
        raise error(f"{place}: {masked_text(_client_error(cause))}") from cause
    except ResponseParserError as cause:  # not a subclass of BotoCoreError
        raise error(f"{place}: the response does not come from the service; is there a proxy in between?") from cause


def broken_transfers() -> tuple[type[Exception], ...]:
    """Return the errors which mean that the body of a response ended too soon, so that the rest can be requested."""
    from botocore.exceptions import HTTPClientError, IncompleteReadError

    return HTTPClientError, IncompleteReadError


def _service_error(cause: "ClientError", permission: str) -> str:
    code = str(cause.response.get("Error", {}).get("Code", "unknown error"))
    if code in _DENIED:
        return f"access is denied; the credentials need {permission}"
    if code in _REJECTED:
        return f"the credentials were rejected ({code})"
    if meaning := _MISSING.get(code) or _STATES.get(code):
        return meaning
    return f"the service returned the error {code}: {cause.response.get('Error', {}).get('Message', '') or 'no reason given'}"


def _client_error(cause: Exception) -> str:
    from botocore import exceptions

    if isinstance(cause, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return (
            "no AWS credentials were found; set a profile, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,"
            " or give the machine a role"
        )
    if isinstance(cause, exceptions.ConnectionError | exceptions.HTTPClientError):
        endpoint = getattr(cause, "kwargs", {}).get("endpoint_url")
        return f"{endpoint or 'the service'} cannot be reached"
    if isinstance(cause, exceptions.ParamValidationError):
        return "AWS does not allow this name"
    return str(cause).strip().replace("\n", " ") or type(cause).__name__
