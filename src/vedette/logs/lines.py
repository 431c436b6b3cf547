"""Cut a line-based log into blocks of whole lines, however long a line is."""

from dataclasses import dataclass
from typing import BinaryIO

from vedette.errors import ReadError
from vedette.logs.inflate import is_whole, read_up_to, resume

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines, each with its line ending; or, if ``overlong``, the beginning of one line that is too long to be read.

    ``is_torn`` is true if the first line follows damage, and may lack its beginning; ``is_cut_off`` if this is one line, before
    damage, that may lack its end.
    """

    text: bytes
    overlong: bool = False
    is_torn: bool = False
    is_cut_off: bool = False


@dataclass(slots=True)
class LineReader:
    """Reads a decompressed stream block by block.

    ``failure`` is the reason why the stream ended early, or ""; there, ``resume`` goes on behind the damage.
    """

    stream: BinaryIO
    max_line_bytes: int
    failure: str = ""
    _rest: bytes = b""
    _begun: bool = False
    _ended: bool = False
    _overlong: bool = False
    _is_torn: bool = False

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
                return self._lines(text[:cut])
            if len(text) > self.max_line_bytes:
                self._overlong, self._rest = True, b""
                return Lines(text, overlong=True)
            self._rest = text
        last = b"" if self._overlong else self._rest
        self._rest = b""
        if not last:
            return None
        return self._lines(last + b"\n", is_cut_off=bool(self.failure) and not is_whole(self.stream))

    def resume(self) -> bool:
        """Go on behind the damage at which the stream failed; return False if nothing that can be read follows."""
        if not self.failure or not resume(self.stream):
            return False
        self.failure, self._rest = "", b""
        self._ended = self._overlong = False
        self._is_torn = True
        return True

    def _lines(self, text: bytes, *, is_cut_off: bool = False) -> Lines:
        lines = Lines(text, is_torn=self._is_torn, is_cut_off=is_cut_off)
        self._is_torn = False
        return lines

    def _read(self, size: int) -> bytes:
        try:
            block = self.stream.read(size) if self._begun else read_up_to(self.stream, max(size, len(_BYTE_ORDER_MARK)))
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
