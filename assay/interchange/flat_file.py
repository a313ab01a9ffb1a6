"""Anybody's flat file of verdicts, CSV or JSON Lines: one row an item, a column for the judge and for each annotator.

A cell is text and nothing else: `NA`, `1e5`, `TRUE` and `=1+1` are the letters that stand there, and nothing is ever
computed. What a letter stands for is told by `vocabulary`, a short list that the user can add to; a word that is not
in it is refused, and no word is guessed. A row is numbered as a spreadsheet shows it: the header of a CSV file is
row 1; in JSON Lines the row is the line.
"""

import csv
import json
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from assay.errors import ConfigError, DataError
from assay.interchange.names import repeated

Question = Literal["pass-fail", "pairwise"]
SCALES: dict[Question, tuple[str, ...]] = {"pass-fail": ("fail", "pass"), "pairwise": ("a", "tie", "b")}
"""The outcomes of either question in their natural order; an outcome's place is its class number."""
WORDS = {
    "pass": ("pass", "1", "1.0", "true", "yes", "correct"),
    "fail": ("fail", "0", "0.0", "false", "no", "incorrect"),
    "a": ("a", "a wins", "model_a", "response_a"),
    "b": ("b", "b wins", "model_b", "response_b"),
    "tie": ("tie", "draw"),
}
"""The words that need no telling; 1.0 and 0.0 are what pandas makes of 1 and 0 in a column with a gap."""
LONGEST_WORD = 1_000
"""Characters of a verdict or label; other cells may be as long as a line."""
LONGEST_LINE = 32_000_000
"""Bytes of a line, and characters of a cell of many lines: more is a quote that nobody closed."""
SHOWN, LISTED = 80, 20
"""Characters of what was found that a message quotes, and columns that it lists."""
COMPARED = 1_000
"""Columns among which a message looks for the one that was meant."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: each different text once, and which of them stands in each row."""

    file: str
    name: str
    first_row: int
    """Number of the row that the first item stands in."""
    words: tuple[str, ...]
    """In order of their first appearance, without the blanks around them."""
    codes: NDArray[np.int32]
    """Place in `words`, shape (items,); -1 for an empty cell, null, or a name that this object lacks."""

    def place(self, index: int) -> str:
        """Return what a message calls the cell of an item, counted from 0."""
        return f"{self.file}, row {self.first_row + index}, column {quoted(self.name)}"

    def first(self, code: int) -> int:
        """Return the first item whose cell has this code."""
        return int(np.argmax(self.codes == code))


def columns(file: Path, words: Sequence[str], texts: Sequence[str] = ()) -> dict[str, Column]:
    """Return some columns of a flat file by name; the others are passed over, however long their cells are.

    Args:
        file: UTF-8, with or without a mark of byte order. `.csv` and `.tsv` are separated by commas, semicolons or
            tabs, as the header tells; `.jsonl` and `.ndjson` hold one object a line, and a dotted name reaches into it.
        words: Columns of verdicts or labels, whose cells are short.
        texts: Columns of anything else, such as ids and slices.

    Raises:
        DataError: The file cannot be read, lacks a column or has one twice, holds no item, or a row is malformed.
        ConfigError: A column is asked for twice: a judge beside itself agrees with itself.
    """
    bounds = dict.fromkeys(words, LONGEST_WORD) | dict.fromkeys(texts, LONGEST_LINE)
    if len(bounds) < len(words) + len(texts):
        twice = repeated([*words, *texts])
        raise ConfigError(f"column {quoted(twice)} is asked for twice, expected it in one place: correct the options")
    if file.suffix.lower() not in _KINDS:
        raise DataError(f"{file.name} ends in none of {', '.join(_KINDS)}: export it as CSV or JSON Lines")
    rows, first_row = _KINDS[file.suffix.lower()]
    read = [_Codes(file.name, name, bound, first_row) for name, bound in bounds.items()]
    try:
        with file.open("rb") as source:
            for cells in rows(_lines(source), list(bounds), file.name):
                for column, cell in zip(read, cells, strict=True):
                    column.rows.append(column[cell])
    except OSError as error:
        raise DataError(f"{file.name} cannot be read ({error.strerror}), expected a file: correct the path") from error
    if read and not read[0].rows:
        raise DataError(f"{file.name} holds no item, expected one row an item: add the rows")
    return {column.name: column for column in (codes.column() for codes in read)}


