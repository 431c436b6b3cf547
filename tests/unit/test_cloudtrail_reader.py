"""CloudTrail is read in every wrapper; what is broken costs no more than itself and is counted with its place."""

import gzip
import json
from datetime import UTC, datetime

import pytest
from reading_blobs import Read, read_bytes
from trails import KEY, WRAPPERS, bridged, compact, event, found, lines, subscribed

from vedette.errors import ReadError
from vedette.logs.json_pieces import PIECE_BYTES
from vedette.readers import BATCH_ROWS, Limits
from vedette.readers.cloudtrail import READER

IDS = [event(n)["eventID"] for n in range(5)]
EVENTS = [event(n) for n in range(5)]


def read_text(text: str | bytes, name: str = "some.json", limits: Limits | None = None) -> Read:
    return read_bytes(text.encode() if isinstance(text, str) else text, name, limits)


def ids(read: Read) -> list[str | None]:
    return read.column("event_id")


def reasons(read: Read) -> list[str]:
    return [problem.reason for problem in read.counts.problems]


# Wrappers


@pytest.mark.parametrize("wrapper", list(WRAPPERS))
@pytest.mark.parametrize("store", [bytes, gzip.compress])
def test_records_are_read_in_every_wrapper(wrapper: str, store: type[bytes]) -> None:
    read = read_bytes(store(WRAPPERS[wrapper](EVENTS).encode()))
    assert (ids(read), read.column("position")) == (IDS, [0, 1, 2, 3, 4])
    assert (read.counts.bad, read.counts.nulled, read.counts.skipped) == (0, {}, "")
    assert read.tables == {"cloudtrail"}


@pytest.mark.parametrize("wrapper", list(WRAPPERS))
def test_a_file_of_many_pieces_is_read_as_one(wrapper: str) -> None:
    count = 3 * PIECE_BYTES // len(compact(event()))
    read = read_text(WRAPPERS[wrapper]([event(n) for n in range(count)]))
    assert ids(read) == [event(n)["eventID"] for n in range(count)]
    assert read.column("position") == list(range(count))
    assert (read.counts.bad, read.counts.nulled) == (0, {})


@pytest.mark.parametrize("wrapper", list(WRAPPERS))
def test_a_byte_order_mark_changes_nothing(wrapper: str) -> None:
    read = read_text(b"\xef\xbb\xbf" + WRAPPERS[wrapper](EVENTS).encode())
    assert (ids(read), read.counts.bad) == (IDS, 0)


def test_every_column_is_filled() -> None:
    session = {
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLE:i-0123abcd",
        "arn": "arn:aws:sts::123456789012:assumed-role/Web/i-0123abcd",
        "accountId": "123456789012",
        "accessKeyId": "ASIAEXAMPLE",
        "invokedBy": "somebody",
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::123456789012:role/Web", "userName": "Web"},
            "attributes": {"creationDate": "2024-05-06T06:00:00Z"},
            "ec2RoleDelivery": "1.0",
            "sourceIdentity": "alice",
        },
    }
    more = {
        "userIdentity": session,
        "eventName": "DescribeInstanceAttribute",
        "errorCode": "AccessDenied",
        "vpcEndpointId": "vpce-0a1b",
        "sessionCredentialFromConsole": "true",
        "requestParameters": {"instanceId": "i-1", "attribute": "userData", "userName": "ann"},
    }
    (row,) = read_text(compact({"Records": [event(7, **more)]}), KEY).rows
    assert row == {
        "event_time": datetime(2024, 5, 6, 7, 0, 7, tzinfo=UTC),
        "event_id": "00000000-0000-0000-0000-000000000007",
        "account_id": "123456789012",
        "region": "us-east-1",
        "event_source": "iam.amazonaws.com",
        "event_name": "DescribeInstanceAttribute",
        "event_type": "AwsApiCall",
        "event_category": "Management",
        "read_only": True,
        "management_event": True,
        "error_code": "AccessDenied",
        "source_address": "198.51.100.7",
        "user_agent": "aws-cli/2.15.0",
        "vpc_endpoint_id": "vpce-0a1b",
        "from_console": True,
        "request_attribute": "userData",
        "request_name": "ann",
        "identity_type": "AssumedRole",
        "identity_arn": "arn:aws:sts::123456789012:assumed-role/Web/i-0123abcd",
        "identity_account_id": "123456789012",
        "principal_id": "AROAEXAMPLE:i-0123abcd",
        "access_key_id": "ASIAEXAMPLE",
        "user_name": "Web",
        "principal": "arn:aws:iam::123456789012:role/Web",
        "principal_kind": "instance",
        "session_name": "i-0123abcd",
        "issuer_arn": "arn:aws:iam::123456789012:role/Web",
        "invoked_by": "somebody",
        "credentials_created_at": datetime(2024, 5, 6, 6, tzinfo=UTC),
        "ec2_role_delivery": "1.0",
        "source_identity": "alice",
        "object": KEY,
        "position": 0,
    }


