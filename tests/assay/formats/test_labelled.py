"""Labels from and to people's tools: what was said comes back whole, and what is no label is told, never dropped."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from assay.errors import ConfigError, DataError
from assay.formats import labelled
from assay.records import Item
from tests.cast import item

HOSTILE = '<script>alert(1)</script> & "quoted" =1+1'
KINDS = ("sheet.csv", "sheet.jsonl", "tasks.label-studio.json", "records.argilla.json")
TELLING = ("slice", "category", "refunds", "natural", "verdict", "model", "stratum")


def items(question: str = "pass-fail") -> list[Item]:
    """Return three items whose texts would do harm if they were anything but text."""
    return [
        item(number, f"=cmd|' /C calc'!A0 {HOSTILE}", question, "@SUM(A1)" * 9, turns=["-2+3"]) for number in (1, 2, 3)
    ]


def fill(file: Path, outcome: str = "pass", who: str = "Ada Lovelace") -> Path:
    """Fill a file as its tool would: every item with one outcome, submitted by one person."""
    text = file.read_text(encoding="utf-8-sig")
    if file.suffix == ".csv":
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        with file.open("w", encoding="utf8", newline="") as sheet:
            writer = csv.DictWriter(sheet, rows[0].keys())
            writer.writeheader()
            writer.writerows(row | {"outcome": outcome, "annotator": who} for row in rows)
    elif file.suffix == ".jsonl":
        rows = [json.loads(line) | {"outcome": outcome, "annotator": who} for line in text.splitlines()]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif "label-studio" in file.name:
        tasks = [
            task | {"id": number, "annotations": [annotation(outcome, who)]}
            for number, task in enumerate(json.loads(text))
        ]
        file.write_text(json.dumps(tasks))
    else:
        records = json.loads(text)["records"]
        said = {"outcome": [{"user_id": who, "value": outcome, "status": "submitted"}]}
        file.write_text(json.dumps([record | {"responses": said} for record in records]))
    return file


def annotation(outcome: str, who: str, **changes: Any) -> dict[str, Any]:
    """Return an annotation as Label Studio exports it."""
    result = [{"type": "choices", "from_name": "outcome", "to_name": "response_a", "value": {"choices": [outcome]}}]
    person = {"id": 7, "email": who}
    return {
        "result": result,
        "completed_by": person,
        "created_at": "2026-11-03T10:00:00Z",
        "was_cancelled": False,
    } | changes


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("question", "outcome"), [("pass-fail", "fail"), ("pairwise", "tie")])
def test_what_people_say_comes_back(tmp_path: Path, name: str, question: str, outcome: str) -> None:
    """Written, filled as the tool fills it, and read: every item has its label, with a name as we write names."""
    labelled.write(items(question), tmp_path / name, rubric="Pass what is right.")
    found = labelled.read(fill(tmp_path / name, outcome))
    assert [(one.item_id, one.annotator, one.outcome) for one in found.labels] == [
        (one.item_id, "ada-lovelace", outcome) for one in items(question)
    ]
    assert found.left_out == []


@pytest.mark.parametrize("name", KINDS)
def test_nothing_tells_what_a_judge_said(tmp_path: Path, name: str) -> None:
    """What people are shown names no category, no slice, no model and no verdict, in any format."""
    one = items()[0].model_copy(update={"category": "secret-category", "slice": "natural", "case_id": "secret-case"})
    labelled.write([one], tmp_path / name, rubric="Pass what is right.")
    text = (tmp_path / name).read_text(encoding="utf8")
    assert "secret" not in text
    assert not [word for word in TELLING if f'"{word}"' in text]


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    """In a spreadsheet what a model wrote stays text, and is read as what it was."""
    labelled.write(items(), tmp_path / "sheet.csv", rubric="=1+1")
    rows = list(csv.reader(io.StringIO((tmp_path / "sheet.csv").read_text(encoding="utf-8-sig"), newline="")))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_the_interface_is_well_formed(tmp_path: Path) -> None:
    """Label Studio gets an interface beside its tasks, with one choice for each outcome and every text of the item."""
    labelled.write(items("pairwise"), tmp_path / "tasks.label-studio.json", rubric=HOSTILE)
    view = ET.fromstring((tmp_path / "tasks.label-studio.xml").read_text())  # noqa: S314 - we wrote it
    assert [choice.get("value") for choice in view.iter("Choice")] == ["a", "tie", "b"]
    assert {text.get("value") for text in view.iter("Text")} >= {"$rubric", "$response_a", "$response_b"}


def test_what_is_no_label_is_told(tmp_path: Path) -> None:
    """Skipped annotations, predictions, discarded responses and empty rows are left out, each with a sentence."""
    task = {
        "data": {"item_id": "x"},
        "predictions": [{}],
        "annotations": [annotation("pass", "ada", was_cancelled=True)],
    }
    (tmp_path / "tasks.json").write_text(json.dumps([task]))
    record = {"id": "x", "responses": [{"status": "discarded", "values": {}}], "suggestions": [{"value": "pass"}]}
    (tmp_path / "records.json").write_text(json.dumps({"records": [record]}))
    (tmp_path / "sheet.csv").write_text("item_id,outcome\nx,\n")
    for name, told in (
        ("tasks.json", ["1 predictions", "skipped"]),
        ("records.json", ["discarded", "suggestions"]),
        ("sheet.csv", ["1 rows"]),
    ):
        found = labelled.read(tmp_path / name, annotator="ada")
        assert found.labels == []
        assert all(any(word in line for line in found.left_out) for word in told)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("x.json", "{", "x.json is not JSON"),
        ("x.json", '[{"id": 1}]', "expected Label Studio's tasks.*or Argilla's records"),
        ("x.json", '[{"annotations": [], "data": {}}]', "task 1: no data.item_id"),
        ("x.json", '[{"annotations": [{"result": []}], "data": {"item_id": "x"}}]', "task 1: 0 choices"),
        ("x.json", '[{"responses": {}}]', "record 1: no id"),
        ("x.csv", "item_id\nx\n", r"lacks the columns \['outcome'\]"),
        ("x.csv", "item_id,outcome\n,pass\n", "row 2: no item_id"),
        ("x.csv", "item_id,outcome\nx,maybe\n", "row 2: the label is 'maybe'"),
        ("x.csv", "item_id,outcome,labelled_at\nx,pass,yesterday\n", "row 2: the time is 'yesterday'"),
        ("x.csv", "item_id,outcome\nx,pass\nx,fail\n", "row 3: ada has labelled x in x.csv, row 2 too"),
        ("x.jsonl", '{"item_id": "x", "outcome": "pass"}\n[]\n', "row 2 is '\\[\\]', expected an object"),
    ],
)
def test_a_malformed_file_is_one_sentence(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    """What is wrong is told with its place in the file."""
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=sentence):
        labelled.read(tmp_path / name, annotator="ada")


def test_somebody_must_have_said_it(tmp_path: Path) -> None:
    """A label of nobody is refused, and so is a name of which nothing is left."""
    (tmp_path / "x.csv").write_text("item_id,outcome,annotator\nx,pass,***\n")
    with pytest.raises(DataError, match=r"row 2: the annotator is '\*\*\*'.*--annotator NAME"):
        labelled.read(tmp_path / "x.csv")


def test_a_name_without_a_format_is_refused(tmp_path: Path) -> None:
    """A file whose name tells no format is not written."""
    with pytest.raises(ConfigError, match=r"sheet.xlsx names no format"):
        labelled.write(items(), tmp_path / "sheet.xlsx", rubric="")
    assert not list(tmp_path.iterdir())


def test_words_are_the_user_s(tmp_path: Path) -> None:
    """A tool's own words for the outcomes are told with --map; a number of an annotator becomes a name."""
    task = {"data": {"item_id": "x"}, "annotations": [annotation("Good", "", completed_by=12)]}
    (tmp_path / "tasks.json").write_text(json.dumps([task]))
    (found,) = labelled.read(tmp_path / "tasks.json", maps=["good=pass"]).labels
    assert (found.outcome, found.annotator, found.labelled_at and found.labelled_at.hour) == (
        "pass",
        "annotator-12",
        10,
    )
