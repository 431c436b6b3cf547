"""A file of results is whole or as it was; devices and pipes are written as they are."""

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from vedette.errors import OutputError, ReaderGoneError
from vedette.terminal.output import writing


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file grow beyond a kilobyte, as if the disk were full then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def write(path: Path, text: str) -> None:
    with writing(path) as file:
        file.write(text)


def test_a_file_appears_whole_with_the_usual_mode(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "out", "zoë\n")
    finally:
        os.umask(before)
    assert (tmp_path / "out").read_text(encoding="utf-8") == "zoë\n"
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("there", [True, False])
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, there: bool) -> None:
    if there:
        (tmp_path / "out").write_text("before")
    with full_disk(), pytest.raises(OutputError, match=r"/out: cannot be written \(File too large\)"):
        write(tmp_path / "out", "x" * 100_000)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == ({"out": "before"} if there else {})


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_whatever_ends_the_writing_leaves_no_half_file(tmp_path: Path, error: type[BaseException]) -> None:
    def some_of_it() -> None:
        with writing(tmp_path / "out") as file:
            file.write("x" * 100_000)
            raise error

    with pytest.raises(error):
        some_of_it()
    assert list(tmp_path.iterdir()) == []


def test_a_link_goes_on_to_lead_to_the_file_and_its_mode_stays(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    (tmp_path / "file").chmod(0o604)
    (tmp_path / "link").symlink_to("file")
    write(tmp_path / "link", "after")
    assert (tmp_path / "link").is_symlink()
    assert ((tmp_path / "file").read_text(), stat.S_IMODE((tmp_path / "file").stat().st_mode)) == ("after", 0o604)


def test_a_file_in_a_folder_that_cannot_be_written_is_written_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(folder: Path) -> tuple[Path, int]:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("vedette.terminal.output.make_draft", forbidden)  # whoever runs the tests may write anywhere
    (tmp_path / "out").write_text("before")
    write(tmp_path / "out", "after")
    assert (tmp_path / "out").read_text() == "after"
    with full_disk(), pytest.raises(OutputError):
        write(tmp_path / "out", "x" * 100_000)
    assert (tmp_path / "out").read_text() == ""
    with pytest.raises(OutputError, match="Permission denied"):
        write(tmp_path / "new", "text")


def test_devices_and_pipes_are_written_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"^/dev/full: cannot be written \(No space left on device\)$"):
        write(Path("/dev/full"), "x")
    write(Path("/dev/null"), "x")
    assert Path("/dev/null").is_char_device()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write(pipe, "through")
    reader.join()
    assert (read, pipe.is_fifo()) == (["through"], True)


def test_a_pipe_whose_reader_has_ended_is_no_error_to_speak_of(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(ReaderGoneError):
        write(Path(f"/dev/fd/{writer}"), "x")
    os.close(writer)


def test_what_a_stream_of_ours_leads_to_is_not_replaced(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as file:
        file.write("before ")
        file.flush()
        write(Path(f"/dev/fd/{file.fileno()}"), "after")
        file.seek(0)
        assert file.read() == "before after"


def test_what_is_no_path_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / "none" / "out", tmp_path / ("x" * 300), tmp_path):
        with pytest.raises(OutputError):
            write(path, "x")
    write(tmp_path / "loop", "x")
    assert (tmp_path / "loop").read_text() == "x"
