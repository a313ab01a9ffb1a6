"""Tables as spreadsheets, notebooks and data sets leave them: the question, all right answers, nothing else taken."""

from pathlib import Path
from typing import Any

import pytest

from assay.errors import ConfigError, DataError
from assay.interchange.sets import registry
from assay.interchange.sets.builder import Reading
from assay.interchange.sets.columns import told
from tests.interchange.sets.shop import FILLING, expected, save, taken
from tests.layout import ROOT

FOLDER = ROOT.parent / "shared/cases/import"


def pairs(found: Reading) -> list[tuple[str, str]]:
    """Return question and reference of each case."""
    return [("\n".join(one.turns), one.reference) for one in found.cases]


@pytest.mark.parametrize(
    "text",
    [
        "question,answer,\nHow long?,Two weeks,\nHow much?,10,\n,,\n",
        "question,answer,,,\nHow long?,Two weeks,,,\nHow much?,10,,,\n",
        "question,answer\nHow long?,Two weeks\nHow much?,10\n,\n , \n,,,\n\n",
        "question,answer\nHow long?,Two weeks,\nHow much?,10,,,\n",
        "question;answer\nHow long?;Two weeks\nHow much?;10\n;\n",
        "sep=;\r\nquestion;answer\r\nHow long?;Two weeks\r\nHow much?;10\r\n",
        "\ufeffquestion\tanswer\nHow long?\tTwo weeks\nHow much?\t10\n",
        "Question,Expected Answer\nHow long?,Two weeks\nHow much?,10\n",
    ],
)
def test_what_spreadsheets_leave_around_a_table(tmp_path: Path, text: str) -> None:
    """Trailing commas, empty rows and columns, semicolons, tabs and capitals in the header change nothing."""
    found = taken(tmp_path, "x.csv", text)
    assert (pairs(found), found.not_understood) == ([("How long?", "Two weeks"), ("How much?", "10")], [])


@pytest.mark.parametrize("text", ["question,answer,\nHow long?,14,days\n", "question,answer\nHow long?,14,days\n"])
def test_a_cell_too_many_is_no_tail(tmp_path: Path, text: str) -> None:
    """A cell with a text and no column is refused, for nobody can tell which cell was split."""
    with pytest.raises(DataError, match="unnamed|3 cells, expected 2"):
        taken(tmp_path, "x.csv", text)


@pytest.mark.parametrize("header", [",", "Unnamed: 0,"])
def test_row_numbers_of_a_notebook_are_told(tmp_path: Path, header: str) -> None:
    """A column that numbers the rows is listed and no part of a case, whether it has a name or not."""
    found = taken(tmp_path, "x.csv", f"{header}question,answer\n0,How long?,Two weeks\n1,How much?,10\n")
    assert pairs(found) == [("How long?", "Two weeks"), ("How much?", "10")]
    assert found.not_understood == ["2 fields `Unnamed: 0`, the first in row 2"]


def test_an_unnamed_column_of_anything_else_is_refused(tmp_path: Path) -> None:
    """A first column without a name that does not count the rows is refused."""
    with pytest.raises(DataError, match="unnamed"):
        taken(tmp_path, "x.csv", ",question\n3,How long?\n7,How much?\n")


def test_commas_in_a_table_of_one_column(tmp_path: Path) -> None:
    """In a table of one column a comma is a comma."""
    assert pairs(taken(tmp_path, "x.csv", "question\nHow long, really?\nNow?\n")) == [
        ("How long, really?", ""),
        ("Now?", ""),
    ]


@pytest.mark.parametrize(
    "column",
    [
        *("expected_answer", "best_answer", "ideal", "correct_answer", "gold_answer", "ground_truth", "label"),
        *("expectedOutput", "reference_output", "Expected Answer", "solution", "answers"),
    ],
)
def test_other_names_of_a_good_answer(tmp_path: Path, column: str) -> None:
    """A good answer is the reference under any of its usual names."""
    assert pairs(taken(tmp_path, "x.csv", f"question,{column}\nHow long?,14 days\n")) == [("How long?", "14 days")]


def test_a_label_beside_an_answer_is_no_reference(tmp_path: Path) -> None:
    """A label beside a product's answer is somebody's word on that answer, and is told."""
    found = taken(tmp_path, "x.csv", "question,output,label\nHow long?,14 days,pass\n")
    assert pairs(found) == [("How long?", "")]
    assert "1 field `label`, in row 2" in found.not_understood


def test_one_question_with_two_labels_stays_two_cases(tmp_path: Path) -> None:
    """Two rows that ask the same and expect something else are two cases, for the import to tell."""
    found = taken(tmp_path, "x.csv", "query,label\ncancel my order,cancel\ncancel my order,refund\n")
    assert pairs(found) == [("cancel my order", "cancel"), ("cancel my order", "refund")]


