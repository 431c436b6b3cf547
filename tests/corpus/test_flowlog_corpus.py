"""Real flow logs of every layout are read to the last record; nothing else is taken for one."""

import gzip
import json
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from reading_blobs import Read, read_one

from vedette.logs.blob import Blob
from vedette.logs.inflate import open_stream, read_up_to
from vedette.readers import SNIFF_BYTES, Limits, all_readers

pytestmark = pytest.mark.corpus

# Counted with wc, zcat, awk and jq.
FORMATS = {
    "aws-docs-v2-default.log": 7,
    "aws-docs-v3-nat-gateway.log": 6,
    "aws-docs-v3-tcp-flags.log": 8,
    "aws-docs-v3-transit-gateway.log": 4,
    "aws-docs-v5-traffic-path.log": 2,
    "flowlogs-reader-flows.parquet": 3,
    "opensearch-catalog-vpc-sample.json": 22,
    "opensearch-catalog-vpc-sample.v2.log": 22,
    "otel-cloudwatch-subscription-custom.json": 2,
    "otel-cloudwatch-subscription-v2.json": 2,
    "otel-v2-nodata.log": 1,
    "otel-v5-ecs.log": 1,
    "otel-v6-transit-gateway.log": 1,
}
DERIVED = {
    "bro-simple-scan-445_scan.v2.log.gz": 9,
    "bro-simple-scan-445_scan.v5.log.gz": 9,
    "bro-simple-scan-backscatter.v2.log.gz": 4694,
    "bro-simple-scan-backscatter.v5.log.gz": 4694,
    "bro-simple-scan-multiport_scan.v2.log.gz": 16,
    "bro-simple-scan-multiport_scan.v5.log.gz": 16,
    "bro-simple-scan-port_scan.v2.log.gz": 10,
    "bro-simple-scan-port_scan.v5.log.gz": 10,
    "bro-simple-scan-scan_with_zero_windows.v2.log.gz": 10,
    "bro-simple-scan-scan_with_zero_windows.v5.log.gz": 10,
    "ndpi-synscan-at-172.16.0.8.v2.log.gz": 2002,
    "ndpi-synscan-at-172.16.0.8.v5.log.gz": 2002,
    "ndpi-synscan-at-64.13.134.52.v2.log.gz": 2002,
    "ndpi-synscan-at-64.13.134.52.v5.log.gz": 2002,
    "ndpi-tcp_scan.v2.log.gz": 14,
    "ndpi-tcp_scan.v5.log.gz": 14,
    "ndpi-tor.v2.log.gz": 34,
    "ndpi-tor.v5.log.gz": 34,
    "rita-missing-host-2024-04-19.v2.log.gz": 61223,
    "slips-port-scans-horizontal.v2.log.gz": 71,
    "slips-port-scans-vertical.v2.log.gz": 100,
    "slips-ssh-bruteforce.v2.log.gz": 134,
    "slips-ssh-bruteforce.v5.log.gz": 134,
    "slips-test11-portscan.v2.log.gz": 86,
    "slips-test2-malicious.v2.log.gz": 14095,
    "slips-test4-malicious.v2.log.gz": 516,
    "slips-test7-telnet-scan.v2.log.gz": 444,
    "slips-test7-telnet-scan.v5.log.gz": 444,
}
NO_LOGS = {"ground_truth.json", "listed_probers.json.gz"}


def read_path(path: Path) -> Read:
    return read_one(Blob(name=str(path), version="1", size=path.stat().st_size, opener=partial(path.open, "rb")))


@pytest.mark.parametrize(("name", "records"), FORMATS.items())
def test_every_layout_is_read_to_the_last_record(corpus: Path, name: str, records: int) -> None:
    read = read_path(corpus / "flowlogs" / "formats" / name)
    assert (read.counts.records, read.counts.bad, read.tables) == (records, 0, {"flows"})
    assert read.column("position") == list(range(records))
    assert read.counts.nulled == ({"protocol": 1} if name.endswith(".parquet") else {})  # 8080
    silent = {"aws-docs-v2-default.log": {"NODATA": 1, "SKIPDATA": 1}, "otel-v2-nodata.log": {"NODATA": 1}}
    assert read.counts.statuses == silent.get(name, {"NODATA": 2} if name.endswith(".parquet") else {})


