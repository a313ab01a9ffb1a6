"""Labels as a table: a cell is text and nothing else, and a row that is not whole is refused with its number."""

import csv
import io
import json
from pathlib import Path

import pytest

from assay.errors import DataError
from assay.interchange import labels
from tests.cast import item
from tests.handouts import judge, whose

FORMULAE = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1")


def read(folder: Path, text: str, name: str = "x.csv") -> labels.Reading:
    """Write a table and read it."""
    (folder / name).write_bytes(text.encode())
    return labels.read(folder / name, asked=whose, annotator="ada")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has the columns none at all, expected item_id and outcome among them"),
        ("item_id\nx\n", "has the columns item_id, expected item_id and outcome among them"),
        ("outcome\npass\n", "has the columns outcome, expected item_id"),
        ("item_id,outcome,outcome\nx,pass,fail\n", "has the column 'outcome' twice"),
        ("item_id,outcome\nx,pass,1\n", "row 2 has 3 cells, expected 2 as in the header"),
        ("item_id,outcome,text\nx,pass\n", "row 2 has 2 cells, expected 3 as in the header"),
        ("item_id,outcome\n\nx\n", "row 3 has 1 cells, expected 2"),
        ('item_id,outcome\nx,pass\ny,"pass\n', "row 3: unexpected end of data, expected CSV"),
        ('item_id,outcome\nx,"pa"ss\n', "row 2: .*, expected CSV"),
        ("item_id,outcome\n,pass\n", "row 2: no item_id, expected that of an item"),
        ("item_id,outcome\nx,maybe\n", "row 2: the label is 'maybe'"),
        ("item_id,outcome\nx,NaN\n", "row 2: the label is 'NaN'"),
        ("item_id,outcome,labelled_at\nx,pass,yesterday\n", "row 2: the time is 'yesterday', expected ISO 8601"),
        ("item_id,outcome\nx,pass\n\nx,fail\n", "row 4: ada has labelled x in x.csv, row 2 too"),
    ],
)
def test_a_malformed_sheet_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    """What is wrong in a spreadsheet is told with the row as the spreadsheet numbers it."""
    with pytest.raises(DataError, match=f"^x.csv,? {sentence}"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "x.jsonl has the columns none at all, expected item_id"),
        ('{"item_id": "x", "outcome": "pass"}\n[]\n', r"x.jsonl, row 2 is '\[\]', expected an object"),
        ('{"item_id": "x", "outcome": "pass"}\n\n{}', "x.jsonl, row 2 is not JSON"),
        ('{"item_id": "x", "label": "pass"}\n', "x.jsonl has the columns item_id, label, expected item_id and outcome"),
        ('{"item_id": "x", "outcome": NaN}\n', "x.jsonl, row 1: the label is 'nan'"),
        ('{"item_id": "x", "outcome": ["pass"]}\n', r"x.jsonl, row 1: the label is .*, expected one of"),
        ('{"item_id": "x", "outcome": "pass", "labelled_at": 1762164000}\n', "row 1: the time is '1762164000'"),
    ],
)
def test_a_malformed_line_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    """What is wrong in JSON Lines is told with its line."""
    with pytest.raises(DataError, match=sentence):
        read(tmp_path, text, "x.jsonl")


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("begin", ["", "\ufeff"])
def test_every_spreadsheet_s_csv_is_read(tmp_path: Path, mark: str, end: str, begin: str) -> None:
    """Commas, semicolons or tabs, either end of line, with or without a mark of byte order: the labels are the same."""
    rows = (" item_id ", "text", "outcome"), ("x", '"a, b; ""c""\n"', "pass"), ("y", "é", "FAIL ")
    found = read(tmp_path, begin + "".join(mark.join(row) + end for row in rows))
    assert [(one.item_id, one.outcome, one.place) for one in found.labels] == [
        ("x", "pass", "x.csv, row 2"),
        ("y", "fail", "x.csv, row 3"),
    ]


def test_every_column_is_read(tmp_path: Path) -> None:
    """Annotator, rubric and time are the row's own where it has them; else the annotator is who was named."""
    text = "item_id,outcome,annotator,rubric_version,labelled_at\nx,pass,Ben B,2,2026-11-03T10:00:00Z\ny,fail,,,\n"
    first, second = read(tmp_path, text).labels
    assert first[:4] == ("x", "ben-b", "pass", "2")
    assert first.labelled_at
    assert first.labelled_at.isoformat() == "2026-11-03T10:00:00+00:00"
    assert second[:5] == ("y", "ada", "fail", "", None)


def test_an_open_row_is_told(tmp_path: Path) -> None:
    """Rows that nobody has filled are counted, and a sheet with nothing else is no mistake."""
    found = read(tmp_path, "item_id,outcome\nx,\ny,  pass\nz,\n")
    assert [one.item_id for one in found.labels] == ["y"]
    assert found.left_out == ["2 rows that have no outcome yet left out, the first in x.csv, row 2"]
    assert read(tmp_path, "item_id,outcome\n") == ([], [])


def test_values_of_json_are_words(tmp_path: Path) -> None:
    """True, 1, 0 and null in JSON Lines are pass, pass, fail and no label, and a last line needs no end."""
    lines = [{"item_id": str(number), "outcome": value} for number, value in enumerate((True, 1, 0, None))]
    found = read(tmp_path, "\n".join(map(json.dumps, lines)), "x.jsonl")
    assert [(one.item_id, one.outcome) for one in found.labels] == [("0", "pass"), ("1", "pass"), ("2", "fail")]
    assert len(found.left_out) == 1


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x1e"])
def test_a_separator_within_a_text_ends_no_line(tmp_path: Path, separator: str) -> None:
    """What Unicode calls the end of a line may stand in a response, as our own sheets have it, and ends no row."""
    labels.write([item(1, f"one{separator}two")], tmp_path / "x.jsonl", judge())
    text = (tmp_path / "x.jsonl").read_bytes().decode().replace('"outcome": ""', '"outcome": "pass"')
    assert [one.outcome for one in read(tmp_path, text, "x.jsonl").labels] == ["pass"]


@pytest.mark.parametrize("formula", FORMULAE)
def test_no_cell_is_a_formula(tmp_path: Path, formula: str) -> None:
    """In a spreadsheet what a model, a user or a rubric wrote stays text, behind an apostrophe."""
    one = item(1, formula, "pairwise", formula, turns=[formula], reference=formula)
    labels.write([one], tmp_path / "x.csv", judge("pairwise", formula))
    text = (tmp_path / "x.csv").read_bytes().decode("utf-8-sig")
    header, cells = csv.reader(io.StringIO(text, newline=""))
    assert header == [
        "item_id",
        "judge",
        "question",
        "reference",
        "response_a",
        "response_b",
        "rubric",
        "outcome",
        "annotator",
    ]
    assert cells == [one.item_id, "preference", *[f"'{formula}"] * 5, "", ""]


def test_an_apostrophe_before_a_formula_is_undone(tmp_path: Path) -> None:
    """What was made harmless on the way out is read as it was."""
    found = read(tmp_path, "item_id,outcome\n'=x,pass\n")
    assert [one.item_id for one in found.labels] == ["=x"]


def test_no_items_are_an_empty_sheet(tmp_path: Path) -> None:
    """Where nothing is left to label, the sheet has its header only and reads as no labels."""
    labels.write([], tmp_path / "x.csv", judge())
    assert labels.read(tmp_path / "x.csv", asked=whose) == ([], [])
