"""Vedette's reading alone, on all cores: ``python bench/reading.py FOLDER`` prints records and seconds."""

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from vedette.engine import Reading, ReadPlan
from vedette.engine.spool import read_blobs
from vedette.place import Folder
from vedette.reading import read_blob
from vedette.sources import Span, list_blobs
from vedette.tally import Limits


def main(folder: str) -> None:
    """Read every blob into batches, and drop them."""
    blobs = list(list_blobs(folder, Span()))
    with TemporaryDirectory() as spool:
        plan = ReadPlan(
            read=read_blob, limits=Limits(), place=Folder(Path(spool)), tables=frozenset(), processes=os.cpu_count() or 1
        )
        total = Reading()
        started = time.perf_counter()
        for reading in read_blobs(blobs, plan):
            total.add(reading)
        print(sum(total.records.values()), time.perf_counter() - started)


if __name__ == "__main__":
    main(*sys.argv[1:])
