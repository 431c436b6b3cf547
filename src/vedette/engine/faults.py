"""Say in one sentence of what DuckDB or Spark failed, and what helps, without SQL, plans and stack traces.

The error itself is the cause of ours: ``vedette --debug`` shows it.
"""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_DISK = re.compile(r"No space left on device|max_temp_directory_size|Disk quota exceeded|File too large")
_MEMORY = re.compile(r"OutOfMemory|Out of Memory|Java heap space|GC overhead limit|Cannot allocate memory|MemoryError")
_GONE = re.compile(
    r"Answer from Java side is empty|Connection refused|Connection reset|ConnectionRefusedError|EOFError|Broken pipe"
)
_JAVA_ERROR = re.compile(r"(?<=[\w$]\.)([A-Z]\w*(?:Exception|Error))\b")
_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_.]+)\]")
_NUMBER = re.compile(r'"errno":"(\d{1,5})"')
_OURS = re.compile(r"\bEngineError: (.+)")
_LONGEST = 300


def duckdb_fault(error: "duckdb.Error", folder: Path) -> str:
    """Return what DuckDB failed of; ``folder`` is where it keeps what does not fit into memory."""
    text = str(error)
    if _DISK.search(text):
        return f"the disk is full at {folder}, where DuckDB keeps what memory_limit does not hold"
    if _MEMORY.search(text) or type(error).__name__ == "OutOfMemoryException":
        return "DuckDB ran out of memory: set memory_limit higher, or slice_events lower"
    return f"DuckDB failed ({_words(type(error).__name__)}); vedette --debug shows what it says"


def written_fault(error: Exception) -> str:
    """Return why DuckDB could not write a file, without what it was about to write."""
    number = _NUMBER.search(str(error))
    return os.strerror(int(number[1])) if number else first_line(error).partition("{")[0].strip()


def spark_fault(error: BaseException) -> str:
    """Return what Spark failed of; an error of ours that an executor raised is inside Spark's."""
    text = str(error)
    if ours := _OURS.search(text):
        return ours[1][:_LONGEST]
    if _DISK.search(text):
        return "the disk is full where Spark keeps what it computes: --spark-conf spark.local.dir=DIR chooses another place"
    if _MEMORY.search(text):
        return "Spark ran out of memory: give it more, such as --spark-conf spark.driver.memory=8g, or set slice_events lower"
    if type(error).__name__ == "Py4JNetworkError" or _GONE.search(text):
        return "Spark has ended before its work was done: its Java process is gone"
    found = _CONDITION.search(text) or _JAVA_ERROR.search(text)
    kind = found[1] if found else type(error).__name__
    return f"Spark failed ({kind}); vedette --debug shows what it says"


def first_line(error: BaseException) -> str:
    """Return what an error says of itself, without the call that failed above it and the trace below it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = next((line for line in lines if line.startswith(": ")), lines[0] if lines else type(error).__name__)
    return said.removeprefix(": ")[:_LONGEST]


def _words(name: str) -> str:
    """Return the name of an exception as words: ``OutOfRangeException`` is "out of range"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Exception")).lower() or "error"