def vocabulary(maps: Sequence[str] = (), words: Mapping[str, Sequence[str]] = WORDS) -> dict[str, str]:
    """Return which outcome each word stands for: those that need no telling, and before them what the user tells.

    Args:
        maps: Such as `full_refusal=pass`, split at the last `=`; `unscored` stands for none. Case counts for nothing.
        words: By outcome, the words that need no telling.

    Raises:
        ConfigError: A text has no word or no known outcome, or a word has two outcomes.
    """
    told = dict[str, str]()
    legal = {plain(outcome): outcome for outcome in (*words, "unscored")}
    for text in maps:
        raw, _, outcome = text.rpartition("=")
        word, meant = plain(raw), legal.get(plain(outcome), "")
        if not word or not meant:
            known = ", ".join(legal.values())
            raise ConfigError(f"--map has {quoted(text)}, expected WORD=OUTCOME, one of {known}: correct it")
        if told.setdefault(word, meant) != meant:
            raise ConfigError(f"--map has {quoted(word)} as {told[word]} and as {meant}, expected one: drop the other")
    return {plain(word): outcome for outcome, spellings in words.items() for word in spellings} | told


def outcomes(column: Column, asked: Question, meanings: Mapping[str, str]) -> NDArray[np.int64]:
    """Return the outcomes of a judge or an annotator as places in the scale of the question, shape (items,).

    An item that the judge left unscored, or this annotator did not label, has -1: it is to be counted as such.

    Args:
        column: Verdicts or labels; for pairs `a` is response A in whatever order the two were shown.
        asked: The question.
        meanings: The `vocabulary`.

    Raises:
        DataError: A word has no meaning, or one of the other question.
    """
    numbers = {outcome: number for number, outcome in enumerate(SCALES[asked])} | {"unscored": -1}
    table = [numbers.get(meanings.get(plain(word), "")) for word in column.words]
    for code, number in enumerate(table):
        if number is None:
            raise _unknown(column, code, SCALES[asked])
    # An empty cell has the code -1, so its number is the last one.
    return np.array([*table, -1], dtype=np.int64)[column.codes]


def ids(column: Column) -> list[str]:
    """Return the id of each item.

    Raises:
        DataError: A row has none, or that of an earlier row: one annotator would have labelled an item twice.
    """
    first_of = np.unique(column.codes, return_index=True)[1]
    if -1 in column.codes:
        raise DataError(f"{column.place(column.first(-1))}: found no id, expected one in each row: write it")
    if len(first_of) < len(column.codes):
        again = int(np.setdiff1d(np.arange(len(column.codes)), first_of)[0])
        code = int(column.codes[again])
        found = f"{quoted(column.words[code])} of row {column.first_row + column.first(code)} again"
        raise DataError(f"{column.place(again)}: found {found}, expected one row an item: drop one, or correct the id")
    return [column.words[code] for code in column.codes]


