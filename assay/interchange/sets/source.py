"""A file of another tool as plain values: JSON, JSON Lines, CSV or YAML, told by its name or else by its content.

Strict and bounded: so many bytes, so many levels, no name twice in one object. `.eval` archives stay files.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from assay.errors import ConfigError, DataError
from assay.interchange import flat_file
from assay.interchange.names import repeated
from assay.interchange.sets import yaml_text
from assay.interchange.sets.builder import SHOWN, one_line, quoted
from assay.interchange.spreadsheet import FORMULA
from assay.records.record import LONE

MOST_BYTES = 200_000_000
"""Bytes of a file at most, all in memory at once."""
DEPTH = 100
"""Levels of objects and lists."""
SEPARATORS = ",;\t"
INDEX = "Unnamed: 0"
"""pandas' name of a column without one."""
ZIP = b"PK\x03\x04"
Kind = Literal["value", "rows", "archive"]
Row = tuple[str, dict[str, Any]]
"""What a message calls a row, and its fields."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a file holds, before anybody knows which tool wrote it."""

    name: str
    kind: Kind
    value: Any = None
    """Of the kind `value`: an object."""
    rows: list[Row] = field(default_factory=list)
    """Of the kind `rows`: objects, one a line, a record or a row of a table."""
    file: Path | None = None
    """Of the kind `archive`."""
    is_table: bool = False
    """Its rows are of CSV: each value is a text."""

    def names(self) -> frozenset[str]:
        """Return the names of the object's fields, or of those of any of the first rows."""
        found = [self.value] if self.kind == "value" else [row for _, row in self.rows[:SHOWN]]
        return frozenset(name for one in found for name in one)


