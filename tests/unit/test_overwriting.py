"""No file for results takes the place of what the run reads or keeps, whatever it is called; nothing has run then."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
from baselines import baseline_of, content
from commands import run
from notation import blob, calls

OLD = "logs/AWSLogs/123456789012/CloudTrail/us-east-1/2020/01/01"
LOG = calls(["09:00 alice 198.51.100.7 sts:GetCallerIdentity"])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with logs, a list, a baseline, an inventory, settings and a store that knows something."""
    folder = tmp_path_factory.mktemp("world")
    with blob(LOG).open() as stored:
        log = stored.read()
    for name in ("a.json.gz", "logs/a.json.gz", f"{OLD}/a.json.gz"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(log)
    (folder / "list.txt").write_text("198.51.100.7\n")
    (folder / "cfg.toml").write_text("workers = 1\n")
    (folder / "inventory").mkdir()
    (folder / "inventory" / "describe-instances.json").write_text('{"Reservations": []}')
    (folder / "geo.mmdb").write_text("none, but nobody gets as far as that")
    baseline = baseline_of("alice", folder / "b.zip")
    assert run("baseline", "import", baseline, "--store", str(folder / "case.db")).status == 0
    return folder


@pytest.fixture(autouse=True)
def _inside(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copytree(world, tmp_path / "own"))


def itself(name: str) -> str:
    return name


def spelt(name: str) -> str:
    return f"logs/.././{name}"


def whole(name: str) -> str:
    return str(Path(name).absolute())


def linked(name: str) -> str:
    Path("link").symlink_to(Path(name).absolute())
    return "link"


def through_a_folder(name: str) -> str:
    Path("there").symlink_to(Path(name).absolute().parent)
    return f"there/{Path(name).name}"


def hard(name: str) -> str:
    os.link(name, "hard")
    return "hard"


WAYS = [itself, spelt, whole, linked, through_a_folder, hard]
READ = {
    "a log": ("a.json.gz", "a.json.gz"),
    "a log of a folder": ("logs/a.json.gz", "logs"),
    "a log of a pattern": ("logs/a.json.gz", "logs/*.gz"),
    "a log of other days": (
        f"{OLD}/a.json.gz",
        "logs --since 2026-03-14",
    ),
    "a list": ("list.txt", "a.json.gz --custom-list list.txt"),
    "a list with a name": ("list.txt", "a.json.gz --trusted-list ours=list.txt"),
    "settings": ("cfg.toml", "a.json.gz --config cfg.toml"),
    "a baseline": ("b.zip", "a.json.gz --baseline b.zip --store new.db"),
    "an inventory": ("inventory/describe-instances.json", "a.json.gz --inventory inventory"),
    "geolocation": ("geo.mmdb", "a.json.gz --geoip geo.mmdb"),
    "a store": ("case.db", "a.json.gz --store case.db"),
    "a store by URL": ("case.db", "a.json.gz --store sqlite:///case.db?timeout=5"),
    "state": ("case.db.state/owner.json", "a.json.gz --store case.db"),
}


def check_refused(words: list[str], *names: str) -> None:
    before = content(Path())
    ended = run(*words)
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1), ended.err
    assert all(name in ended.err for name in names), ended.err
    assert content(Path()) == before


@pytest.mark.parametrize(("option", "way"), [("--run-report", itself), *(("--output", way) for way in WAYS)])
@pytest.mark.parametrize("what", READ)
def test_what_a_scan_reads_or_keeps_is_never_overwritten(what: str, option: str, way: Callable[[str], str]) -> None:
    victim, words = READ[what]
    target = way(victim)
    other = [] if option == "--output" else ["--output", "findings"]
    shown = victim.split("/", maxsplit=1)[0]
    check_refused(["scan", *words.split(), *other, option, target], f"{option} {Path(target)}:", shown)


@pytest.mark.parametrize("target", ["new.db", "new.db-wal", "./new.db-shm", "new.db.state", "case.db.state/new", "vedette.toml"])
def test_what_does_not_exist_yet_is_not_taken_either(target: str) -> None:
    Path("vedette.toml").write_text("workers = 1\n")
    store = "case.db" if target.startswith("case") else "new.db"
    check_refused(["scan", "a.json.gz", "--store", store, "--output", target], f"--output {Path(target)}:")


def test_a_store_and_a_state_folder_of_the_settings_are_known() -> None:
    Path("mine").mkdir()
    Path("vedette.toml").write_text("store = 'case.db'\nstate_folder = 'mine'\ncustom_lists = ['x=list.txt']\n")
    for target, place in (("case.db", "case.db"), ("mine/x", "mine"), ("list.txt", "list.txt")):
        check_refused(["scan", "a.json.gz", "--output", target], f"--output {target}:", f" {place}, which")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("victim", ["case.db", "case.db.state/owner.json", "cfg.toml"])
def test_an_export_takes_the_place_of_nothing(victim: str, way: Callable[[str], str]) -> None:
    target = way(victim)
    check_refused(["baseline", "export", target, "--store", "case.db", "--config", "cfg.toml"], str(Path(target)), victim[:7])


@pytest.mark.parametrize("way", WAYS)
def test_findings_and_report_go_to_different_files(way: Callable[[str], str]) -> None:
    Path("z1").touch()
    check_refused(["scan", "a.json.gz", "--output", "z1", "--run-report", way("z1")], "--output z1", "--run-report")


def outside(shell: str) -> subprocess.CompletedProcess[str]:
    """Run ``vedette`` with redirections, which need a process."""
    words = f"{sys.executable} -m vedette {shell}"
    return subprocess.run(["/bin/sh", "-c", words], text=True, capture_output=True, check=False)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("scan - --output a.json.gz < a.json.gz", "a.json.gz"),
        ("scan /dev/stdin --output a.json.gz < a.json.gz", "a.json.gz"),
        ("scan a.json.gz --run-report f > f", "standard output"),
        ("scan a.json.gz --output f --run-report - > f", "standard output"),
        ("scan a.json.gz --output ./f --run-report r 2> f", ""),
    ],
)
def test_redirections_are_files_as_well(words: str, name: str) -> None:
    before = Path("a.json.gz").read_bytes()
    ended = outside(words)
    assert ended.returncode == 2
    assert name in ended.stderr
    assert Path("a.json.gz").read_bytes() == before
    assert not Path("r").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["logs", "--output", "logs/new"],
        ["a.json.gz", "--output", "logs/a.json.gz"],  # which this run does not read
        ["logs/*.gz", "--output", "logs/list"],
        ["a.json.gz", "--store", "case.db", "--output", "cfg.toml"],
        ["a.json.gz", "--store", "case.db", "--output", "case.db.stat", "--run-report", "case.db.state.json"],
        ["a.json.gz", "--output", "/dev/null", "--run-report", "/dev/null"],
    ],
)
def test_whatever_else_there_is_may_be_written(words: list[str]) -> None:
    Path("logs/list").touch()
    assert run("scan", *words, "--workers", "1", "--format", "csv").status == 0
    assert Path(words[-1]) == Path(os.devnull) or Path(words[words.index("--output") + 1]).read_text().startswith("id,")


def test_standard_output_by_name_is_what_it_is() -> None:
    ended = outside("scan a.json.gz --custom-list list.txt --output /dev/stdout > f")
    assert ended.returncode == 0, ended.stderr
    assert "198.51.100.7" in Path("f").read_text()