class _Codes(dict[str, int]):
    """The code of each text of a column: its place in the order of first appearance, -1 for an empty cell."""

    def __init__(self, where: str, name: str, bound: int, first_row: int) -> None:
        super().__init__({"": -1})
        self.words: list[str] = []
        self.rows = array("i")
        self._where, self._name, self._bound, self._first_row = where, name, bound, first_row

    def __missing__(self, cell: str) -> int:
        """Give a code to a text that was not met in this spelling before."""
        text = cell.strip()
        if text not in self:
            if len(text) > self._bound or (not text.isascii() and _HALF.search(text)):
                found = f"{len(text):,} characters" if len(text) > self._bound else "half a character"
                expected = f"expected at most {self._bound:,} whole ones: mend the cell, or name another column"
                row, name = self._first_row + len(self.rows), quoted(self._name)
                raise _fault(self._where, row, f"{found} in column {name}, {expected}")
            self[text] = len(self.words)
            self.words.append(text)
        self[cell] = self[text]
        return self[cell]

    def column(self) -> Column:
        """Return what was read."""
        words, codes = tuple(self.words), np.array(self.rows, dtype=np.int32)
        return Column(file=self._where, name=self._name, first_row=self._first_row, words=words, codes=codes)


def _csv_rows(lines: Iterator[str], names: Sequence[str], where: str) -> Iterator[list[str]]:
    """Yield the cells of these columns, row by row."""
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))
    row, blank = 0, 0
    try:
        first = next(lines, "")
        mark = _delimiter(first, names)
        reader = csv.reader(chain([first], lines), delimiter=mark, strict=True, skipinitialspace=True)
        header = [name.strip() for name in next(reader, [])]
        row, width, places = 1, len(header), _places(header, names, where)
        for row, cells in enumerate(reader, 2):
            if not cells:
                blank = blank or row
                continue
            if blank or len(cells) != width:
                found = f"{0 if blank else len(cells)} cells, expected {width} as in the header"
                raise _fault(where, blank or row, f"{found}: complete the row, or quote the text in it")
            if not any(cells):
                raise _fault(where, row, "empty cells only, expected an item: delete the row, or give the item an id")
            yield [cells[place] for place in places]
    except (csv.Error, ValueError) as error:
        raise _unreadable(where, row + 1, error) from error


def _delimiter(header: str, names: Sequence[str]) -> str:
    """Return what separates the cells: what finds most of the names that are asked for, or else most cells."""

    def found(mark: str) -> tuple[int, int]:
        cells = next(csv.reader([header], delimiter=mark, skipinitialspace=True), [])
        return len({cell.strip() for cell in cells} & set(names)), len(cells)

    return max(",;\t", key=found)


def _places(header: Sequence[str], names: Sequence[str], where: str) -> list[int]:
    if not any(header):
        raise _fault(where, 1, "nothing, expected the names of the columns: write them there")
    named = [name for name in header if name]
    if twice := repeated(named):
        raise _fault(where, 1, f"the column {quoted(twice)} twice, expected each name once: rename one of them")
    for name in names:
        if name not in named:
            raise _missing(where, name, named)
    return [header.index(name) for name in names]


def _json_rows(lines: Iterator[str], names: Sequence[str], where: str) -> Iterator[list[str]]:
    """Yield the values under these names, object by object; a name that one object lacks is an empty cell."""
    paths = [(name, name.split(".")) for name in names]
    row, blank, missing, example = 0, 0, set(names), dict[str, Any]()
    try:
        for row, line in enumerate(lines, 1):
            if line.isspace():
                blank = blank or row
                continue
            if blank:
                raise _fault(where, blank, "nothing, expected one whole object a line: delete the row")
            found = _object(line, where, row)
            example = example or found
            cells = [
                value if isinstance(value := found.get(name), str) else _reached(found, name, path, (where, row))
                for name, path in paths
            ]
            if missing:
                missing.difference_update(name for name, cell in zip(names, cells, strict=True) if cell is not None)
            yield [cell or "" for cell in cells]
    except ValueError as error:
        raise _unreadable(where, row + 1, error) from error
    if example and missing:
        inner = [f"{name}.{step}" for name, value in example.items() if isinstance(value, dict) for step in value]
        raise _missing(where, min(missing, key=names.index), [*example, *inner])