def load(file: Path) -> Source:
    """Return what a file holds.

    Raises:
        ConfigError: It cannot be read.
        DataError: It is too large, not UTF-8, malformed, nested too deep, or has a name twice in one object.
    """
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise DataError(f"{file.name} has {size:,} bytes, expected at most {MOST_BYTES:,}: split it")
        data = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}), expected a file: correct the path") from error
    if data.startswith(ZIP):
        return Source(name=file.name, kind="archive", file=file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"the byte 0x{error.object[error.start]:02x} at {error.start:,}"
        raise DataError(f"{file.name} has {found}, expected UTF-8 throughout: save the file as UTF-8") from error
    return _shape(file.suffix.lower(), text)(text, file.name)


def json_value(text: str, where: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a JSON text; NaN and Infinity pass, for other tools write them.

    Raises:
        DataError: It is none, nests too deep, or has a name twice in one object.
    """
    try:
        found = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else one_line(str(error))
        raise DataError(
            f"{where} is {quoted(text)}, expected JSON ({reason[:SHOWN]}): correct it, or export it again"
        ) from error
    _require_sound(found, where)
    return found


def json_text(value: object) -> str:
    """Return a JSON value in the one spelling that we write.

    Raises:
        ValueError: It holds NaN or Infinity, which are no JSON.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)


def cell(text: str) -> str:
    """Return a text as a cell that no spreadsheet computes; `uncelled` returns it letter by letter."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def uncelled(found: str) -> str:
    """Return the text of a cell, without the apostrophe that keeps a spreadsheet from computing it."""
    return found[1:] if found.startswith("'") and found.lstrip("'").startswith(FORMULA) else found


def table(columns: list[str], rows: list[dict[str, str]]) -> bytes:
    """Return a CSV file for a spreadsheet, with only those columns that any row fills."""
    written = io.StringIO()
    filled = [name for name in columns if any(row.get(name) for row in rows)]
    writer = csv.writer(written)
    writer.writerow(filled)
    writer.writerows([cell(row.get(name, "")) for name in filled] for row in rows)
    return ("\ufeff" + written.getvalue()).encode()


def lines(rows: list[dict[str, Any]]) -> bytes:
    """Return JSON Lines."""
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()


def listed(rows: list[dict[str, Any]], suffix: str) -> bytes:
    """Return rows as JSON Lines, or as one JSON list, by how the file ends."""
    return lines(rows) if suffix == ".jsonl" else document(rows)


def document(value: object) -> bytes:
    """Return a JSON document."""
    return f"{json.dumps(value, ensure_ascii=False, indent=1)}\n".encode()


def _shape(suffix: str, text: str) -> Callable[[str, str], Source]:
    known = {
        **dict.fromkeys((".jsonl", ".ndjson"), _json_lines),
        **dict.fromkeys((".csv", ".tsv"), _csv),
        **dict.fromkeys((".yaml", ".yml"), _yaml),
    }
    if suffix in known:
        return known[suffix]
    if text.lstrip()[:1] in ("{", "["):
        return _json
    return _csv if "," in text.partition("\n")[0] and suffix != ".json" else _yaml


def _json(text: str, name: str) -> Source:
    """Read one JSON value, or lines of them under a name that does not say so."""
    first = text.strip().partition("\n")[0].strip()
    if first.startswith("{") and first.endswith("}") and "\n" in text.strip():
        return _json_lines(text, name)
    return _of(json_value(text, name), name)


def _json_lines(text: str, name: str) -> Source:
    rows = []
    # Not splitlines: it would also break a line at the separators that may stand inside a text.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            rows.append(_row(json_value(line.strip(), f"{name}, row {number}"), f"row {number}", name))
    return Source(name=name, kind="rows", rows=rows)


def _yaml(text: str, name: str) -> Source:
    return _of(yaml_text.value(text, name), name)


def _of(found: object, name: str) -> Source:
    if isinstance(found, list):
        rows = [_row(one, f"record {number}", name) for number, one in enumerate(found, 1)]
        return Source(name=name, kind="rows", rows=rows)
    if isinstance(found, dict):
        return Source(name=name, kind="value", value=found)
    raise DataError(f"{name} is {quoted(found)}, expected an object or a list of objects: export it again")


def _row(found: object, place: str, name: str) -> Row:
    if not isinstance(found, dict):
        raise DataError(f"{name}, {place} is {quoted(found)}, expected an object: correct it")
    return place, found


def _csv(text: str, name: str) -> Source:
    csv.field_size_limit(max(csv.field_size_limit(), flat_file.LONGEST_LINE))
    mark, text = _separated(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    row = 0
    try:
        header, records = _trimmed([column.strip() for column in next(reader, [])], enumerate(reader, 2))
        twice = "" if "" in header else repeated(header)
        if twice or not all(header) or not header:
            found = f"the column {quoted(twice)} twice or unnamed" if header else "no columns"
            raise DataError(f"{name} has {found}, expected names of columns, each once: mend the header")
        rows = []
        for row, cells in records:
            if len(cells) != len(header):
                found = f"{len(cells)} cells, expected {len(header)} as in the header"
                raise DataError(f"{name}, row {row} has {found}: complete the row, or quote the text in it")
            rows.append((f"row {row}", dict(zip(header, map(uncelled, cells), strict=True))))
    except csv.Error as error:
        raise DataError(f"{name}, row {row + 1}: {error}, expected CSV: save it so again") from error
    return Source(name=name, kind="rows", rows=rows, is_table=True)


def _separated(text: str) -> tuple[str, str]:
    """Return what separates the cells of a table, and its text without Excel's line that says so."""
    first, _, rest = text.partition("\n")
    if first.strip().casefold() in {f"sep={mark}" for mark in SEPARATORS}:
        return first.strip()[-1], rest
    return max(SEPARATORS, key=first.count), text


def _trimmed(
    header: list[str], lines: Iterator[tuple[int, list[str]]]
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return a table without what spreadsheets leave around it: empty rows, empty columns at its end, cells of a text.

    An unnamed first column that numbers the rows gets the name that pandas has for it; a table of one column holds
    texts, whatever commas are in them.
    """
    records = [(row, cells) for row, cells in lines if any(cell.strip() for cell in cells)]
    width = len(header)
    while width > 1 and not header[width - 1] and not any(any(cells[width - 1 :]) for _, cells in records):
        width -= 1
    header = header[:width]
    if len(header) == 1:
        records = [(row, [",".join(cells)]) for row, cells in records]
    records = [(row, cells[:width] if not any(cells[width:]) else cells) for row, cells in records]
    numbers = [cells[0] for _, cells in records if cells]
    if header and not header[0] and INDEX not in header and _is_index(numbers):
        header = [INDEX, *header[1:]]
    return header, iter(records)


def _is_index(cells: list[str]) -> bool:
    """Tell whether cells count the rows, from 0 or 1."""
    return bool(cells) and any(cells == [str(number) for number in range(at, at + len(cells))] for at in (0, 1))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has the same name twice")
    return found


def _require_sound(value: object, where: str) -> None:
    """Refuse what nests too deep, and half characters, which no file could hold."""
    level = [value]
    for _ in range(DEPTH + 1):
        children = [child for node in level for child in _children(node)]
        texts = (text for text in (*level, *children) if isinstance(text, str))
        if any(not text.isascii() and LONE.search(text) for text in texts):
            raise DataError(f"{where} has half a character (a lone surrogate), expected whole ones: mend it")
        level = [child for child in children if isinstance(child, dict | list)]
        if not level:
            return
    raise DataError(f"{where} is nested deeper than {DEPTH} levels, expected fewer: flatten it")


def _children(node: object) -> Iterator[object]:
    if isinstance(node, dict):
        yield from node
        yield from node.values()
    elif isinstance(node, list):
        yield from node


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)
