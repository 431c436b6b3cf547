"""Compare reading and scanning with the theoretical limit and with peers, and write docs/benchmarks.md (``python -m bench``).

Machines are noisy, so only ratios within one run are meaningful: everything about an archive is measured in turn, several times,
and the best round of each counts.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import archives
from bench.measure import ROOT, Measured, run

PAGE = ROOT / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- measured -->\n", "<!-- end -->\n"
_MEBIBYTE = 1 << 20
# The largest archive, in parts, that each peer gets: the slow ones would take an hour for the largest.
PEERS = {
    "cloudtrail": {"duckdb-cloudtrail": 100, "trailscraper": 10},
    "flows": {"duckdb-flows": 100, "flowlogs-reader": 10},
}
OURS = ("limit", "vedette, reading", "vedette scan")


@dataclass(slots=True, kw_only=True)
class Line:
    """One measurement of one archive: the lowest seconds and the highest memory of its rounds."""

    what: str
    parts: int
    records: int
    seconds: float = float("inf")
    peak_bytes: int = 0
    notes: set[str] = field(default_factory=set)

    def take(self, seconds: float, peak_bytes: int) -> None:
        """Add a round."""
        self.seconds = min(self.seconds, seconds)
        self.peak_bytes = max(self.peak_bytes, peak_bytes)

    @property
    def rate(self) -> float:
        """Records per second."""
        return self.records / self.seconds


def scan(folder: Path, addresses: Path, records: int, options: Sequence[str] = ()) -> Measured:
    """Scan a folder as a user does.

    Raises:
        SystemExit: not every record was read.
    """
    report = folder.parent / "report.json"
    found = folder.parent / "findings.ndjson"
    arguments = ["-m", "vedette", "scan", str(folder), "--custom-list", str(addresses), "--run-report", str(report)]
    measured = run([*arguments, "--output", str(found), "--format", "ndjson", "--quiet", *options])
    counts = json.loads(report.read_text())
    if sum(counts["records"].values()) != records or counts["bad"] or counts["late"]:
        raise SystemExit(
            f"the scan of {folder} read {counts['records']} (bad {counts['bad']}, late {counts['late']}) instead of {records}"
        )
    return measured


def printed(arguments: Sequence[str]) -> Callable[[], tuple[float, int]]:
    """Return a function that runs one round of a script which prints its own seconds, without the start of Python."""

    def once() -> tuple[float, int]:
        measured = run(arguments)
        return float(measured.output.split()[1]), measured.peak_bytes

    return once


def whole(function: Callable[[], Measured]) -> Callable[[], tuple[float, int]]:
    """Return a function that runs one round of a command, measured from start to end."""

    def once() -> tuple[float, int]:
        measured = function()
        return measured.seconds, measured.peak_bytes

    return once


def measure(kind: str, folder: Path, parts: int, records: int) -> list[Line]:
    """Return the measurements of one archive, taken in turn over several rounds."""
    addresses = folder.parent / "addresses.txt"
    rounds: dict[str, Callable[[], tuple[float, int]]] = {
        "limit": printed(["bench/limits.py", kind, str(folder)]),
        "vedette, reading": printed(["bench/reading.py", str(folder)]),
        "vedette scan": whole(lambda: scan(folder, addresses, records)),
    }
    peers = [peer for peer, most in PEERS[kind].items() if parts <= most]
    rounds |= {peer: printed(["bench/peers.py", peer, str(folder), str(addresses)]) for peer in peers}
    lines = {what: Line(what=what, parts=parts, records=records) for what in rounds}
    for number in range(3 if parts <= 10 else 2):  # noqa: PLR2004  # larger archives take long enough for a stable result
        for what, once in rounds.items():
            if number == 0 or parts == 1 or what in OURS:  # peers take long enough for a stable result in one round
                lines[what].take(*once())
    return list(lines.values())


def table(kind: str, lines: Iterable[Line]) -> str:
    """Return the measurements as a Markdown table, with ratios to the limit of the same archive."""
    rows = [
        f"| {kind}, archive of | what | records/s | of the limit | vedette scan is | peak memory |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    found = list(lines)
    for line in found:
        limit = next(item for item in found if item.what == "limit" and item.parts == line.parts)
        ours = next(item for item in found if item.what == "vedette scan" and item.parts == line.parts)
        times = "" if line.what.startswith("vedette") or line.what == "limit" else f"{ours.rate / line.rate:.1f} x faster"
        rows.append(
            f"| {line.parts} x {line.records // line.parts:,} | {line.what} | {line.rate:,.0f} | {line.rate / limit.rate:.0%} | "
            f"{times} | {line.peak_bytes / _MEBIBYTE:,.0f} MiB |"
        )
    return "\n".join(rows) + "\n"


def main(arguments: Sequence[str]) -> None:
    """Generate archives, measure, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--parts", default="1,10,100", help="sizes of the archives in parts (default %(default)s)")
    parser.add_argument("--events", type=int, default=100_000, help="CloudTrail events per part (default %(default)s)")
    parser.add_argument("--flows", type=int, default=200_000, help="flow records per part (default %(default)s)")
    parser.add_argument("--kinds", default="cloudtrail,flows", help="what to measure (default %(default)s)")
    parser.add_argument("--no-write", action="store_true", help="print the result without writing the page")
    given = parser.parse_args(arguments)
    makers = {"cloudtrail": (archives.cloudtrail, given.events), "flows": (archives.flows, given.flows)}
    texts = []
    for kind in given.kinds.split(","):
        make, size = makers[kind]
        lines: list[Line] = []
        for parts in map(int, given.parts.split(",")):
            with TemporaryDirectory(prefix="vedette-bench-") as temporary:
                folder = Path(temporary) / "logs"
                archive = make(folder, parts, size)
                (folder.parent / "addresses.txt").write_text("\n".join(archives.callers()[::500]) + "\n")
                lines += measure(kind, folder, parts, archive.records)
            print(table(kind, lines), flush=True)
        texts.append(table(kind, lines))
    if not given.no_write:
        _write(texts)


def _write(texts: Iterable[str]) -> None:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    label = f"Commit {commit.stdout.strip() or 'unknown'}, Python {platform.python_version()}, {os.cpu_count()} cores."
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.partition(_BEGIN)[0], page.partition(_END)[2]
    PAGE.write_text(f"{before}{_BEGIN}{label}\n\n{chr(10).join(texts)}{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
