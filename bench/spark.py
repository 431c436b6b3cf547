"""Compare DuckDB, local Spark on one and two cores, and standalone clusters on one archive (``python -m bench.spark``).

The result is written to docs/benchmarks.md.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import archives
from bench.__main__ import PAGE, scan
from bench.measure import ROOT

sys.path.insert(0, str(ROOT / "tests" / "support"))
from standalone import cluster  # the tests start the same clusters

_BEGIN, _END = "<!-- measured on spark -->\n", "<!-- end of spark -->\n"
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The cost of a scan; ``shuffled`` is the number of bytes that Spark wrote for its shuffles."""

    what: str
    records: int
    seconds: float
    peak_bytes: int
    shuffled: int

    def row(self) -> str:
        """Return the measurement as a row of the table."""
        shuffled = f"{self.shuffled / _MEBIBYTE:,.0f} MiB" if self.shuffled else ""
        return (
            f"| {self.records:,} | {self.what} | {self.seconds:,.0f} s | {self.records / self.seconds:,.0f} | {shuffled} | "
            f"{self.peak_bytes / _MEBIBYTE:,.0f} MiB |"
        )


def measured(what: str, folder: Path, records: int, options: Sequence[str]) -> Line:
    """Scan an archive once with some options."""
    with TemporaryDirectory() as temporary:
        log = Path(temporary)
        spark = ["--spark-conf", "spark.eventLog.enabled=true", "--spark-conf", f"spark.eventLog.dir=file:{log}"]
        spark += ["--spark-conf", "spark.eventLog.compress=false", "--spark-conf", f"spark.pyspark.python={sys.executable}"]
        given = [*options, *spark] if options else []
        done = scan(folder, folder.parent / "addresses.txt", records, given)
        shuffled = sum(map(_shuffled, (path for path in log.rglob("*") if path.is_file())))
    return Line(what=what, records=records, seconds=done.seconds, peak_bytes=done.peak_bytes, shuffled=shuffled)


def _on(master: str) -> list[str]:
    return ["--engine", "spark", "--spark-master", master]


def _shuffled(log: Path) -> int:
    total = 0
    with log.open(errors="replace") as lines:
        for line in lines:
            if '"SparkListenerTaskEnd"' in line:
                metrics = json.loads(line).get("Task Metrics") or {}
                total += int(metrics.get("Shuffle Write Metrics", {}).get("Shuffle Bytes Written", 0))
    return total


def main(arguments: Sequence[str]) -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.spark", description=__doc__)
    parser.add_argument("--parts", default="1,10", help="sizes of the archives in parts (default %(default)s)")
    parser.add_argument("--events", type=int, default=100_000, help="events per part (default %(default)s)")
    given = parser.parse_args(arguments)
    rows = ["| records | engine | time | records/s | shuffled | peak memory |", "| ---: | --- | ---: | ---: | ---: | ---: |"]
    for parts in map(int, given.parts.split(",")):
        with TemporaryDirectory(prefix="vedette-bench-") as temporary:
            folder = Path(temporary) / "logs"
            records = archives.cloudtrail(folder, parts, given.events).records
            (folder.parent / "addresses.txt").write_text("\n".join(archives.callers()[::500]) + "\n")
            lines = [measured("DuckDB, 2 cores", folder, records, [])]
            lines += [measured(name, folder, records, _on(name)) for name in ("local[1]", "local[2]")]
            for workers in (1, 2):
                (Path(temporary) / f"cluster{workers}").mkdir()
                with cluster(Path(temporary) / f"cluster{workers}", workers) as running:
                    lines.append(measured(f"standalone, {workers} x 1 core", folder, records, _on(running.master)))
            rows += [line.row() for line in lines]
            print("\n".join(rows), flush=True)
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.partition(_BEGIN)[0], page.partition(_END)[2]
    PAGE.write_text(f"{before}{_BEGIN}{chr(10).join(rows)}\n{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