def test_account_and_region_come_from_the_caller_and_the_key_where_the_record_lacks_them() -> None:
    records = [event(0), event(1, recipientAccountId=None, awsRegion=None)]
    records += [event(2, recipientAccountId=None, userIdentity={"type": "AWSService"})]
    records[1]["userIdentity"]["accountId"] = "210987654321"
    read = read_text(compact({"Records": records}), KEY)
    assert read.column("account_id") == ["123456789012", "210987654321", "123456789012"]
    assert read.column("region") == ["us-east-1", "eu-west-1", "us-east-1"]


def test_callers_of_many_records_are_not_mixed_up() -> None:
    names = [f"user{n % 7}" for n in range(100)]
    records = [event(n, userIdentity={"type": "IAMUser", "userName": name}) for n, name in enumerate(names)]
    assert read_text(compact({"Records": records})).column("user_name") == names


def test_batches_are_no_longer_than_allowed_and_go_on_counting() -> None:
    small = compact({"eventName": "ListUsers", "eventVersion": "1", "eventTime": "2024-05-06T07:08:09Z"})
    read = read_text('{"Records":[' + ",".join([small] * (BATCH_ROWS + 7)) + "]}")
    assert sum(batch.num_rows for batch in read.batches) == BATCH_ROWS + 7
    assert len(read.batches) == 2
    assert read.column("position") == list(range(BATCH_ROWS + 7))


# What is no record of a call


@pytest.mark.parametrize(
    "name",
    [
        "AWSLogs/123456789012/CloudTrail-Digest/eu-west-1/2024/05/06/123456789012_CloudTrail-Digest_eu-west-1_x.json.gz",
        "AWSLogs/123456789012/CloudTrail-Insight/eu-west-1/2024/05/06/123456789012_CloudTrail-Insight_eu-west-1_x.json.gz",
    ],
)
def test_digest_and_insight_files_are_skipped_by_name(name: str) -> None:
    read = read_text(compact({"Records": EVENTS}), name)
    assert read.rows == []
    assert "contains no records of API calls" in read.counts.skipped


def test_a_digest_file_is_skipped_by_content() -> None:
    digest = {"awsAccountId": "123456789012", "digestStartTime": "2024-05-06T07:00:00Z", "logFiles": [{"s3Object": "x"}]}
    for text in (compact(digest), json.dumps(digest, indent=2)):
        read = read_text(text)
        assert (read.rows, read.counts.bad) == ([], 0)
        assert read.counts.skipped == "a CloudTrail digest file contains no records of API calls"


def insight() -> dict[str, object]:
    details = {"state": "Start", "eventSource": "iam.amazonaws.com", "eventName": "ListUsers"}
    return {"eventVersion": "1.08", "eventTime": "x", "eventType": "AwsCloudTrailInsight", "insightDetails": details}


def test_insights_are_skipped_by_content() -> None:
    for text in (compact({"Records": [insight()]}), lines([insight(), insight()]), compact([bridged(insight())])):
        read = read_text(text)
        assert (read.rows, read.counts.bad) == ([], 0)
        assert read.counts.skipped == "CloudTrail Insights events are not records of API calls"


def test_insights_among_records_are_left_out_and_keep_their_position() -> None:
    read = read_text(compact({"Records": [event(0), insight(), event(2)]}))
    assert (ids(read), read.column("position")) == ([IDS[0], IDS[2]], [0, 2])
    assert (read.counts.bad, read.counts.skipped) == (0, "")


