"""Tables of records as Parquet: read and written a row group at a time, so that memory does not grow with the table.

Rows stand in the order of their key, strictly ascending, so no row can occur twice; pages carry checksums, and equal
rows give equal bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar

from pydantic import ValidationError

from assay.errors import DataError
from assay.records.record import Record

GROUP = 2_000
"""Rows of one row group."""
AS_DICTS: dict[str, Any] = {"maps_as_pydicts": "strict"}
"""How rows are read: Arrow would hand out its maps as lists of pairs."""
Row = TypeVar("Row", bound=Record)
Key = tuple[Any, ...]


def rows(
    file: Path, record: type[Row], order: Sequence[str], where: str, fault: Callable[[ValidationError], str]
) -> Iterator[Row]:
    """Yield the rows of a table.

    Args:
        file: The Parquet file.
        record: What a row is.
        order: Fields of its key.
        where: What a message calls the file.
        fault: Says what is wrong with a row.

    Raises:
        DataError: The file is damaged, a row is no such record, or repeats or breaks the order of the keys.
    """
    last, key = None, _key(order)
    for number, fields in enumerate(_dicts(file, record, where), 1):
        try:
            row = record.model_validate(fields)
        except ValidationError as error:
            raise DataError(f"{where}, row {number}: {fault(error)}; correct the row") from error
        last = _next(last, key(row), order, where, number)
        yield row


def sifted(
    file: Path, record: type[Row], where: str, fault: Callable[[ValidationError], str]
) -> Iterator[tuple[Row | None, str]]:
    """Yield each row of a table, or None and what is wrong with it.

    Args:
        file: The Parquet file.
        record: What a row is.
        where: What a message calls the file.
        fault: Says what is wrong with a row.

    Raises:
        DataError: The file is damaged as a whole.
    """
    for fields in _dicts(file, record, where):
        try:
            yield record.model_validate(fields), ""
        except ValidationError as error:
            yield None, fault(error)


def count(file: Path, record: type[Record], order: Sequence[str], where: str) -> int:
    """Return the number of rows, after a look at the file's end, its columns and the order of its keys.

    Raises:
        DataError: As for `rows`, as far as that shows in so little.
    """
    last: Key | None = None
    number = 0
    for number, fields in enumerate(_dicts(file, record, where, order or record.arrow_schema().names[:1]), 1):
        if order:
            last = _next(last, tuple(fields.values()), order, where, number)
    return number


def distinct(file: Path, record: type[Record], columns: Sequence[str], where: str) -> dict[str, set[str]]:
    """Return the different texts of some columns, after a look at the file's end and its columns.

    Raises:
        DataError: The file is damaged, or has other columns than the record.
    """
    values: dict[str, set[str]] = {column: set() for column in columns}
    for fields in _dicts(file, record, where, columns or record.arrow_schema().names[:1]):
        for column in columns:
            values[column].add(str(fields[column]))
    return values


class Writer:
    """Adds rows to a new Parquet file, which is whole when the block around it has ended well."""

    def __init__(self, sink: IO[bytes], record: type[Record], order: Sequence[str], where: str) -> None:
        """Begin the file."""
        import pyarrow.parquet as pq

        self._schema = record.arrow_schema()
        self._order, self._key, self._where = order, _key(order), where
        self._waiting: list[dict[str, Any]] = []
        self._last: Key | None = None
        self._file = pq.ParquetWriter(
            sink, self._schema, compression="zstd", write_page_checksum=True, store_schema=False
        )

    def add(self, row: Record) -> None:
        """Add the next row.

        Raises:
            DataError: Its key is not above the one before.
        """
        self._last = _next(self._last, self._key(row), self._order, self._where)
        self._waiting.append(row.model_dump())
        if len(self._waiting) == GROUP:
            self._flush()

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what waits, and the file's end."""
        if self._waiting and error is None:
            self._flush()
        self._file.close()

    def _flush(self) -> None:
        import pyarrow as pa

        self._file.write_table(pa.Table.from_pylist(self._waiting, schema=self._schema))
        self._waiting = []


def _dicts(file: Path, record: type[Record], where: str, only: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows as they are, whole or only some of their fields, in the order in which those are named."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file, page_checksum_verification=True) as found:
            columns = _columns(record, found.schema_arrow.names, where)
            fields = list(only or columns)
            left = found.metadata.num_rows
            for batch in found.iter_batches(GROUP, columns=[columns[field] for field in fields]):
                left -= batch.num_rows
                values = [_values(batch[columns[field]]) for field in fields]
                yield from (dict(zip(fields, row, strict=True)) for row in zip(*values, strict=True))
            if left:
                raise pa.ArrowInvalid(f"{left} rows less than it declares")
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _unreadable(where, error) from error


def _values(column: Any) -> list[Any]:  # noqa: ANN401 - an array of Arrow, which is imported late
    """Return a column's values; Arrow is not asked for each empty list or map of a column that has nothing else.

    It reads columns ten times faster when it is not told what to make of maps.
    """
    import pyarrow as pa

    if isinstance(column, pa.ListArray) and not column.null_count and column.offsets[0] == column.offsets[-1]:
        empty: Callable[[], Any] = dict if isinstance(column, pa.MapArray) else list
        return [empty() for _ in range(len(column))]
    has_maps = "map<" in str(column.type)
    return list(column.to_pylist(**AS_DICTS) if has_maps else column.to_pylist())


def _columns(record: type[Record], there: Sequence[str], where: str) -> dict[str, str]:
    """Return the column of each field; one of a file of before may have an old name, or be absent with its default.

    Raises:
        DataError: There are other columns than the record has fields.
    """
    columns = {name: name for name in record.model_fields if name in there}
    for name, before in record.old_names.items():
        old = next((column for column in before if column in there), None)
        columns |= {} if old is None or name in columns else {name: old}
    missing = [name for name, field in record.model_fields.items() if field.is_required() and name not in columns]
    extra = sorted(set(there) - set(columns.values()))
    if missing or extra:
        raise DataError(f"{where} lacks the columns {sorted(missing)} and has {extra} instead: run its stage again")
    return columns


def _key(order: Sequence[str]) -> Callable[[Record], Key]:
    """Return what reads a row's key."""
    if len(order) > 1:
        return attrgetter(*order)
    return lambda row: tuple(getattr(row, field) for field in order)


def _next(last: Key | None, key: Key, order: Sequence[str], where: str, number: int = 0) -> Key | None:
    """Return a row's key, which has to be above the last one; None for a table without a key."""
    if last is not None and key and key <= last:
        where = f"{where}, row {number}" if number else where
        how = "repeats" if key == last else "stands below"
        named = " ".join(map(str, key))[:200]
        raise DataError(f"{where}: {' + '.join(order)} {named} {how} the row before, expected every one once, in order")
    return key or None


def _unreadable(where: str, error: Exception) -> DataError:
    text = " ".join(str(error).split())[:200]
    return DataError(
        f"{where} cannot be read ({text}), expected a whole Parquet file: "
        "restore it with `dvc checkout` or run its stage again"
    )
