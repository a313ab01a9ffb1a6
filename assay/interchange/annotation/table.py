"""Rows for people as a table: CSV for a spreadsheet, or JSON Lines, with empty columns for their answers."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from assay.errors import DataError
from assay.interchange import flat_file, spreadsheet
from assay.interchange.annotation.form import SHOWN, Filled, Form, LeftOut

Row = tuple[str, Mapping[str, Any]]
"""What a message calls a row, and its cells by column."""
MOMENTS = ("labelled_at", "created_at")
"""Columns that say when somebody answered; the second is Label Studio's."""


def read(rows: Iterable[Row], form: Form, left: LeftOut) -> Iterator[Filled]:
    """Yield the answers of every row that has one to the first question."""
    for place, row in rows:
        if row.get(form.main) in (None, ""):
            left.leave(f"rows that have no {form.main} yet", place)
            continue
        cells = {name: spreadsheet.plain(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
        at = next((cells[name] for name in MOMENTS if cells.get(name)), None)
        answers = {name: cells[name] for name in form.asked if name in cells}
        yield Filled(cells.get(form.key), cells, cells.get(form.who), at, answers, place)


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Return a spreadsheet; columns that a row does not have are empty."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(columns)
    writer.writerows([spreadsheet.safe(row.get(name, "")) for name in columns] for row in rows)
    return "\ufeff" + written.getvalue()


def as_json_lines(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Return JSON Lines; columns that a row does not have are empty."""
    lines = (json.dumps({name: row.get(name, "") for name in columns}, ensure_ascii=False) for row in rows)
    return "".join(f"{line}\n" for line in lines)


def csv_rows(text: str, file_name: str, form: Form) -> Iterator[Row]:
    """Yield the rows of a CSV file, separated by commas, semicolons or tabs as its header tells.

    Raises:
        DataError: A row is malformed, or has more or fewer cells than the header; the text names it.
    """
    csv.field_size_limit(max(csv.field_size_limit(), flat_file.LONGEST_LINE))
    lines = iter(io.StringIO(text, newline=""))
    first = next(lines, "")
    reader = csv.reader(chain([first], lines), delimiter=max(",;\t", key=first.count), strict=True)
    row = 0
    try:
        header = [name.strip() for name in next(reader, [])]
        require_columns(header, file_name, form)
        row = 1
        for row, cells in enumerate(reader, 2):
            if cells and len(cells) != len(header):
                found = f"{len(cells)} cells, expected {len(header)} as in the header"
                raise DataError(f"{file_name}, row {row} has {found}: complete the row, or quote the text in it")
            if cells:
                yield f"{file_name}, row {row}", dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise DataError(f"{file_name}, row {row + 1}: {error}, expected CSV: save it so again") from error


def require_columns(names: Iterable[str], file_name: str, form: Form) -> None:
    """Refuse a table that cannot hold answers.

    Raises:
        DataError: It lacks the columns of the key or of the first question, or has one column twice.
    """
    count = Counter(names)
    twice = [name for name, number in count.items() if name and number > 1]
    if twice or not {form.key, form.main} <= count.keys():
        found = (
            f"the column {twice[0]!r} twice" if twice else f"the columns {', '.join(count) or 'none at all':.{SHOWN}}"
        )
        raise DataError(
            f"{file_name} has {found}, expected {form.key} and {form.main} among them, each name once: mend the header"
        )


def json_rows(text: str, file_name: str) -> Iterator[Row]:
    """Yield the objects of JSON Lines.

    Raises:
        DataError: A line is no object; the text names it.
    """
    # Not splitlines: it would also break a line at the separators that may stand inside a text.
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else [], 1):
        place = f"{file_name}, row {number}"
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{place} is not JSON ({error}), expected an object: correct it") from error
        if not isinstance(found, dict):
            raise DataError(f"{place} is {str(found)[:SHOWN]!r}, expected an object: correct it")
        yield place, found
