"""Rows as records and as columns: validation of one row, a data frame of many."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from assay.errors import DataError
from assay.records.record import Record
from assay.text import first_fault

if TYPE_CHECKING:
    import pandas as pd

Row = TypeVar("Row", bound=Record)


def parse_row(record: type[Row], fields: object, where: str, number: int) -> Row:
    """Return one row of a file as its record.

    Raises:
        DataError: It is no such record; the text names the first fault.
    """
    try:
        return record.model_validate(fields)
    except ValidationError as error:
        raise DataError(f"{where}, row {number}: {first_fault(error)}; correct the row") from error


def frame(rows: Sequence[Record], record: type[Record]) -> "pd.DataFrame":
    """Return rows as columns; nested fields stay lists and dicts."""
    import pandas as pd

    return pd.DataFrame([row.model_dump() for row in rows], columns=list(record.model_fields))
