"""Measure a day's step on a large baseline: fold a day of calls into 90 days of 50,000 principals (``python -m bench.fold``).

The baseline has one row per principal, API and day: 111,000 per day, 10 million in total. The day has 500,000 calls. The output
is the seconds of the step and of its folds, and the peak memory of the process.
"""

import resource
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq

from vedette.engine import Knowledge
from vedette.engine.duckdb import DuckDBEngine
from vedette.engine.fold import fold
from vedette.engine.port import Port
from vedette.rules.choice import rules
from vedette.schema import CLOUDTRAIL
from vedette.settings import load
from vedette.state import State, all_states
from vedette.state_files.generation import Generation, Part

PRINCIPALS, DAYS, ROWS_PER_DAY, CALLS = 50_000, 90, 111_000, 500_000
FIRST = 20_400  # days since 1970
_APIS, _OWN = 200, 10


def main() -> None:
    """Measure one step, and print the result."""
    with TemporaryDirectory() as text:
        folder = Path(text)
        # In a process of its own, so that the memory for generating the baseline does not count.
        with ProcessPoolExecutor(1, get_context("spawn")) as other:
            states, pending = other.submit(_made, folder).result()
        before = datetime.fromtimestamp((FIRST + DAYS) * 86_400, UTC)
        generation = replace(Generation(number=1), watermark=before, states=states, pending=(pending,))
        engine = DuckDBEngine(folder, rules(load(None, {"bundled_lists": False})), Knowledge(), memory_limit="700MB")
        folds = _timed_folds()
        began = time.perf_counter()
        engine.step(generation, None)
        took = time.perf_counter() - began
        engine.close()
    baseline = sum(seconds for name, seconds in folds.items() if name in states)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    sys.stdout.write(f"step of {CALLS:,} calls: {took:.1f} s; folds of the baseline: {baseline:.1f} s; peak {peak:,} MiB\n")


def _made(folder: Path) -> tuple[dict[str, tuple[Part, ...]], Part]:
    states = {name: tuple(_parts(folder, name)) for name in ("principal_days", "principal_api_days", "principal_traits")}
    return states, _calls(folder, Random(1))


def _api(number: int) -> str:
    """Return one of the ten calls that a principal makes, determined by the number."""
    return f"Describe{(number + number // PRINCIPALS % _OWN) % _APIS}"


def _parts(folder: Path, name: str) -> Iterable[Part]:
    schema = all_states()[name].schema
    for day in range(FIRST, FIRST + DAYS):
        rows = PRINCIPALS // 2 if name == "principal_days" else ROWS_PER_DAY
        numbered = range((day - FIRST) * rows, (day - FIRST + 1) * rows)
        who = pa.array([f"arn:aws:iam::123456789012:user/person-{number % PRINCIPALS}" for number in numbered])
        text = pa.array([_api(number) for number in numbered])
        columns = {
            "day": pa.array([day] * rows, pa.int64()),
            "principal": who,
            "account_id": pa.array(["123456789012"] * rows),
            "kind": pa.array(["user"] * rows),
            "service": pa.array(["ec2"] * rows),
            "operation": text,
            "category": pa.array(["network"] * rows),
            "trait": pa.array(["agent"] * rows),
            "value": pa.array(["aws-cli"] * rows),
            "session": pa.array([""] * rows),
            "person": pa.array([None] * rows, pa.string()),
            "denied": pa.array([0] * rows, pa.int64()),
        }
        numbers = pa.array([10] * rows, pa.int64())
        table = pa.table([columns.get(field.name, numbers) for field in schema], schema=schema)
        path = f"states/1/{name}-{day}.parquet"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, folder / path)
        yield Part(path=path, table=name, day=day, rows=rows)


def _calls(folder: Path, random: Random) -> Part:
    start = datetime.fromtimestamp((FIRST + DAYS) * 86_400, UTC)
    times = sorted(start + timedelta(seconds=random.randrange(86_400)) for _ in range(CALLS))
    numbered = [random.randrange(PRINCIPALS * _OWN) for _ in range(CALLS)]
    names = [f"person-{number % PRINCIPALS}" for number in numbered]
    values: dict[str, list[object]] = {
        "event_time": list(times),
        "event_id": [f"{number:036}" for number in range(CALLS)],
        "account_id": ["123456789012"] * CALLS,
        "region": ["eu-central-1"] * CALLS,
        "event_source": ["ec2.amazonaws.com"] * CALLS,
        "event_name": [_api(number) for number in numbered],
        "read_only": [True] * CALLS,
        "source_address": [f"198.51.100.{random.randrange(256)}" for _ in range(CALLS)],
        "user_agent": ["aws-cli/2.15.30"] * CALLS,
        "identity_type": ["IAMUser"] * CALLS,
        "principal": [f"arn:aws:iam::123456789012:user/{name}" for name in names],
        "principal_kind": ["user"] * CALLS,
        "user_name": list(names),
        "object": ["day.json.gz"] * CALLS,
        "position": list(range(CALLS)),
    }
    arrays = [pa.array(values.get(field.name, [None] * CALLS), _plain(field.type)).cast(field.type) for field in CLOUDTRAIL]
    table = pa.Table.from_arrays(arrays, schema=CLOUDTRAIL)
    path = folder / "spool" / "day.arrow"
    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    first, last = (int(moment.timestamp() * 1_000_000) for moment in (times[0], times[-1]))
    return Part(path="spool/day.arrow", table="cloudtrail", day=None, rows=CALLS, first_us=first, last_us=last)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if isinstance(kind, pa.DictionaryType) else kind


def _timed_folds() -> dict[str, float]:
    """Patch folding so that each fold records its seconds; return the dictionary, by state table, that it fills."""
    took: dict[str, float] = {}

    def timed(port: Port, state: State, *given: Any) -> tuple[Part, ...]:  # noqa: ANN401  # whatever fold takes
        began = time.perf_counter()
        parts = fold(port, state, *given)
        took[state.name] = time.perf_counter() - began
        return parts

    patch("vedette.engine.step.fold", timed).start()
    return took


if __name__ == "__main__":
    main()
