"""Store state files in a folder, or under an S3 prefix that many machines can reach. Files are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast
from uuid import uuid4

from vedette.aws import DEFAULT_CONNECTION, Connection, explained, s3
from vedette.errors import EngineError
from vedette.private import make_file, make_folder, replacing

if TYPE_CHECKING:
    import pyarrow as pa

S3 = "s3://"
STATES = "states"
SUBFOLDERS = ("spool", STATES)
# What S3, and servers like it, answer to a condition: that it is not met, or that they do not know conditions.
_THERE_ALREADY = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_NO_CONDITIONS = frozenset({"NotImplemented", "501"})


class StateLocation(Protocol):
    """A location of state files, which are named relative to it with forward slashes. Picklable."""

    @contextmanager
    def reading(self, name: str) -> "Iterator[pa.NativeFile]":
        """Open a file for reading.

        Raises:
            EngineError: the file is missing or cannot be read.
        """

    @contextmanager
    def writing(self, name: str) -> "Iterator[pa.NativeFile]":
        """Open a new file for writing; it becomes visible once the block ends without an error.

        Raises:
            EngineError: the file cannot be written.
        """

    def names(self) -> Iterator[str]:
        """Yield the names of all state files: those below ``spool`` and ``states``. What else lies there is not ours."""

    def note(self, name: str) -> str | None:
        """Return the content of a small text file, or None if there is none of that name.

        Raises:
            EngineError: it cannot be read.
        """

    def write_note(self, name: str, text: str, *, replace: bool) -> bool:
        """Write a small text file, but with ``replace`` off not over one that exists; return whether it was written.

        Raises:
            EngineError: it cannot be written.
        """

    def remove(self, name: str) -> None:
        """Remove a file; do nothing if it does not exist."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the file system. Files are read through memory mapping."""

    path: Path

    @contextmanager
    def reading(self, name: str) -> "Iterator[pa.NativeFile]":
        """Map a file into memory."""
        import pyarrow as pa  # noqa: PLC0415  # slow to import, and this module is also imported where no file is read

        with _as_engine_error(f"{self.path / name}: cannot be read"), pa.memory_map(_native(self.path / name)) as file:
            yield file

    @contextmanager
    def writing(self, name: str) -> "Iterator[pa.NativeFile]":
        """Write a draft beside the file, then rename it."""
        import pyarrow as pa  # noqa: PLC0415

        path = self.path / name
        draft = path.with_name(f".{path.name}.{uuid4().hex}")
        with _as_engine_error(f"{path}: cannot be written"):
            make_folder(path.parent)
            try:
                make_file(draft)
                with pa.OSFile(_native(draft), "wb") as file:
                    yield file
                draft.replace(path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise

    def names(self) -> Iterator[str]:
        """Yield the names of all state files."""
        for subfolder in SUBFOLDERS:
            for path in (self.path / subfolder).rglob("*"):
                if path.is_file():
                    yield path.relative_to(self.path).as_posix()

    def note(self, name: str) -> str | None:
        """Return the content of a small text file, or None if there is none of that name."""
        path = self.path / name
        with _as_engine_error(f"{path}: cannot be read"):
            try:
                return path.read_text(encoding="utf-8", errors="replace")
            except (FileNotFoundError, NotADirectoryError):
                return None

    def write_note(self, name: str, text: str, *, replace: bool) -> bool:
        """Write a small text file whole; who writes holds the lock of the folder, so nobody else does meanwhile."""
        path = self.path / name
        if not replace and path.exists():
            return False
        with _as_engine_error(f"{path}: cannot be written"):
            make_folder(path.parent)
            with replacing(path) as file:
                file.write(text.encode())
        return True

    def __str__(self) -> str:
        """Return the path."""
        return str(self.path)

    def remove(self, name: str) -> None:
        """Remove a file; do nothing if it does not exist."""
        path = self.path / name
        with suppress(FileNotFoundError):
            path.unlink()
        if path.parent.parent.name == STATES:  # the folder of a generation, to which nothing is added later
            with suppress(OSError):  # there are others in it
                path.parent.rmdir()


@dataclass(frozen=True, slots=True)
class Bucket:
    """An S3 prefix; ``url`` is ``s3://bucket/prefix``. Whole files are held in memory: the size of a part is bounded."""

    url: str
    connection: Connection = DEFAULT_CONNECTION

    @contextmanager
    def reading(self, name: str) -> "Iterator[pa.NativeFile]":
        """Download an object."""
        import pyarrow as pa  # noqa: PLC0415

        with explained(f"{self.url}/{name}", "s3:GetObject", EngineError):
            body = s3(self.connection).get_object(Bucket=self._bucket, Key=self._key(name))["Body"].read()
        yield pa.BufferReader(body)

    @contextmanager
    def writing(self, name: str) -> "Iterator[pa.NativeFile]":
        """Upload an object when the block has ended."""
        import pyarrow as pa  # noqa: PLC0415

        sink = pa.BufferOutputStream()
        yield sink
        with explained(f"{self.url}/{name}", "s3:PutObject", EngineError):
            s3(self.connection).put_object(Bucket=self._bucket, Key=self._key(name), Body=sink.getvalue().to_pybytes())

    def names(self) -> Iterator[str]:
        """Yield the names of all state files."""
        start = self._key("")
        with explained(self.url, "s3:ListBucket", EngineError):
            for subfolder in SUBFOLDERS:
                prefix = f"{start}{subfolder}/"
                pages = s3(self.connection).get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
                for page in pages:
                    for item in page.get("Contents", []):
                        yield item["Key"].removeprefix(start)

    def note(self, name: str) -> str | None:
        """Return the content of a small object, or None if there is none of that name."""
        client = s3(self.connection)
        with explained(f"{self.url}/{name}", "s3:GetObject", EngineError):
            try:
                body = client.get_object(Bucket=self._bucket, Key=self._key(name))["Body"]
            except client.exceptions.NoSuchKey:
                return None
            return body.read().decode("utf-8", "replace")

    def write_note(self, name: str, text: str, *, replace: bool) -> bool:
        """Put a small object; the service sees to it that of several that are put at once without ``replace`` one is written."""
        client, place, body = s3(self.connection), f"{self.url}/{name}", text.encode()
        with explained(place, "s3:PutObject", EngineError):
            try:
                if not replace:
                    client.put_object(Bucket=self._bucket, Key=self._key(name), Body=body, IfNoneMatch="*")
                    return True
            except client.exceptions.ClientError as error:
                code = error.response.get("Error", {}).get("Code", "")
                if code in _THERE_ALREADY:
                    return False
                if code not in _NO_CONDITIONS:
                    raise
            client.put_object(Bucket=self._bucket, Key=self._key(name), Body=body)
        return True

    def below(self, name: str) -> "Bucket":
        """Return the location of that name within this one."""
        return replace(self, url=f"{self.url}/{name}")

    def __str__(self) -> str:
        """Return the URL."""
        return self.url

    def remove(self, name: str) -> None:
        """Delete an object."""
        with explained(f"{self.url}/{name}", "s3:DeleteObject", EngineError):
            s3(self.connection).delete_object(Bucket=self._bucket, Key=self._key(name))

    @property
    def _bucket(self) -> str:
        return self.url.removeprefix(S3).partition("/")[0]

    def _key(self, name: str) -> str:
        prefix = self.url.removeprefix(S3).partition("/")[2].strip("/")  # no URL parser: ? and # are characters of a key
        return f"{prefix}/{name}" if prefix else name


def _native(path: Path) -> str:
    return cast("str", os.fsencode(path))  # Arrow takes bytes, too, and fails for text of a name that is not UTF-8


@contextmanager
def _as_engine_error(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngineError(f"{what} ({error.strerror or error})") from error
