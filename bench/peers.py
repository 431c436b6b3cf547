"""What others take for the same files: ``python bench/peers.py PEER FOLDER [LIST]`` prints records, seconds and hits.

DuckDB answers the same question with its own readers: how many listing calls came from listed addresses, by caller and address.
flowlogs-reader and trailscraper only read.
"""

import os
import sys
import time
from pathlib import Path

import duckdb

_RECORD = (
    "STRUCT(eventTime TIMESTAMP, eventID VARCHAR, eventSource VARCHAR, eventName VARCHAR, awsRegion VARCHAR, readOnly BOOLEAN, "
    "sourceIPAddress VARCHAR, errorCode VARCHAR, userAgent VARCHAR, recipientAccountId VARCHAR, managementEvent BOOLEAN, "
    "userIdentity STRUCT(type VARCHAR, principalId VARCHAR, arn VARCHAR, accessKeyId VARCHAR, userName VARCHAR, "
    "invokedBy VARCHAR, sessionContext STRUCT(sessionIssuer STRUCT(arn VARCHAR, userName VARCHAR))))[]"
)
_CALLERS = """
with events as (select unnest(Records) as r from read_json({files}, columns = {{Records: '{record}'}},
                                                       maximum_object_size = 1073741824)),
calls as (select distinct on (r.recipientAccountId, r.eventID) r from events)
select count(*) over () as hits, r.userIdentity.arn, r.sourceIPAddress, count(*), min(r.eventTime), max(r.eventTime)
from calls
where regexp_matches(r.eventName, '^(List|Describe|Get)') and r.managementEvent and r.userIdentity.invokedBy is null
  and r.sourceIPAddress in (select column0 from read_csv('{addresses}', header = false))
group by all
"""
_FLOWS = "select count(*), count(distinct srcaddr) from read_csv({files}, delim = ' ', header = true, nullstr = '-')"


def duckdb_cloudtrail(folder: Path, addresses: str) -> tuple[int, int]:
    """Ask DuckDB, which reads the JSON by itself."""
    files = [str(path) for path in sorted(folder.rglob("*.json.gz"))]
    connection = duckdb.connect(config={"threads": os.cpu_count() or 1})
    hits = connection.sql(_CALLERS.format(files=files, record=_RECORD, addresses=addresses)).fetchall()
    return 0, len(hits)


def duckdb_flows(folder: Path, _addresses: str) -> tuple[int, int]:
    """Let DuckDB read flow logs and count."""
    files = [str(path) for path in sorted(folder.rglob("*.log.gz"))]
    connection = duckdb.connect(config={"threads": os.cpu_count() or 1})
    records, sources = connection.sql(_FLOWS.format(files=files)).fetchall()[0]
    return records, sources


def trailscraper(folder: Path, _addresses: str) -> tuple[int, int]:
    """Let trailscraper parse CloudTrail files into its records."""
    from trailscraper.cloudtrail import LogFile  # noqa: PLC0415  # not needed by the others

    records = sum(len(LogFile(str(path)).records()) for path in sorted(folder.rglob("*.json.gz")))
    return records, 0


def flowlogs_reader(folder: Path, _addresses: str) -> tuple[int, int]:
    """Let flowlogs-reader make its records of flow-log lines."""
    import gzip  # noqa: PLC0415

    from flowlogs_reader import FlowRecord  # noqa: PLC0415

    records = 0
    for path in sorted(folder.rglob("*.log.gz")):
        with gzip.open(path, "rt") as file:
            names = [name.replace("-", "_") for name in next(file).split()]
            for line in file:
                FlowRecord(dict(zip(names, line.split(), strict=True)))
                records += 1
    return records, 0


PEERS = {
    "duckdb-cloudtrail": duckdb_cloudtrail,
    "duckdb-flows": duckdb_flows,
    "trailscraper": trailscraper,
    "flowlogs-reader": flowlogs_reader,
}


def main(peer: str, folder: str, addresses: str = "") -> None:
    """Print what a peer did."""
    started = time.perf_counter()
    records, hits = PEERS[peer](Path(folder), addresses)
    print(records, time.perf_counter() - started, hits)


if __name__ == "__main__":
    main(*sys.argv[1:])