def _object(line: str, where: str, row: int) -> dict[str, Any]:
    """Return the object of a line, its numbers as they are spelled."""
    try:
        found = _DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        raise _unreadable(where, row, error) from error
    if not isinstance(found, dict):
        raise _fault(where, row, f"{quoted(line.strip())}, expected an object: write one a line")
    return found


def _reached(found: dict[str, Any], name: str, path: Sequence[str], position: tuple[str, int]) -> str | None:
    """Return the text under a name: empty for null, None where there is no such name."""
    value: Any = found
    for step in [name] if name in found else path:
        if value is None:
            break
        if not isinstance(value, dict):
            raise _no_cell(*position, name, value)
        if step not in value:
            return None
        value = value[step]
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    if not isinstance(value, str):
        raise _no_cell(*position, name, value)
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON whose names differ."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = repeated(name for name, _ in pairs)
        raise ValueError(f"the name {quoted(twice)} twice in one object, expected each once: rename one of them")
    return found


def _lines(source: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a file, without a mark of byte order."""
    bom = "\ufeff"
    while line := source.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise ValueError(f"a line of {LONGEST_LINE:,} bytes or more, expected one row a line: shorten it")
        yield line.decode().removeprefix(bom)
        bom = ""


def plain(text: str) -> str:
    """Return a word as `vocabulary` knows it."""
    return " ".join(text.split()).casefold()


def quoted(text: str) -> str:
    """Return a text as a message quotes it."""
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")


def _fault(where: str, row: int, text: str) -> DataError:
    return DataError(f"{where}, row {row} has {text}")


def _unreadable(where: str, row: int, error: Exception) -> DataError:
    """Say what Python's readers found, in our words."""
    if isinstance(error, UnicodeDecodeError):
        byte = error.object[error.start]
        return _fault(where, row, f"the byte 0x{byte:02x}, expected UTF-8 throughout: save the file as UTF-8")
    if isinstance(error, RecursionError):
        return _fault(where, row, "an object nested too deeply, expected values within a few levels: flatten it")
    if isinstance(error, json.JSONDecodeError):
        found = f"no JSON ({error.msg}, character {error.pos + 1})"
        return _fault(where, row, f"{found}, expected one whole object a line: correct it")
    if isinstance(error, csv.Error):
        found = f"broken cells ({str(error).partition(' - ')[0]})"
        return _fault(where, row, f"{found}, expected closed quotes and lines that end in LF or CRLF: correct it")
    return _fault(where, row, str(error))


def _missing(where: str, name: str, names: Sequence[str]) -> DataError:
    near = get_close_matches(name, names[:COMPARED], n=1)
    shown = ", ".join(map(quoted, names[:LISTED])) + (" …" if len(names) > LISTED else "")
    advice = f"did you mean {quoted(near[0])}?" if near else "correct the name"
    return _fault(where, 1, f"no column {quoted(name)}, expected one of {shown}: {advice}")


def _no_cell(where: str, row: int, name: str, value: object) -> DataError:
    found = f"{quoted(json.dumps(value))} on the way to column {quoted(name)}"
    return _fault(
        where, row, f"{found}, expected a text, number or boolean at its end: name one, such as label.outcome"
    )


def _unknown(column: Column, code: int, scale: Sequence[str]) -> DataError:
    word, expected = column.words[code], [outcome for outcome in WORDS if outcome in scale]
    return DataError(
        f"{column.place(column.first(code))}: found {quoted(word)}, expected {', '.join(expected[:-1])} or "
        f"{expected[-1]}: correct it, empty the cell, or say what it means with --map {quoted(word + '=OUTCOME')}"
    )


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct, parse_int=str, parse_float=str, parse_constant=str)
_HALF = re.compile("[\ud800-\udfff]")
_KINDS = {".csv": (_csv_rows, 2), ".tsv": (_csv_rows, 2), ".jsonl": (_json_rows, 1), ".ndjson": (_json_rows, 1)}
