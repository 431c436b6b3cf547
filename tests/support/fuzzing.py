"""Feeds damaged inputs to everything that vedette reads, each in bounded time and memory: ``python fuzzing.py --inputs 1000000``.

An input follows from the seed and its number alone, so that one can be repeated: ``--seed 7 --first 4711 --inputs 1``. It runs
in a process of its own, since a fault of native code ends it; the number of the input at hand is kept in a file for that case.
"""

import argparse
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fuzz_targets import Seed, Target, targets
from interrupting import given_up_after
from mutations import mutated

MOST_SECONDS = 20.0  # on the wall, for an input that takes a thousandth of that
MOST_CPU_SECONDS = 2.0
MOST_MEMORY = 400 << 20  # that inputs of at most 20 KB add to what the process has
SHOWN_BYTES = 200
STOPPED_FAULTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An input on which a target failed, and how."""

    number: int
    target: str
    seed_name: str
    data: bytes
    what: str

    def __str__(self) -> str:
        """Return it in two lines: what it is, and the beginning of the input."""
        shown = repr(self.data[:SHOWN_BYTES]) + ("…" if len(self.data) > SHOWN_BYTES else "")
        return f"input {self.number} ({self.target}, from {self.seed_name!r}, {len(self.data)} bytes): {self.what}\n    {shown}"


class Fuzzer:
    """Makes and feeds the inputs of one seed."""

    def __init__(self, seed: int, targets: Mapping[str, Target]) -> None:
        self._seed = seed
        self._targets = targets
        self._names = [name for name, target in targets.items() for _ in range(target.weight)]
        self.fed: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def input_of(self, number: int) -> tuple[str, str, bytes]:
        """Return target, name of the seed and bytes of an input."""
        chance = random.Random(f"{self._seed} {number}")
        name = chance.choice(self._names)
        seeds = self._targets[name].seeds
        seed_name = chance.choice(list(seeds))
        seed: Seed = seeds[seed_name]
        other = seeds[chance.choice(list(seeds))]
        return name, seed_name, seed.wrap(mutated(seed.data, other.data, chance))

    def feed(self, number: int) -> Fault | None:
        """Feed one input; return the fault, if it is one."""
        name, seed_name, data = self.input_of(number)
        target: Target = self._targets[name]
        started, what = time.process_time(), ""
        try:
            with given_up_after(MOST_SECONDS):
                target.read(data)
        except target.raises:
            self.refused[name] += 1
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever else is raised is a fault
            at = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__}: {str(error)[:SHOWN_BYTES]} ({Path(at.filename).name}:{at.lineno})"
        self.fed[name] += 1
        if (taken := time.process_time() - started) > MOST_CPU_SECONDS and not what:
            what = f"took {taken:.1f} seconds of CPU"
        return Fault(number=number, target=name, seed_name=seed_name, data=data, what=what) if what else None

    def faults(self, numbers: range, progress: Path) -> Iterator[Fault]:
        """Feed inputs and yield faults; a growth of memory counts as one of the input at which it is noticed."""
        before = _peak()
        with progress.open("wb", buffering=0) as file:
            for number in numbers:
                os.pwrite(file.fileno(), f"{number:<12}".encode(), 0)
                if fault := self.feed(number):
                    yield fault
                if (grown := _peak() - before) > MOST_MEMORY:
                    name, seed_name, data = self.input_of(number)
                    what = f"the memory of the process grew by {grown >> 20} MiB"
                    yield Fault(number=number, target=name, seed_name=seed_name, data=data, what=what)
                    before = _peak()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run from the command line; the exit status is 1 if there were faults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        fuzzer = Fuzzer(given.seed, targets(folder))
        _say(f"seed {given.seed}")
        found = 0
        for fault in fuzzer.faults(range(given.first, given.first + given.inputs), folder / "progress"):
            found += 1
            _say(fault)
            if found == STOPPED_FAULTS:
                break
        told = ", ".join(f"{name} {number:,} ({fuzzer.refused[name]:,} refused)" for name, number in sorted(fuzzer.fed.items()))
        _say(f"{sum(fuzzer.fed.values()):,} inputs, {found} faults: {told}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
