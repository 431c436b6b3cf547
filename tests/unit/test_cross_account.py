"""A call into another account is delivered to both: each account has a finding of its own, and no count is doubled."""

import json

import pytest
from reading_blobs import blob_of
from scanning import lists_of, scan
from trails import Event, event

CALLER, OWNER = "123456789012", "210987654321"
ROLE_ID = "AROAEXAMPLEROLE00000"


def both_sides(number: int) -> list[Event]:
    """Return the two records of one call, as the caller's account and the other one hold it."""
    session = {
        "type": "AssumedRole",
        "principalId": f"{ROLE_ID}:alice",
        "arn": f"arn:aws:sts::{CALLER}:assumed-role/Auditor/alice",
        "accountId": CALLER,
        "accessKeyId": "ASIAEXAMPLE000000000",
    }
    stranger = {"type": "AWSAccount", "principalId": f"{ROLE_ID}:alice", "accountId": CALLER}
    shared = {"sharedEventID": f"00000000-0000-0000-0002-{number:012}"}
    return [
        event(2 * number, userIdentity=session, recipientAccountId=CALLER, **shared),
        event(2 * number + 1, userIdentity=stranger, recipientAccountId=OWNER, **shared),
    ]


@pytest.mark.parametrize("calls", [1, 5])
def test_both_sides_of_a_call_are_counted_once_each(calls: int) -> None:
    records = [record for number in range(calls) for record in both_sides(number)]
    found = scan([blob_of(json.dumps({"Records": records}).encode(), "trail.json")], lists_of({"tor": ["198.51.100.7"]})).findings
    assert sorted((finding.seen.account_id, finding.seen.count) for finding in found) == [(CALLER, calls), (OWNER, calls)]
