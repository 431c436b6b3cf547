"""Check that scanning an archive in one piece and hour by hour gives the same findings (``python -m bench.hours``).

The GuardDuty documents are compared without the positions of their records, which depend on how the input was split.
"""

import argparse
import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import ROOT
from bench.organisation import write_organisation
from vedette.findings import Finding
from vedette.formats import all_formats
from vedette.logs.blob import Blob
from vedette.pipeline import composition
from vedette.pipeline.knowledge import gather
from vedette.settings import load
from vedette.sources import Span, list_blobs
from vedette.store import Store

sys.path.insert(0, str(ROOT / "tests" / "support"))
from places import without_places  # the tests leave out the same fields

_DELIVERED = re.compile(r"_(\d{8}T\d{2})\d{2}Z_")


def findings(deliveries: Iterable[Sequence[Blob]]) -> tuple[list[str], int]:
    """Feed deliveries one after the other, then flush; return the documents of the findings, and the number of steps."""
    chosen = load(None, {"workers": 1, "bundled_lists": False})
    with Store.ephemeral() as store:
        with composition.pipeline(chosen, store, gather(chosen, store)) as running:
            for number, delivery in enumerate(deliveries):
                running.feed(delivery)
                if number % 100 == 99:  # noqa: PLR2004  # progress of a long run
                    print(f"{number + 1} deliveries", file=sys.stderr)
            report = running.bulk([])
        return sorted(map(_document, store.findings())), report.slices


def _document(finding: Finding) -> str:
    return json.dumps(without_places(all_formats()["guardduty"].render(finding)), sort_keys=True)


def main(arguments: Sequence[str]) -> int:
    """Write an organisation, scan it both ways, and return 0 if the findings are the same, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.hours", description=__doc__)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--principals", type=int, default=40)
    parser.add_argument("--events", type=int, default=600, help="events per day")
    parser.add_argument("--attacks", type=int, default=16)
    given = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="vedette-hours-") as folder:
        out = Path(folder) / "organisation"
        write_organisation(out, principals=given.principals, days=given.days, events_per_day=given.events, attacks=given.attacks)
        hours: dict[str, list[Blob]] = defaultdict(list)
        for blob in list_blobs(str(out / "AWSLogs"), Span()):
            found = _DELIVERED.search(blob.name)
            hours[found[1] if found else ""].append(blob)
        began = time.perf_counter()
        whole, slices = findings([[blob for _, delivery in sorted(hours.items()) for blob in delivery]])
        print(f"bulk: {len(whole)} findings in {slices} slices, {time.perf_counter() - began:.0f} s", flush=True)
        began = time.perf_counter()
        pieces, slices = findings(delivery for _, delivery in sorted(hours.items()))
        print(f"{len(hours)} hours: {len(pieces)} findings in {slices} slices, {time.perf_counter() - began:.0f} s")
        print("the same" if pieces == whole else f"NOT the same: {len(set(pieces) ^ set(whole))} documents differ")
    return 0 if pieces == whole else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
