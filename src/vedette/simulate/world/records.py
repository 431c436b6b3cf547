"""Turn a call into its CloudTrail record (contract 6.3)."""

import re
from random import Random
from uuid import UUID

from vedette.simulate import ACCOUNT_ID, Call
from vedette.simulate.world.agents import user_agent
from vedette.simulate.world.identities import principal, user_identity
from vedette.simulate.world.parameters import parameters, resources, response

_READ_ONLY = re.compile(r"(?:AssumeRole|BatchGet|Decrypt|Describe|Generate|Get|Head|List|Lookup|Query|Search)")
_GLOBAL_SERVICES = {"iam": "us-east-1", "cloudfront": "us-east-1", "organizations": "us-east-1", "signin": "us-east-1"}
_EVENT_SOURCES = {"cloudwatch": "monitoring"}
_EVENT_NAMES = {"lambda:ListFunctions": "ListFunctions20150331", "lambda:GetFunction": "GetFunction20150331v2"}
_API_VERSIONS = {"lambda": "2015-03-31", "cloudtrail": "2013-11-01"}
_JSON_SERVICES = {"dynamodb", "ecr", "ecs", "guardduty", "kms", "lambda", "logs", "secretsmanager", "ssm"}


def record(call: Call, random: Random) -> dict[str, object]:
    """Return the CloudTrail record of a call, with random request and event IDs."""
    service, _, operation = call.api.partition(":")
    reads = _READ_ONLY.match(operation) is not None
    result: dict[str, object] = {
        "eventVersion": "1.09",
        "userIdentity": _identity(call, service),
        "eventTime": call.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{_EVENT_SOURCES.get(service, service)}.amazonaws.com",
        "eventName": _EVENT_NAMES.get(call.api, operation),
        "awsRegion": _GLOBAL_SERVICES.get(service, call.region),
        "sourceIPAddress": call.address,
        "userAgent": user_agent(call.agent, service, operation),
    }
    if call.denied:
        result |= _denial(call, service, operation)
    sent = parameters(call.api) if call.parameters is None else call.parameters
    result["requestParameters"] = None if sent is None else dict(sent)
    result["responseElements"] = _answer(call, service, reads=reads)
    result |= {"requestID": _uuid(random), "eventID": _uuid(random), "readOnly": reads}
    if found := resources(call.api):
        result["resources"] = found
    if service in _API_VERSIONS:
        result["apiVersion"] = _API_VERSIONS[service]
    result |= {
        "eventType": "AwsConsoleSignIn" if service == "signin" else "AwsApiCall",
        "managementEvent": not call.data,
        "recipientAccountId": ACCOUNT_ID,
        "eventCategory": "Data" if call.data else "Management",
    }
    return result | _connection(call, service)


def _identity(call: Call, service: str) -> dict[str, object]:
    identity = user_identity(call.actor, call.at)
    if service == "signin":
        del identity["accessKeyId"]  # a console sign-in uses a password
    return identity


def _answer(call: Call, service: str, *, reads: bool) -> dict[str, object] | None:
    if service == "signin":
        return {"ConsoleLogin": "Failure" if call.denied else "Success"}
    answer = None if reads or call.denied else response(call.api)
    return None if answer is None else dict(answer)


def _denial(call: Call, service: str, operation: str) -> dict[str, object]:
    if service == "signin":
        return {"errorMessage": "Failed authentication"}
    if service == "ec2":
        message = f"You are not authorized to perform this operation. User: {principal(call.actor)}"
        return {"errorCode": "Client.UnauthorizedOperation", "errorMessage": message}
    code = "AccessDeniedException" if service in _JSON_SERVICES else "AccessDenied"
    why = f"because no identity-based policy allows the {service}:{operation} action"
    return {"errorCode": code, "errorMessage": f"User: {principal(call.actor)} is not authorized to perform: {call.api} {why}"}


def _connection(call: Call, service: str) -> dict[str, object]:
    """Return the fields about the connection of the call; records of services' own calls have none."""
    if call.actor.kind in {"service", "service-linked"}:
        return {}
    host = f"{service}.{call.region}.amazonaws.com" if service not in _GLOBAL_SERVICES else f"{service}.amazonaws.com"
    found: dict[str, object] = {}
    if call.endpoint:
        found |= {"vpcEndpointId": "vpce-0a1b2c3d4e5f60718", "vpcEndpointAccountId": ACCOUNT_ID}
    if call.agent == "console":
        # CloudTrail writes this boolean as a string.
        return found | {"sessionCredentialFromConsole": "true"}
    tls = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": host}
    return found | {"tlsDetails": tls}


def _uuid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))
