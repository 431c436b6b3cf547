"""Stored bytes become text: gzip of any number of members, damaged or not, within limits; all else as it is."""

import gzip
import io
import random
import zlib
from typing import BinaryIO, cast

import pytest

from vedette.errors import ReadError, SourceError
from vedette.logs.inflate import Rejoined, open_stream, read_up_to
from vedette.logs.json_pieces import PieceReader
from vedette.readers import Limits

TEXT = b"".join(b"2 123456789012 eni-%08x 192.0.2.%d ACCEPT OK\n" % (n * 2_654_435_761 % 2**32, n % 251) for n in range(3_000))
PACKED = gzip.compress(TEXT, mtime=0)


def drain(stored: bytes, *, limits: Limits | None = None, size: int = 10_000) -> tuple[bytes, str]:
    """Read to the end; return the text, and what the error says."""
    stream = open_stream(io.BytesIO(stored), limits or Limits())
    parts = []
    try:
        while part := stream.read(size):
            assert size < 0 or len(part) <= size
            parts.append(part)
    except ReadError as error:
        with pytest.raises(ReadError):
            stream.read(size)
        return b"".join(parts), str(error)
    assert stream.read(size) == b""
    return b"".join(parts), ""


def readable(stored: bytes) -> bytes:
    """Return what zlib gives of a first member when it is fed byte by byte."""
    state = zlib.decompressobj(31)
    text = bytearray()
    try:
        for at in range(len(stored)):
            text += state.decompress(stored[at : at + 1])
    except zlib.error:
        pass
    return bytes(text)


@pytest.mark.parametrize("size", [1, 7, 4_096, 1 << 20, -1])
def test_gzip_is_inflated_whatever_the_size_of_a_read(size: int) -> None:
    text = TEXT[:2_000] if size == 1 else TEXT
    assert drain(gzip.compress(text), size=size) == (text, "")


@pytest.mark.parametrize("text", [b"", b"\x1f", b"\x8b\x1f", b"plain text", b"PAR1....PAR1", TEXT])
def test_other_bytes_pass_unchanged(text: bytes) -> None:
    assert drain(text) == (text, "")


def test_members_one_behind_the_other_are_one_text() -> None:
    members = b"".join(gzip.compress(TEXT[at : at + 700]) for at in range(0, len(TEXT), 700))
    assert drain(members) == (TEXT, "")


def test_an_empty_member_between_others_adds_nothing() -> None:
    assert drain(PACKED + gzip.compress(b"") + PACKED) == (TEXT * 2, "")


def test_zeros_behind_the_last_member_are_padding() -> None:
    assert drain(PACKED + b"\0" * 10_000) == (TEXT, "")
    assert drain(PACKED + b"\0" * 10_000 + PACKED) == (TEXT * 2, "")


def test_other_bytes_behind_the_last_member_are_a_failure_behind_the_text() -> None:
    text, failure = drain(PACKED + b"no gzip at all")
    assert text == TEXT
    assert failure.startswith(f"the gzip data are followed by something else after {len(TEXT)} bytes of text")


@pytest.mark.parametrize("cut", [3, 9, 10, 11, 300, 4_095, 4_096, 4_097, len(PACKED) - 9, len(PACKED) - 8, len(PACKED) - 1])
def test_a_cut_off_member_gives_all_that_is_there_and_then_fails(cut: int) -> None:
    text, failure = drain(PACKED[:cut])
    expected = readable(PACKED[:cut])
    assert expected.startswith(text)
    assert len(expected) - len(text) <= 258  # a match whose last bits are not there
    assert failure == f"the gzip data are cut off after {len(text)} bytes of text"


def test_damage_gives_all_that_is_there_and_then_fails() -> None:
    chance = random.Random(7)
    for _ in range(60):
        damaged = bytearray(PACKED)
        damaged[chance.randrange(12, len(PACKED))] ^= 1 << chance.randrange(8)
        text, failure = drain(bytes(damaged))
        expected = readable(bytes(damaged))
        assert abs(len(text) - len(expected)) <= 258  # a match that zlib holds back
        assert text.startswith(expected) or expected.startswith(text)
        assert failure.startswith("the gzip data are ")


