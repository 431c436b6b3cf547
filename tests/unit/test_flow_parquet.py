"""Flow logs as Parquet, of any types of columns, whole and broken."""

import io
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from flow_lines import SOME_FLOW, STARTED, places, said
from pyarrow import parquet
from reading_blobs import read_bytes

from vedette.errors import ReadError
from vedette.readers import Limits


def packed(columns: dict[str, Any], **options: Any) -> bytes:  # noqa: ANN401 - pyarrow's
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink, **options)
    return sink.getvalue()


WIDTHS = [
    (pa.int32(), pa.int64()),
    (pa.int64(), pa.int64()),
    (pa.uint16(), pa.uint64()),
    (pa.string(), pa.string()),
    (pa.float64(), pa.float64()),
]


@pytest.mark.parametrize("spelling", ["_", "-"])
@pytest.mark.parametrize(("narrow", "wide"), WIDTHS)
def test_parquet_is_read_in_either_spelling_and_of_any_width(spelling: str, narrow: pa.DataType, wide: pa.DataType) -> None:
    def numbers(values: list[int], kind: pa.DataType) -> pa.Array:
        return pa.array([str(value) for value in values] if kind == pa.string() else values, kind)

    columns = {
        "version": numbers([2, 2], narrow),
        "account_id": pa.array(["123456789012"] * 2),
        "interface_id": pa.array(["eni-0a1b2c3d"] * 2),
        "srcaddr": pa.array(["192.0.2.1", "-"]),
        "dstaddr": pa.array(["10.0.0.5", None]),
        "srcport": numbers([40000, 1], narrow),
        "dstport": numbers([22, 2], narrow),
        "protocol": numbers([6, 6], narrow),
        "packets": numbers([3, 1], wide),
        "bytes": numbers([180, 1], wide),
        "start": numbers([1700000000, 1700000000], wide),
        "end": numbers([1700000060, 1700000060], wide),
        "action": pa.array(["ACCEPT", "-"]),
        "log_status": pa.array(["OK", "NODATA"]),
        "az_id": pa.array(["x", "y"]),
    }
    read = read_bytes(packed({name.replace("_", spelling): values for name, values in columns.items()}))
    assert said(read.rows[0]) == SOME_FLOW
    assert read.rows[1]["src_address"] is None
    assert read.rows[1]["action"] is None
    assert read.counts.statuses == {"NODATA": 1}
    assert (read.counts.bad, read.counts.nulled) == (0, {})


def test_parquet_rows_are_numbered_over_the_row_groups() -> None:
    count = 5_000
    data = packed({"srcaddr": ["192.0.2.1"] * count, "dstport": list(range(count))}, row_group_size=700)
    read = read_bytes(data)
    assert read.column("position") == read.column("dst_port") == list(range(count))


def test_parquet_takes_the_rest_from_a_hive_key() -> None:
    name = (
        "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-west-1/"
        "year=2024/month=05/day=06/hour=07/a.log.parquet"
    )
    row = read_bytes(packed({"srcaddr": ["192.0.2.1"], "dstaddr": ["10.0.0.5"]}), name).rows[0]
    assert (row["account_id"], row["region"]) == ("123456789012", "eu-west-1")
    assert row["start_time"] == datetime(2024, 5, 6, 7, tzinfo=UTC)


def test_parquet_values_that_are_impossible_are_counted() -> None:
    read = read_bytes(
        packed(
            {
                "srcaddr": ["192.0.2.01", "ec2.amazonaws.com", "192.0.2.3", "192.0.2.4"],
                "dstaddr": ["10.0.0.5", None, "-", "None"],
                "srcport": pa.array([-1, 70_000, None, 2**40], pa.int64()),
                "dstport": ["http", "22", "None", "-"],
                "protocol": pa.array([float("nan"), float("inf"), 6.0, 1e300]),
                "packets": pa.array([2**64 - 1, 1, 2, 3], pa.uint64()),
                "account_id": pa.array([12345678901, None, 1, 999999999999], pa.int64()),
            }
        )
    )
    assert read.column("src_address") == [None, None, "192.0.2.3", "192.0.2.4"]
    assert read.column("dst_address") == ["10.0.0.5", None, None, None]
    assert read.column("src_port") == [None, None, None, None]
    assert read.column("dst_port") == [None, 22, None, None]
    assert read.column("protocol") == [None, None, 6, None]
    assert read.column("packets") == [None, 1, 2, 3]
    assert read.column("account_id") == ["012345678901", None, "000000000001", "999999999999"]
    assert read.counts.nulled == {"src_address": 2, "src_port": 3, "dst_port": 1, "protocol": 2, "packets": 1}
    assert read.counts.bad == 0


