"""Parts of a table, filed under the hash of their bytes at any address that fsspec knows.

A part is found through its pointer, a small JSON file with a name of its own that holds the hash. The pointer is
written after the part, so what it names was whole; on a disk and on object stores both are whole or absent. Elsewhere a
crash may leave half a file, which its hash gives away: whatever is not as it was written counts as not there.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Generic, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem
from pydantic import StringConstraints, ValidationError

from assay.errors import ConfigError, DataError
from assay.records.record import Record
from assay.storage import atomic, parquet
from assay.storage.parquet import AS_DICTS

Row = TypeVar("Row", bound=Record)


class Pointer(Record):
    """What a pointer's file holds."""

    content: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the part's bytes; it becomes a path, so nothing else is let in."""


class Parts(Generic[Row]):
    """The parts at one address, all of one kind of row."""

    def __init__(self, address: str, record: type[Row], order: Sequence[str]) -> None:
        """Name the place; nothing is opened.

        Args:
            address: A folder, or any address of fsspec such as s3://bucket/folder.
            record: What a row is.
            order: Fields of its key, in which the rows of a part ascend.

        Raises:
            ConfigError: fsspec does not know this kind of address, or lacks the package that does.
        """
        try:
            self._files, self._folder = fsspec.url_to_fs(address)
        except (ValueError, ImportError) as error:
            raise ConfigError(
                f"parts are kept at {address!r} ({error}), expected an address that fsspec can open: "
                "correct it, or install the package for it"
            ) from error
        self._record, self._order = record, order

    def keep(self, name: str, rows: Sequence[Row]) -> str:
        """File rows as a part and point to it; return the hash of its bytes.

        Raises:
            ConfigError: The address cannot be written.
        """
        sink = io.BytesIO()
        with parquet.Writer(sink, self._record, self._order, f"part {name}") as writer:
            for row in rows:
                writer.add(row)
        data = sink.getvalue()
        content = hashlib.sha256(data).hexdigest()
        self._write(f"{content}.parquet", data)
        self._write(f"{name}.json", Pointer(content=content).model_dump_json().encode())
        return content

    def find(self, name: str) -> tuple[str, list[Row]] | None:
        """Return the hash and the rows of the part that a name points to; None when it is not there, or not whole."""
        try:
            content = Pointer.model_validate_json(self._files.cat_file(self._path(f"{name}.json"))).content
            return content, self.rows(content)
        except (FileNotFoundError, ValidationError, DataError):
            return None

    def rows(self, content: str) -> list[Row]:
        """Return the rows of the part whose bytes have this hash.

        Raises:
            DataError: It is not there, its bytes are others, or its rows are of another version of Assay.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        where = f"part {content[:12]}"
        try:
            data = self._files.cat_file(self._path(f"{content}.parquet"))
        except FileNotFoundError as error:
            raise _damaged(f"{where} is missing") from error
        if hashlib.sha256(data).hexdigest() != content:
            raise _damaged(f"{where} was changed after it was written")
        try:
            table = pq.read_table(pa.BufferReader(data))
            if table.schema.names != self._record.arrow_schema().names:
                raise _damaged(f"{where} has the columns of another version")
            return [self._record.model_validate(fields) for fields in table.to_pylist(**AS_DICTS)]
        except (pa.ArrowException, ValidationError) as error:
            raise _damaged(f"{where} is no table of {self._record.__name__}") from error

    def _write(self, name: str, data: bytes) -> None:
        path = self._path(name)
        try:
            self._files.makedirs(self._folder, exist_ok=True)
            if isinstance(self._files, LocalFileSystem):
                with atomic.replacing(Path(path)) as file:
                    file.write(data)
            else:
                self._files.pipe_file(path, data)
        except OSError as error:
            text = " ".join(str(error).split())[:200]
            raise ConfigError(
                f"the address of the parts cannot be written ({text}), expected a place for {len(data):,} bytes: "
                "mend it and run again, what was answered is kept"
            ) from error

    def _path(self, name: str) -> str:
        return f"{self._folder.rstrip('/')}/{name}"


def between(file: Path, record: type[Row], first: int, last: int) -> Iterator[Row]:
    """Yield the rows [first, last) of a table that passed its contract; only their row groups are read."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as found:
        begin = 0
        for number in range(found.num_row_groups):
            end = begin + found.metadata.row_group(number).num_rows
            low, high = max(first, begin), min(last, end)
            if low < high:
                group = found.read_row_group(number).slice(low - begin, high - low)
                yield from map(record.model_validate, group.to_pylist(**AS_DICTS))
            begin = end


def _damaged(found: str) -> DataError:
    return DataError(f"{found}, expected it as it was written: run again, it is made anew from what was answered")
