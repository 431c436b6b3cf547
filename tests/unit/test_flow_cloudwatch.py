"""Flow logs that went through CloudWatch Logs: exports, envelopes, other JSON; whole and broken."""

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flow_lines import FLOW, REPLY, SOME_FLOW, STARTED, places, said, text
from reading_blobs import read_bytes

from vedette.readers import Limits, all_readers


def exported(*messages: str) -> bytes:
    return text(*(f"2023-11-14T22:13:{20 + n:02}.000Z {message}" for n, message in enumerate(messages)))


def envelope(*messages: str, **more: object) -> dict[str, Any]:
    events = [
        {"id": str(n), "timestamp": 1_700_000_000_000 + n * 1_000, "message": message} for n, message in enumerate(messages)
    ]
    stream = {"owner": "123456789012", "logGroup": "/vpc/flows", "logStream": "eni-0a1b2c3d-all", "subscriptionFilters": ["all"]}
    return {"messageType": "DATA_MESSAGE", **stream, "logEvents": events, **more}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_export_of_the_default_format_is_read(pack: Callable[[bytes], bytes]) -> None:
    read = read_bytes(pack(exported(FLOW, REPLY)), "exportedlogs/4f-3/eni-0a1b2c3d-all/000000.gz")
    assert said(read.rows[0]) == SOME_FLOW
    assert read.column("position") == [0, 1]
    assert (read.counts.bad, read.counts.nulled) == (0, {})


def test_an_export_of_a_custom_format_gives_what_its_shapes_tell() -> None:
    name = "exportedlogs/4f-3/eni-0a1b2c3d-all/000000.gz"
    lines = "5 vpc-1 i-0123456789abcdef0 eni-7 192.0.2.1 10.0.0.5 40000 22 ingress ACCEPT", "5 vpc-1 - eni-7 - - - - - -", "odd"
    read = read_bytes(exported(*lines), name)
    assert said(read.rows[0]) == {
        "start_time": STARTED,
        "end_time": STARTED,
        "version": 5,
        "interface_id": "eni-7",
        "instance_id": "i-0123456789abcdef0",
        "vpc_id": "vpc-1",
        "src_address": "192.0.2.1",
        "dst_address": "10.0.0.5",
        "flow_direction": "ingress",
        "action": "ACCEPT",
    }
    assert read.rows[1]["start_time"] == STARTED + timedelta(seconds=1)
    assert places(read) == ["line 3"]


@pytest.mark.parametrize("number", ["-1", "1e5", "9" * 60, "9" * 900])
@pytest.mark.parametrize("field", [0, 5, 8, 9, 10, 11])
def test_a_record_with_an_impossible_number_does_not_decide_how_others_are_read(field: int, number: str) -> None:
    values = FLOW.split()
    values[field] = number
    custom = "5 vpc-1 i-0123456789abcdef0 eni-7 192.0.2.1 10.0.0.5 40000 22 ingress ACCEPT"
    assert said(read_bytes(exported(" ".join(values), FLOW)).rows[1]) == SOME_FLOW
    read = read_bytes(json.dumps(envelope(" ".join(values), FLOW, custom)).encode())
    assert (said(read.rows[1]), read.counts.bad) == (SOME_FLOW, 0)
    assert read.rows[2]["flow_direction"] == "ingress"


def test_an_export_with_broken_lines_keeps_the_others() -> None:
    data = exported(FLOW) + text("no time " + FLOW) + exported(REPLY.replace(" 22 ", " 70000 "), "NODATA")
    read = read_bytes(data)
    assert read.column("src_port") == [40000, None]
    assert places(read) == ["line 2", "line 4"]


@pytest.mark.parametrize("between", ["", "\n", "\n\n"])
def test_envelopes_are_read_one_behind_the_other(between: str) -> None:
    control = envelope("CWL CONTROL MESSAGE: Checking health of destination Firehose.", messageType="CONTROL_MESSAGE")
    documents = [envelope(FLOW, REPLY), control, envelope(REPLY)]
    read = read_bytes(between.join(map(json.dumps, documents)).encode())
    assert said(read.rows[0]) == SOME_FLOW
    assert read.column("dst_port") == [22, 40000, 40000]
    assert read.column("position") == [0, 1, 2]
    assert (read.counts.bad, read.counts.nulled) == (0, {})


def test_envelopes_may_be_printed_in_many_lines_and_keys_in_any_order() -> None:
    data = json.dumps([envelope(FLOW), envelope(REPLY)], indent=2, sort_keys=True).encode()
    assert read_bytes(data).column("dst_port") == [22, 40000]


