"""Whatever has no end, is too large or too deep is refused in one sentence that says how much would do."""

import gzip
import io
import json
import os
import re
import sys
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from annotated_types import Ge, Le
from commands import run
from interrupting import given_up_after
from notation import calls

from vedette.errors import ConfigurationError, SourceError
from vedette.inventory.files import read_snapshots
from vedette.rules.thresholds import setting_names
from vedette.settings import Settings, load, variable
from vedette.sources import Span, list_blobs
from vedette.terminal.waiting import waiting

WHOLE = {
    name: tuple(
        getattr(limit, side) for side, kind in (("ge", Ge), ("le", Le)) for limit in field.metadata if isinstance(limit, kind)
    )
    for name, field in Settings.model_fields.items()
    if field.annotation is int
}
"""The settings that are whole numbers, with the least and the most that they take."""

HUGE = 10**400
HANG = 60.0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a log and without settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VEDETTE_BUNDLED_LISTS", "false")
    lines = ["12:00 alice 198.51.100.7 ec2:DescribeInstances", "12:01 alice 203.0.113.1 ec2:DescribeInstances"]
    (tmp_path / "log.json.gz").write_bytes(gzip.compress(json.dumps({"Records": calls(lines)}).encode()))
    return tmp_path


def refused(config: Path | None = None, **options: object) -> str:
    with pytest.raises(ConfigurationError) as raised:
        load(config, options)
    message = str(raised.value)
    assert len(message) < 1_000
    return message


# Streams


class Endless(io.RawIOBase):
    """Bytes without end."""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  # of whatever a BufferedReader passes
        """Fill the buffer."""
        buffer[:] = bytes(len(buffer))
        return len(buffer)


def test_a_stream_without_end_is_read_up_to_the_bound(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Endless())))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with pytest.raises(SourceError, match=r"^standard input does not end within 5,000,000 bytes \(max_blob_bytes\)$"):
        list(list_blobs("-", Span(), most_bytes=5_000_000))
    assert sum(path.stat().st_size for path in (tmp_path / "temporary").iterdir()) <= 5_000_000


def test_a_stream_that_ends_at_the_bound_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"12345")))
    (blob,) = list_blobs("-", Span(), most_bytes=5)
    assert blob.open().read() == b"12345"


def test_the_bound_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"12345")))
    monkeypatch.setenv("VEDETTE_MAX_BLOB_BYTES", "4")
    ended = run("scan", "-")
    assert (ended.status, ended.err) == (3, "vedette: standard input does not end within 4 bytes (max_blob_bytes)\n")


def test_a_device_without_end_is_given_up_early() -> None:
    with given_up_after(HANG):
        ended = run("scan", "/dev/zero")
    assert (ended.status, len(ended.err.splitlines())) == (3, 1)
    assert "'/dev/zero' does not end within 1,048,576 bytes" in ended.err


def test_what_is_waited_for_is_said(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    os.mkfifo("pipe")
    said = ""
    with given_up_after(HANG), waiting(["log.json.gz", folder / "pipe"], seconds=0):
        while not said:
            sleep(0.001)
            said = capsys.readouterr().err
    assert said == f"vedette: waiting until the pipe '{folder}/pipe' ends; Ctrl-C stops\n"
    with waiting(["log.json.gz", "none", "\0", "x" * 5_000], seconds=0):
        sleep(0.05)
    assert capsys.readouterr().err == ""


# Files that are read whole


@pytest.mark.parametrize("option", ["--config", "--custom-list", "--geoip", "--inventory", "--baseline"])
def test_a_device_is_no_file_of_any_option(option: str) -> None:
    with given_up_after(HANG):
        ended = run("scan", "log.json.gz", "-q", option, "/dev/zero")
    assert (ended.status, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert "/dev/zero" in ended.err


def test_a_settings_file_is_bounded() -> None:
    with Path("vedette.toml").open("wb") as file:
        file.truncate(1 << 40)
    assert refused() == "settings file 'vedette.toml' is larger than 1,048,576 bytes"


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "{a = " * 5_000,
        "a." * 3_000 + "a = 1",
        "[" + "a." * 3_000 + "a]",
        '"\\"" . ' * 3_000 + "a = 1",
        "a = {" + "'a'." * 3_000 + "a = 1}",
    ],
    ids=["lists", "tables", "key", "header", "quoted", "inline"],
)
def test_settings_nested_too_deeply_are_one_sentence(text: str) -> None:
    Path("vedette.toml").write_text(text)
    assert refused() == "settings file 'vedette.toml' is not valid TOML: nested too deeply"


