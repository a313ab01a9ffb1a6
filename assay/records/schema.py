"""The schema of a row: the form in which a row that people own was written, and its way to the form of today.

Rows on file are never rewritten; whoever reads one converts it on the way in. A row of before there were schemas is of
schema 1. The schema is of the row and not of the record: no hash of a record holds it.
"""

from assay.errors import DataError
from assay.records.record import Record

SCHEMA = "schema"
"""The first field of such a row."""
FIRST = 1


def newest(record: type[Record]) -> int | None:
    """Return the schema in which rows of a record are written; None where they carry none."""
    return None if record.conversions is None else FIRST + len(record.conversions)


def converted(record: type[Record], fields: object, where: str) -> object:
    """Return the fields of a row in the form of today.

    Args:
        record: What the row is.
        fields: The JSON value of the row; not even an object, should somebody have written something else.
        where: What a message calls the row.

    Raises:
        DataError: The schema is none, or newer than this version of the tool knows.
    """
    if record.conversions is None or not isinstance(fields, dict):
        return fields
    row = dict(fields)
    schema, last = row.pop(SCHEMA, FIRST), FIRST + len(record.conversions)
    if type(schema) is not int or schema < FIRST:
        raise DataError(f"{where}: its schema is {str(schema)[:40]!r}, expected a number from 1: restore it from Git")
    if schema > last:
        raise DataError(
            f"{where}: its schema is {str(schema)[:40]}, expected {last} at most: a newer Assay wrote it, upgrade the "
            "package"
        )
    for conversion in record.conversions[schema - FIRST :]:
        row = conversion(row)
    return row