def test_a_control_message_of_cloudwatch_is_no_bad_record() -> None:
    control = {"messageType": "CONTROL_MESSAGE", "logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE"}]}
    read = read_text(lines([subscribed(EVENTS[:2]), control, subscribed(EVENTS[2:])]))
    assert (ids(read), read.counts.bad) == (IDS, 0)


def test_an_empty_delivery_holds_nothing_and_nothing_bad() -> None:
    for text in ('{"Records":[]}', '{"Records": [ ] }\n'):
        read = read_text(text)
        assert (read.rows, read.counts.bad, read.counts.skipped) == ([], 0, "")


def test_notifications_of_storage_are_not_claimed() -> None:
    notice = {"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventName": "ObjectCreated:Put"}
    assert not READER.sniff("x", compact({"Records": [notice]}).encode())
    assert not READER.sniff("x", json.dumps({"Records": [notice]}, indent=2).encode())


@pytest.mark.parametrize(
    "hiding",
    [
        {"userAgent": '"eventSource":"aws:s3"'},
        {"requestParameters": {"tags": {"eventSource": "aws:s3", "digestStartTime": "x"}}},
        {"requestParameters": {"awsAccountId": "1", "digestStartTime": "x", "digestS3Bucket": "y"}},
    ],
)
@pytest.mark.parametrize("wrapper", list(WRAPPERS))
def test_a_caller_cannot_hide_a_file_by_what_it_sends(wrapper: str, hiding: dict[str, object]) -> None:
    assert len(ids(read_text(WRAPPERS[wrapper]([event(0, **hiding), event(1)])))) == 2


@pytest.mark.parametrize("wrapper", list(WRAPPERS))
def test_what_looks_like_records_within_a_record_is_part_of_it(wrapper: str) -> None:
    inner = {"Records": [event(7)], "detail": event(8), "message": compact(event(9)), "CloudTrailEvent": compact(event(9))}
    records = [event(0, requestParameters=inner, responseElements={"events": [event(6)]}), event(1)]
    assert ids(read_text(WRAPPERS[wrapper](records))) == IDS[:2]


def test_a_table_of_a_honeypot_is_no_cloudtrail() -> None:
    head = (
        "Event Type,Event Name,Request ID,User ID,Request Parameters\nAwsApiCall,ListObjects,0A1B,\"{'type': 'AWSAccount'}\",x\n"
    )
    assert read_text(head).counts.skipped == "is not a log of a known format"


# Damage


