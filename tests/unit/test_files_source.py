"""Files, folders, patterns and standard input become blobs."""

import io
import os
import pickle
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.aws import DEFAULT_CONNECTION
from vedette.errors import ConfigurationError, NothingToReadError, SourceError
from vedette.sources import Span, files, list_blobs

DAY = "AWSLogs/123456789012/CloudTrail/us-east-1/2023/07"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name, encoding="utf-8")


def names(location: str, span: Span | None = None) -> list[str]:
    return [blob.name for blob in list_blobs(location, span or Span())]


def test_a_folder_is_read_to_its_depths_in_the_order_of_names(folder: Path) -> None:
    write("logs/b.gz", "logs/a/z.gz", "logs/a/deep/er/x.gz", "logs/a-b.gz", "logs/a.gz")
    assert names("logs") == ["logs/a-b.gz", "logs/a.gz", "logs/a/deep/er/x.gz", "logs/a/z.gz", "logs/b.gz"]
    assert names("./logs/") == names("logs")
    assert names("logs") == sorted(names("logs"))


@given(st.lists(st.text("ab-./", min_size=1, max_size=8), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_the_order_is_that_of_whole_names(tmp_path_factory: pytest.TempPathFactory, wanted: list[str]) -> None:
    root = tmp_path_factory.mktemp("order")
    for name in wanted:
        path = root / "/".join(part for part in name.split("/") if part.strip("."))
        if not path.exists() and all(parent.is_dir() or not parent.exists() for parent in path.parents):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    write(str(root / "always"))
    assert names(str(root)) == sorted(names(str(root)))


def test_hidden_files_and_folders_are_left_out_unless_named(folder: Path) -> None:
    write("logs/a.gz", "logs/.b.gz", "logs/.git/c.gz", ".hidden/d.gz")
    assert names("logs") == ["logs/a.gz"]
    assert names("**/*.gz") == ["logs/a.gz"]
    assert names(".hidden") == [".hidden/d.gz"]
    assert names("logs/.b.gz") == ["logs/.b.gz"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("logs/*.gz", ["logs/a.gz"]),
        ("logs/**/*.gz", ["logs/a.gz", "logs/x/b.gz", "logs/x/y/c.gz"]),
        ("logs/**/y/*", ["logs/x/y/c.gz", "logs/x/y/d.json"]),
        ("**/d.json", ["logs/x/y/d.json"]),
        ("logs/x/**", ["logs/x/b.gz", "logs/x/y/c.gz", "logs/x/y/d.json"]),
        ("logs/?", ["logs/x/b.gz", "logs/x/y/c.gz", "logs/x/y/d.json"]),
        ("l*/x", ["logs/x/b.gz", "logs/x/y/c.gz", "logs/x/y/d.json"]),
        ("logs/[ab].gz", ["logs/a.gz"]),
        ("logs/[!a].gz", []),
        ("logs/**/**/c.gz", ["logs/x/y/c.gz"]),
        ("logs/*/c.gz", []),
        ("logs/*.GZ", []),
    ],
)
def test_a_pattern_admits_files_and_folders(folder: Path, pattern: str, expected: list[str]) -> None:
    write("logs/a.gz", "logs/x/b.gz", "logs/x/y/c.gz", "logs/x/y/d.json")
    if expected:
        assert names(pattern) == expected
    else:
        with pytest.raises(NothingToReadError, match=r"no file matches 'logs/"):
            names(pattern)


def test_a_name_with_wildcards_that_exists_is_a_file(folder: Path) -> None:
    write("logs/[1]*.gz", "logs/1.gz", "odd[0-9]/x.gz", "odd5/y.gz")
    assert names("logs/[1]*.gz") == ["logs/[1]*.gz"]
    assert names("odd[0-9]/*.gz") == ["odd[0-9]/x.gz"]


def test_links_in_a_circle_end_and_a_folder_is_read_once(folder: Path) -> None:
    write("logs/a/x.gz", "elsewhere/y.gz")
    Path("logs/a/up").symlink_to("..")
    Path("logs/self").symlink_to("self")
    Path("logs/there").symlink_to(folder / "elsewhere")
    Path("logs/twice").symlink_to(folder / "elsewhere")
    found = list(list_blobs("logs", Span()))
    assert [blob.name for blob in found] == ["logs/a/x.gz", "logs/self", "logs/there/y.gz"]
    with pytest.raises(SourceError, match="'logs/self' cannot be opened"):
        found[1].open()


def test_a_link_to_nothing_is_shown_and_not_passed_over(folder: Path) -> None:
    write("logs/a.gz")
    Path("logs/gone.gz").symlink_to("nowhere")
    gone = list(list_blobs("logs", Span()))[1]
    assert (gone.name, gone.size) == ("logs/gone.gz", None)
    with pytest.raises(SourceError, match=r"file 'logs/gone\.gz' cannot be opened: No such file"):
        gone.open()
    with pytest.raises(SourceError, match=r"'logs/gone\.gz' is a link to 'nowhere', which does not exist"):
        names("logs/gone.gz")


def test_the_receipt_changes_with_the_content(folder: Path) -> None:
    write("a.gz")
    (before,) = list_blobs("a.gz", Span())
    assert before.size == len("a.gz")
    os.utime("a.gz", ns=(1, 1))
    (touched,) = list_blobs("a.gz", Span())
    Path("a.gz").write_bytes(b"longer than before")
    os.utime("a.gz", ns=(1, 1))
    (written,) = list_blobs("a.gz", Span())
    assert len({before.version, touched.version, written.version}) == 3
    assert touched.version == "4-1"


def test_a_blob_opens_in_another_process(folder: Path) -> None:
    write("a.gz")
    (blob,) = list_blobs("a.gz", Span())
    with pickle.loads(pickle.dumps(blob)).open() as stream:  # noqa: S301 - our own bytes
        assert stream.read() == b"a.gz"


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("AWSLog", "'AWSLog' does not exist: this folder has 'AWSLogs', not 'AWSLog'"),
        ("AWSLogs/2032/x.gz", "'AWSLogs/2032/x.gz' does not exist: 'AWSLogs' has '2023', not '2032'"),
        ("zzz", "'zzz' does not exist: this folder has no 'zzz'"),
        ("AWSLogs/2023/a.gz/b", "'AWSLogs/2023/a.gz/b' does not exist: 'AWSLogs/2023/a.gz' is not a folder"),
        ("AWSLog/*.gz", "'AWSLog/*.gz' does not exist: this folder has 'AWSLogs', not 'AWSLog'"),
    ],
)
def test_a_missing_path_names_what_is_there_instead(folder: Path, location: str, message: str) -> None:
    write("AWSLogs/2023/a.gz")
    with pytest.raises(SourceError) as raised:
        names(location)
    assert str(raised.value) == message
    assert raised.value.exit_status == 3


