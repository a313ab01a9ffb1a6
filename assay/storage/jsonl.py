"""Tables of records as JSON Lines: what people write, so that a pull request shows it."""

import json
from collections.abc import Iterable, Iterator, Sequence

from assay.errors import DataError
from assay.records.record import Record
from assay.records.schema import SCHEMA, newest
from assay.text import one_line


def values(lines: Iterable[bytes], where: str) -> Iterator[object]:
    """Yield the JSON value of each line.

    Args:
        lines: Without their ends.
        where: What a message calls the file.

    Raises:
        DataError: A line is no JSON, or nested too deeply; the text names its number.
    """
    for number, line in enumerate(lines, 1):
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            fault = "nested too deeply" if isinstance(error, RecursionError) else one_line(error)
            raise DataError(f"{where}, row {number}: not a JSON object ({fault}); correct the row") from error


def written(records: Sequence[Record]) -> bytes:
    """Return the file of these records, one a line; rows of people begin with their schema."""
    return b"".join(_line(row).encode() + b"\n" for row in records)


def _line(row: Record) -> str:
    empty = {name for name in type(row).omitted_where_empty if not getattr(row, name)}
    line, schema = row.model_dump_json(exclude=empty), newest(type(row))
    return line if schema is None else f'{{"{SCHEMA}":{schema},{line.removeprefix("{")}'