def test_a_cut_off_archive_gives_its_whole_records() -> None:
    records = [event(n, requestParameters={"name": f"{n * 2_654_435_761 % 2**32:08x}"}) for n in range(3_000)]
    stored = gzip.compress(compact({"Records": records}).encode())
    read = read_bytes(stored[: len(stored) // 2])
    assert 1_000 < len(read.rows) < 2_000
    assert ids(read) == [record["eventID"] for record in records[: len(read.rows)]]
    assert read.counts.bad == 1
    assert read.counts.problems[0].place == "end of file"


def test_an_archive_that_gives_nothing_raises() -> None:
    with pytest.raises(ReadError, match=r"^some\.log: "):
        read_bytes(gzip.compress(compact({"Records": EVENTS}).encode())[:12])


def test_half_a_document_gives_its_whole_records() -> None:
    text = compact({"Records": EVENTS})
    for end, whole in ((text.index('"eventID":"' + IDS[3]), 3), (len(text) - 2, 5), (len(text) - 3, 4), (20, 0)):
        read = read_text(text[:end])
        assert ids(read) == IDS[:whole]
        assert read.counts.bad == 1
        assert reasons(read) == ["the text ends before its brackets are closed"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"eventName":"ListUsers"', '"eventName":"ListUsers'),  # a string that is not closed
        ('"eventName":"ListUsers"', '"eventName":ListUsers'),
        ('"eventName":"ListUsers"', '"eventName" "ListUsers"'),
        ('"requestParameters":{"maxItems":100}', '"requestParameters":{"maxItems":100'),
        ('"readOnly":true', '"readOnly":tru'),
        ('"readOnly":true', '"readOnly":\0\0\0'),
        ('"readOnly":true', '"readOnly":[[['),
    ],
)
def test_a_broken_record_costs_no_neighbour(before: str, after: str) -> None:
    texts = [compact(record) for record in EVENTS]
    assert before in texts[2]
    texts[2] = texts[2].replace(before, after)
    for text in ('{"Records":[' + ",".join(texts) + "]}", "[" + ",".join(texts) + "]", "\n".join(texts)):
        read = read_text(text)
        assert [name for name in ids(read) if name != IDS[2]] == [IDS[0], IDS[1], IDS[3], IDS[4]]
        assert read.counts.bad >= 1
        assert read.counts.problems[0].place.startswith("byte ")


def test_places_of_broken_records_are_where_they_are() -> None:
    texts = [compact(event(n)) for n in range(5_000)]
    texts[4_000] = "?"
    text = '{"Records":[' + ",".join(texts) + "]}"
    read = read_text(text)
    assert (len(read.rows), read.counts.bad) == (4_999, 1)
    assert read.counts.problems[0].place == f"byte {text.index('?')}"
    assert read.column("position")[4_000] == 4_001


def test_junk_between_lines_costs_no_line() -> None:
    texts = [compact(event(n)) for n in range(4)]
    read = read_text("\n".join([texts[0], "<html>no JSON</html>", texts[1], "\0\0\0", texts[2], "{}", "[1]", texts[3]]))
    assert ids(read) == IDS[:4]
    assert read.counts.bad >= 3


@pytest.mark.parametrize(
    ("member", "value", "column"),
    [
        ("eventTime", 1_714_979_289, "event_time"),
        ("eventTime", "yesterday", "event_time"),
        ("eventTime", "2024-02-31T00:00:00Z", "event_time"),
        ("eventID", ["a"], "event_id"),
        ("recipientAccountId", 123456789012, "account_id"),
        ("awsRegion", {"a": 1}, "region"),
        ("eventSource", 1, "event_source"),
        ("eventName", False, "event_name"),
        ("errorCode", 403, "error_code"),
        ("sourceIPAddress", 3_232_235_777, "source_address"),
        ("userAgent", ["a"], "user_agent"),
        ("vpcEndpointId", 7, "vpc_endpoint_id"),
        ("readOnly", "perhaps", "read_only"),
        ("readOnly", 1, "read_only"),
        ("managementEvent", {}, "management_event"),
        ("sessionCredentialFromConsole", 0, "from_console"),
        ("userIdentity", "alice", "identity_type"),
    ],
)
def test_a_wrong_type_costs_its_field_and_is_counted(member: str, value: object, column: str) -> None:
    read = read_text(compact({"Records": [event(0), event(1, **{member: value}), event(2)]}))
    assert len(read.rows) == 3
    assert (read.counts.bad, read.counts.nulled) == (0, {column: 1})
    sound = read_text(compact({"Records": [event(1)]})).rows[0]
    changed = {name for name, was in sound.items() if read.rows[1][name] != was} - {"position"}
    if column == "identity_type":
        assert read.rows[1]["principal"] is None
    elif column in {"account_id", "from_console", "vpc_endpoint_id", "error_code"}:
        assert changed == set()  # the account is taken from the caller; the others are seldom there
    else:
        assert changed == {column}
        assert read.rows[1][column] is None


def test_a_missing_time_is_null_and_counted() -> None:
    read = read_text(compact({"Records": [event(0, eventTime=None), event(1), event(2, eventTime="")]}))
    assert [time is None for time in read.column("event_time")] == [True, False, True]
    assert read.counts.nulled == {"event_time": 2}


def test_a_log_shipper_may_have_moved_the_time() -> None:
    read = read_text(lines([event(0, eventTime=None) | {"@timestamp": "2024-05-06T07:08:09.123Z"}]))
    assert read.column("event_time") == [datetime(2024, 5, 6, 7, 8, 9, 123_000, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2024-05-06T07:08:09.123456789Z", datetime(2024, 5, 6, 7, 8, 9, 123_456, tzinfo=UTC)),
        ("2024-05-06 07:08:09", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ("2024-05-06T07:08:09+02:00", datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)),
        ("2024-05-06T07:08:09-0230", datetime(2024, 5, 6, 9, 38, 9, tzinfo=UTC)),
        ("2024-05-06 07:08:09.5 UTC", datetime(2024, 5, 6, 7, 8, 9, 500_000, tzinfo=UTC)),
        ("2024-05-06T07:08:09+99:00", None),
        ("0001-01-01T00:00:00+12:00", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2099-12-31T23:59:59Z", datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("٢٠٢٤-05-06T07:08:09Z", None),
    ],
)
def test_times_of_exports_are_understood(text: str, time: datetime | None) -> None:
    assert read_text(lines([event(0), event(1, eventTime=text)])).column("event_time")[1] == time


@pytest.mark.parametrize(
    "text",
    [
        *("2024-05-06", "2024-05-06Z", "2024-05-06T07Z", "2024-05-06T07:08Z", "2024-05-06T07:08:09Z", "2024-05-06 07:08:09Z"),
        *("2024-05-06T07:08:09.1Z", "2024-05-06T07:08:09.123456Z", "2024-05-06T07:08:09+02", "2024-05-06T07:08:09-0030"),
        *(
            "2024-05-06T07:08:60Z",
            "2024-05-06T24:00:00Z",
            "20240506T070809Z",
            " 2024-05-06T07:08:09Z",
            "2024-05-06T07:08:09+25:00",
        ),
        *("2024-05-06T07:08.5Z", "2024-02-30T07:08:09Z", "1999-12-31T23:59:59Z", "2100-01-01T00:00:00+00:30", ""),
        *("0000-12-31T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59.999999Z"),
        *("9999-12-31T23:59:59-01:00", "10000-01-01T00:00:00Z", "1969-12-31T23:59:59.5Z"),
    ],
)
def test_a_time_is_what_it_is_whatever_stands_beside_it(text: str) -> None:
    alone = read_text(lines([event(0, eventTime=text)])).column("event_time")
    beside = read_text(lines([event(0, eventTime=text), event(1, eventTime="yesterday")])).column("event_time")
    assert beside == [*alone, None]


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), (True, True), (False, False)])
def test_truth_may_be_text(text: object, value: bool) -> None:
    assert read_text(lines([event(0, readOnly=text)])).column("read_only") == [value]


