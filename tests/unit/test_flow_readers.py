"""Flow logs as text, with and without a header line, whole and broken."""

import gzip
from datetime import UTC, datetime, timedelta

import pytest
from flow_lines import DELIVERED, FLOW, HEADER, REPLY, SOME_FLOW, STARTED, places, said, text
from reading_blobs import KEY, read_bytes

from vedette.readers import BATCH_ROWS, Limits, all_readers


@pytest.mark.parametrize("head", [(HEADER,), ()])
def test_the_default_format_is_read_with_and_without_a_header_line(head: tuple[str, ...]) -> None:
    read = read_bytes(text(*head, FLOW, REPLY), "flows.log")
    assert said(read.rows[0]) == SOME_FLOW
    assert read.column("src_address") == ["192.0.2.1", "10.0.0.5"]
    assert read.column("position") == [0, 1]
    assert read.column("object") == ["flows.log"] * 2
    assert (read.counts.bad, read.counts.nulled) == (0, {})


def test_fields_stand_in_any_order_and_of_any_version() -> None:
    fields = {
        "dstport": ("443", "dst_port", 443),
        "ecs-cluster-name": ("prod", None, None),
        "reject-reason": ("BPA", "reject_reason", "BPA"),
        "tcp-flags": ("19", "tcp_flags", 19),
        "pkt-dstaddr": ("10.0.9.9", "packet_dst_address", "10.0.9.9"),
        "srcaddr": ("2001:db8::7", "src_address", "2001:db8::7"),
        "some-field-of-tomorrow": ("a=b;c", None, None),
        "end": ("1700000060", "end_time", STARTED + timedelta(seconds=60)),
        "flow-direction": ("egress", "flow_direction", "egress"),
        "traffic-path": ("8", "traffic_path", 8),
        "region": ("eu-west-1", "region", "eu-west-1"),
        "version": ("10", "version", 10),
        "pkt-src-aws-service": ("S3", "packet_src_service", "S3"),
        "subnet-id": ("subnet-1", "subnet_id", "subnet-1"),
        "vpc-id": ("vpc-1", "vpc_id", "vpc-1"),
        "instance-id": ("i-1", "instance_id", "i-1"),
        "encryption-status": ("1", None, None),
        "start": ("1700000000", "start_time", STARTED),
    }
    read = read_bytes(text(" ".join(fields), " ".join(value for value, _, _ in fields.values())))
    assert said(read.rows[0]) == {column: value for _, column, value in fields.values() if column}


def test_names_of_fields_may_be_written_with_underscores() -> None:
    read = read_bytes(text("account_id SRCADDR dstaddr tcp_flags", "123456789012 192.0.2.1 10.0.0.5 2"))
    assert said(read.rows[0]) == {
        "account_id": "123456789012",
        "src_address": "192.0.2.1",
        "dst_address": "10.0.0.5",
        "tcp_flags": 2,
    }


def test_a_field_named_twice_is_read_once() -> None:
    read = read_bytes(text("srcaddr dstaddr srcaddr dstport", "192.0.2.1 10.0.0.5 192.0.2.9 22"))
    assert (read.rows[0]["src_address"], read.rows[0]["dst_port"]) == ("192.0.2.1", 22)


@pytest.mark.parametrize(
    "data",
    [
        text(HEADER, FLOW, REPLY, end="\r\n"),
        b"\xef\xbb\xbf" + text(HEADER, FLOW, REPLY),
        b"\xef\xbb\xbf" + text(FLOW, REPLY),
        text("", HEADER, "", FLOW, "  ", REPLY, "", ""),
        text(HEADER, FLOW, REPLY).rstrip(b"\n"),
        text(HEADER, FLOW + " ", "\t" + REPLY),
        text(HEADER, FLOW.replace(" ", "\t"), REPLY),
        text(HEADER, FLOW, HEADER, REPLY),
        gzip.compress(text(HEADER, FLOW)) + gzip.compress(text(HEADER, REPLY)),
    ],
    ids=["crlf", "bom", "bom-no-header", "blank-lines", "no-last-newline", "blanks", "tabs", "joined", "joined-gz"],
)
def test_line_ends_marks_and_blanks_change_nothing(data: bytes) -> None:
    read = read_bytes(data)
    assert said(read.rows[0]) == SOME_FLOW
    assert read.column("dst_port") == [22, 40000]
    assert read.column("position") == [0, 1]
    assert (read.counts.bad, read.counts.nulled) == (0, {})