def test_many_addresses_on_one_line_are_not_deep() -> None:
    networks = [f"198.51.{number // 256}.{number % 256}/32" for number in range(2_000)]
    Path("vedette.toml").write_text(f"own_addresses = {json.dumps(networks)}")
    assert len(load(None, {}).own_addresses) == 2_000


def test_of_many_faults_some_are_told() -> None:
    Path("vedette.toml").write_text("\n".join(f"no{number} = 1" for number in range(20_000)))
    with pytest.raises(ConfigurationError, match="20000 settings are wrong") as raised:
        load(None, {})
    assert str(raised.value).splitlines()[-1] == "  and 19900 more"
    assert len(str(raised.value)) < 10_000


def test_an_inventory_file_is_bounded(folder: Path) -> None:
    for name, size in (("describe-instances.json", (512 << 20) + 1), ("snapshot.json", (512 << 20) + 1)):
        with (folder / name).open("wb") as file:
            file.truncate(size)
    os.mkfifo(folder / "describe-subnets.json")
    with given_up_after(HANG), pytest.raises(ConfigurationError) as raised:
        read_snapshots(folder)
    assert re.findall(r"/([\w.-]+): (is [\w ,]+)$", str(raised.value), re.MULTILINE) == [
        ("describe-instances.json", "is larger than 536,870,912 bytes"),
        ("describe-subnets.json", "is not a file"),
        ("snapshot.json", "is larger than 536,870,912 bytes"),
    ]


# Numbers


def toml(name: str, text: str) -> Path:
    Path("given.toml").write_text(f"{name} = {text}\n")
    return Path("given.toml")


def test_every_whole_number_has_both_bounds() -> None:
    assert len(WHOLE) >= 11
    assert {name: limits for name, limits in WHOLE.items() if len(limits) != 2} == {}