def test_parquet_text_that_is_no_utf8_is_null_and_counted() -> None:
    broken = pa.array([b"\xff\xfe", b"ACCEPT", b"RE\0JECT"], pa.binary())
    for kind in (pa.binary(), pa.string(), pa.large_string()):
        action = broken if kind == pa.binary() else pa.Array.from_buffers(pa.string(), 3, broken.buffers())
        action = action if kind != pa.large_string() else broken.cast(pa.large_binary())
        read = read_bytes(packed({"srcaddr": ["192.0.2.1"] * 3, "action": action}))
        assert read.column("action") == [None, "ACCEPT", None]
        assert read.counts.nulled == {"action": 2}


def test_parquet_times_may_be_timestamps() -> None:
    naive = STARTED.replace(tzinfo=None)
    for kind in (pa.timestamp("ms"), pa.timestamp("ns", "UTC"), pa.timestamp("s", "Europe/Paris")):
        given = pa.array([naive if kind.tz is None else STARTED], kind)
        read = read_bytes(packed({"srcaddr": ["192.0.2.1"], "start": given}))
        assert read.column("start_time") == read.column("end_time") == [STARTED]


def test_parquet_columns_of_no_usable_type_are_as_if_absent() -> None:
    read = read_bytes(
        packed({"srcaddr": ["192.0.2.1"], "dstport": [[1, 2]], "action": [{"a": 1}], "start": [True], "region": [1.5]})
    )
    assert said(read.rows[0]) == {"src_address": "192.0.2.1"}


def test_parquet_of_something_else_is_skipped() -> None:
    read = read_bytes(packed({"a": [1, 2], "version": [1, 2]}))
    assert read.rows == []
    assert read.counts.skipped == "a Parquet file without the columns of flow logs"


def test_an_empty_parquet_file_has_no_records() -> None:
    read = read_bytes(packed({"srcaddr": pa.array([], pa.string())}))
    assert (read.rows, read.counts.skipped, read.counts.bad) == ([], "", 0)


@pytest.mark.parametrize("cut", [4, 9, 100, -1, -9])
def test_half_a_parquet_file_cannot_be_read(cut: int) -> None:
    data = packed({"srcaddr": ["192.0.2.1"] * 100})
    with pytest.raises(ReadError, match=r"some\.log: not a readable Parquet file"):
        read_bytes(data[:cut])


def test_a_damaged_row_group_costs_itself_alone() -> None:
    flows = {"srcaddr": [f"192.0.2.{n % 256}" for n in range(3_000)], "dstport": list(range(3_000))}
    data = bytearray(packed(flows, row_group_size=1_000, compression="gzip", use_dictionary=False))
    second = parquet.ParquetFile(io.BytesIO(data)).metadata.row_group(1).column(1)
    data[second.data_page_offset + 40 : second.data_page_offset + second.total_compressed_size] = b"\xff" * (
        second.total_compressed_size - 40
    )
    read = read_bytes(bytes(data))
    assert read.column("position") == [*range(1_000), *range(2_000, 3_000)]
    assert (read.counts.bad, places(read)) == (1_000, ["row group 1, from row 1000"])


def test_a_parquet_bomb_is_stopped() -> None:
    bomb = packed({"srcaddr": ["192.0.2.1"] * 3_000_000})
    with pytest.raises(ReadError, match="claims 3000000 rows"):
        read_bytes(bomb, limits=Limits(max_bytes=1_000_000))
    with pytest.raises(ReadError, match="limit max_blob_bytes"):
        read_bytes(
            packed({"srcaddr": [f"192.0.2.{n}" for n in range(99_999)]}, use_dictionary=False), limits=Limits(max_bytes=1_000_000)
        )
    with pytest.raises(ReadError, match="limit max_ratio"):
        read_bytes(
            packed({"srcaddr": ["192.0.2.1"] * 99_999}, use_dictionary=False, compression="gzip"), limits=Limits(max_ratio=5)
        )