def test_files_of_different_formats_may_be_joined() -> None:
    read = read_bytes(
        text(HEADER, FLOW, "dstaddr srcaddr dstport", "10.0.0.5 192.0.2.8 80", "10.0.0.5 192.0.2.9 81", HEADER, REPLY)
    )
    assert read.column("src_address") == ["192.0.2.1", "192.0.2.8", "192.0.2.9", "10.0.0.5"]
    assert read.column("dst_port") == [22, 80, 81, 40000]
    assert read.column("position") == [0, 1, 2, 3]
    assert read.counts.bad == 0


def test_joined_files_of_a_format_without_numbers_keep_no_header_line_as_a_record() -> None:
    head = "instance-id interface-id srcaddr dstaddr"
    read = read_bytes(text(head, "- eni-1 10.0.0.5 192.0.2.1", head, "i-1 eni-2 10.0.0.6 192.0.2.2"))
    assert read.column("interface_id") == ["eni-1", "eni-2"]
    assert read.column("instance_id") == [None, "i-1"]
    assert read.counts.nulled == {}


def test_rows_of_the_wrong_length_are_counted_with_their_lines() -> None:
    read = read_bytes(text(HEADER, FLOW, FLOW + " more", "", REPLY, "too few", "x" * 300, FLOW))
    assert len(read.rows) == 3
    assert read.column("position") == [0, 2, 5]
    assert read.counts.bad == 3
    assert places(read) == ["line 3", "line 6", "line 7"]
    assert read.counts.problems[0].reason.startswith("more fields where the format has 14: '2 123456789012 eni-")
    assert read.counts.problems[1].reason == "2 fields where the format has 14: 'too few'"
    assert len(read.counts.problems[2].reason) < 200


def test_a_dash_is_null_in_every_column() -> None:
    read = read_bytes(text(HEADER, FLOW, " ".join("-" * 14)))
    assert said(read.rows[1]) == {}
    assert read.counts.nulled == {}


@pytest.mark.parametrize(
    ("field", "value", "column"),
    [
        ("srcport", "70000", "src_port"),
        ("dstport", "65536", "dst_port"),
        ("dstport", "-1", "dst_port"),
        ("srcport", "99999999999999999999999", "src_port"),
        ("srcport", "http", "src_port"),
        ("srcport", "22.0", "src_port"),
        ("protocol", "256", "protocol"),
        ("packets", "-3", "packets"),
        ("bytes", "9223372036854775808", "bytes"),
        ("version", "two", "version"),
        ("srcaddr", "192.0.2.01", "src_address"),
        ("srcaddr", "192.0.2.256", "src_address"),
        ("srcaddr", "192.0.2", "src_address"),
        ("srcaddr", "ec2.amazonaws.com", "src_address"),
        ("dstaddr", "2001:db8::g", "dst_address"),
        ("dstaddr", "fe80::1%eth0", "dst_address"),
        ("dstaddr", "10.0.0.5/32", "dst_address"),
        ("srcaddr", "192.0.2.1\0", "src_address"),
        ("interface-id", "eni-\0", "interface_id"),
        ("dstport", "2\0", "dst_port"),
    ],
)
def test_an_impossible_value_is_null_and_counted_and_the_record_kept(field: str, value: str, column: str) -> None:
    fields = FLOW.split()
    fields[HEADER.split().index(field)] = value
    read = read_bytes(text(HEADER, FLOW, " ".join(fields), REPLY))
    assert said(read.rows[1]) == {name: what for name, what in SOME_FLOW.items() if name != column}
    assert read.column("dst_port")[::2] == [22, 40000]
    assert (read.counts.nulled, read.counts.bad) == ({column: 1}, 0)


