"""Rows as records and as columns: validation of one row, a data frame of many."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from assay.errors import DataError
from assay.records.record import Record
from assay.records.schema import converted
from assay.storage import jsonl
from assay.text import first_fault

if TYPE_CHECKING:
    import pandas as pd

Row = TypeVar("Row", bound=Record)


def parse_row(record: type[Row], fields: object, where: str, number: int) -> Row:
    """Return one row of a file as its record, whatever schema it was written in.

    Raises:
        DataError: It is no such record, or of a newer schema; the text names the first fault.
    """
    current = converted(record, fields, f"{where}, row {number}")
    try:
        return record.model_validate(current)
    except ValidationError as error:
        raise DataError(f"{where}, row {number}: {first_fault(error)}; correct the row") from error


def parse_rows(record: type[Row], lines: Iterable[bytes], where: str) -> Iterator[Row]:
    """Yield the rows of a file of JSON Lines as their records, whatever schema each was written in.

    Args:
        record: What a row is.
        lines: Of the file, without their ends.
        where: What a message calls the file.

    Raises:
        DataError: A line is no JSON, or as for `parse_row`.
    """
    for number, fields in enumerate(jsonl.values(lines, where), 1):
        yield parse_row(record, fields, where, number)


def frame(rows: Sequence[Record], record: type[Record]) -> "pd.DataFrame":
    """Return rows as columns; nested fields stay lists and dicts."""
    import pandas as pd

    return pd.DataFrame([row.model_dump() for row in rows], columns=list(record.model_fields))