def test_damage_in_a_later_member_keeps_the_members_before() -> None:
    damaged = bytearray(PACKED * 3)
    damaged[len(PACKED) + len(PACKED) // 2] ^= 0x55
    text, failure = drain(bytes(damaged))
    assert len(TEXT) < len(text) < 3 * len(TEXT)
    assert text.startswith(TEXT)
    assert failure


def test_a_wrong_checksum_is_found_behind_all_of_the_text() -> None:
    damaged = bytearray(PACKED)
    damaged[-6] ^= 1
    text, failure = drain(bytes(damaged))
    assert text == TEXT
    assert "checksum" in failure


def test_damage_late_in_a_large_member_costs_no_more_than_a_slice() -> None:
    noise = random.Random(1).randbytes(9 << 20)
    damaged = bytearray(gzip.compress(noise, 1))
    damaged[-6] ^= 1
    text, failure = drain(bytes(damaged), size=1 << 20)
    assert noise.startswith(text)
    assert len(noise) - 4_200 < len(text)
    assert failure


def test_gzip_with_a_broken_header_fails_at_the_first_read() -> None:
    with pytest.raises(ReadError, match="damaged after 0 bytes"):
        open_stream(io.BytesIO(b"\x1f\x8bthis is no gzip header"), Limits()).read(10)


def test_a_bomb_stops_at_the_limit_of_bytes() -> None:
    bomb = gzip.compress(bytes(20_000_000))
    text, failure = drain(bomb, limits=Limits(max_bytes=1_000_000))
    assert len(text) == 1_000_000
    assert failure == "the gzip data hold more than 1000000 bytes of text (limit max_blob_bytes)"


def test_a_bomb_stops_at_the_limit_of_the_ratio() -> None:
    bomb = gzip.compress(bytes(20_000_000))
    text, failure = drain(bomb, limits=Limits(max_ratio=100))
    assert len(text) <= 100 * len(bomb)
    assert failure == "the gzip data hold more than 100 bytes of text for each stored byte (limit max_ratio)"


def test_what_just_fits_the_limits_is_no_bomb() -> None:
    assert drain(PACKED, limits=Limits(max_bytes=len(TEXT))) == (TEXT, "")
    assert drain(PACKED, limits=Limits(max_bytes=len(TEXT) - 1))[0] == TEXT[:-1]
    assert drain(TEXT, limits=Limits(max_bytes=10)) == (TEXT, "")  # nothing is inflated


def test_a_bomb_of_members_is_counted_over_all_of_them() -> None:
    text, failure = drain(gzip.compress(bytes(1_000)) * 100, limits=Limits(max_bytes=50_000))
    assert len(text) == 50_000
    assert "max_blob_bytes" in failure


class Failing(io.RawIOBase):
    """Gives some bytes, a few at a time, then an error of the place they come from."""

    def __init__(self, data: bytes) -> None:
        self.left = io.BytesIO(data)

    def read(self, size: int = -1, /) -> bytes:  # noqa: D102
        if part := self.left.read(min(size, 100)):
            return part
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("data", [PACKED[:500], TEXT[:500]])
def test_a_failing_place_is_no_bad_data(data: bytes) -> None:
    stream = open_stream(cast("BinaryIO", Failing(data)), Limits())
    with pytest.raises(SourceError, match="Input/output error"):
        b"".join(iter(lambda: stream.read(1_000), b""))


def test_reads_in_small_parts_are_put_together() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(3, size) if size and size > 0 else size)

    assert read_up_to(Slow(b"0123456789"), 8) == b"01234567"
    assert read_up_to(Slow(b"0123456789"), 80) == b"0123456789"
    stream = open_stream(Slow(PACKED), Limits())
    assert b"".join(iter(lambda: stream.read(999), b"")) == TEXT


def test_a_head_that_was_read_is_put_back() -> None:
    for size in (1, 3, 4, 5, -1):
        stream = cast("BinaryIO", Rejoined(b"0123", io.BytesIO(b"456789")))
        assert b"".join(iter(lambda stream=stream, size=size: stream.read(size), b"")) == b"0123456789"  # type: ignore[misc]


def test_the_head_before_a_failure_is_given_first() -> None:
    stream = open_stream(io.BytesIO(PACKED[:200]), Limits())
    head = read_up_to(stream, 1 << 20)
    again = cast("BinaryIO", Rejoined(head, stream))
    assert again.read(-1) == head != b""
    with pytest.raises(ReadError, match="cut off"):
        again.read(-1)


def test_the_piece_reader_takes_a_failure_as_the_end() -> None:
    records = b'{"Records":[' + b",".join(b'{"eventVersion":"1","n":%d}' % n for n in range(5_000)) + b"]}"
    pieces = PieceReader(open_stream(io.BytesIO(gzip.compress(records)[:-4_000]), Limits()))
    texts = []
    while piece := pieces.next():
        texts.append(piece.text)
    assert texts[0].startswith(b'{"Records":[{"eventVersion":"1","n":0}')
    assert "cut off" in pieces.failure
