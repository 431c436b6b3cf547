"""The two GuardDuty document forms hold what contract section 1 marks, in its order, and nothing the service does not know."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from guardduty_model import parse, unknown

from vedette.detections import all_detections
from vedette.families.callers.sighting import OWN_EGRESS, describe
from vedette.findings import Finding, Moment, Summary
from vedette.formats import all_formats

MakeFinding = Callable[[str], Finding]
Document = dict[str, Any]

NAMES = ("tor_ip_caller", "malicious_ip_caller", "malicious_ip_caller_custom", "own_egress")

# Contract 1.1, 1.2, 1.3, 1.4, 1.8: paths that every finding of an IP-caller type holds.
FIELDS = """
schemaVersion accountId region partition id arn type severity createdAt updatedAt title description
resource.resourceType resource.accessKeyDetails.userType resource.accessKeyDetails.userName
service.serviceName service.detectorId service.resourceRole service.archived service.count
service.eventFirstSeen service.eventLastSeen service.additionalInfo.value service.additionalInfo.type
service.evidence.threatIntelligenceDetails service.action.actionType service.action.awsApiCallAction.api
service.action.awsApiCallAction.serviceName service.action.awsApiCallAction.callerType
service.action.awsApiCallAction.affectedResources
service.action.awsApiCallAction.remoteIpDetails.organization.asn
service.action.awsApiCallAction.remoteIpDetails.organization.asnOrg
service.action.awsApiCallAction.remoteIpDetails.organization.isp
service.action.awsApiCallAction.remoteIpDetails.organization.org
service.action.awsApiCallAction.remoteIpDetails.country.countryName
service.action.awsApiCallAction.remoteIpDetails.city.cityName
service.action.awsApiCallAction.remoteIpDetails.geoLocation
"""
EVERYWHERE = FIELDS.split()
# What the export form shows even where nothing is known.
NULLS_KEPT = (
    "resource.accessKeyDetails.accessKeyId",
    "resource.accessKeyDetails.principalId",
    "service.action.awsApiCallAction.remoteIpDetails.geoLocation.lat",
)
# Contract 1.6 and 1.8: keys of additionalInfo.
ADDITIONAL = {
    "tor_ip_caller": {"apiCalls"},
    "malicious_ip_caller": {"apiCalls", "threatListName", "unusual"},
    "malicious_ip_caller_custom": {"apiCalls", "threatListName"},
}


def summary_of(finding: Finding) -> Summary:
    return all_detections()[finding.seen.finding_type].summarise(finding, {})


def exported(finding: Finding) -> Document:
    return all_formats()["guardduty"].render(finding)


def answered(finding: Finding) -> Document:
    return all_formats()["guardduty-api"].render(finding)


def at(document: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - any JSON value
    value: Any = document
    for step in path.split("."):
        value = value[step]
    return value


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["guardduty", "guardduty-api"])
def test_goldens(name: str, form: str, made_up_finding: MakeFinding, golden: Callable[[str, str], None]) -> None:
    document = all_formats()[form].render(made_up_finding(name))
    golden(f"{name}.{form}.json", json.dumps(document, indent=2) + "\n")


@pytest.mark.parametrize("name", NAMES)
def test_both_forms_hold_every_field_of_the_contract(name: str, made_up_finding: MakeFinding) -> None:
    finding = made_up_finding(name)
    export, api = exported(finding), answered(finding)
    for path in EVERYWHERE:
        assert at(export, path) is not None, path
        assert at(api, path) is not None, path
    for path in NULLS_KEPT:
        at(export, path)


@pytest.mark.parametrize(("name", "keys"), ADDITIONAL.items())
def test_additional_info_holds_the_keys_of_the_type_in_both_shapes(
    name: str, keys: set[str], made_up_finding: MakeFinding
) -> None:
    finding = made_up_finding(name)
    export = at(exported(finding), "service.additionalInfo")
    assert set(export) == keys | {"vedette", "value", "type"}
    inlined = {key: value for key, value in export.items() if key not in {"value", "type"}}
    assert json.loads(export["value"]) == inlined
    assert at(answered(finding), "service.additionalInfo") == {"value": export["value"], "type": "default"}
    assert all(list(call) == ["name", "count", "firstSeen", "lastSeen"] for call in export["apiCalls"])
    assert sum(call["count"] for call in export["apiCalls"]) == finding.seen.count


def test_keys_are_in_the_order_of_real_exports(made_up_finding: MakeFinding) -> None:
    document = exported(made_up_finding("tor_ip_caller"))
    assert " ".join(document) == (
        "schemaVersion accountId region partition id arn type resource service severity createdAt updatedAt title description"
    )
    assert " ".join(document["service"]) == (
        "serviceName detectorId action resourceRole additionalInfo evidence eventFirstSeen eventLastSeen archived count"
    )


def test_severity_has_no_needless_fraction_in_the_export_and_is_a_double_in_the_api(made_up_finding: MakeFinding) -> None:
    finding = made_up_finding("tor_ip_caller")
    assert json.dumps(exported(finding)["severity"]) == "5"
    assert json.dumps(answered(finding)["severity"]) == "5.0"
    odd = replace(finding, summary=replace(finding.summary, severity=5.5))
    assert (exported(odd)["severity"], answered(odd)["severity"]) == (5.5, 5.5)


def test_empty_evidence_is_null_in_the_export_and_absent_in_the_api(made_up_finding: MakeFinding) -> None:
    finding = made_up_finding("tor_ip_caller")
    bare = replace(finding, seen=replace(finding.seen, evidence=frozenset()))
    assert exported(bare)["service"]["evidence"] is None
    assert "evidence" not in answered(bare)["service"]


def test_times_are_cut_to_milliseconds_in_utc(made_up_finding: MakeFinding) -> None:
    finding = made_up_finding("tor_ip_caller")
    late = Moment(datetime(2024, 3, 1, 12, 0, 0, 999_999, tzinfo=UTC), "")
    document = exported(replace(finding, seen=replace(finding.seen, last=late)))
    assert document["service"]["eventFirstSeen"] == "2024-03-01T10:00:00.123Z"
    assert document["service"]["eventLastSeen"] == "2024-03-01T12:00:00.999Z"


def test_the_detector_of_the_store_wins_over_the_derived_one(made_up_finding: MakeFinding) -> None:
    finding = replace(made_up_finding("tor_ip_caller"), detector_id="0123456789abcdef" * 2)
    document = exported(finding)
    assert document["service"]["detectorId"] == finding.detector_id
    assert document["arn"] == (f"arn:aws:guardduty:eu-central-1:123456789012:detector/{finding.detector_id}/finding/{finding.id}")


def test_an_instance_is_completed_with_nulls_and_unknown_members_are_dropped(made_up_finding: MakeFinding) -> None:
    finding = made_up_finding("tor_ip_caller")
    instance = {
        "instanceId": "i-0123456789abcdef0",
        "networkInterfaces": [{"networkInterfaceId": "eni-1", "privateIpAddresses": [{"privateIpAddress": "192.0.2.5"}]}],
        "surprise": 1,
    }
    with_instance = replace(finding, seen=replace(finding.seen, resource={**finding.seen.resource, "instanceDetails": instance}))
    details = exported(with_instance)["resource"]["instanceDetails"]
    assert [details[name] for name in ("platform", "iamInstanceProfile", "outpostArn", "imageDescription")] == [None] * 4
    assert (details["tags"], details["productCodes"], "surprise" in details) == ([], [], False)
    assert details["networkInterfaces"][0]["ipv6Addresses"] == []
    api = answered(with_instance)["resource"]["instanceDetails"]
    assert (api["instanceId"], "platform" in api) == ("i-0123456789abcdef0", False)


def test_numbers_that_json_lacks_become_null(made_up_finding: MakeFinding) -> None:
    finding = made_up_finding("tor_ip_caller")
    odd = replace(finding, additional={"number": float("nan"), "when": finding.created_at, "some": frozenset({"b", "a"})})
    additional = exported(odd)["service"]["additionalInfo"]
    assert (additional["number"], additional["when"], additional["some"]) == (None, "2024-03-01T10:00:00.123Z", ["a", "b"])


@pytest.mark.parametrize("name", NAMES)
def test_botocore_reads_the_api_form_and_finds_every_field(name: str, made_up_finding: MakeFinding) -> None:
    document = answered(made_up_finding(name))
    parsed, shape = parse({"findings": [document]})
    (finding,) = parsed["Findings"]
    assert sorted(unknown(document, shape.members["Findings"].member)) == []
    assert finding["Service"]["AdditionalInfo"]["Type"] == "default"
    assert finding["Service"]["EventFirstSeen"] == document["service"]["eventFirstSeen"]
    assert isinstance(finding["Severity"], float)
    for path in EVERYWHERE:
        pascal = ".".join(step[:1].upper() + step[1:] for step in path.split("."))
        expected = at(document, path)
        assert isinstance(at(finding, pascal), type(expected)), pascal
        if not isinstance(expected, dict | list):  # their members have wire names
            assert at(finding, pascal) == expected, pascal


@pytest.mark.parametrize("action", ["networkConnectionAction", "portProbeAction"])
def test_actions_of_instances_fit_the_model_too(action: str, made_up_finding: MakeFinding) -> None:
    remote = {"ipAddressV4": "198.51.100.7"}
    given = {
        "networkConnectionAction": {
            "connectionDirection": "OUTBOUND",
            "protocol": "TCP",
            "blocked": False,
            "localIpDetails": {"ipAddressV4": "192.0.2.5"},
            "localNetworkInterface": "eni-1",
            "localPortDetails": {"port": 40000},
            "remotePortDetails": {"port": 22, "portName": "SSH"},
            "remoteIpDetails": remote,
        },
        "portProbeAction": {
            "blocked": False,
            "portProbeDetails": [{"localPortDetails": {"port": 22, "portName": "SSH"}, "remoteIpDetails": remote}],
        },
    }[action]
    finding = made_up_finding("tor_ip_caller")
    document = answered(replace(finding, seen=replace(finding.seen, action={action: given})))
    _, shape = parse({"findings": []})
    assert list(unknown(document, shape.members["Findings"].member)) == []
    assert list(document["service"]["action"]) == ["actionType", action]


# The words of the IP-caller types


def test_severity_of_the_made_up_findings(made_up_finding: MakeFinding) -> None:
    # 5; 8 for root; 5 lowered because every call was denied; 2 for an address of the user's own
    assert [made_up_finding(name).summary.severity for name in NAMES] == [5.0, 8.0, 2.0, 2.0]


def test_a_root_user_whose_every_call_was_denied_is_one_step_lower(made_up_finding: MakeFinding) -> None:
    finding = made_up_finding("malicious_ip_caller_custom")
    root = replace(finding, seen=replace(finding.seen, facts={"root": 1.0}))
    assert summary_of(root).severity == 5.0


def test_calls_that_failed_for_other_reasons_are_not_denied(made_up_finding: MakeFinding) -> None:
    finding = made_up_finding("malicious_ip_caller_custom")
    (tally,) = finding.seen.tallies["errors"].values()
    errors = {**finding.seen.tallies, "errors": {"ThrottlingException": tally}}
    summary = summary_of(replace(finding, seen=replace(finding.seen, tallies=errors)))
    assert summary.severity == 5.0
    assert (summary.observed["denied"], summary.observed["failed"]) == (0, 3)
    assert any("3 failed for other reasons" in reason for reason in summary.reasons)


def test_reasons_come_with_numbers_and_by_weight(made_up_finding: MakeFinding) -> None:
    assert made_up_finding("tor_ip_caller").summary.reasons == (
        "198.51.100.7 is on list tor-exits (line 12, 198.51.100.7/32), valid since 2023-05-01.",
        "30 listing calls to 2 APIs between 2024-03-01 10:00 and 2024-03-01 12:00 UTC, 9 denied.",
        "List tor-exits was 290 days old at the time: treat it as weaker evidence.",
        "The address is also on malicious list daily-bad-hosts (line 90, 198.51.100.0/24), valid until 2024-04-01.",
        "Called in 2 regions: eu-central-1 (21), us-east-1 (9).",
        "Error codes: AccessDenied (9).",
    )


def test_an_address_of_the_users_own_is_one_finding_with_its_own_title(made_up_finding: MakeFinding) -> None:
    finding = made_up_finding("own_egress")
    assert finding.summary.title == "Your own address 192.0.2.44 is on list daily-bad-hosts."
    assert (finding.seen.resource_key, finding.seen.count) == (OWN_EGRESS, 5)


def test_a_row_of_nothing_but_identity_and_times_is_described() -> None:
    moment = datetime(2024, 3, 1, tzinfo=UTC)
    seen = describe({"first_time": moment, "last_time": moment, "remote_address": "203.0.113.9"}, "Recon:IAMUser/TorIPCaller")
    assert (seen.count, seen.target, seen.partition, seen.evidence) == (1, "203.0.113.9", "aws", frozenset())


def test_braces_of_an_attacker_are_no_template(made_up_finding: MakeFinding) -> None:
    finding = made_up_finding("tor_ip_caller")
    action = {"awsApiCallAction": {"api": "{list.__class__}{0}"}}
    summary = summary_of(replace(finding, seen=replace(finding.seen, action=action)))
    assert summary.title.startswith("{list.__class__}{0}, an API")


def test_long_texts_of_the_log_are_cut() -> None:
    moment = datetime(2024, 3, 1, tzinfo=UTC)
    seen = describe({"first_time": moment, "last_time": moment, "user_agent": "x" * 1_000_000}, "t")
    assert len(json.dumps(seen.action)) < 2000