@pytest.mark.parametrize(
    "row",
    [
        {"input": "Peru?", "ideal": ["Lima", "Ciudad de Lima"]},
        {"input": "Peru?", "references": ["Lima", "Ciudad de Lima", "Lima", " "]},
        {"input": "Peru?", "answers": {"text": ["Lima", "Ciudad de Lima"], "answer_start": [0, 9]}},
    ],
)
def test_all_right_answers_are_kept(tmp_path: Path, row: dict[str, Any]) -> None:
    """Of several right answers the first is the reference and the others are as right; short ones are a check too."""
    found = taken(tmp_path, "x.jsonl", [row])
    (case,) = found.cases
    assert (case.reference, case.references) == ("Lima", ["Ciudad de Lima"])
    assert case.expectations == [expected("icontains-any", "Lima", "Ciudad de Lima")]
    assert all("answer_start" in line for line in found.not_understood)


def test_long_right_answers_are_no_check(tmp_path: Path) -> None:
    """Of sentences no answer has to hold one letter by letter: they are the reference alone; one answer is itself."""
    answers = [f"You have {days} days from the day on which the parcel has reached you at home." for days in (14, 30)]
    (case,) = taken(tmp_path, "x.jsonl", [{"input": "How long?", "ideal": answers}]).cases
    assert (case.right_answers(), case.expectations) == (answers, [])
    (case,) = taken(tmp_path, "x.jsonl", [{"input": "How long?", "ideal": answers[:1]}]).cases
    assert (case.reference, case.expectations) == (answers[0], [])


def test_a_list_in_a_cell(tmp_path: Path) -> None:
    """A cell that spells a list of right answers as JSON is that list."""
    (case,) = taken(tmp_path, "x.csv", 'question,ideal\nPeru?,"[""Lima"", ""Ciudad de Lima""]"\n').cases
    assert case.expectations == [expected("icontains-any", "Lima", "Ciudad de Lima")]


@pytest.mark.parametrize(
    "row",
    [
        {"question": "Peru?", "choices": ["Quito", "Lima"], "answer": "B"},
        {"question": "Peru?", "choices": ["Quito", "Lima"], "answer": "(b)"},
        {"question": "Peru?", "choices": ["Quito", "Lima"], "answer": "Lima"},
        {"question": "Peru?", "choices": {"A": "Quito", "B": "Lima"}, "answer": "B"},
        {"question": "Peru?", "choices": {"text": ["Quito", "Lima"], "label": ["A", "B"]}, "answerKey": "B"},
        {"question": "Peru?", "options": ["Quito", "Lima"], "answer_idx": "B"},
        {"question": "Peru?", "A": "Quito", "B": "Lima", "answer": "B"},
        {"question": "Peru?", "option_a": "Quito", "option_b": "Lima", "correct_option": "b"},
    ],
)
def test_choices_join_the_question(tmp_path: Path, row: dict[str, Any]) -> None:
    """The choices stand under the question, and the reference is the text of the right one, however it is named."""
    found = taken(tmp_path, "x.jsonl", [row])
    assert (pairs(found), found.not_understood) == ([("Peru?\n\nA) Quito\nB) Lima", "Lima")], [])


@pytest.mark.parametrize(("first", "keys"), [(0, (0, 1)), (1, (1, 2)), (0, ("0", "1")), (1, ("1", "2"))])
def test_choices_by_number(tmp_path: Path, first: int, keys: tuple[object, object]) -> None:
    """A file counts its choices from 0 or from 1, as its answers tell."""
    rows = [{"question": f"Peru {key}?", "choices": ["Quito", "Lima"], "answer": key} for key in keys]
    assert [one.reference for one in taken(tmp_path, "x.jsonl", rows).cases] == ["Quito", "Lima"]


def test_an_answer_that_is_no_choice_is_told(tmp_path: Path) -> None:
    """An answer that names none of the choices stays as it is, and is told."""
    found = taken(tmp_path, "x.jsonl", [{"question": "Peru?", "choices": ["Quito", "Lima"], "answer": "E"}])
    assert found.cases[0].reference == "E"
    assert found.not_understood == ["1 answer that is none of its choices, kept as it is, in row 1"]


@pytest.mark.parametrize("answer", ["reference", "output"])
def test_an_instruction_stands_before_what_it_is_about(tmp_path: Path, answer: str) -> None:
    """An instruction and its input are one question, and the output beside them is the reference."""
    row = {"instruction": "Translate", "input": "Guten Tag", answer: "Good day"}
    assert pairs(taken(tmp_path, "x.jsonl", [row])) == [("Translate\n\nGuten Tag", "Good day")]
    row["input"] = ""
    assert pairs(taken(tmp_path, "x.jsonl", [row])) == [("Translate", "Good day")]


def test_a_rubric_column_is_the_case_s_own(tmp_path: Path) -> None:
    """A text under `rubric` is what the judge `rubric` looks at in the case."""
    (case,) = taken(tmp_path, "x.csv", "question,rubric\nHow long?,says 14 days\n").cases
    assert case.rubric == {"rubric": "says 14 days"}