@pytest.mark.parametrize("name", WHOLE)
def test_a_number_is_within_its_bounds_wherever_it_is_given(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    least, most = WHOLE[name]
    for value in (least, most):
        assert getattr(load(toml(name, str(value)), {}), name) == value
    texts = [str(least - 1), str(most + 1), f"0x{'f' * 5_000}", str(HUGE), str(-HUGE), "nan", "inf", "-inf", "1e400", "1.5"]
    for text in [*texts, "true", '"many"', "[]", "{a = 1}", "1979-05-27"]:
        message = refused(toml(name, text))
        # A table is the beginning of other names.
        assert message.startswith(
            f"file given.toml: {name} must be " if text[0] != "{" else "file given.toml: there is no setting"
        )
    for text in [*texts, "many", "[]", "9" * 100_000]:
        monkeypatch.setenv(variable(name), text)
        assert refused().startswith(
            f"environment {variable(name)}: {name} must be a whole number from {least:,} to {most:,}, not "
        )
    monkeypatch.delenv(variable(name))
    for value in (least - 1, most + 1, HUGE, -HUGE, 10**5_000, float("nan"), float("inf"), True, "many", [], {}, object()):
        given: dict[str, object] = {name: value}
        assert refused(None, **given).startswith(f"option: {name} must be ")


@pytest.mark.parametrize("text", ["nan", "-nan", "inf", "-inf", "1e400", "1_000_001", "-1_000_000.5", str(HUGE), "true", "[]"])
def test_a_threshold_is_a_number_that_something_can_be_compared_with(text: str) -> None:
    assert refused(toml('thresholds."Recon:EC2/Portscan.hosts"', text)).startswith(
        "file given.toml: threshold 'Recon:EC2/Portscan.hosts' must be a number"
    )


@pytest.mark.parametrize("text", ['{"a.b": NaN}', '{"a.b": 1e999}', '{"a.b": ' + "9" * 5_000 + "}", "[" * 100_000, "{}}", "5"])
def test_thresholds_of_the_environment_are_checked_alike(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEDETTE_THRESHOLDS", text)
    assert refused().startswith("environment VEDETTE_THRESHOLDS: threshold")


@pytest.mark.parametrize(
    "value",
    ["", "0KB", "15.9MB", "1001TB", "999999TB", "9" * 400 + "TB", "1gb", "1PB", "-1GB", "٣GB", "1GB\n", "nanGB", "1e9KB", 5],
)
def test_a_size_is_one_that_the_engine_starts_with(value: object) -> None:
    assert refused(memory_limit=value).startswith('option: memory_limit must be a size such as "1GB", from 16MB to 1000TB, not ')


@pytest.mark.parametrize("value", ["9GB", "9" * 400, "1.5MB", "-2", "10 MB", "much", 5])
def test_what_is_broadcast_is_a_size_that_spark_takes(value: object) -> None:
    assert refused(spark_broadcast_limit=value).startswith("option: spark_broadcast_limit must be a size")


def test_text_holds_no_nul(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("store", "state_folder", "region", "inventory", "s3_endpoint", "spark_master"):
        assert refused(toml(name, r'"a\u0000b"')).startswith(f"file given.toml: {name} must be ")
    for name in ("geoip", "tor_lists", "finding_types"):
        assert refused(toml(name, r'["a\u0000b"]')).startswith(f"file given.toml: {name} must be ")
    monkeypatch.setenv("HOME", "/nonexistent")
    assert load(toml("inventory", '"~nobody-of-that-name/x"'), {}).inventory == "~nobody-of-that-name/x"


@pytest.mark.parametrize("most", [False, True])
def test_the_extremes_of_all_numbers_at_once_give_a_run(most: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limits in WHOLE.items():
        if most or not name.startswith("max_"):  # a byte of each file would show nothing
            monkeypatch.setenv(variable(name), str(limits[most]))
    monkeypatch.setenv("VEDETTE_MEMORY_LIMIT", "1000TB" if most else "1GB")
    for threshold in (1_000_000 if most else -1_000_000, 999_999.5 if most else 0, -0.5):
        monkeypatch.setenv("VEDETTE_THRESHOLDS", json.dumps(dict.fromkeys(setting_names(), threshold)))
        ended = run("scan", "log.json.gz")
        assert (ended.status, ended.counts.get("records read")) == (0, "2 (cloudtrail 2)"), ended.err


@pytest.mark.parametrize("least", [f"VEDETTE_{name.upper()}" for name in WHOLE if name.startswith("max_")])
def test_the_least_of_a_file_is_a_run_too(least: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(least, "1")
    assert run("scan", "log.json.gz").status == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "log.json.gz", "--workers", str(HUGE)),
        ("scan", "log.json.gz", "--workers", "-1"),
        ("scan", "log.json.gz", "--fail-on", "nan"),
        ("scan", "log.json.gz", "--fail-on", "1e400"),
        ("findings", "list", "--store", "none", "--limit", str(HUGE)),
        ("simulate", "company-day", "--out", "out", "--end", "9999-12-31"),
        ("simulate", "company-day", "--out", "out", "--end", "0001-01-01"),
        ("simulate", "company-day", "--out", "out", "--days", str(HUGE)),
    ],
)
def test_numbers_of_options_are_bounded(arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert ended.status == 2
    assert "unexpected" not in ended.err


def test_spans_may_reach_to_the_ends_of_time() -> None:
    ended = run("scan", "log.json.gz", "--since", "0001-01-01", "--until", "9999-12-31T23:59:59.999999")
    assert (ended.status, ended.counts["records read"]) == (0, "2 (cloudtrail 2)")