def test_an_empty_folder_holds_nothing_to_read(folder: Path) -> None:
    Path("empty/.hidden").mkdir(parents=True)
    with pytest.raises(NothingToReadError, match=r"^folder 'empty' contains no files$"):
        names("empty")


def test_a_span_leaves_out_what_was_delivered_before_or_long_after(folder: Path) -> None:
    write(*(f"{DAY}/{day:02}/123456789012_CloudTrail_us-east-1_202307{day:02}T1200Z_x.json.gz" for day in range(1, 10)))
    write(f"{DAY}/notes.json")
    span = Span(since=datetime(2023, 7, 3, 12, 30, tzinfo=UTC), until=datetime(2023, 7, 5, 0, 0, tzinfo=UTC))
    days = [name.split("/")[6] for name in names("AWSLogs", span)]
    assert days == ["03", "04", "05", "notes.json"]  # the 3rd at 12:00 by the hour; the 5th may hold late records
    Path(f"{DAY}/notes.json").unlink()
    late = Span(since=datetime(2024, 1, 1, tzinfo=UTC))
    sentence = "'AWSLogs' has 9 files, but judging by their names none can hold records of the span"
    with pytest.raises(NothingToReadError, match=sentence):
        names("AWSLogs", late)


def test_a_folder_of_a_day_is_not_taken_for_midnight() -> None:
    name = "AWSLogs/123456789012/vpcflowlogs/us-east-1/2023/07/10/any.log.gz"
    assert Span(since=datetime(2023, 7, 10, 18, tzinfo=UTC)).admits(name)
    assert not Span(since=datetime(2023, 7, 11, tzinfo=UTC)).admits(name)
    assert Span(until=datetime(2023, 7, 9, 0, 1, tzinfo=UTC)).admits(name)
    assert not Span(until=datetime(2023, 7, 9, tzinfo=UTC)).admits(name)


def test_the_day_of_a_backup_says_nothing_about_its_records() -> None:
    assert Span(until=datetime(2020, 1, 1, tzinfo=UTC)).admits("backup/2023/07/10/all.json.gz")


def test_standard_input_is_kept_for_worker_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\x1f\x8b bytes")))
    (blob,) = files.SOURCE.blobs("-", Span(), DEFAULT_CONNECTION)
    assert (blob.name, blob.size) == ("-", 8)
    for _ in range(2):
        with pickle.loads(pickle.dumps(blob)).open() as stream:  # noqa: S301 - our own bytes
            assert stream.read() == b"\x1f\x8b bytes"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\x1f\x8b bytes")))
    (again,) = list_blobs("-", Span())
    assert again.version == blob.version


def test_empty_or_closed_standard_input_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(NothingToReadError, match=r"^standard input is empty$"):
        names("-")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SourceError, match=r"^standard input is closed$"):
        names("-")


def test_a_named_pipe_is_read_like_standard_input(folder: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"through a pipe")
    os.close(writing)
    (blob,) = list_blobs(f"/proc/self/fd/{reading}", Span())
    os.close(reading)
    with blob.open() as stream:
        assert stream.read() == b"through a pipe"


def test_an_unknown_scheme_names_those_that_are_known() -> None:
    with pytest.raises(
        ConfigurationError, match=r"'ftp://x/y' has an unknown scheme: give a path, - \(standard input\) or a URL of .*s3://"
    ):
        names("ftp://x/y")
