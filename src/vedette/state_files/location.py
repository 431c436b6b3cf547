"""Store state files in a folder, or under an S3 prefix that many machines can reach. Files are written whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from vedette.aws import DEFAULT_CONNECTION, Connection, explained, s3
from vedette.errors import EngineError

if TYPE_CHECKING:
    import pyarrow as pa

S3 = "s3://"


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
        """Yield the names of all files."""

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

        with _as_engine_error(f"{self.path / name}: cannot be read"), pa.memory_map(str(self.path / name)) as file:
            yield file

    @contextmanager
    def writing(self, name: str) -> "Iterator[pa.NativeFile]":
        """Write a draft beside the file, then rename it."""
        import pyarrow as pa  # noqa: PLC0415

        path = self.path / name
        draft = path.with_name(f".{path.name}.{uuid4().hex}")
        with _as_engine_error(f"{path}: cannot be written"):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with pa.OSFile(str(draft), "wb") as file:
                    yield file
                draft.replace(path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise

    def names(self) -> Iterator[str]:
        """Yield the names of all files in the folder and its subfolders."""
        for path in self.path.rglob("*"):
            if path.is_file():
                yield path.relative_to(self.path).as_posix()

    def remove(self, name: str) -> None:
        """Remove a file; do nothing if it does not exist."""
        with suppress(FileNotFoundError):
            (self.path / name).unlink()


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
        """Yield the names of all objects under the prefix."""
        start = self._key("")
        with explained(self.url, "s3:ListBucket", EngineError):
            pages = s3(self.connection).get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=start)
            for page in pages:
                for item in page.get("Contents", []):
                    yield item["Key"].removeprefix(start)

    def remove(self, name: str) -> None:
        """Delete an object."""
        with explained(f"{self.url}/{name}", "s3:DeleteObject", EngineError):
            s3(self.connection).delete_object(Bucket=self._bucket, Key=self._key(name))

    @property
    def _bucket(self) -> str:
        return urlsplit(self.url).netloc

    def _key(self, name: str) -> str:
        prefix = urlsplit(self.url).path.strip("/")
        return f"{prefix}/{name}" if prefix else name


@contextmanager
def _as_engine_error(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngineError(f"{what} ({error.strerror or error})") from error