def test_envelopes_are_gathered_into_large_batches() -> None:
    data = b"".join(gzip.compress(json.dumps(envelope(*[FLOW] * 20)).encode(), 1) for _ in range(1_000))
    read = read_bytes(data)
    assert len(read.rows) == 20_000
    assert len(read.batches) < 5


def test_the_envelope_says_what_the_record_does_not() -> None:
    other = envelope("2 192.0.2.9 10.0.0.5 eni-9", owner="999999999999", logStream="eni-9-all")
    read = read_bytes(b"".join(json.dumps(item).encode() for item in (envelope("2 192.0.2.1 10.0.0.5 eni-8"), other)))
    assert read.column("account_id") == ["123456789012", "999999999999"]
    assert read.column("interface_id") == ["eni-8", "eni-9"]
    assert read.column("src_address") == ["192.0.2.1", "192.0.2.9"]
    assert read.column("start_time") == [STARTED, STARTED]


@pytest.mark.parametrize("names", [("srcaddr", "dstaddr", "dstport"), ("source", "destination", "destport")])
def test_extracted_fields_name_a_custom_format(names: tuple[str, str, str]) -> None:
    document = envelope("192.0.2.1 10.0.0.5 22", "192.0.2.2 - 70000")
    for event in document["logEvents"]:
        event["extractedFields"] = dict(zip(names, event["message"].split(), strict=True))
    document["logEvents"][1]["extractedFields"][names[1]] = None
    read = read_bytes(json.dumps(document).encode())
    assert read.column("src_address") == ["192.0.2.1", "192.0.2.2"]
    assert read.column("dst_address") == ["10.0.0.5", None]
    assert read.column("dst_port") == [22, None]
    assert read.column("interface_id") == ["eni-0a1b2c3d"] * 2
    assert (read.counts.nulled, read.counts.bad) == ({"dst_port": 1}, 0)


def test_a_message_that_is_no_flow_record_is_counted() -> None:
    read = read_bytes(json.dumps(envelope(FLOW, '{"level":"info"}', "", REPLY)).encode())
    assert read.column("position") == [0, 3]
    assert read.counts.bad == 2
    assert places(read) == ["event 2", "event 3"]


def test_broken_envelopes_give_their_messages() -> None:
    whole = json.dumps(envelope(FLOW, REPLY))
    read = read_bytes((whole + whole.replace('"owner"', "owner") + whole).encode())
    assert len(read.rows) == 6
    assert read.counts.bad == 1
    assert "broken envelope" in read.counts.problems[0].reason


def test_a_cut_off_envelope_is_counted_once() -> None:
    stored = gzip.compress(b"".join(json.dumps(envelope(FLOW.replace("40000", str(n)), REPLY)).encode() for n in range(900)))
    read = read_bytes(stored[: len(stored) // 2])
    assert len(read.rows) > 400
    assert (read.counts.bad, places(read)) == (1, ["end of file"])


def test_an_envelope_without_end_is_given_up() -> None:
    start = json.dumps(envelope(FLOW))[:-2] + ', {"id":"' + "x" * 4_000_000
    read = read_bytes(start.encode() + json.dumps(envelope(REPLY)).encode(), limits=Limits(max_record_bytes=1_000_000))
    assert read.column("src_port") == [40000, 22]
    assert read.counts.bad >= 1


def test_a_nesting_bomb_costs_its_envelope_alone() -> None:
    bomb = b'{"messageType":"DATA_MESSAGE","logEvents":[{"message":' + b"[" * 100_000
    read = read_bytes(json.dumps(envelope(FLOW)).encode() + bomb + json.dumps(envelope(REPLY)).encode())
    assert read.column("dst_port") == [22, 40000]
    assert read.counts.bad == 1


def test_flow_records_in_other_json_are_found() -> None:
    data = json.dumps([{"@timestamp": "x", "body": FLOW}, {"body": REPLY, "aws": {"vpc": {"bytes": 1}}}], indent=1).encode()
    assert read_bytes(data).column("dst_port") == [22, 40000]


def test_cloudtrail_in_an_envelope_is_not_taken_for_flows() -> None:
    event = {"eventVersion": "1.08", "eventName": "ListUsers", "eventSource": "iam.amazonaws.com", "message": FLOW}
    for document in (envelope(json.dumps(event)), event, {"Records": [event]}):
        head = json.dumps(document).encode()
        assert [name for name, reader in all_readers().items() if reader.sniff("x", head)] == ["cloudtrail"]
