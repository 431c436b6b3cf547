"""Simulate port scans and ordinary traffic, scan the logs, and write docs/detection-quality.md (``python -m bench.quality``)."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench.quality.batch import DAYS, KINDS, Plan, Result, be_silent, run
from bench.quality.page import text, write
from bench.quality.scans import classes


def plans(seed: int, batches: int, scale: float, actors: int, only: Sequence[str] = ()) -> list[Plan]:
    """Distribute the scans (``scale`` times the weight of each class) and ``actors`` of each kind evenly over batches.

    ``only`` selects the classes and kinds whose names contain one of these texts; if it is empty, all are selected.
    """
    scans = {item.name: max(1, round(item.weight * scale)) for item in classes() if _is_wanted(item.name, only)}
    ordinary = {item.name: actors for item in KINDS if _is_wanted(item.name, only)}
    return [
        Plan(number=number, seed=seed, scans=_share(scans, number, batches), actors=_share(ordinary, number, batches))
        for number in range(batches)
    ]


def _is_wanted(name: str, only: Sequence[str]) -> bool:
    return not only or any(part in name for part in only)


def _share(counts: dict[str, int], number: int, batches: int) -> dict[str, int]:
    """Return a batch's share of each count; remainders go to different batches for different names."""
    shares: Counter[str] = Counter()
    for offset, (name, count) in enumerate(counts.items()):
        shares[name] = len(range((number + offset) % batches, count, batches))
    return dict(shares)


def main(arguments: Sequence[str]) -> None:
    """Simulate, scan, judge, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="random seed (default %(default)s)")
    parser.add_argument("--batches", type=int, default=24, help="number of archives (default %(default)s)")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="factor for the number of scans of each class (default %(default)s)"
    )
    parser.add_argument(
        "--actors", type=int, default=24, help=f"actors of each kind of ordinary traffic, {DAYS} days each (default %(default)s)"
    )
    parser.add_argument("--only", nargs="*", default=(), metavar="TEXT", help="only classes and kinds whose names contain this")
    parser.add_argument("--processes", type=int, default=2, help="number of batches in parallel (default %(default)s)")
    parser.add_argument("--no-write", action="store_true", help="print the result without writing the page")
    given = parser.parse_args(arguments)
    began = time.perf_counter()
    results = _run(plans(given.seed, given.batches, given.scale, given.actors, given.only), given.processes, began)
    tables = text([item for result in results for item in result.judged], sum(result.records for result in results), given.seed)
    print(tables)
    if not given.no_write:
        write(tables)


def _run(wanted: Iterable[Plan], processes: int, began: float) -> list[Result]:
    found: list[Result] = []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=be_silent) as pool:
        for result in pool.map(run, wanted):
            found.append(result)
            print(f"{len(found)} batches, {result.records:,} records, {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
