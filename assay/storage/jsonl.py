"""Tables of records as JSON Lines: what people write, so that a pull request shows it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from assay.errors import DataError
from assay.records.record import Record
from assay.text import one_line


def rows(file: Path, where: str) -> Iterator[object]:
    """Yield the JSON value of each line.

    Args:
        file: The file.
        where: What a message calls it.

    Raises:
        DataError: A line is no JSON, or nested too deeply; the text names its number.
    """
    yield from values(file.read_bytes().splitlines(), where)


def values(lines: Iterable[bytes], where: str) -> Iterator[object]:
    """Yield the JSON value of each of these lines, as `rows` does."""
    for number, line in enumerate(lines, 1):
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            fault = "nested too deeply" if isinstance(error, RecursionError) else one_line(error)
            raise DataError(f"{where}, row {number}: not a JSON object ({fault}); correct the row") from error


def written(records: Sequence[Record]) -> bytes:
    """Return the file of these records, one a line."""
    return b"".join(row.model_dump_json().encode() + b"\n" for row in records)
