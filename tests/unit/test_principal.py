"""Every kind of userIdentity gets its stable key, its kind and the columns that findings show."""

import json
from typing import Any

import pytest

from vedette.logs.cloudtrail.identity import HIDDEN_NAME, Caller
from vedette.logs.cloudtrail.record import caller_in

ACCOUNT = "123456789012"
ROLE_ID = "AROAEXAMPLEROLE00000"


def caller(identity: object) -> Caller:
    """Return the caller, where nothing had an impossible value."""
    found, nulled = caller_in(json.dumps(identity).encode())
    assert nulled == []
    return found


def session(role: str, name: str, *, path: str = "/", issuer: bool = True, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Write the identity of a session of a role."""
    context: dict[str, Any] = {
        "attributes": {"creationDate": "2024-05-06T07:08:09Z", "mfaAuthenticated": "false"},
        "webIdFederationData": {},
    }
    if issuer:
        context["sessionIssuer"] = {
            "type": "Role",
            "principalId": ROLE_ID,
            "arn": f"arn:aws:iam::{ACCOUNT}:role{path}{role}",
            "accountId": ACCOUNT,
            "userName": role,
        }
    return {
        "type": "AssumedRole",
        "principalId": f"{ROLE_ID}:{name}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAEXAMPLE000000000",
        "sessionContext": context | more.pop("context", {}),
        **more,
    }


def test_an_iam_user_is_its_arn() -> None:
    found = caller(
        {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLE000000000",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/team/alice",
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAEXAMPLE000000000",
            "userName": "alice",
        }
    )
    assert found == Caller(
        identity_type="IAMUser",
        identity_arn=f"arn:aws:iam::{ACCOUNT}:user/team/alice",
        identity_account_id=ACCOUNT,
        principal_id="AIDAEXAMPLE000000000",
        access_key_id="AKIAEXAMPLE000000000",
        user_name="alice",
        principal=f"arn:aws:iam::{ACCOUNT}:user/team/alice",
        principal_kind="user",
    )


def test_an_iam_user_without_arn_gets_the_arn_that_it_would_have() -> None:
    found = caller({"type": "IAMUser", "accountId": ACCOUNT, "userName": "alice"})
    assert (found.principal, found.user_name) == (f"arn:aws:iam::{ACCOUNT}:user/alice", "alice")


def test_a_name_that_is_hidden_makes_no_key() -> None:
    found = caller({"type": "IAMUser", "accountId": ACCOUNT, "userName": HIDDEN_NAME, "accessKeyId": ""})
    assert found.principal is not None
    assert "user/" not in found.principal
    assert found.access_key_id is None


def test_an_iam_user_with_temporary_credentials_is_still_the_user() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/alice"
    attributes = {"creationDate": "2024-05-06T07:08:09Z", "mfaAuthenticated": "true"}
    found = caller({"type": "IAMUser", "arn": arn, "sessionContext": {"attributes": attributes}})
    assert (found.principal, found.principal_kind, found.user_name) == (arn, "user", "alice")
    assert found.credentials_created_at == "2024-05-06T07:08:09Z"
    assert found.session_name is None


@pytest.mark.parametrize(
    "identity",
    [
        {"type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT},
        {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT, "userName": "the-alias"},
        {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"},
        {"type": "Root", "principalId": ACCOUNT},
        {"arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT},
    ],
)
def test_the_root_user_is_the_account(identity: dict[str, str]) -> None:
    found = caller(identity)
    assert (found.principal, found.principal_kind, found.user_name) == (f"root:{ACCOUNT}", "root", "Root")
    assert found.principal_id == (ACCOUNT if "accountId" in identity or "principalId" in identity else None)


def test_a_session_is_its_role_and_keeps_the_path() -> None:
    found = caller(session("Auditor", "alice@example.com", path="/team/"))
    assert found.principal == f"arn:aws:iam::{ACCOUNT}:role/team/Auditor"
    assert (found.principal_kind, found.session_name) == ("role", "alice@example.com")
    assert found.user_name == "Auditor"  # the role's name: contract 7.1
    assert found.principal_id == f"{ROLE_ID}:alice@example.com"
    assert found.issuer_arn == found.principal


def test_two_sessions_of_a_role_are_one_principal() -> None:
    assert caller(session("Auditor", "alice")).principal == caller(session("Auditor", "bob")).principal


def test_a_session_without_issuer_is_the_role_of_its_arn() -> None:
    found = caller(session("Auditor", "alice", issuer=False))
    assert found.principal == f"arn:aws:iam::{ACCOUNT}:role/Auditor"
    assert (found.user_name, found.issuer_arn) == ("Auditor", found.principal)


def test_a_session_in_another_partition_is_the_role_of_that_partition() -> None:
    arn = f"arn:aws-us-gov:sts::{ACCOUNT}:assumed-role/Auditor/alice"
    assert caller({"type": "AssumedRole", "arn": arn}).principal == f"arn:aws-us-gov:iam::{ACCOUNT}:role/Auditor"


def test_a_session_without_arn_takes_its_name_from_the_principal_id() -> None:
    identity = session("Auditor", "alice")
    del identity["arn"]
    assert (caller(identity).session_name, caller(identity).principal_kind) == ("alice", "role")


def test_identity_center_keys_on_permission_set_and_person() -> None:
    in_one = caller(session("AWSReservedSSO_ReadOnly_Access_0123456789abcdef", "Alice@Example.com", path="/aws-reserved/x/"))
    in_another = caller(session("AWSReservedSSO_ReadOnly_Access_fedcba9876543210", "alice@example.com", path="/aws-reserved/x/"))
    assert in_one.principal == in_another.principal == "sso:ReadOnly_Access:alice@example.com"
    assert in_one.principal_kind == "sso"
    assert in_one.session_name == "Alice@Example.com"
    assert in_one.user_name == "AWSReservedSSO_ReadOnly_Access_0123456789abcdef"


def test_a_role_that_only_resembles_identity_center_is_a_role() -> None:
    found = caller(session("MyAWSReservedSSO_ReadOnly_0123456789abcdef", "alice"))
    assert (found.principal_kind, found.principal) == (
        "role",
        f"arn:aws:iam::{ACCOUNT}:role/MyAWSReservedSSO_ReadOnly_0123456789abcdef",
    )


@pytest.mark.parametrize("instance", ["i-0123abcd", "i-0123456789abcdef0"])
def test_an_instance_is_its_role(instance: str) -> None:
    found = caller(session("WebServer", instance, context={"ec2RoleDelivery": "2.0"}))
    assert (found.principal, found.principal_kind) == (f"arn:aws:iam::{ACCOUNT}:role/WebServer", "instance")
    assert (found.session_name, found.ec2_role_delivery) == (instance, "2.0")


@pytest.mark.parametrize("name", ["i-0123abc", "i-0123456789abcdef01", "i-0123ABCD", "i-love-aws", "xi-0123abcd"])
def test_a_session_that_only_resembles_an_instance_is_none(name: str) -> None:
    assert caller(session("WebServer", name)).principal_kind != "instance"


@pytest.mark.parametrize(
    "name",
    [
        "botocore-session-1714979289",
        "aws-go-sdk-1688990082523310002",
        "AWSCodeBuild-6a0b6f3e-7c6b-4d0a-8f4e-0123456789ab",
        "8f14e45fceea167a5a36dedd4bea2543",  # an ECS task
        "eks-prod-my-service-6a0b6f3e-7c6b-4d0a-8f4e-0123456789ab",
        "GitHubActions",
        "gitlab-runner-4711",
        "1714979289123",
        "terraform-plan",
        "mi-0123456789abcdef0",
        "GlueJobRunnerSession",
        "job_0a1b2c3d4e5f6",
    ],
)
def test_workloads_are_their_role_whatever_their_session_is_named(name: str) -> None:
    found = caller(session("Deployer", name))
    assert (found.principal, found.principal_kind) == (f"arn:aws:iam::{ACCOUNT}:role/Deployer", "workload")
    assert found.session_name == name


@pytest.mark.parametrize(
    "name", ["alice", "alice.jones@example.com", "bob-2024", "deadbeef", "j.facade", "gluehwein", "eksperten", "ecstatic"]
)
def test_names_of_people_are_no_workloads(name: str) -> None:
    assert caller(session("Auditor", name)).principal_kind == "role"


@pytest.mark.parametrize("role", ["Auditor", "lambda-developers", "MyLambda", "terraform"])
@pytest.mark.parametrize("path", ["/", "/service-role/", "/lambda/"])
@pytest.mark.parametrize(
    "name", ["jenkins@example.com", "Github.Owner@example.co.uk", "terraform+ci@example.com", "glue-team@example.org"]
)
def test_a_person_with_an_address_is_no_workload_whatever_the_names(role: str, path: str, name: str) -> None:
    assert caller(session(role, name, path=path)).principal_kind == "role"


def test_a_function_is_a_workload_by_its_role() -> None:
    found = caller(session("report-role-abcd1234", "nightly-report", path="/service-role/"))
    assert (found.principal_kind, found.principal) == (
        "workload",
        f"arn:aws:iam::{ACCOUNT}:role/service-role/report-role-abcd1234",
    )


def test_a_web_identity_makes_a_workload_of_any_session() -> None:
    federation = {"federatedProvider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.example.com/id/0A1B", "attributes": {}}
    pod = caller(session("PodRole", "alice", context={"webIdFederationData": federation}))
    assert (pod.principal, pod.principal_kind) == (f"arn:aws:iam::{ACCOUNT}:role/PodRole", "workload")
    assert caller(session("PodRole", "alice", context={"webIdFederationData": {"attributes": {}}})).principal_kind == "role"


def test_the_source_identity_is_kept() -> None:
    assert caller(session("Auditor", "alice", context={"sourceIdentity": "alice@corp"})).source_identity == "alice@corp"


def test_a_role_itself_is_its_arn() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/Auditor"
    found = caller({"type": "Role", "principalId": ROLE_ID, "arn": arn, "accountId": ACCOUNT})
    assert (found.principal, found.principal_kind, found.user_name) == (arn, "role", "Auditor")


def test_a_saml_user_is_issuer_and_name() -> None:
    identity = {
        "type": "SAMLUser",
        "principalId": "0a1b/c2d=:alice@example.com",
        "userName": "alice@example.com",
        "identityProvider": "0a1b/c2d=",
    }
    found = caller(identity)
    assert (found.principal, found.principal_kind) == ("federated:0a1b/c2d=:alice@example.com", "federated")
    assert found.user_name == "alice@example.com"


def test_a_web_identity_user_is_issuer_and_name() -> None:
    identity = {
        "type": "WebIdentityUser",
        "principalId": "accounts.example.com:app.example.com:4711",
        "userName": "4711",
        "identityProvider": "accounts.example.com",
    }
    assert caller(identity).principal == "federated:accounts.example.com:4711"
    del identity["userName"]
    assert caller(identity).principal == "federated:accounts.example.com:4711"


def test_a_federated_user_is_the_user_that_issued_it_and_its_name() -> None:
    issuer = f"arn:aws:iam::{ACCOUNT}:user/broker"
    found = caller(
        {
            "type": "FederatedUser",
            "principalId": f"{ACCOUNT}:alice",
            "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/alice",
            "accountId": ACCOUNT,
            "accessKeyId": "ASIAEXAMPLE000000000",
            "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": issuer, "userName": "broker"}},
        }
    )
    assert (found.principal, found.principal_kind) == (f"federated:{issuer}:alice", "federated")
    assert (found.user_name, found.issuer_arn, found.session_name) == ("alice", issuer, None)


def test_a_federated_user_of_the_root_user_is_account_and_name() -> None:
    found = caller({"type": "FederatedUser", "principalId": f"{ACCOUNT}:alice", "accountId": ACCOUNT})
    assert (found.principal, found.user_name) == (f"federated:{ACCOUNT}:alice", "alice")


def test_an_identity_center_user_is_its_store_and_number() -> None:
    found = caller(
        {
            "type": "IdentityCenterUser",
            "accountId": ACCOUNT,
            "onBehalfOf": {"userId": "u-1", "identityStoreArn": f"arn:aws:identitystore::{ACCOUNT}:identitystore/d-0123"},
        }
    )
    assert (found.principal, found.principal_kind) == ("sso:d-0123:u-1", "sso")


def test_another_account_is_account_and_principal_without_its_session() -> None:
    identity = {"type": "AWSAccount", "principalId": f"{ROLE_ID}:alice", "accountId": "210987654321"}
    found = caller(identity)
    assert (found.principal, found.principal_kind) == (f"account:210987654321:{ROLE_ID}", "account")
    assert found.principal_id == f"{ROLE_ID}:alice"


def test_a_service_is_no_person() -> None:
    found = caller({"type": "AWSService", "invokedBy": "config.amazonaws.com"})
    assert (found.principal, found.principal_kind) == ("config.amazonaws.com", "service")
    assert found.invoked_by == "config.amazonaws.com"


@pytest.mark.parametrize("invoker", ["cloudformation.amazonaws.com", "AWS Internal", "backup.amazonaws.com.cn"])
def test_a_call_by_a_service_for_somebody_keeps_the_key_and_is_a_service(invoker: str) -> None:
    found = caller(session("Auditor", "alice") | {"invokedBy": invoker})
    assert (found.principal, found.principal_kind) == (f"arn:aws:iam::{ACCOUNT}:role/Auditor", "service")


def test_an_invoker_that_only_resembles_a_service_is_none() -> None:
    assert caller(session("Auditor", "alice") | {"invokedBy": "amazonaws.com.example.com"}).principal_kind == "role"


@pytest.mark.parametrize(
    ("role", "path"), [("AWSServiceRoleForConfig", "/"), ("AWSServiceRoleForConfig", "/aws-service-role/config.amazonaws.com/")]
)
@pytest.mark.parametrize("issuer", [True, False])
def test_a_service_linked_role_is_a_service(role: str, path: str, issuer: bool) -> None:
    assert caller(session(role, "ConfigSession", path=path, issuer=issuer)).principal_kind == "service"


def test_a_role_for_a_service_that_is_not_linked_is_no_service() -> None:
    assert caller(session("MyAWSServiceRoleForConfig", "alice")).principal_kind == "role"


@pytest.mark.parametrize("identity", [None, {}])
def test_no_identity_is_unknown(identity: object) -> None:
    assert caller(identity) == Caller()


def test_a_record_without_identity_is_unknown() -> None:
    assert caller_in(b"") == (Caller(), [])


@pytest.mark.parametrize(
    ("identity", "principal"),
    [
        ({"type": "OfTomorrow", "arn": "arn:aws:x:::y"}, "arn:aws:x:::y"),
        ({"type": "OfTomorrow", "principalId": "XYZA:session"}, "XYZA"),
        ({"type": "Unknown", "accessKeyId": "AKIAEXAMPLE000000000"}, "AKIAEXAMPLE000000000"),
        ({"accountId": ACCOUNT}, ACCOUNT),
        ({"type": "OfTomorrow"}, None),
    ],
)
def test_an_unknown_type_is_its_most_telling_member(identity: dict[str, str], principal: str | None) -> None:
    found = caller(identity)
    assert (found.principal, found.principal_kind) == (principal, "unknown")


@pytest.mark.parametrize("kind", ["Unknown", "OfTomorrow"])
@pytest.mark.parametrize("known", [{"principalId": ACCOUNT, "arn": ""}, {"principalId": ""}, {}, {"principalId": None}])
def test_persons_of_unknown_type_are_told_apart_by_their_names(kind: str, known: dict[str, str | None]) -> None:
    names = ["alice@example.com", "bob@example.com", "bob", "Bob"]
    found = [caller({"type": kind, "accountId": ACCOUNT, "userName": name} | known) for name in names]
    assert [one.principal for one in found] == [f"unknown:{ACCOUNT}:{name}" for name in names]
    elsewhere = caller({"type": kind, "accountId": "210987654321", "userName": "bob"})
    assert elsewhere.principal == "unknown:210987654321:bob"
    hidden = caller({"type": kind, "accountId": ACCOUNT, "userName": HIDDEN_NAME} | known)
    assert hidden.principal != f"unknown:{ACCOUNT}:{HIDDEN_NAME}"


@pytest.mark.parametrize(
    ("arn", "kind"),
    [
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Auditor/alice", "role"),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/alice", "federated"),
        (f"arn:aws:iam::{ACCOUNT}:user/alice", "user"),
        (f"arn:aws:iam::{ACCOUNT}:role/Auditor", "role"),
    ],
)
def test_a_missing_type_is_seen_by_the_arn(arn: str, kind: str) -> None:
    found = caller({"arn": arn, "accountId": ACCOUNT})
    assert (found.principal_kind, found.identity_type) == (kind, None)


@pytest.mark.parametrize(
    ("member", "value", "column"),
    [
        ("type", 7, "identity_type"),
        ("principalId", [], "principal_id"),
        ("arn", {"a": 1}, "identity_arn"),
        ("accountId", 123456789012, "identity_account_id"),
        ("accessKeyId", True, "access_key_id"),
        ("invokedBy", 1.5, "invoked_by"),
        ("sessionContext", "text", "issuer_arn"),
        ("onBehalfOf", [1], "principal"),
    ],
)
def test_a_member_of_a_wrong_type_is_left_out_and_named(member: str, value: object, column: str) -> None:
    identity = session("Auditor", "alice")
    found, nulled = caller_in(json.dumps(identity | {member: value}).encode())
    assert nulled == [column]
    identity.pop(member, None)
    assert found == caller(identity)


@pytest.mark.parametrize(
    ("member", "value", "column"),
    [
        ("sessionIssuer", [], "issuer_arn"),
        ("attributes", 3, "credentials_created_at"),
        ("webIdFederationData", "x", "principal_kind"),
        ("sourceIdentity", 3, "source_identity"),
        ("ec2RoleDelivery", 2.0, "ec2_role_delivery"),
    ],
)
def test_a_member_of_the_session_likewise(member: str, value: object, column: str) -> None:
    found, nulled = caller_in(json.dumps(session("Auditor", "alice", context={member: value})).encode())
    assert nulled == [column]
    assert found.principal == f"arn:aws:iam::{ACCOUNT}:role/Auditor"


@pytest.mark.parametrize("identity", [b'"text"', b"[]", b"7", b"true", b'{"type":', b"\xff"])
def test_an_identity_that_is_no_object_is_unknown_and_named(identity: bytes) -> None:
    assert caller_in(identity) == (Caller(), ["identity_type"])


def test_half_a_surrogate_pair_is_repaired_and_named() -> None:
    found, nulled = caller_in(b'{"type":"IAMUser","userName":"a\\ud800b","accountId":"123456789012"}')
    assert (found.user_name, nulled) == ("a?b", ["user_name"])


def test_a_hostile_session_name_takes_no_time() -> None:
    name = "0123456789abcdef-" * 200_000 + "\n"
    assert caller(session("Auditor", name)).session_name == name
