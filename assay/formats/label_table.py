"""Labels as a table: CSV for a spreadsheet, or JSON Lines."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.errors import DataError
from assay.formats import sheet
from assay.formats.given import Given, Reading, annotator, moment, outcome
from assay.records import Item

COLUMNS = ("item_id", "conversation", "reference", "response_a", "response_b", "rubric")
ANSWERS = ("outcome", "annotator")


def read(file: Path, who: str, meanings: Mapping[str, str]) -> Reading:
    """Return the labels of a table with the columns item_id and outcome, and annotator where `who` is empty.

    Raises:
        DataError: The table is malformed; the text names the row.
    """
    labels, open_rows = [], 0
    for number, row in _rows(file):
        place = f"{file.name}, row {number}"
        if row.get("outcome") in (None, ""):
            open_rows += 1
            continue
        if not row.get("item_id"):
            raise DataError(f"{place}: no item_id, expected that of an item: restore it")
        labels.append(
            Given(
                item_id=sheet.plain(str(row["item_id"])),
                annotator=annotator(row.get("annotator") or who, place),
                outcome=outcome(sheet.plain(str(row["outcome"])), place, meanings),
                rubric_version=str(row.get("rubric_version") or ""),
                labelled_at=moment(row.get("labelled_at"), place),
                place=place,
            )
        )
    return Reading(labels, [f"{open_rows} rows of {file.name} have no outcome yet"] if open_rows else [])


def write(items: Sequence[Item], file: Path, rubric: str) -> str:
    """Return the table that people fill: every text of an item, and two empty columns."""
    rows = [[*(texts(item, rubric)[name] for name in COLUMNS), "", ""] for item in items]
    if file.suffix == ".jsonl":
        lines = [json.dumps(dict(zip((*COLUMNS, *ANSWERS), row, strict=True)), ensure_ascii=False) for row in rows]
        return "".join(f"{line}\n" for line in lines)
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([*COLUMNS, *ANSWERS])
    writer.writerows([sheet.safe(cell) for cell in row] for row in rows)
    return "\ufeff" + written.getvalue()


def texts(item: Item, rubric: str) -> dict[str, str]:
    """Return what people see of an item; nothing of it tells a verdict, a model, a category or how it was drawn."""
    return {
        "item_id": item.item_id,
        "conversation": "\n".join(item.turns),
        "reference": item.reference,
        "response_a": item.response_a,
        "response_b": item.response_b,
        "rubric": rubric,
    }


def _rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield numbered rows; a table without the columns it needs is refused."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise DataError(f"{file.name} cannot be read as UTF-8 ({error}), expected labels: save it so again") from error
    if file.suffix == ".jsonl":
        for number, line in enumerate(text.splitlines(), 1):
            yield number, _object(file, number, line)
        return
    csv.field_size_limit(2**31 - 1)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    if missing := {"item_id", "outcome"} - set(reader.fieldnames or []):
        raise DataError(f"{file.name} lacks the columns {sorted(missing)}, expected a sheet of labels: draw it again")
    try:
        yield from enumerate(reader, 2)
    except csv.Error as error:
        raise DataError(f"{file.name}, row {reader.line_num}: {error}, expected CSV: save it so again") from error


def _object(file: Path, number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file.name}, row {number} is not JSON ({error}), expected an object: correct it") from error
    if not isinstance(found, dict):
        raise DataError(f"{file.name}, row {number} is {str(found)[:40]!r}, expected an object: correct it")
    return found
