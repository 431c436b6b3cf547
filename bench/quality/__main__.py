"""``python -m bench.quality``: simulates scans and ordinary life, scans them, and writes docs/detection-quality.md."""

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
    """Spread the scans (``scale`` of each class's number) and so many actors of each kind evenly over batches.

    ``only`` chooses the classes and kinds that have one of these in their names; where it is empty, all.
    """
    scans = {item.name: max(1, round(item.weight * scale)) for item in classes() if _is_wanted(item.name, only)}
    lives = {item.name: actors for item in KINDS if _is_wanted(item.name, only)}
    return [
        Plan(number=number, seed=seed, scans=_share(scans, number, batches), actors=_share(lives, number, batches))
        for number in range(batches)
    ]


def _is_wanted(name: str, only: Sequence[str]) -> bool:
    return not only or any(part in name for part in only)


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
    parser.add_argument("--batches", type=int, default=24, help="archives to spread them over (default %(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the scans of each class (default %(default)s)")
    parser.add_argument(
        "--actors", type=int, default=24, help=f"actors of each kind of life, {DAYS} days each (default %(default)s)"
    )
    parser.add_argument("--only", nargs="*", default=(), metavar="TEXT", help="only classes and kinds with this in their names")
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
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=be_silent) as pool:
        for result in pool.map(run, wanted):
            found.append(result)
            print(f"{len(found)} batches, {result.records:,} records, {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
