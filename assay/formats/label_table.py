"""Labels as a table: CSV for a spreadsheet, or JSON Lines; and what people are shown of an item, in any format."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from assay.errors import DataError
from assay.formats import flat, sheet
from assay.formats.given import SHOWN, Gathering, Reading, Said
from assay.records import Item, Outcome

QUESTION = "outcome"
"""What people are asked, by its name in every format."""
COLUMNS = ("item_id", "conversation", "reference", "response_a", "response_b", "rubric")
ANSWERS = (QUESTION, "annotator")
CHOICES: dict[str, tuple[Outcome, ...]] = {"pass-fail": ("pass", "fail"), "pairwise": ("a", "tie", "b")}
Row = tuple[str, Mapping[str, Any]]
"""What a message calls a row, and its cells by column."""


def read(rows: Iterable[Row], gathering: Gathering) -> Reading:
    """Return the labels of a table with the columns item_id and outcome, and annotator where nobody else says who.

    The columns rubric_version and labelled_at are read where there are any, and Label Studio's created_at.

    Args:
        rows: The rows, in their order.
        gathering: Where labels are put.

    Raises:
        DataError: A label is malformed; the text names the row.
    """
    for place, row in rows:
        if row.get(QUESTION) in (None, ""):
            gathering.leave("rows that have no outcome yet", place)
            continue
        item_id, who, word, rubric, at = (
            sheet.plain(cell) if isinstance(cell := row.get(name), str) else cell
            for name in ("item_id", "annotator", QUESTION, "rubric_version", "labelled_at")
        )
        gathering.take(Said(item_id, who, word, rubric, at or row.get("created_at")), place)
    return gathering.reading()


def write(items: Sequence[Item], file: Path, rubric: str) -> str:
    """Return the table that people fill: every text of an item, and two empty columns."""
    rows = [[*(texts(item, rubric)[name] for name in COLUMNS), *("" for _ in ANSWERS)] for item in items]
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


def choices(items: Sequence[Item]) -> tuple[Outcome, ...]:
    """Return what people choose from; pass and fail where there is no item.

    Raises:
        ValueError: The items ask different questions.
    """
    questions = {item.question for item in items} or {"pass-fail"}
    if len(questions) > 1:
        raise ValueError("answers and pairs in one labelling project, expected one question: write them apart")
    return CHOICES[questions.pop()]


def shown(items: Sequence[Item]) -> tuple[str, ...]:
    """Return the texts that a labelling tool shows: the second response only of pairs."""
    pairs = choices(items) == CHOICES["pairwise"]
    return ("conversation", "reference", "response_a", *(["response_b"] if pairs else []))


def csv_rows(text: str, file_name: str) -> Iterator[Row]:
    """Yield the rows of a CSV file, separated by commas, semicolons or tabs as its header tells.

    Raises:
        DataError: A row is malformed, or has more or fewer cells than the header; the text names it.
    """
    csv.field_size_limit(max(csv.field_size_limit(), flat.LONGEST_LINE))
    lines = iter(io.StringIO(text, newline=""))
    first = next(lines, "")
    reader = csv.reader(chain([first], lines), delimiter=max(",;\t", key=first.count), strict=True)
    row = 0
    try:
        header = [name.strip() for name in next(reader, [])]
        require_columns(header, file_name)
        row = 1
        for row, cells in enumerate(reader, 2):
            if cells and len(cells) != len(header):
                found = f"{len(cells)} cells, expected {len(header)} as in the header"
                raise DataError(f"{file_name}, row {row} has {found}: complete the row, or quote the text in it")
            if cells:
                yield f"{file_name}, row {row}", dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise DataError(f"{file_name}, row {row + 1}: {error}, expected CSV: save it so again") from error


def require_columns(names: Iterable[str], file_name: str) -> None:
    """Refuse a table that cannot hold labels.

    Raises:
        DataError: It lacks the columns item_id or outcome, or has one column twice.
    """
    count = Counter(names)
    twice = [name for name, number in count.items() if name and number > 1]
    if twice or not {"item_id", QUESTION} <= count.keys():
        found = (
            f"the column {twice[0]!r} twice" if twice else f"the columns {', '.join(count) or 'none at all':.{SHOWN}}"
        )
        raise DataError(
            f"{file_name} has {found}, expected item_id and {QUESTION} among them, each name once: mend the header"
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
