"""Where state files lie: a folder, or a prefix of a bucket that many machines reach. Files are written whole, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from vedette.aws import USUAL, Connection, explained, s3
from vedette.errors import EngineError

if TYPE_CHECKING:
    import pyarrow as pa

S3 = "s3://"


class StateLocation(Protocol):
    """A place for state files, named relative to it with forward slashes. Picklable."""

    @contextmanager
    def reading(self, name: str) -> "Iterator[pa.NativeFile]":
        """Open a file.

        Raises:
            EngineError: it is gone or cannot be read.
        """

    @contextmanager
    def writing(self, name: str) -> "Iterator[pa.NativeFile]":
        """Write a file, which is there once the block ends without an error.

        Raises:
            EngineError: it cannot be written.
        """

    def names(self) -> Iterator[str]:
        """List the files."""

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone already is no error."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder. Files that are read are mapped into memory."""

    path: Path

    @contextmanager
    def reading(self, name: str) -> "Iterator[pa.NativeFile]":
        """Map a file."""
        import pyarrow as pa  # noqa: PLC0415  # this module is imported where nothing is read

        with _sentence(f"{self.path / name}: cannot be read"), pa.memory_map(str(self.path / name)) as file:
            yield file

    @contextmanager
    def writing(self, name: str) -> "Iterator[pa.NativeFile]":
        """Write beside the file, then give it its name."""
        import pyarrow as pa  # noqa: PLC0415

        path = self.path / name
        draft = path.with_name(f".{path.name}.{uuid4().hex}")
        with _sentence(f"{path}: cannot be written"):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with pa.OSFile(str(draft), "wb") as file:
                    yield file
                draft.replace(path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise

    def names(self) -> Iterator[str]:
        """List the files of the folder and its subfolders."""
        for path in self.path.rglob("*"):
            if path.is_file():
                yield path.relative_to(self.path).as_posix()

    def remove(self, name: str) -> None:
        """Unlink a file."""
        with suppress(FileNotFoundError):
            (self.path / name).unlink()


@dataclass(frozen=True, slots=True)
class Bucket:
    """A prefix of a bucket; ``url`` is ``s3://bucket/prefix``. Files go through memory: a part is bounded."""

    url: str
    connection: Connection = USUAL

    @contextmanager
    def reading(self, name: str) -> "Iterator[pa.NativeFile]":
        """Get an object."""
        import pyarrow as pa  # noqa: PLC0415

        place = f"{self.url}/{name}"
        with explained(place, "s3:GetObject", EngineError):
            body = s3(self.connection).get_object(Bucket=self._bucket, Key=self._key(name))["Body"].read()
        yield pa.BufferReader(body)

    @contextmanager
    def writing(self, name: str) -> "Iterator[pa.NativeFile]":
        """Put an object when the block has ended."""
        import pyarrow as pa  # noqa: PLC0415

        sink = pa.BufferOutputStream()
        yield sink
        with explained(f"{self.url}/{name}", "s3:PutObject", EngineError):
            s3(self.connection).put_object(Bucket=self._bucket, Key=self._key(name), Body=sink.getvalue().to_pybytes())

    def names(self) -> Iterator[str]:
        """List the objects under the prefix."""
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
def _sentence(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngineError(f"{what} ({error.strerror or error})") from error
