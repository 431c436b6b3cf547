"""Findings to store, made from numbers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from vedette.findings import Evidence, Finding, Moment, Sample, Sighting, Summary, Tally

START = datetime(2024, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ACCOUNT = "123456789012"


def finding(number: int = 0, **changes: object) -> Finding:
    """Make a finding whose id, target and times follow from a number; ``changes`` are fields of it or of its sighting."""
    time = START + number * HOUR
    sighting = Sighting(
        finding_type="Recon:IAMUser/TorIPCaller",
        account_id=ACCOUNT,
        region="eu-west-1",
        partition="aws",
        resource_key="AKIAIOSFODNN7EXAMPLE",
        target=f"192.0.2.{number}",
        first=Moment(time, "first"),
        last=Moment(time + HOUR, "last"),
        count=number + 1,
        resource={"resourceType": "AccessKey", "accessKeyDetails": {"userName": "alice"}},
        action={"actionType": "AWS_API_CALL"},
        tallies={"apis": {"ec2:DescribeInstances": Tally(number + 1, time, time + HOUR)}},
        samples={"records": (Sample(Moment(time, "first"), '{"eventId":"first"}'),)},
        evidence=frozenset({Evidence(list_name="tor", list_kind="tor", network="192.0.2.0/24", line=3, valid_from=START)}),
        facts={"list_age_days:tor": 3.5},
    )
    in_sighting = {name: value for name, value in changes.items() if name in Sighting.__dataclass_fields__}
    made = Finding(
        id=f"{number:08x}" * 4,
        seen=replace(sighting, **in_sighting),
        rule=1,
        resource_type="AccessKey",
        resource_role="TARGET",
        action_type="AWS_API_CALL",
        summary=Summary(title="Somebody looked", description="Around.", severity=5.0, reasons=("It is so.",)),
        created_at=time + HOUR,
        updated_at=time + 2 * HOUR,
    )
    return replace(made, **{name: value for name, value in changes.items() if name not in in_sighting})


def severe(number: int, severity: float, **changes: object) -> Finding:
    """Make a finding of a severity."""
    made = finding(number, **changes)
    return replace(made, summary=replace(made.summary, severity=severity))
