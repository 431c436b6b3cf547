"""Measure the peak memory of a scan against what its memory could grow with (``python -m bench.memory``), for docs/benchmarks.md.

Two archives, doubled several times: CloudTrail events of one day in which every principal makes two calls, and flow records of
one hour in which every one has another remote address.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from isal import igzip

from bench.archives import ACCOUNT_ID, FLOW_HEADER
from bench.measure import ROOT, Measured, run

PAGE = ROOT / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- measured memory -->\n", "<!-- end of memory -->\n"
_MEBIBYTE = 1 << 20
_START = datetime(2026, 3, 2, tzinfo=UTC)
_PER_FILE = 20_000
_CALLS = ("ec2.amazonaws.com", "DescribeInstances"), ("iam.amazonaws.com", "ListUsers")


def principals(folder: Path, count: int) -> None:
    """Write CloudTrail files of one day: ``count`` roles with one session, with two calls each."""
    for at, numbers in enumerate(_pieces(count, _PER_FILE // len(_CALLS))):
        name = f"{ACCOUNT_ID}_CloudTrail_us-east-1_20260303T0000Z_{at:016d}.json.gz"
        records = ",".join(record for number in numbers for record in _records(number))
        _write(folder / name, f'{{"Records":[{records}]}}')


def _records(number: int) -> Iterator[str]:
    role, when = f"worker-{number}", _START + timedelta(seconds=number * 7 % 86_000)
    for place, (source, name) in enumerate(_CALLS):
        yield (
            f'{{"eventVersion":"1.09","userIdentity":{{"type":"AssumedRole","principalId":"AROA{number:017d}:task",'
            f'"arn":"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role}/task","accountId":"{ACCOUNT_ID}",'
            f'"accessKeyId":"ASIA{number:016d}","sessionContext":{{"sessionIssuer":{{"type":"Role",'
            f'"principalId":"AROA{number:017d}","arn":"arn:aws:iam::{ACCOUNT_ID}:role/{role}","userName":"{role}"}}}}}},'
            f'"eventTime":"{when:%Y-%m-%dT%H:%M:%SZ}","eventSource":"{source}","eventName":"{name}","awsRegion":"us-east-1",'
            f'"sourceIPAddress":"198.18.{number >> 8 & 255}.{number & 255}","userAgent":"Boto3/1.34.69",'
            f'"eventID":"{number:08x}-0000-4000-a000-{place:012x}","readOnly":true,"eventType":"AwsApiCall",'
            f'"managementEvent":true,"recipientAccountId":"{ACCOUNT_ID}","eventCategory":"Management"}}'
        )


def addresses(folder: Path, count: int) -> None:
    """Write flow records (version 2) of one hour: 50 interfaces, each record with a remote address of its own."""
    for at, numbers in enumerate(_pieces(count, _PER_FILE)):
        begin = int(_START.timestamp()) + at * _PER_FILE * 3_000 // count
        name = f"{ACCOUNT_ID}_vpcflowlogs_us-east-1_fl-0a1b2c3d4e5f60718_20260302T0100Z_{at:08x}.log.gz"
        lines = (
            f"2 {ACCOUNT_ID} eni-{number % 50:017x} {1 + (number >> 16) % 126}.{number >> 8 & 255}.{number & 255}.9"
            f" 10.0.0.{number % 50} {32_768 + number % 28_000} 443 6 8 900 {begin} {begin + 60} ACCEPT OK\n"
            for number in numbers
        )
        _write(folder / name, FLOW_HEADER + "".join(lines))


def _pieces(count: int, size: int) -> Iterator[range]:
    return (range(first, min(first + size, count)) for first in range(0, count, size))


def _write(path: Path, text: str) -> None:
    path.write_bytes(igzip.compress(text.encode(), compresslevel=2, mtime=0))


_KINDS: dict[str, tuple[Callable[[Path, int], None], int]] = {
    "principals": (principals, 1_000_000),
    "addresses": (addresses, 2_500_000),
}


def scanned(write: Callable[[Path, int], None], count: int) -> Measured:
    """Write an archive and scan it as a user does, with the usual settings."""
    with TemporaryDirectory(prefix="vedette-memory-") as temporary:
        write(Path(temporary), count)
        return run(["-m", "vedette", "scan", temporary, "--output", "/dev/null", "--format", "ndjson", "--quiet"])


def main(arguments: Sequence[str]) -> None:
    """Measure each kind at doubling sizes, and print the table or write it into the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument(
        "--doublings", type=int, default=4, help="how often the smallest archive is doubled (default %(default)s)"
    )
    parser.add_argument("--no-write", action="store_true", help="print the result without writing the page")
    given = parser.parse_args(arguments)
    rows = ["| what grows | how many | peak memory | without mapped files | seconds |", "| --- | ---: | ---: | ---: | ---: |"]
    for kind, (write, most) in _KINDS.items():
        for doubling in range(given.doublings, -1, -1):
            count = most >> doubling
            got = scanned(write, count)
            peak, private = (f"{size / _MEBIBYTE:,.0f} MiB" for size in (got.peak_bytes, got.private_bytes))
            rows.append(f"| {kind} | {count:,} | {peak} | {private} | {got.seconds:,.0f} |")
            print(rows[-1], flush=True)
    if not given.no_write:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page.partition(_BEGIN)[0], page.partition(_END)[2]
        PAGE.write_text(f"{before}{_BEGIN}{chr(10).join(rows)}\n{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
