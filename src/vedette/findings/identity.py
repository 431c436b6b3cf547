"""Names of findings and detectors: always the same for the same thing, so that reading a log again makes no second one."""

from datetime import UTC, datetime
from hashlib import sha256

from vedette.findings.model import Sighting
from vedette.findings.ordering import canonical

Identity = tuple[str, str, str, str]

_HEX_DIGITS = 32


def identity(sighting: Sighting) -> Identity:
    """Return what sightings of one thing have in common: type, account, resource key and target."""
    return sighting.finding_type, sighting.account_id, sighting.resource_key, sighting.target


def finding_id(seen: Sighting) -> str:
    """Return the id of the episode that ``seen`` begins: 32 hex digits, as GuardDuty's.

    It is a hash of type, account, region, resource key, target and the episode's start in microseconds. The rule's version is not
    part of it: a better rule updates findings and does not duplicate them. The start is ``origin`` where a sighting has one.
    """
    start = (seen.origin or seen.first.time).astimezone(UTC).isoformat(timespec="microseconds")
    return _hex("finding", seen.finding_type, seen.account_id, seen.region, seen.resource_key, seen.target, start)


def detector_id(account_id: str, region: str) -> str:
    """Return the id of an account's detector in a region, for which no store has another: 32 hex digits."""
    return _hex("detector", account_id, region)


def detector_arn(partition: str, region: str, account_id: str, detector: str) -> str:
    """Return a detector's ARN (contract 4.6)."""
    return f"arn:{partition}:guardduty:{region}:{account_id}:detector/{detector}"


def finding_arn(partition: str, region: str, account_id: str, detector: str, finding: str) -> str:
    """Return a finding's ARN (contract 4.6)."""
    return f"{detector_arn(partition, region, account_id, detector)}/finding/{finding}"


def timestamp(time: datetime) -> str:
    """Return a time as findings write it: ``2024-03-01T12:00:00.000Z``, cut to milliseconds."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _hex(*parts: str) -> str:
    # A JSON array keeps the parts apart, whatever characters they hold.
    return sha256(canonical(parts).encode()).hexdigest()[:_HEX_DIGITS]
