"""A call in a line: ``TIME WHO ADDRESS SERVICE:OPERATION [WORD…]``, as the cases write it.

WHO is ``alice`` (a user with a long-lived key), ``root``, ``role:NAME/SESSION`` or ``service:NAME``. WORDS are ``denied``,
``write``, ``data``, ``signin``, ``error=CODE``, ``region=NAME``, ``agent=TEXT``, ``id=EVENT_ID``, ``account=NUMBER``,
``for=SERVICE`` (called on behalf of the caller) and ``endpoint=VPCE``.
TIME is ``2026-03-14T12:00:00Z``, or ``12:00`` of that day.
"""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from io import BytesIO

from vedette.logs.blob import Blob

ACCOUNT = "123456789012"
DAY = "2026-03-14"
REGION = "us-east-1"


def call(line: str, number: int) -> dict[str, object]:
    """Return the CloudTrail record of a line; ``number`` makes its event id where the line gives none."""
    time, who, address, operation, *words = line.split()
    marks = {name: value for name, _, value in (word.partition("=") for word in words)}
    service, _, name = operation.partition(":")
    account = marks.get("account", ACCOUNT)
    record: dict[str, object] = {
        "eventVersion": "1.09",
        "userIdentity": _identity(who, account),
        "eventTime": time if "T" in time else f"{DAY}T{time}{':00' if time.count(':') == 1 else ''}Z",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": marks.get("region", REGION),
        "sourceIPAddress": address,
        "userAgent": marks.get("agent", "aws-cli/2.17.0"),
        "eventID": marks.get("id") or _event_id(line, number),
        "readOnly": "write" not in marks,
        "eventType": "AwsConsoleSignIn" if "signin" in marks else "AwsApiCall",
        "managementEvent": "data" not in marks,
        "recipientAccountId": account,
        "eventCategory": "Data" if "data" in marks else "Management",
    }
    if "denied" in marks:
        record["errorCode"] = "AccessDenied"
    elif "error" in marks:
        record["errorCode"] = marks["error"]
    if "for" in marks:
        record["userIdentity"] |= {"invokedBy": f"{marks['for']}.amazonaws.com"}  # type: ignore[operator]
    if "endpoint" in marks:
        record["vpcEndpointId"] = marks["endpoint"]
    return record


def calls(lines: Iterable[str]) -> list[dict[str, object]]:
    """Return the records of lines; empty lines and those that begin with # are left out."""
    wanted = [line for line in (text.strip() for text in lines) if line and not line.startswith("#")]
    return [call(line, number) for number, line in enumerate(wanted)]


def key_of(user: str) -> str:
    """Return the access key id of a user of the notation."""
    return f"AKIA{sha256(user.encode()).hexdigest()[:16].upper()}"


def blob(records: Sequence[Mapping[str, object]], name: str = "one.json.gz") -> Blob:
    """Return records as a delivered log file in memory."""
    data = gzip.compress(json.dumps({"Records": list(records)}).encode(), mtime=0)
    return Blob(name=name, version=sha256(data).hexdigest(), size=len(data), opener=partial(BytesIO, data))


def _event_id(line: str, number: int) -> str:
    digits = sha256(f"{number} {line}".encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"


def _identity(who: str, account: str) -> dict[str, object]:
    kind, _, rest = who.partition(":")
    if who == "root":
        return {
            "type": "Root",
            "principalId": account,
            "arn": f"arn:aws:iam::{account}:root",
            "accountId": account,
            "accessKeyId": key_of("root"),
        }
    if kind == "service":
        return {"type": "AWSService", "invokedBy": f"{rest}.amazonaws.com"}
    if kind == "role":
        role, _, session = rest.partition("/")
        role_id = f"AROA{sha256(role.encode()).hexdigest()[:17].upper()}"
        return {
            "type": "AssumedRole",
            "principalId": f"{role_id}:{session}",
            "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
            "accountId": account,
            "accessKeyId": f"ASIA{sha256(rest.encode()).hexdigest()[:16].upper()}",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": role_id,
                    "arn": f"arn:aws:iam::{account}:role/{role}",
                    "accountId": account,
                    "userName": role,
                },
                "attributes": {"creationDate": f"{DAY}T00:00:00Z", "mfaAuthenticated": "false"},
            },
        }
    return {
        "type": "IAMUser",
        "principalId": f"AIDA{sha256(who.encode()).hexdigest()[:17].upper()}",
        "arn": f"arn:aws:iam::{account}:user/{who}",
        "accountId": account,
        "accessKeyId": key_of(who),
        "userName": who,
    }