def test_columns_that_the_user_tells(tmp_path: Path) -> None:
    """Columns of any names are what the user says they are, also beside one with a usual name."""
    file = save(tmp_path, "x.csv", "Nr;input;Frage;Antwort;Art\n7;x;Wie lange?;Zwei Wochen;Refunds\n")
    found = registry.read(file, None, FILLING, told(["question=Frage,reference=Antwort", "id=Nr,category=Art"]))
    (case,) = found.cases
    assert (case.case_id, case.turns, case.reference, case.category) == ("7", ["Wie lange?"], "Zwei Wochen", "refunds")
    assert found.not_understood == ["1 field `input`, in row 2"]


def test_columns_that_are_named_values(tmp_path: Path) -> None:
    """A column `inputs.<name>`, or one told to be it, is a value of the case; an object under `inputs` is several."""
    file = save(tmp_path, "x.csv", "Frage,Sprache,inputs.limit\nWie lange?,de,3\nWer?,,4\n")
    found = registry.read(file, None, FILLING, told(["question=Frage,inputs.language=Sprache"]))
    values = [{"language": "de", "limit": "3"}, {"limit": "4"}]
    assert ([one.values() for one in found.cases], found.not_understood) == (values, [])
    found = taken(tmp_path, "x.jsonl", [{"inputs": {"question": "Wer?", "limit": 4}}])
    assert [(one.turns, one.values()) for one in found.cases] == [(["Wer?"], {"limit": 4})]
    found = taken(tmp_path, "x.jsonl", [{"question": "Wie lange?", "inputs": {"limit": 3, "a b": 1}}])
    assert [(one.turns, one.values()) for one in found.cases] == [(["Wie lange?"], {"limit": 3})]
    assert [line.partition(",")[0] for line in found.not_understood] == ["1 value `inputs.a b` that no input can be"]


@pytest.mark.parametrize(
    "text", ["question", "question=", "=Frage", "who=Frage", "question=a,question=b", "inputs.=a", "inputs.a b=c"]
)
def test_a_column_told_otherwise_is_refused(text: str) -> None:
    """What is no FIELD=COLUMN, names an unknown field or one twice is refused with the fields that there are."""
    with pytest.raises(ConfigError, match="expected FIELD=COLUMN with each of question, reference, id"):
        told([text])


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A column that the file lacks is refused with the nearest one; without a mapping the message shows one."""
    file = save(tmp_path, "x.csv", "Frage;Antwort\nWie lange?;Zwei Wochen\n")
    with pytest.raises(ConfigError, match="has no column 'Farge' .*did you mean 'Frage'"):
        registry.read(file, None, FILLING, told(["question=Farge"]))
    with pytest.raises(ConfigError, match="--map question=Frage,reference=Antwort"):
        registry.read(file, None, FILLING)


@pytest.mark.parametrize(
    ("table", "example"),
    [
        ("Nr;Frage;Antwort\n7;Wie lange?;Zwei Wochen\n", "--map question=Frage,reference=Antwort"),
        ("Nr;Art;Antwort;Frage\n7;x;Zwei volle Wochen;Wie lange?\n", "--map question=Frage,reference=Antwort"),
        (
            "Nr;Was gesagt wird;Ja oder nein\n7;Die Lampe ist da;ja\n",
            "--map question=Was gesagt wird,reference=Ja oder",
        ),
        ("Nr;Frage\n7;Wie lange?\n", "--map question=Frage$"),
        ("Nr;Art\n7;x\n", "--map question=COLUMN,reference=COLUMN$"),
    ],
)
def test_the_example_of_a_mapping_is_no_wrong_one(tmp_path: Path, table: str, example: str) -> None:
    """The example takes for the question a column that asks, or says something in words, and no number of a row."""
    with pytest.raises(ConfigError, match=example):
        registry.read(save(tmp_path, "x.csv", table), None, FILLING)


REFUSED = ("excel_tail.csv", "german.csv")
"""Of which nobody can tell what the question is."""
KINDS = sorted(file for file in FOLDER.glob("*") if file.suffix in (".csv", ".jsonl", ".yaml"))


@pytest.mark.skipif(not KINDS, reason="the shared files are not on this machine")
@pytest.mark.parametrize("file", KINDS, ids=lambda file: file.name)
def test_each_kind_of_file_gives_cases_or_one_sentence(file: Path) -> None:
    """Each of the shared files gives cases whose questions are filled in, or is refused with one sentence."""
    if file.name in REFUSED:
        with pytest.raises(ConfigError, match=r"^[^\n]*expected[^\n]*--map[^\n]*$"):
            registry.read(file, None, FILLING)
        return
    found = registry.read(file, None, FILLING)
    assert found.cases
    assert not [one for one in found.cases if "{{" in "".join(one.turns)]
