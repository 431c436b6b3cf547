"""Law: reading takes time in proportion to the input, whatever is repeated in it; what is shown of a long text is bounded."""

import random
import time
from collections.abc import Iterator
from math import inf
from pathlib import Path

import pytest
from fuzz_targets import Seed, Target, targets
from interrupting import GivenUpError, given_up_after, without_collections
from inventories import INSTANCE, answers, save
from stores import finding

from vedette.engine import Knowledge
from vedette.engine.fact_tables import PUBLIC_PORTS_TAG, expected_ports
from vedette.errors import ReadError
from vedette.inventory.environment import Inventory
from vedette.text.explanation import show

SMALL, LARGE = 50_000, 200_000  # bytes
QUICK_SECONDS = 0.03  # of CPU, for the large input
QUADRATIC = (LARGE // SMALL) ** 2
HANGS_SECONDS = 10.0  # on the wall
REPEATED = 20  # of each target
NAMES = ("logs", "lists", "inventory", "settings", "generation", "finding")
WORDS = (
    *(b" ", b"\t", b"\n", b"\r\n", b"\0", b'"', b'\\"', b"'", b"\\", b"{", b"}", b"[", b"]", b"(", b",", b":", b"#", b";", b"//"),
    *(b"a", b"0", b"a.", b"a-", b"=", b'{"a":', b'{"', b"<a>", b"&lt;", b"<!--", b"[a]\n", b"/", b"eni-", b"add "),
)


def repeated(seed: Seed, chance: random.Random) -> tuple[bytes, bytes, bytes]:
    """Return what stands before a long run, what it repeats, and what stands after it."""
    at = chance.randrange(len(seed.data) + 1)
    piece = seed.data[at : at + chance.choice((1, 2, 5, 20, 100))]
    word = piece if piece and chance.random() < 0.5 else b"".join(chance.choices(WORDS, k=chance.choice((1, 1, 2, 3))))
    return (seed.data[:at], word, seed.data[at:]) if chance.random() < 0.7 else (b"", word, b"")


def made(seed: Seed, parts: tuple[bytes, bytes, bytes], size: int) -> bytes:
    before, word, after = parts
    return seed.wrap(before + word * (size // len(word)) + after)


def seconds(target: Target, data: bytes) -> float:
    """Return the CPU time that reading takes, infinite if it was given up."""
    started = time.process_time()
    try:
        with without_collections(), given_up_after(HANGS_SECONDS):
            target.read(data)
    except target.raises:
        pass
    except GivenUpError:
        return inf
    return time.process_time() - started


def growth(target: Target, small: bytes, large: bytes) -> float:
    """Return how many times as long the large input takes: the least that was measured; 0 if it takes no time."""
    ratio = inf
    for _ in range(3):
        longer = seconds(target, large)
        if longer < QUICK_SECONDS:
            return 0
        ratio = min(ratio, longer / seconds(target, small)) if longer < inf else inf
        if not QUADRATIC / 2 < ratio < inf:
            break
    return ratio


def slow(target: Target, chance: random.Random) -> Iterator[str]:
    """Yield the runs that take more than linear time."""
    for _ in range(REPEATED):
        seed_name = chance.choice(list(target.seeds))
        seed = target.seeds[seed_name]
        parts = repeated(seed, chance)
        ratio = growth(target, made(seed, parts, SMALL), made(seed, parts, LARGE))
        if ratio > QUADRATIC / 2:
            yield f"{seed_name}: {parts[1]!r}, {len(parts[0])} bytes from the start: {ratio:.1f} times"


@pytest.mark.parametrize("name", NAMES)
def test_reading_takes_linear_time(name: str, tmp_path: Path) -> None:
    found = list(slow(targets(tmp_path)[name], random.Random(name)))
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize("blank", [b" ", b"\t", "\u2003".encode()])
def test_a_line_of_blanks_takes_linear_time(blank: bytes, tmp_path: Path) -> None:
    small, large = (b"203.0.113.9\nx" + blank * (size // len(blank)) + b"x;y" for size in (SMALL, LARGE))
    assert growth(targets(tmp_path)["lists"], small, large) < QUADRATIC / 2


def test_a_reader_that_takes_more_is_found() -> None:
    def read(data: bytes) -> object:
        return sum(data[at:].count(b"\1\2") for at in range(0, len(data), 100))

    assert list(slow(Target(read, ReadError, 1, {"text": Seed(b"some text")}), random.Random(7))), "it took no time to copy"


@pytest.mark.parametrize("word", [" ", "x", "a-", "a b ", "\x1b[0m"])
def test_what_is_shown_of_a_long_text_is_bounded(word: str) -> None:
    long = word * (1_000_000 // len(word))
    with given_up_after(HANGS_SECONDS):
        shown = "".join(show(finding(target=long, resource={"userName": long}, region=long)))
    assert "eu-west-1" not in shown
    assert len(shown) < 200_000


@pytest.mark.parametrize("ports", ["9" * 5_000, "70000", "4294967296", "-1", "٣", "22 9" + "0" * 300])
def test_a_tag_of_ports_that_do_not_exist_is_none(ports: str, tmp_path: Path) -> None:
    documents = answers()
    documents["describe-instances"]["Reservations"][0]["Instances"][0]["Tags"] = [{"Key": PUBLIC_PORTS_TAG, "Value": ports}]
    known = Knowledge(inventory=Inventory.load(save(tmp_path, documents)), public_ports=(443,))
    rows = [(row["instance_id"], row["port"]) for row in expected_ports(known).to_pylist()]
    assert rows == [(None, 443), *([(INSTANCE, 22)] if ports.startswith("22 ") else [])]