@pytest.mark.parametrize(
    ("field", "value", "column", "expected"),
    [
        ("srcport", "65535", "src_port", 65535),
        ("srcport", "0", "src_port", 0),
        ("protocol", "255", "protocol", 255),
        ("bytes", "281474976710656", "bytes", 2**48),
        ("packets", "1099511627776", "packets", 2**40),
        ("srcaddr", "255.255.255.255", "src_address", "255.255.255.255"),
        ("srcaddr", "0.0.0.0", "src_address", "0.0.0.0"),
        ("srcaddr", "::ffff:192.0.2.1", "src_address", "::ffff:192.0.2.1"),
        ("interface-id", "eni-\u00e9", "interface_id", "eni-\u00e9"),
        ("log-status", "UNHEARD-OF", "log_status", "UNHEARD-OF"),
    ],
)
def test_a_value_at_the_edge_of_the_possible_is_kept(field: str, value: str, column: str, expected: object) -> None:
    fields = FLOW.split()
    fields[HEADER.split().index(field)] = value
    read = read_bytes(text(HEADER, " ".join(fields)))
    assert said(read.rows[0]) == SOME_FLOW | {column: expected}
    assert (read.counts.nulled, read.counts.bad) == ({}, 0)


def test_invalid_utf8_is_null_where_it_is_used_and_nothing_elsewhere() -> None:
    head = text("srcaddr dstaddr dstport action some-field")
    read = read_bytes(head + b"192.0.2.1 10.0.0.5 22 AC\xff x\n" + b"192.0.2.2 10.0.0.5 22 ACCEPT \xff\xfe\n")
    assert read.column("action") == [None, "ACCEPT"]
    assert (read.counts.nulled, read.counts.bad) == ({"action": 1}, 0)


def test_a_line_of_nul_bytes_is_a_bad_record() -> None:
    read = read_bytes(text(HEADER, FLOW) + b"\0" * 400 + b"\n" + text(REPLY) + b"\0" * 4_096)
    assert len(read.rows) == 2
    assert read.column("position") == [0, 2]
    assert places(read) == ["line 3", "line 5"]


def test_nul_bytes_around_a_record_are_left_out() -> None:
    read = read_bytes(text(HEADER) + b"\0\0" + text(FLOW) + text(REPLY).rstrip(b"\n") + b"\0\0\0")
    assert said(read.rows[0]) == SOME_FLOW
    assert (len(read.rows), read.counts.bad, read.counts.nulled) == (2, 0, {})


@pytest.mark.parametrize("scale", [1, 1_000, 1_000_000, 1_000_000_000])
def test_times_are_read_in_whatever_unit(scale: int) -> None:
    fields = FLOW.split()
    fields[10:12] = [str(1_700_000_000 * scale), str(1_700_000_060 * scale)]
    read = read_bytes(text(FLOW, " ".join(fields)))
    assert read.column("start_time") == [STARTED] * 2
    assert read.column("end_time") == [STARTED + timedelta(seconds=60)] * 2


def test_early_times_are_seconds() -> None:
    read = read_bytes(text(HEADER, FLOW.replace("1700000000", "928").replace("1700000060", "0")))
    assert read.rows[0]["start_time"] == datetime(1970, 1, 1, 0, 15, 28, tzinfo=UTC)
    assert read.rows[0]["end_time"] == datetime(1970, 1, 1, tzinfo=UTC)


def test_an_impossible_time_is_counted_and_filled_in() -> None:
    bad = FLOW.replace("1700000000", "-5"), FLOW.replace("1700000000", "yesterday"), FLOW.replace("1700000060", "1e9")
    read = read_bytes(text(HEADER, *bad))
    assert read.counts.nulled == {"start_time": 2, "end_time": 1}
    assert read.column("start_time") == [STARTED + timedelta(seconds=60)] * 2 + [STARTED]
    assert read.column("end_time") == [STARTED + timedelta(seconds=60)] * 2 + [STARTED]


def test_records_without_flows_are_counted_and_kept_without_addresses() -> None:
    nothing = "2 123456789012 eni-1 - - - - - - - 1700000000 1700000060 - NODATA"
    skipped = "2 123456789012 eni-1 192.0.2.66 10.0.0.5 1 2 6 1 1 1700000000 1700000060 ACCEPT SKIPDATA"
    read = read_bytes(text(nothing, FLOW, skipped, nothing))
    assert read.counts.statuses == {"NODATA": 2, "SKIPDATA": 1}
    assert read.column("src_address") == [None, "192.0.2.1", None, None]
    assert read.column("dst_address") == [None, "10.0.0.5", None, None]
    assert read.column("log_status") == ["NODATA", "OK", "SKIPDATA", "NODATA"]
    assert (read.counts.records, read.counts.nulled) == (4, {})