@pytest.mark.parametrize(("name", "records"), DERIVED.items())
def test_every_capture_is_read_to_the_last_record(corpus: Path, name: str, records: int) -> None:
    path = corpus / "flowlogs" / "derived" / name
    read = read_path(path)
    assert (read.counts.records, read.counts.bad, read.counts.nulled) == (records, 0, {})
    head, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    fields = [line.split() for line in lines]
    for field, column in (("srcaddr", "src_address"), ("dstaddr", "dst_address"), ("interface-id", "interface_id")):
        assert read.column(column) == [values[head.split().index(field)] for values in fields]
    for field, column in (("srcport", "src_port"), ("dstport", "dst_port"), ("bytes", "bytes")):
        assert read.column(column) == [int(values[head.split().index(field)]) for values in fields]


def test_no_file_is_forgotten(corpus: Path) -> None:
    flowlogs = corpus / "flowlogs"
    assert {path.name for path in (flowlogs / "formats").iterdir()} == set(FORMATS)
    assert {path.name for path in (flowlogs / "derived").iterdir()} - NO_LOGS == set(DERIVED)
    truth = json.loads((flowlogs / "derived" / "ground_truth.json").read_text())
    stated = {item["file"].removeprefix("derived/"): item["records"] for item in truth}
    assert {name.split(".v2.")[0]: records for name, records in DERIVED.items() if ".v2." in name} == stated


@pytest.mark.parametrize("name", sorted(NO_LOGS))
def test_the_ground_truth_is_no_log(corpus: Path, name: str) -> None:
    assert read_path(corpus / "flowlogs" / "derived" / name).counts.skipped == "is not a log of a known format"


def test_a_day_of_one_server_adds_up(corpus: Path) -> None:
    read = read_path(corpus / "flowlogs" / "derived" / "rita-missing-host-2024-04-19.v2.log.gz")
    assert (sum(read.column("bytes")), sum(read.column("packets"))) == (96_799_906, 295_841)
    assert len({*read.column("src_address"), *read.column("dst_address")}) == 7_638
    ports = Counter(read.column("dst_port"))
    assert (ports[22], ports[80]) == (6_787, 4_007)


def test_flags_of_a_scan_are_read(corpus: Path) -> None:
    read = read_path(corpus / "flowlogs" / "derived" / "ndpi-synscan-at-172.16.0.8.v5.log.gz")
    assert Counter(read.column("tcp_flags")) == {2: 1_994, 4: 5, 18: 3}


def test_the_wrapped_records_are_those_of_the_raw_log(corpus: Path) -> None:
    formats = corpus / "flowlogs" / "formats"
    raw = read_path(formats / "opensearch-catalog-vpc-sample.v2.log")
    wrapped = read_path(formats / "opensearch-catalog-vpc-sample.json")
    for name in ("src_address", "dst_address", "src_port", "dst_port", "bytes", "start_time", "action"):
        assert raw.column(name) == wrapped.column(name)


def test_a_custom_envelope_gives_what_can_be_told(corpus: Path) -> None:
    (first, second) = read_path(corpus / "flowlogs" / "formats" / "otel-cloudwatch-subscription-custom.json").rows
    assert (first["src_address"], first["dst_address"], first["account_id"]) == ("172.31.16.139", "172.31.16.21", "123456789012")
    assert (second["src_address"], second["dst_address"], second["src_port"]) == ("172.31.9.69", "172.31.9.12", None)


def test_no_two_readers_claim_one_file_of_the_corpus(corpus: Path) -> None:
    claims: dict[str, list[str]] = {}
    for path in sorted(path for path in corpus.rglob("*") if path.is_file()):
        with path.open("rb") as stored:
            head = read_up_to(open_stream(stored, Limits()), SNIFF_BYTES)
        claims[str(path.relative_to(corpus))] = [name for name, reader in all_readers().items() if reader.sniff(str(path), head)]
    assert {path: names for path, names in claims.items() if len(names) > 1} == {}
    flows = {path for path, names in claims.items() if names and names[0].startswith("flowlogs")}
    assert flows == {f"flowlogs/formats/{name}" for name in FORMATS} | {f"flowlogs/derived/{name}" for name in DERIVED}
    trails = {path for path, names in claims.items() if names == ["cloudtrail"]}
    assert all(path.startswith("cloudtrail/") for path in trails)
    assert len(trails) > 100
