"""Measure the limit: only inflate and decode the records, on all cores (``python bench/limits.py WHAT FOLDER``).

CloudTrail is decompressed with isal and decoded with msgspec into typed structs of the fields that detections use, including the
caller's identity. Flow logs are decompressed with isal and parsed with pyarrow.csv into typed columns.
"""

import io
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.csv
from isal import igzip


class Issuer(msgspec.Struct, gc=False, rename="camel"):
    """sessionContext.sessionIssuer."""

    type: str | None = None
    principal_id: str | None = None
    arn: str | None = None
    account_id: str | None = None
    user_name: str | None = None


class Attributes(msgspec.Struct, gc=False, rename="camel"):
    """sessionContext.attributes."""

    creation_date: str | None = None


class Session(msgspec.Struct, gc=False, rename="camel"):
    """sessionContext."""

    session_issuer: Issuer | None = None
    attributes: Attributes | None = None
    ec2_role_delivery: str | None = None
    source_identity: str | None = None


class Identity(msgspec.Struct, gc=False, rename="camel"):
    """The caller."""

    type: str | None = None
    principal_id: str | None = None
    arn: str | None = None
    account_id: str | None = None
    access_key_id: str | None = None
    user_name: str | None = None
    invoked_by: str | None = None
    session_context: Session | None = None


class Event(msgspec.Struct, gc=False, rename="camel"):
    """The fields of a record that detections use."""

    event_time: str | None = None
    event_id: str | None = msgspec.field(default=None, name="eventID")
    recipient_account_id: str | None = None
    aws_region: str | None = None
    event_source: str | None = None
    event_name: str | None = None
    event_type: str | None = None
    event_category: str | None = None
    read_only: bool | None = None
    management_event: bool | None = None
    error_code: str | None = None
    source_address: str | None = msgspec.field(default=None, name="sourceIPAddress")
    user_agent: str | None = None
    vpc_endpoint_id: str | None = None
    user_identity: Identity | None = None


class Delivered(msgspec.Struct, gc=False):
    """A delivered file."""

    records: list[Event] = msgspec.field(name="Records")


_FLOW_TYPES = {
    "account-id": pa.dictionary(pa.int32(), pa.string()),
    "interface-id": pa.dictionary(pa.int32(), pa.string()),
    "srcaddr": pa.dictionary(pa.int32(), pa.string()),
    "dstaddr": pa.dictionary(pa.int32(), pa.string()),
    "action": pa.dictionary(pa.int32(), pa.string()),
    "log-status": pa.dictionary(pa.int32(), pa.string()),
    "version": pa.int32(),
    "start": pa.int64(),
    "end": pa.int64(),
} | {name: pa.int64() for name in ("srcport", "dstport", "protocol", "packets", "bytes")}


def cloudtrail(path: str) -> int:
    """Decode a delivered file; return the number of records."""
    with igzip.open(path, "rb") as file:  # type: ignore[no-untyped-call]  # isal has no types
        return len(msgspec.json.decode(file.read(), type=Delivered).records)


def flows(path: str) -> int:
    """Parse a flow log file; return the number of records."""
    pa.set_cpu_count(1)  # one process per core already
    with igzip.open(path, "rb") as file:  # type: ignore[no-untyped-call]  # isal has no types
        table = pa.csv.read_csv(
            io.BytesIO(file.read()),
            parse_options=pa.csv.ParseOptions(delimiter=" "),
            convert_options=pa.csv.ConvertOptions(column_types=_FLOW_TYPES, null_values=["-"], strings_can_be_null=True),
        )
    return table.num_rows


WHAT = {"cloudtrail": cloudtrail, "flows": flows}


def main(what: str, folder: str) -> None:
    """Print the number of records, and the seconds to decode them without the start of the processes."""
    paths = sorted(str(path) for path in Path(folder).rglob("*.gz"))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(WHAT[what], paths[:2]))  # starts the processes
        started = time.perf_counter()
        records = sum(pool.map(WHAT[what], paths, chunksize=4))
        print(records, time.perf_counter() - started)


if __name__ == "__main__":
    main(*sys.argv[1:])