@pytest.mark.parametrize("value", [1, ["a"], {"a": 1}, None, True])
def test_a_parameter_that_is_no_text_is_null(value: object) -> None:
    asked = {"attribute": value, "userName": value, "roleName": value}
    read = read_text(lines([event(0, requestParameters=asked), event(1, requestParameters="text")]))
    assert read.column("request_attribute") == read.column("request_name") == [None, None]
    assert len(read.rows) == 2


def test_whom_a_call_names_is_a_user_or_a_role() -> None:
    asked: list[dict[str, object]] = [
        {"userName": "ann"},
        {"roleName": "web"},
        {"userName": "ann", "roleName": "web"},
        {"name": "x"},
    ]
    read = read_text(lines([event(number, requestParameters=item) for number, item in enumerate(asked)]))
    assert read.column("request_name") == ["ann", "web", "ann", None]
    (rescued,) = read_text(lines([event(0, requestParameters=asked[1], errorMessage="x", eventType=7)])).rows
    assert rescued["request_name"] == "web"


@pytest.mark.parametrize("form", ["delivered", "array", "lines", "array, indented", "LookupEvents", "CloudWatch subscription"])
@pytest.mark.parametrize("at", [0, 500, 999])
def test_a_record_of_five_megabytes_is_a_record(form: str, at: int) -> None:
    records = [event(n, requestParameters={"text": "x" * (5 << 20) if n == at else "x"}) for n in range(1_000)]
    read = read_text(WRAPPERS[form](records))
    assert ids(read) == [record["eventID"] for record in records]
    assert (read.counts.bad, read.counts.nulled) == (0, {})


@pytest.mark.parametrize("form", ["delivered", "array", "lines", "array, indented"])
@pytest.mark.parametrize("at", [0, 500, 999])
def test_a_record_beyond_the_limit_costs_itself_only(form: str, at: int) -> None:
    records = [event(n, requestParameters={"text": "x" * (3 << 20) if n == at else "x"}) for n in range(1_000)]
    read = read_text(WRAPPERS[form](records), limits=Limits(max_record_bytes=1 << 20))
    assert ids(read) == [record["eventID"] for n, record in enumerate(records) if n != at]
    assert read.counts.bad == 1
    assert reasons(read) == ["a record of more than 1048576 bytes (limit max_record_bytes)"]


