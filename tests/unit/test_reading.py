"""A blob finds its reader by content; what is no log is skipped with a reason; errors name the blob."""

import gzip
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from reading_blobs import KEY, blob_of, count_rows, read_bytes, read_one

from vedette.errors import ReadError, SourceError
from vedette.logs.blob import Blob
from vedette.pipeline import reading
from vedette.pipeline.reading import read_blob
from vedette.readers import Limits, ReadCounts, Reader

FLOW = b"2 123456789012 eni-0a1b2c3d 192.0.2.1 10.0.0.5 40000 22 6 1 40 1700000000 1700000060 ACCEPT OK\n"
EVENT = {
    "eventVersion": "1.08",
    "eventTime": "2024-05-06T07:08:09Z",
    "eventName": "ListUsers",
    "eventSource": "iam.amazonaws.com",
}


def test_each_log_goes_to_its_table() -> None:
    assert read_bytes(FLOW).tables == {"flows"}
    assert read_bytes(json.dumps({"Records": [EVENT]}).encode()).tables == {"cloudtrail"}


@pytest.mark.parametrize("data", [b"", gzip.compress(b"", mtime=0), gzip.compress(gzip.compress(b"", mtime=0), mtime=0)])
def test_an_empty_blob_is_skipped_as_such(data: bytes) -> None:
    read = read_bytes(data)
    assert read.rows == []
    assert read.counts.skipped == "is empty"
    assert read.counts.bad == 0


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
        b"# A read-me\n\nThe version and the action of a flow log are fields of the default format.\n",
        b"198.51.100.0/24\n203.0.113.9\n",
        b"\n\n   \n",
        b"\0" * 5_000,
        b'{"Reservations":[{"Instances":[]}]}',
        b"PK\x03\x04" + b"x" * 100,
    ],
)
def test_what_is_no_log_is_skipped(data: bytes) -> None:
    for stored in (data, gzip.compress(data)):
        read = read_bytes(stored, "logs/read-me")
        assert read.rows == []
        assert read.counts.skipped == "is not a log of a known format"
        assert read.counts.bad == 0


def test_side_files_of_cloudtrail_are_skipped_by_name() -> None:
    name = "AWSLogs/123456789012/CloudTrail-Digest/eu-west-1/2024/05/06/digest.json.gz"
    assert "digest" in read_bytes(gzip.compress(b'{"digestStartTime":"x"}'), name).counts.skipped


def test_what_was_compressed_twice_is_read() -> None:
    assert len(read_bytes(gzip.compress(gzip.compress(FLOW * 3))).rows) == 3


def test_what_was_compressed_thrice_is_no_log() -> None:
    assert read_bytes(gzip.compress(gzip.compress(gzip.compress(FLOW)))).counts.skipped == "is not a log of a known format"


def test_a_blob_that_cannot_be_read_at_all_raises_with_its_name() -> None:
    with pytest.raises(ReadError, match=r"^logs/bad\.gz: the gzip data are damaged"):
        read_bytes(b"\x1f\x8bnothing that could be inflated", "logs/bad.gz")


def test_a_cut_off_blob_gives_its_records_and_is_counted_once() -> None:
    stored = gzip.compress(b"".join(FLOW.replace(b"40000", b"%d" % n) for n in range(2_000)))
    read = read_bytes(stored[: len(stored) // 2])
    assert 500 < len(read.rows) < 2_000
    assert [row["src_port"] for row in read.rows] == list(range(len(read.rows)))
    assert read.counts.bad == 1
    (problem,) = read.counts.problems
    assert problem.place == "end of file"
    assert "cut off" in problem.reason


def test_a_bomb_is_stopped_and_counted() -> None:
    read = read_bytes(gzip.compress(FLOW * 5_000), limits=Limits(max_bytes=100_000))
    assert 900 < len(read.rows) < 1_100
    assert [problem.reason for problem in read.counts.problems] == [
        "the gzip data hold more than 100000 bytes of text (limit max_blob_bytes)"
    ]


def test_a_blob_that_is_gone_says_so() -> None:
    def gone() -> None:
        raise SourceError("logs/a.gz is gone")

    blob = Blob(name="logs/a.gz", version="1", size=None, opener=gone)  # type: ignore[arg-type]
    with pytest.raises(SourceError, match="is gone"):
        list(read_blob(blob, Limits(), ReadCounts()))


def test_the_stored_bytes_are_closed() -> None:
    opened = []

    def opener() -> object:
        opened.append(blob_of(FLOW).open())
        return opened[-1]

    read_one(Blob(name="a", version="1", size=None, opener=opener))  # type: ignore[arg-type]
    assert [stored.closed for stored in opened] == [True]


def test_two_readers_that_claim_one_blob_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = {name: Reader(name=name, table="flows", sniff=lambda *_: True, read=lambda *_: iter(())) for name in ("one", "two")}
    monkeypatch.setattr(reading, "all_readers", lambda: claims)
    with pytest.raises(ReadError, match=r"some\.log: the readers one and two both claim it"):
        read_bytes(FLOW)


def test_a_worker_process_reads_a_blob(tmp_path: Path) -> None:
    path = tmp_path / Path(KEY).name
    path.write_bytes(gzip.compress(FLOW * 10))
    blob = Blob(name=KEY, version="1", size=None, opener=partial(open, path, "rb"))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("forkserver")) as pool:
        rows, counts = pool.submit(count_rows, blob).result()
    assert (rows, counts.records) == (10, 10)
