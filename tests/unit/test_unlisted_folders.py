"""What below a location cannot be listed, or vanishes meanwhile, costs only itself: it is named, and the rest is read."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree

import pytest
from commands import Ended, Vedette, run
from notation import blob, calls
from patience import HUNG

from vedette.errors import SourceError
from vedette.sources import Span, list_blobs


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a log before and one behind whatever else is put there."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "logs"
    for name, address in (("a", "198.51.100.7"), ("z", "198.51.100.8")):
        (folder / name).mkdir(parents=True)
        with blob(calls([f"09:00 alice {address} sts:GetCallerIdentity"]), "x.json.gz").open() as stored:
            (folder / name / "x.json.gz").write_bytes(stored.read())
    return folder


def own_descriptors(folder: Path) -> None:
    """Listing it opens one more, which has vanished when it is to be looked at."""
    (folder / "m").symlink_to("/proc/self/fd")


def too_deep(folder: Path) -> None:
    """Nest folders until the path of the innermost is longer than any that can be opened, without ever naming it whole."""
    (folder / "m").mkdir()
    inner = os.open(folder / "m", os.O_RDONLY)
    for _ in range(40):
        os.mkdir("m" * 200, dir_fd=inner)
        inner, outer = os.open("m" * 200, os.O_RDONLY, dir_fd=inner), inner
        os.close(outer)
    os.close(inner)


def apart(*words: str) -> Ended:
    """Run a command in a process of its own, whose descriptors are not those of all tests before."""
    ended = subprocess.run([sys.executable, "-m", "vedette", *words], check=False, capture_output=True, text=True, timeout=HUNG)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.parametrize(
    ("trap", "vedette", "location"),
    [
        (own_descriptors, apart, "logs"),
        (own_descriptors, apart, "logs/**"),
        *((too_deep, run, location) for location in ("logs", "logs/*", "logs/**/*", "logs/**")),
    ],
)
def test_a_subfolder_that_cannot_be_listed_costs_only_itself(
    logs: Path, trap: Callable[[Path], None], vedette: Vedette, location: str
) -> None:
    trap(logs)
    ended = vedette("scan", location, "--strict", "--output", "found", "--run-report", "report.json", "--workers", "1")
    report = json.loads(Path("report.json").read_text())
    assert ended.status == 11, ended.err
    assert report["records"] == {"cloudtrail": 2}
    assert report["unreadable"] >= 1
    (name, reasons), *_ = [item for item in report["files"] if "cannot be listed" in item[1][0]]
    assert name.startswith("logs/m/")
    assert name.endswith("/")
    assert f"bad file: {name}: {reasons[0]}" in ended.err


def test_what_could_not_be_listed_is_tried_again(logs: Path) -> None:
    own_descriptors(logs)
    words = ["scan", "logs", "--store", "case.db", "--strict", "--output", "found", "--workers", "1"]
    assert [apart(*words).status for _ in range(2)] == [11, 11]
    (logs / "m").unlink()
    assert run(*words).status == 0


@pytest.mark.parametrize("location", ["logs", "logs/*", "logs/**"])
def test_the_location_itself_must_be_listed(logs: Path, monkeypatch: pytest.MonkeyPatch, location: str) -> None:
    listing = os.scandir

    def refusing(folder: Path) -> object:
        if Path(folder) == Path("logs"):
            raise PermissionError(13, "Permission denied")  # as root, none is refused really
        return listing(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(SourceError, match="folder 'logs' cannot be listed: Permission denied"):
        list(list_blobs(location, Span()))


@pytest.mark.parametrize("target", ["x" * 300, "../logs/" + "x" * 300, "m/m"])
def test_a_link_that_cannot_be_followed_is_one_bad_file(logs: Path, target: str) -> None:
    (logs / "m").symlink_to(target)
    names = [item.name for item in list_blobs("logs", Span())]
    assert names == ["logs/a/x.json.gz", "logs/m", "logs/z/x.json.gz"]
    with pytest.raises(SourceError, match="logs/m' cannot be opened"):
        list(list_blobs("logs/m", Span()))


def test_what_vanishes_while_folders_are_listed_is_named(logs: Path) -> None:
    (logs / "m" / "n").mkdir(parents=True)
    (logs / "m" / "n" / "y.gz").touch()
    found = list_blobs("logs", Span())
    first = next(found)
    rmtree(logs / "m")
    (logs / "z" / "x.json.gz").unlink()
    rest = [item.name for item in found]
    assert (first.name, rest) == ("logs/a/x.json.gz", ["logs/m/"])


def test_folders_may_be_nested_deeper_than_functions_call(logs: Path) -> None:
    place = logs / "m"
    for _ in range(15):
        place = place.joinpath(*"b" * 80)
        place.mkdir(parents=True)
    (place / "y.gz").touch()
    try:
        assert [item.name.count("/b") for item in list_blobs("logs", Span())] == [0, 1_200, 0]
    finally:  # what removes temporary folders calls itself for each
        (place / "y.gz").unlink()
        while place != logs:
            place.rmdir()
            place = place.parent
