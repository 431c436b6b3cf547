"""The command line as a user meets it: output, messages, exit statuses, in a terminal 80 columns wide."""

import gzip
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from caller_types import CALLERS
from commands import Vedette, run
from notation import calls
from patience import HUNG

from vedette.cli import build

LINES = ["12:00 alice 198.51.100.7 ec2:DescribeInstances", "12:01 alice 203.0.113.1 ec2:DescribeInstances"]


@pytest.fixture
def vedette(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Vedette:
    """Run a command in a folder with logs and lists."""
    monkeypatch.chdir(tmp_path)
    # What the first calls of an archive raise beside is not what is tried here.
    monkeypatch.setenv("VEDETTE_FINDING_TYPES", ",".join(CALLERS))
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "one.json.gz").write_bytes(gzip.compress(json.dumps({"Records": calls(LINES)}).encode()))
    (tmp_path / "bad.txt").write_text("198.51.100.7\n10.0.0.1\n")
    (tmp_path / "office.txt").write_text("198.51.100.0/24\n")

    return run


def test_a_scan_prints_findings_and_ends_with_the_report(vedette: Vedette) -> None:
    ended = vedette("scan", "logs", "--custom-list", "bad.txt")
    (document,) = map(json.loads, ended.out.splitlines())
    assert document["type"] == "Recon:IAMUser/MaliciousIPCaller.Custom"
    assert ended.status == 0
    wanted = ["records read: 2 (cloudtrail 2)", "records bad: 0", "records late: 0", "flows ambiguous: 0"]
    assert ended.err.splitlines()[:4] == wanted
    assert ended.counts["list bad"].startswith("custom, 1 entry, 1 line refused")


def test_a_table_fits_eighty_columns(vedette: Vedette) -> None:
    ended = vedette("scan", "logs", "--custom-list", "bad.txt", "--format", "table")
    assert all(len(line) <= 80 for line in ended.out.splitlines())
    assert "MaliciousIPCaller.Custom" in ended.out
    assert re.search(r"next: keep findings with --store FILE, then vedette explain [0-9a-f]{12} --store FILE", ended.err)


def test_a_trusted_list_silences_and_the_report_says_how_much(vedette: Vedette) -> None:
    ended = vedette("scan", "logs", "--custom-list", "bad.txt", "--trusted-list", "office=office.txt")
    assert ended.out == ""
    assert ended.counts["silenced by trusted list office"] == "1 record"


