"""Measure only Vedette's reading, on all cores: ``python bench/reading.py FOLDER`` prints records and seconds.

As with the limit, the processes are started before the clock.
"""

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from vedette.logs.blob import Blob
from vedette.logs.processes import context
from vedette.logs.read_counts import Limits, ReadCounts
from vedette.pipeline.reading import read_blob
from vedette.sources import Span, list_blobs


def read(blob: Blob) -> int:
    """Read a blob into batches, discard them, and return the number of records."""
    return sum(batch.num_rows for _, batch in read_blob(blob, Limits(), ReadCounts()))


def main(folder: str) -> None:
    """Read every blob of the folder, and print the number of records and the seconds."""
    blobs = list(list_blobs(folder, Span()))
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context()) as pool:
        list(pool.map(read, blobs[:2]))
        started = time.perf_counter()
        records = sum(pool.map(read, blobs, chunksize=4))
        print(records, time.perf_counter() - started)


if __name__ == "__main__":
    main(*sys.argv[1:])
