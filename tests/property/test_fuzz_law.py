"""Law: what is damaged, in whatever way, raises the one error that is promised, soon and in little memory, and nothing else."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import fuzzing
import pytest
from fuzz_targets import Seed, Target, targets
from fuzzing import Fault, Fuzzer
from mutations import mutated
from patience import HUNG

from vedette.errors import ReadError
from vedette.readers import all_readers


def test_damaged_inputs_raise_only_what_is_promised(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """``--fuzz-seed`` repeats a run, ``--fuzz-inputs`` makes it longer; ``make fuzz`` feeds a million."""
    seed = request.config.getoption("--fuzz-seed")
    seed = random.SystemRandom().getrandbits(32) if seed is None else seed
    inputs = request.config.getoption("--fuzz-inputs")
    command = [sys.executable, fuzzing.__file__, f"--seed={seed}", f"--folder={tmp_path}"]
    ended = subprocess.run([*command, f"--inputs={inputs}"], capture_output=True, text=True, timeout=HUNG, check=False)
    at = (tmp_path / "progress").read_text(encoding="ascii").strip() if (tmp_path / "progress").exists() else "0"
    again = f"python tests/support/{Path(fuzzing.__file__).name} --seed={seed} --first={at} --inputs=1"
    told = f"{ended.stdout}\n{ended.stderr}"
    assert ended.returncode == 0, f"seed {seed}: ended with {ended.returncode} at input {at} ({again}):\n{told}"
    assert f"{inputs:,} inputs, 0 faults" in ended.stdout


def test_every_seed_is_whole(tmp_path: Path) -> None:
    for name, target in targets(tmp_path).items():
        for seed_name, seed in target.seeds.items():
            read = target.read(seed.wrap(seed.data))
            assert read, f"{name}: {seed_name}"
            if name == "logs":
                assert read.counts.records >= 1, seed_name
                assert read.counts.bad == 0, seed_name


def test_every_reader_has_a_seed(tmp_path: Path) -> None:
    seeds = [seed.data for seed in targets(tmp_path)["logs"].seeds.values()]
    assert all(any(reader.sniff("some.log", data) for data in seeds) for reader in all_readers().values())


def raising(error: BaseException) -> Callable[[bytes], object]:
    def read(_data: bytes) -> object:
        raise error

    return read


def sleepless(_data: bytes) -> object:
    until = time.process_time() + fuzzing.MOST_CPU_SECONDS + 0.1
    while time.process_time() < until:
        pass
    return None


@pytest.mark.parametrize(
    ("read", "what"),
    [
        (raising(KeyError("name")), "KeyError"),
        (raising(RecursionError()), "RecursionError"),
        (raising(SystemExit(0)), "SystemExit"),
        (sleepless, "seconds of CPU"),
        (raising(ReadError("damaged")), ""),
        (bytes.hex, ""),
    ],
)
def test_a_fault_is_noticed(read: Callable[[bytes], object], what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzing, "MOST_CPU_SECONDS", 0.1)
    fault = Fuzzer(7, of_one(read)).feed(0)
    assert (fault.what if fault else "") == "" if not what else isinstance(fault, Fault) and what in fault.what


def test_an_input_follows_from_the_seed_and_its_number() -> None:
    one, same, other = (Fuzzer(seed, of_one(bytes.hex)) for seed in (7, 7, 8))
    made = [one.input_of(number) for number in range(300)]
    assert [same.input_of(number) for number in reversed(range(300))] == made[::-1]
    assert len({data for _, _, data in made}) > 250
    assert [other.input_of(number) for number in range(300)] != made


def of_one(read: Callable[[bytes], object]) -> Mapping[str, Target]:
    return {"some": Target(read, ReadError, 1, {"text": Seed(b'{"a": [1, 2.5, "text"], "b": null}' * 3)})}


def test_mutants_differ_from_what_they_are_made_of() -> None:
    chance = random.Random(7)
    whole = b'{"Records": [{"a": 1}]}' * 4
    made = [mutated(whole, b"another", chance) for _ in range(400)]
    assert sum(data != whole for data in made) > 350
    assert any(data.startswith(whole[:40]) for data in made)
    assert all(len(data) <= 20_000 for data in made)
