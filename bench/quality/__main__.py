"""``python -m bench.quality``: simulates scans and ordinary life, scans them, and writes docs/detection-quality.md."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench.quality.batch import DAYS, KINDS, Plan, Result, run
from bench.quality.page import text, write
from bench.quality.scans import classes


def plans(seed: int, batches: int, scale: float, actors: int, only: str = "") -> list[Plan]:
    """Spread the scans (``scale`` of each class's number) and so many actors of each kind evenly over batches.

    ``only`` chooses the classes and kinds that have it in their names.
    """
    scans = {item.name: max(1, round(item.weight * scale)) for item in classes() if only in item.name}
    lives = {item.name: actors for item in KINDS if only in item.name}
    return [
        Plan(number=number, seed=seed, scans=_share(scans, number, batches), actors=_share(lives, number, batches))
        for number in range(batches)
    ]


def _share(counts: dict[str, int], number: int, batches: int) -> dict[str, int]:
    """Return a batch's share of each count; what is left over goes to other batches for each name."""
    shares: Counter[str] = Counter()
    for offset, (name, count) in enumerate(counts.items()):
        shares[name] = len(range((number + offset) % batches, count, batches))
    return dict(shares)


def main(arguments: Sequence[str]) -> None:
    """Play, scan, judge, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="chance of all actors (default %(default)s)")
    parser.add_argument("--batches", type=int, default=12, help="archives to spread them over (default %(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the scans of each class (default %(default)s)")
    parser.add_argument("--actors", type=int, default=24, help=f"actors of each kind of life, {DAYS} days each (default %(default)s)")
    parser.add_argument("--only", default="", help="only classes and kinds that have this in their names")
    parser.add_argument("--processes", type=int, default=2, help="batches at once (default %(default)s)")
    parser.add_argument("--no-write", action="store_true", help="print only, leave the page alone")
    given = parser.parse_args(arguments)
    began = time.perf_counter()
    results = _run(plans(given.seed, given.batches, given.scale, given.actors, given.only), given.processes, began)
    said = text([item for result in results for item in result.judged], sum(result.records for result in results), given.seed)
    print(said)
    if not given.no_write:
        write(said)


def _run(wanted: Iterable[Plan], processes: int, began: float) -> list[Result]:
    found: list[Result] = []
    each: Callable[[Callable[[Plan], Result], Iterable[Plan]], Iterable[Result]]
    if processes == 1:
        return [run(plan) for plan in wanted]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        each = pool.map
        for result in each(run, wanted):
            found.append(result)
            print(f"{len(found)} batches, {result.records:,} records, {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
