"""Digest stored bytes: while they are read, or up to given sizes, so that a blob is known again whatever its name."""

import io
from collections.abc import Iterable
from hashlib import sha256
from typing import BinaryIO

from vedette.errors import SourceError
from vedette.logs.receipt import Content

HEAD_BYTES = 4_096

_BLOCK_BYTES = 1 << 20
_HEX_DIGITS = 32


class Digested(io.BufferedIOBase):
    """Stored bytes that are digested while somebody reads them."""

    def __init__(self, stored: BinaryIO) -> None:
        """Wrap ``stored``, which is at its start and stays the caller's to close."""
        self._stored = stored
        self._digest = sha256()
        self._head = b""
        self._size = 0
        self._ended = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to ``size`` bytes, or all that is left if it is negative or None; b"" at the end.

        Raises:
            OSError, SourceError: the stored bytes cannot be read.
        """
        block = self._stored.read(-1 if size is None else size)
        self._ended = not block and size != 0
        self._digest.update(block)
        if len(self._head) < HEAD_BYTES:
            self._head += block[: HEAD_BYTES - len(self._head)]
        self._size += len(block)
        return block

    def content(self, most: int) -> Content | None:
        """Return what was read, after reading what was left of it; None if that fails or is more than ``most`` bytes.

        What was appended since a reader met the end stays unread: that reader has not seen it.
        """
        end = self._size + most
        try:
            while not self._ended and self._size <= end:
                self.read(_BLOCK_BYTES)
        except (OSError, SourceError):
            return None
        return Content(size=self._size, digest=self._digest.hexdigest(), head=head(self._head)) if self._ended else None


def head(start: bytes) -> str:
    """Return the digest of the longest beginning of bytes whose length is a power of two, at most ``HEAD_BYTES``."""
    length = 1 << min(len(start), HEAD_BYTES).bit_length() >> 1
    return sha256(start[:length]).hexdigest()[:_HEX_DIGITS]


def heads(start: bytes) -> list[str]:
    """Return the heads of everything with which bytes begin: their ``head`` and those of all their beginnings."""
    lengths = [1 << power for power in range(min(len(start), HEAD_BYTES).bit_length())]
    return [head(start[:length]) for length in lengths]


def digests(stored: BinaryIO, sizes: Iterable[int]) -> dict[int, str]:
    """Return the SHA-256 of the first bytes, by how many these are; sizes beyond the end of ``stored`` are left out.

    Raises:
        SourceError: the stored bytes cannot be read.
    """
    found: dict[int, str] = {}
    digest, at = sha256(), 0
    try:
        for size in sorted(set(sizes)):
            while at < size and (block := stored.read(min(_BLOCK_BYTES, size - at))):
                digest.update(block)
                at += len(block)
            if at < size:
                break
            found[size] = digest.hexdigest()
    except OSError as error:
        raise SourceError(f"reading failed: {error}") from error
    return found
