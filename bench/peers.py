"""Measure other tools on the same files: ``python bench/peers.py PEER FOLDER [LIST]`` prints records, seconds and hits.

DuckDB answers the same questions with its own readers: which listed addresses made discovery calls, by caller; and which
instances scan ports, with Vedette's SQL. flowlogs-reader and trailscraper only read.
"""

import os
import sys
import time
from pathlib import Path

import duckdb

from vedette.engine.fact_tables import ADDRESS_FACTS, ADDRESS_MATCHES, EXPECTED_PORTS
from vedette.engine.functions import FUNCTIONS
from vedette.engine.plan import StepPlan, step_numbers
from vedette.epoch import EPOCH
from vedette.inventory import INTERFACES
from vedette.rules.choice import rules
from vedette.settings import load
from vedette.sql.graph import fill
from vedette.state import State

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
_FLOWS = """
create temp table flows as
select make_timestamptz(cast("start" as bigint) * 1000000) as start_time,
       make_timestamptz(cast("end" as bigint) * 1000000) as end_time,
       cast("version" as integer) as "version", "account-id" as account_id, 'eu-central-1' as region,
       "interface-id" as interface_id,
       cast(null as varchar) as instance_id, cast(null as varchar) as vpc_id, cast(null as varchar) as subnet_id,
       srcaddr as src_address, dstaddr as dst_address, cast(srcport as integer) as src_port, cast(dstport as integer) as dst_port,
       cast(protocol as integer) as protocol, cast(packets as bigint) as packets, cast(bytes as bigint) as bytes, action,
       "log-status" as log_status, cast(null as integer) as tcp_flags, cast(null as varchar) as packet_src_address,
       cast(null as varchar) as packet_dst_address, cast(null as varchar) as flow_direction, filename as "object",
       row_number() over () as "position"
from read_csv({files}, delim = ' ', header = true, nullstr = '-', all_varchar = true, filename = true)
"""


def duckdb_cloudtrail(folder: Path, addresses: str) -> tuple[int, int]:
    """Find calls from listed addresses with DuckDB, which reads the JSON itself."""
    files = [str(path) for path in sorted(folder.rglob("*.json.gz"))]
    connection = duckdb.connect(config={"threads": os.cpu_count() or 1})
    hits = connection.sql(_CALLERS.format(files=files, record=_RECORD, addresses=addresses)).fetchall()
    return 0, len(hits)


def duckdb_flows(folder: Path, _addresses: str) -> tuple[int, int]:
    """Find port scans with DuckDB's own reader and Vedette's SQL, over all records at once."""
    files = [str(path) for path in sorted(folder.rglob("*.log.gz"))]
    connection = duckdb.connect(config={"threads": os.cpu_count() or 1})
    connection.execute("set timezone = 'UTC'")
    for function in FUNCTIONS:
        connection.execute(f"create macro {function.name}({function.parameter}) as {function.duckdb}")
    connection.execute(_FLOWS.format(files=files))
    chosen = rules(load(None, {"finding_types": ("Recon:EC2/Portscan",)}))
    numbers = {**chosen.numbers, **step_numbers(EPOCH, 1)}
    empty = {"address_facts": ADDRESS_FACTS, "address_matches": ADDRESS_MATCHES, "inventory": INTERFACES}
    for name, schema in (empty | {"expected_ports": EXPECTED_PORTS}).items():
        connection.register(name, schema.empty_table())
    for item in StepPlan.of(chosen, ("flows",)).views_and_folds:
        if isinstance(item, State):
            connection.execute(f"create temp table {item.name} as {fill(item.rows, numbers)}")
        else:
            kind = "table" if item.kept else "view"
            connection.execute(f"create temp {kind} {item.name} as {fill(item.sql, numbers)}")
    records = connection.sql("select count(*) from flows").fetchall()[0][0]
    return records, len(connection.sql(fill(chosen.detections[0].sql, numbers)).fetchall())


def trailscraper(folder: Path, _addresses: str) -> tuple[int, int]:
    """Parse CloudTrail files with trailscraper."""
    from trailscraper.cloudtrail import LogFile  # noqa: PLC0415  # the other peers do not need it

    records = sum(len(LogFile(str(path)).records()) for path in sorted(folder.rglob("*.json.gz")))
    return records, 0


def flowlogs_reader(folder: Path, _addresses: str) -> tuple[int, int]:
    """Parse flow log lines with flowlogs-reader."""
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
    """Run a peer, and print records, seconds and hits."""
    started = time.perf_counter()
    records, hits = PEERS[peer](Path(folder), addresses)
    print(records, time.perf_counter() - started, hits)


if __name__ == "__main__":
    main(*sys.argv[1:])
