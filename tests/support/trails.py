"""Writes CloudTrail records, and every wrapper they come in, for tests of the reader."""

import json
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]

KEY = (
    "AWSLogs/123456789012/CloudTrail/eu-west-1/2024/05/06/"
    "123456789012_CloudTrail_eu-west-1_20240506T0710Z_0a1b2c3d4e5f6a7b.json.gz"
)


def event(number: int = 0, **members: object) -> Event:
    """Write a record in the order of members that CloudTrail uses; a member that is None is left out."""
    whole: Event = {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLE000000000",
            "arn": "arn:aws:iam::123456789012:user/alice",
            "accountId": "123456789012",
            "accessKeyId": "AKIAEXAMPLE000000000",
            "userName": "alice",
        },
        "eventTime": f"2024-05-06T07:{number // 60 % 60:02}:{number % 60:02}Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": "ListUsers",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.15.0",
        "requestParameters": {"maxItems": 100},
        "responseElements": None,
        "requestID": f"00000000-0000-0000-0001-{number:012}",
        "eventID": f"00000000-0000-0000-0000-{number:012}",
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "123456789012",
        "eventCategory": "Management",
    }
    whole |= members
    return {name: value for name, value in whole.items() if value is not None or name == "responseElements"}


def compact(value: object) -> str:
    """Write JSON as CloudTrail does, without blanks."""
    return json.dumps(value, separators=(",", ":"))


def bridged(record: object) -> Event:
    """Wrap a record as EventBridge does."""
    return {
        "version": "0",
        "id": "0a1b",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.iam",
        "account": "123456789012",
        "time": "2024-05-06T07:10:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": record,
    }


def found(record: object) -> Event:
    """Wrap a record as LookupEvents does."""
    return {
        "EventId": "0a1b",
        "EventName": "ListUsers",
        "ReadOnly": "true",
        "EventTime": "2024-05-06T07:10:00+00:00",
        "EventSource": "iam.amazonaws.com",
        "Username": "alice",
        "Resources": [],
        "CloudTrailEvent": compact(record),
    }


def subscribed(records: list[Event]) -> Event:
    """Wrap records as a subscription of CloudWatch Logs does."""
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "trail",
        "logStream": "123456789012_CloudTrail_us-east-1",
        "subscriptionFilters": ["all"],
        "logEvents": [{"id": str(n), "timestamp": 1_714_979_289_123, "message": compact(r)} for n, r in enumerate(records)],
    }


def lines(values: list[object]) -> str:
    """Write a line of JSON each."""
    return "".join(f"{compact(value)}\n" for value in values)


WRAPPERS: dict[str, Callable[[list[Event]], str]] = {
    "delivered": lambda records: compact({"Records": records}),
    "delivered, indented": lambda records: json.dumps({"Records": records}, indent=2),
    "delivered, with more": lambda records: compact({"more": {"a": [1]}, "Records": records, "last": [{"b": 2}]}),
    "array": compact,
    "array, indented": lambda records: json.dumps(records, indent=1),
    "lines": lambda records: lines([*records]),
    "lines without a last end": lambda records: lines([*records])[:-1],
    "lines with CRLF": lambda records: lines([*records]).replace("\n", "\r\n"),
    "lines with empty ones": lambda records: "\n\n".join(map(compact, records)) + "\n\n\n",
    "joined without an end": lambda records: "".join(map(compact, records)),
    "EventBridge": lambda records: lines([bridged(record) for record in records]),
    "EventBridge, in an array": lambda records: compact([bridged(record) for record in records]),
    "LookupEvents": lambda records: compact({"Events": [found(record) for record in records], "NextToken": "0a1b"}),
    "LookupEvents, token first": lambda records: compact({"NextToken": "0a1b", "Events": [found(record) for record in records]}),
    "LookupEvents, indented": lambda records: json.dumps({"Events": [found(record) for record in records]}, indent=4),
    "LookupEvents, lines": lambda records: lines([found(record) for record in records]),
    "CloudWatch subscription": lambda records: compact(subscribed(records)),
    "CloudWatch subscription, a record each": lambda records: lines([subscribed([record]) for record in records]),
    "CloudWatch subscription, joined": lambda records: "".join(compact(subscribed([record])) for record in records),
    "CloudWatch subscription of EventBridge": lambda records: compact(subscribed([bridged(record) for record in records])),
    "CloudWatch export": lambda records: "".join(f"2024-05-06T07:10:00.123Z {compact(record)}\n" for record in records),
    "data.Records": lambda records: lines([{"data": {"Records": [record]}} for record in records]),
    "data.detail": lambda records: compact([{"data": bridged(record), "log": "x"} for record in records]),
    "a log shipper": lambda records: lines(
        [{"@version": 1, "log": {"offset": 7}, "aws": {"trail": record}} for record in records]
    ),
    "a message": lambda records: lines([{"host": "a", "message": compact(record)} for record in records]),
    "files in a line each": lambda records: lines([{"Records": [record]} for record in records]),
}
