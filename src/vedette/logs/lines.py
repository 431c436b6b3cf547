"""Cut a line-based log into blocks of whole lines, however long a line is."""

from dataclasses import dataclass
from typing import BinaryIO

from vedette.errors import ReadError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines, each with its line ending; or, if ``overlong``, the beginning of one line that is too long to be read."""

    text: bytes
    overlong: bool = False


@dataclass(slots=True)
class LineReader:
    """Reads a decompressed stream block by block.

    ``failure`` is the reason why the stream ended early, or ""; a line that was cut off by the failure is left out.
    """

    stream: BinaryIO
    max_line_bytes: int
    failure: str = ""
    _rest: bytes = b""
    _begun: bool = False
    _ended: bool = False
    _overlong: bool = False

    def next(self, block_bytes: int) -> Lines | None:
        """Return about ``block_bytes`` of whole lines, or None after the last line.

        Raises:
            ReadError: the stream could not be read at all.
        """
        while not self._ended:
            text = self._rest + self._read(block_bytes)
            cut = text.rfind(b"\n") + 1
            if self._overlong:
                cut = text.find(b"\n") + 1
                self._rest = text[cut:] if cut else b""
                self._overlong = not cut
                continue
            if cut:
                self._rest = text[cut:]
                return Lines(text[:cut])
            if len(text) > self.max_line_bytes:
                self._overlong, self._rest = True, b""
                return Lines(text, overlong=True)
            self._rest = text
        last = b"" if self.failure or self._overlong else self._rest
        self._rest = b""
        if not last:
            return None
        return Lines(last if last.endswith(b"\n") else last + b"\n")

    def _read(self, size: int) -> bytes:
        try:
            block = self.stream.read(size)
        except ReadError as error:
            if not self._begun:
                raise
            self.failure = str(error)
            block = b""
        self._ended = not block
        if not self._begun:
            self._begun = True
            block = block.removeprefix(_BYTE_ORDER_MARK)
        return block