def test_the_key_says_what_the_record_does_not() -> None:
    read = read_bytes(gzip.compress(text("srcaddr dstaddr dstport", "192.0.2.1 10.0.0.5 22")), KEY)
    assert said(read.rows[0]) == {
        "account_id": "123456789012",
        "region": "eu-west-1",
        "start_time": DELIVERED,
        "end_time": DELIVERED,
        "src_address": "192.0.2.1",
        "dst_address": "10.0.0.5",
        "dst_port": 22,
    }


def test_the_record_goes_before_the_key() -> None:
    head = "account-id region srcaddr dstaddr start"
    rows = (
        "999999999999 us-east-1 192.0.2.1 10.0.0.5 1700000000",
        "unknown - 192.0.2.2 10.0.0.5 -",
        "- eu-north-1 192.0.2.3 10.0.0.5 -",
    )
    read = read_bytes(text(head, *rows), KEY)
    assert read.column("account_id") == ["999999999999", "123456789012", "123456789012"]
    assert read.column("region") == ["us-east-1", "eu-west-1", "eu-north-1"]
    assert read.column("start_time") == [STARTED, DELIVERED, DELIVERED]
    assert read.counts.nulled == {}


def test_an_unknown_account_is_null_where_the_key_does_not_say_it() -> None:
    assert read_bytes(text(FLOW.replace("123456789012", "unknown"), FLOW)).column("account_id") == [None, "123456789012"]


def test_the_end_stands_in_for_a_missing_start() -> None:
    read = read_bytes(text("srcaddr dstaddr end", "192.0.2.1 10.0.0.5 1700000060"), KEY)
    assert read.rows[0]["start_time"] == read.rows[0]["end_time"] == STARTED + timedelta(seconds=60)


def test_a_line_without_end_costs_itself_alone() -> None:
    read = read_bytes(text(HEADER, FLOW, "x" * 3_000_000, REPLY), limits=Limits(max_record_bytes=1_000_000))
    assert len(read.rows) == 2
    assert read.column("position") == [0, 2]
    assert places(read) == ["line 3"]
    read = read_bytes(text(HEADER, FLOW) + b"y" * 20_000_000, limits=Limits(max_record_bytes=1_000_000))
    assert (len(read.rows), places(read)) == (1, ["line 3"])


def test_many_records_come_in_batches_of_like_size_in_their_order() -> None:
    count = BATCH_ROWS * 2 + 10
    lines = (FLOW.replace("40000", str(n % 60_000)) for n in range(count))
    read = read_bytes(gzip.compress(text(HEADER, *lines), 1))
    assert read.column("position") == list(range(count))
    assert read.column("src_port") == [n % 60_000 for n in range(count)]
    assert min(batch.num_rows for batch in read.batches) > BATCH_ROWS // 4


def test_faults_far_apart_have_their_own_line_numbers() -> None:
    lines = [FLOW] * 200_000
    lines[70_000], lines[199_998] = "broken", FLOW.replace(" 22 ", " 70000 ")
    lines[150_000] = "\0"
    read = read_bytes(text(HEADER, *lines))
    assert places(read) == ["line 70002", "line 150002"]
    assert read.counts.nulled == {"dst_port": 1}
    assert read.column("position") == [n for n in range(200_000) if n not in {70_000, 150_000}]


def test_a_short_format_does_not_make_a_large_batch() -> None:
    read = read_bytes(text("srcaddr dstaddr", *["10.0.0.1 10.0.0.2"] * 200_000))
    assert read.counts.records == 200_000
    assert read.counts.nulled == {}


@pytest.mark.parametrize(
    "head",
    [
        b"version type region\n1 a b\n",
        b"start end\n1 2\n",
        b"The srcaddr and the dstaddr of this file are written in prose\n",
        b"srcaddr,dstaddr,srcport\n1,2,3\n",
        b"#fields ts uid id.orig_h id.orig_p\n",
        b"2 123456789012 eni-1 192.0.2.1 10.0.0.5 1 2 6 1 1 1700000000 1700000060 ALLOW OK\n",
        b"[\n" + text(FLOW) * 10,
    ],
)
def test_what_only_looks_like_a_flow_log_is_not_claimed(head: bytes) -> None:
    assert [name for name, reader in all_readers().items() if reader.sniff("x", head)] == []


def test_records_behind_a_broken_first_line_are_claimed() -> None:
    assert len(read_bytes(text("0000060 ACCEPT OK", FLOW, REPLY)).rows) == 2