def test_standard_input_is_a_source(vedette: Vedette, monkeypatch: pytest.MonkeyPatch) -> None:
    data = gzip.compress(json.dumps({"Records": calls(LINES)}).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    ended = vedette("scan", "-", "--custom-list", "bad.txt", "--format", "csv")
    assert ended.out.count("198.51.100.7") >= 1
    assert ended.counts["records read"] == "2 (cloudtrail 2)"


def test_findings_are_kept_listed_shown_and_explained(vedette: Vedette) -> None:
    vedette("scan", "logs", "--custom-list", "bad.txt", "--store", "case.db")
    listed = vedette("findings", "list", "--store", "case.db", "--format", "ndjson")
    finding = json.loads(listed.out)["id"]
    assert json.loads(vedette("findings", "show", finding[:8], "--store", "case.db", "--format", "ndjson").out)["id"] == finding
    shown = vedette("findings", "show", finding, "--store", "case.db")
    assert vedette("explain", finding[:6], "--store", "case.db").out == shown.out
    assert "198.51.100.7 is on list bad (line 1, 198.51.100.7/32)." in shown.out
    assert vedette("findings", "list", "--store", "case.db", "--severity", "8").out == ""
    again = vedette("scan", "logs", "--custom-list", "bad.txt", "--store", "case.db")
    assert again.out == ""
    assert again.counts["files read"] == "0 (1 more were read before)"


def test_lists_in_a_store_are_used_by_its_scans(vedette: Vedette) -> None:
    added = vedette("lists", "add", "bad.txt", "--store", "case.db")
    assert added.err.splitlines()[0] == "bad: custom, TXT, 1 entry, 1 line refused, ACTIVE"
    assert "line 2: '10.0.0.1'" in added.err
    Path("bad.txt").write_text("198.51.100.7\n198.51.100.8\n")
    grown = vedette("lists", "add", "bad.txt", "--store", "case.db")
    assert grown.err.splitlines()[-1] == "warning: bad: grew from 1 to 2 entries (+100%)"
    assert "bad   custom  TXT     2        ACTIVE" in vedette("lists", "ls", "--store", "case.db").out
    assert "198.51.100.7/32" in vedette("lists", "show", "bad", "--store", "case.db").out
    assert json.loads(vedette("scan", "logs", "--store", "case.db").out)["service"]["count"] == 1
    assert vedette("lists", "rm", "bad", "--store", "case.db").status == 0
    gone = vedette("lists", "show", "bad", "--store", "case.db")
    assert (gone.status, gone.out) == (8, "")


def test_the_report_is_written_as_json(vedette: Vedette, tmp_path: Path) -> None:
    (tmp_path / "logs" / "broken.json").write_bytes(b'{"Records": [{"eventName": "ListUsers", "eventSou')
    ended = vedette("scan", "logs", "--run-report", "report.json", "--strict", "--output", "found.json", "--format", "json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert ended.status == 11
    assert (report["records"], report["blobs"], report["bad"]) == ({"cloudtrail": 2}, 2, 1)
    assert report["files"][0][0].endswith("broken.json")
    assert json.loads((tmp_path / "found.json").read_text()) == []
    assert "bad file: logs/broken.json: " in ended.err


@pytest.mark.parametrize(
    ("severity", "reached"),
    [
        ("medium", True),
        (" Low ", True),
        ("5", True),
        ("0", True),
        ("5.1", False),
        ("high", False),
        ("CRITICAL", False),
        ("10", False),
    ],
)
def test_a_severity_is_a_name_or_a_number(vedette: Vedette, severity: str, reached: bool) -> None:
    ended = vedette("scan", "logs", "--custom-list", "bad.txt", "--store", "case.db", "--fail-on", severity)
    assert ended.status == (10 if reached else 0)
    listed = vedette("findings", "list", "--store", "case.db", "--severity", severity)
    assert (listed.status, bool(listed.out)) == (0, reached)


def test_no_finding_reaches_no_severity(vedette: Vedette) -> None:
    ended = vedette("scan", "logs", "--fail-on", "0")
    assert (ended.status, ended.out) == (0, "")


@pytest.mark.parametrize(
    "severity", ["nan", "NaN", "inf", "-inf", "-1", "-0.1", "10.1", "99", "1e9", "", " ", "5,0", "severe", "hihg"]
)
def test_what_is_not_a_severity_is_refused_before_anything_is_read(vedette: Vedette, severity: str) -> None:
    for arguments in (("scan", "none", "--fail-on"), ("findings", "list", "--store", "none.db", "--severity")):
        ended = vedette(*arguments, severity)
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith(f"vedette: {severity!r} is not a severity"), ended.err
    assert ("; did you mean high?" in ended.err) == (severity == "hihg")


# Standard output as a file


@pytest.mark.parametrize("name", ["json", "ndjson", "csv", "table"])
def test_findings_go_to_standard_output_by_its_name(vedette: Vedette, name: str) -> None:
    chosen = ("scan", "logs", "--custom-list", "bad.txt", "--quiet", "--store", "case.db", "--format", name)
    assert vedette(*chosen, "--output", "-").out.count("198.51.100.7") >= 1
    assert not Path("-").exists()


def test_the_report_goes_to_standard_output_by_its_name(vedette: Vedette) -> None:
    ended = vedette("scan", "logs", "--custom-list", "bad.txt", "--output", "found.ndjson", "--run-report", "-")
    assert json.loads(ended.out)["records"] == {"cloudtrail": 2}
    assert ended.counts["records read"] == "2 (cloudtrail 2)"
    assert json.loads(Path("found.ndjson").read_text())["service"]["count"] == 1
    assert not Path("-").exists()


@pytest.mark.parametrize("output", [(), ("--output", "-")], ids=["by default", "by its name"])
def test_findings_and_report_are_not_mixed(vedette: Vedette, output: tuple[str, ...]) -> None:
    ended = vedette("scan", "logs", "--run-report", "-", *output)
    message = "vedette: --run-report -: findings go to standard output already; give --output FILE as well\n"
    assert (ended.status, ended.out, ended.err) == (2, "", message)


# What names a file, a folder or a store: the only ones that `-` is for, and all of them.
STREAMS = {("scan", "SOURCE"), ("scan", "--output"), ("scan", "--run-report")}


def file_names() -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield each parameter that names files, after the words of its command, and a command line with ``-`` in its place."""
    for words, command in commands(typer.main.get_command(build())):
        for chosen in command.params:
            kind = chosen.metavar or ""
            if re.search("(FILE|DIR|STORE|SOURCE)$", kind) or chosen.type_descriptor.annotation is Path:
                line = list(words)
                for other in command.params:
                    if other is chosen or other.required:
                        option = [other.opts[0]] if other.param_type_name == "option" else []
                        line += [*option, "-" if other is chosen else "x"]
                yield (*words, chosen.opts[0] if chosen.param_type_name == "option" else kind), line


def commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - typer's own class
    if not hasattr(group, "commands"):
        yield words, group
        return
    for word, below in group.commands.items():
        yield from commands(below, (*words, word))


@pytest.mark.parametrize(
    ("name", "line"), [pytest.param(*item, id=" ".join(item[0])) for item in file_names() if item[0] not in STREAMS]
)
def test_what_cannot_be_standard_input_or_output_says_so(vedette: Vedette, name: tuple[str, ...], line: list[str]) -> None:
    ended = vedette(*line)
    message = f"vedette: {name[-1]}: '-' (standard input or output) cannot be used here; give a name\n"
    assert (ended.status, ended.out, ended.err) == (2, "", message)
    assert not Path("-").exists()


def test_all_that_names_a_file_is_tried() -> None:
    found = {name for name, _ in file_names()}
    assert found >= STREAMS | {("baseline", "export", "FILE"), ("inventory", "pull", "--out"), ("simulate", "--out")}
    assert found >= {("scan", "--tor-list"), ("lists", "add", "[NAME=]FILE"), ("explain", "--store"), ("settings", "--config")}


def test_a_list_that_is_named_cannot_be_standard_input(vedette: Vedette) -> None:
    ended = vedette("scan", "logs", "--tor-list", "bad.txt", "--tor-list", "tor=-")
    assert (ended.status, "--tor-list: '-' (standard input or output)" in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("scan", "empty"), 4, "folder 'empty' contains no files"),
        (("scan", "lgos"), 3, "'lgos' does not exist: this folder has 'logs', not 'lgos'"),
        (("scan", "gopher://x"), 2, "'gopher://x' has an unknown scheme: give a path"),
        (("scan", "logs", "--config", "vedete.toml"), 2, "settings file 'vedete.toml' cannot be read"),
        (("scan", "logs", "--custom-list", "none.txt"), 2, "none.txt: cannot be read (No such file or directory)"),
        (("scan", "logs", "--geoip", "bad.txt"), 2, "bad.txt: not a readable geolocation database"),
        (("scan", "logs", "--format", "xml"), 2, "output format: choose one of csv, guardduty"),
        (("scan", "logs", "--fail-on", "sometimes"), 2, "'sometimes' is not a severity: give low, medium"),
        (("scan", "logs", "--since", "yesterday"), 2, "--since: 'yesterday' is not a time"),
        (("scan", "logs", "--store", "no/such/folder/x.db"), 6, "the store no/such/folder/x.db"),
        (("scan", "logs", "--output", "no/such/file"), 2, "no/such/file: cannot be written"),
        (("findings", "list"), 2, "no store is named: give --store FILE"),
        (("findings", "list", "--store", "none.db"), 6, "the store none.db does not exist"),
        (("lists", "add", "bad.txt", "--kind", "evil", "--store", "x.db"), 2, "--kind: 'evil' is not a kind of list"),
        (("explain", "Recon:EC2/Portscam"), 8, "'Recon:EC2/Portscam' is not a finding type that is detected"),
        (("simulate", "tor-calller", "--out", "x"), 8, "tor-caller"),
        (("simulate", "tor-caller"), 2, "--out DIR is missing"),
    ],
)
def test_an_error_is_one_clear_sentence(
    vedette: Vedette, tmp_path: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    (tmp_path / "empty").mkdir()
    ended = vedette(*arguments)
    assert ended.status == status
    (line,) = ended.err.splitlines()
    assert line.startswith("vedette: ")
    assert message in line
    assert ended.out == ""


def test_unknown_settings_are_all_named_with_the_nearest(vedette: Vedette, tmp_path: Path) -> None:
    (tmp_path / "vedette.toml").write_text('stroe = "x"\n[own_egress]\ndayz = 3\n')
    ended = vedette("scan", "logs")
    assert ended.status == 2
    assert "did you mean 'store'?" in ended.err
    assert "did you mean 'own_egress_days'?" in ended.err


def test_text_of_the_log_cannot_reach_the_terminal(vedette: Vedette, tmp_path: Path) -> None:
    record = calls(LINES[:1])[0] | {"userAgent": "\x1b]0;owned\x07\x1b[2J=cmd|' /C calc'!A0"}
    (tmp_path / "logs" / "\x1b[31mred.json").write_text(json.dumps({"Records": [record, "x"]}))
    for shape in ("table", "csv", "ndjson", "json"):
        ended = vedette("scan", "logs", "--custom-list", "bad.txt", "--format", shape)
        assert "\x1b" not in ended.out + ended.err
        assert "\x07" not in ended.out + ended.err


def test_help_and_version_import_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['vedette', '--help']\nfrom vedette.cli import main\ntry: main()\nexcept SystemExit: pass\n"
        "print(sorted({'duckdb', 'pyarrow', 'sqlalchemy', 'boto3', 'pydantic', 'alembic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=HUNG, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_closed_pipe_is_no_message(tmp_path: Path) -> None:
    command = f"{sys.executable} -m vedette explain Recon:IAMUser/TorIPCaller | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=HUNG, check=False, env=os.environ
    )
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
