"""The command line as a user meets it: output, messages, exit statuses, in a terminal 80 columns wide."""

import gzip
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from notation import calls

from vedette import cli

LINES = ["12:00 alice 198.51.100.7 ec2:DescribeInstances", "12:01 alice 203.0.113.1 ec2:DescribeInstances"]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def counts(self) -> dict[str, str]:
        """The lines of the run report."""
        return dict(line.split(": ", 1) for line in self.err.splitlines() if ": " in line)


Vedette = Callable[..., Ended]


@pytest.fixture
def vedette(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Vedette:
    """Run a command in a folder with logs and lists; return how it ended."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    # What the first calls of an archive raise beside is not what is tried here.
    monkeypatch.setenv("VEDETTE_FINDING_TYPES", "Recon:IAMUser/TorIPCaller,Recon:IAMUser/MaliciousIPCaller.Custom")
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "one.json.gz").write_bytes(gzip.compress(json.dumps({"Records": calls(LINES)}).encode()))
    (tmp_path / "bad.txt").write_text("198.51.100.7\n10.0.0.1\n")
    (tmp_path / "office.txt").write_text("198.51.100.0/24\n")

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["vedette", *arguments])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(bool(end.code))
        captured = capsys.readouterr()
        return Ended(status, captured.out, captured.err)

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


@pytest.mark.parametrize(("severity", "status"), [("medium", 10), ("5", 10), ("high", 0), ("8", 0)])
def test_fail_on_a_severity(vedette: Vedette, severity: str, status: int) -> None:
    assert vedette("scan", "logs", "--custom-list", "bad.txt", "--fail-on", severity).status == status


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("scan", "empty"), 4, "folder 'empty' holds no file"),
        (("scan", "lgos"), 3, "'lgos' does not exist: this folder has 'logs', not 'lgos'"),
        (("scan", "gopher://x"), 2, "no source reads 'gopher://x'"),
        (("scan", "logs", "--config", "vedete.toml"), 2, "settings file 'vedete.toml' cannot be read"),
        (("scan", "logs", "--custom-list", "none.txt"), 2, "none.txt: cannot be read (No such file or directory)"),
        (("scan", "logs", "--geoip", "bad.txt"), 2, "bad.txt: is no readable geolocation database"),
        (("scan", "logs", "--format", "xml"), 2, "'xml' is no output format: choose one of csv, guardduty"),
        (("scan", "logs", "--fail-on", "sometimes"), 2, "--fail-on 'sometimes': is no severity"),
        (("scan", "logs", "--since", "yesterday"), 2, "--since 'yesterday': is no time"),
        (("scan", "logs", "--store", "no/such/folder/x.db"), 6, "the store no/such/folder/x.db"),
        (("scan", "logs", "--output", "no/such/file"), 2, "no/such/file: cannot be written"),
        (("findings", "list"), 2, "no store is named: give --store FILE"),
        (("findings", "list", "--store", "none.db"), 6, "the store none.db does not exist"),
        (("lists", "add", "bad.txt", "--kind", "evil", "--store", "x.db"), 2, "--kind 'evil': is no kind of list"),
        (("explain", "Recon:EC2/Portscam"), 8, "'Recon:EC2/Portscam' is no finding type that is detected"),
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
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_closed_pipe_is_no_message(tmp_path: Path) -> None:
    command = f"{sys.executable} -m vedette explain Recon:IAMUser/TorIPCaller | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=60, check=False, env=os.environ
    )
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