def test_invalid_text_is_replaced_and_counted() -> None:
    text = lines([event(0), event(1, userAgent="@@"), event(2)]).encode().replace(b"@@", b"a\xffb")
    read = read_text(text)
    assert read.column("user_agent")[1] == "a\N{REPLACEMENT CHARACTER}b"
    assert (read.counts.bad, read.counts.nulled) == (0, {"user_agent": 1})


def test_half_a_surrogate_pair_is_replaced_and_counted() -> None:
    read = read_text(lines([event(0, userAgent="@@")]).replace("@@", "a\\ud800b"))
    assert (read.column("user_agent"), read.counts.nulled) == (["a?b"], {"user_agent": 1})


def test_bare_control_characters_in_a_text_are_kept() -> None:
    read = read_text(compact({"Records": [event(0, userAgent="@@"), event(1)]}).replace("@@", "a\0\tb"))
    assert (ids(read), read.column("user_agent")[0]) == (IDS[:2], "a\0\tb")


def test_zeros_between_records_are_counted() -> None:
    text = ",".join(map(compact, EVENTS[:2])) + "\0" * 100 + "," + compact(EVENTS[2])
    read = read_text('{"Records":[' + text + "]}")
    assert (ids(read), read.counts.bad) == (IDS[:3], 1)


@pytest.mark.parametrize("brackets", ["[", '{"a":', '[{"a":'])
def test_a_nesting_bomb_costs_its_record_and_is_named(brackets: str) -> None:
    texts = [compact(event(0)), compact(event(1)).replace('{"maxItems":100}', brackets * 100_000), compact(event(2))]
    for text in ('{"Records":[' + ",".join(texts) + "]}", "\n".join(texts)):
        read = read_text(text)
        assert [name for name in ids(read) if name != IDS[1]] == [IDS[0], IDS[2]]
        assert "nested deeper than 256 levels" in reasons(read)


def test_a_record_with_deep_parameters_is_a_record() -> None:
    deep = json.loads('{"a":' * 200 + "1" + "}" * 200)
    read = read_text(compact({"Records": [event(0, requestParameters=deep)]}))
    assert (ids(read), read.counts.bad) == (IDS[:1], 0)


def test_wrappers_around_wrappers_come_to_an_end() -> None:
    text: object = event(0)
    for _ in range(10):
        text = found(text)
    read = read_text(lines([text, event(1)]))
    assert (ids(read), reasons(read)) == ([IDS[1]], ["wrapped too often"])


def test_reading_ends_where_no_record_comes_any_more() -> None:
    limits = Limits(max_record_bytes=1 << 18)
    read = read_text(compact(event(0)) + "\n" + "\0" * (8 << 20) + "\n" + compact(event(1)), limits=limits)
    assert ids(read) == IDS[:1]
    assert "the rest is not read" in reasons(read)[-1]


def test_a_record_that_is_nothing_but_a_name_is_kept() -> None:
    (row,) = read_text('{"Records":[{"eventName":"ListUsers"}]}').rows
    assert {name for name, value in row.items() if value is not None} == {"event_name", "principal_kind", "object", "position"}


def test_a_record_without_a_name_is_kept_if_it_has_a_service() -> None:
    read = read_text(compact({"Records": [event(0, eventName=None), event(1, eventSource=None), {"eventVersion": "1.08"}]}))
    assert (ids(read), read.counts.bad) == (IDS[:2], 1)
    assert reasons(read) == ["not a CloudTrail record: neither eventName nor eventSource"]


def test_a_number_of_any_length_is_no_obstacle() -> None:
    text = compact(event(0)).replace('"maxItems":100', '"maxItems":' + "9" * 10_000).replace('"readOnly":true', '"readOnly":3')
    assert ids(read_text(text)) == IDS[:1]


def test_a_file_that_goes_on_with_something_else_gives_its_records() -> None:
    read = read_bytes(gzip.compress(compact({"Records": EVENTS}).encode()) + b"something else")
    assert (ids(read), read.counts.bad) == (IDS, 1)
